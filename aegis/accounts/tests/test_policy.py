"""The policy: who may do what, and that nobody else may."""

import pytest
from django.contrib.auth.models import AnonymousUser

from aegis.accounts.models import User
from aegis.accounts.policy import ACTIONS, ROLES, Role, allows
from aegis.accounts.templatetags.policy import may

EVERYBODY_MAY = {
    "account.use",
    "campaign.read",
    "catalog.read",
    "compliance.read",
    "coverage.read",
    "intel.read",
    "layer.read",
    "source.read",
    "test.read",
    "view.keep",
}
TECHS_MAY = EVERYBODY_MAY | {
    "campaign.manage",
    "evidence.add",
    "gap.own",
    "intel.triage",
    "layer.delete",
    "layer.upload",
    "test.assess",
    "test.create",
    "test.edit",
    "test.execute",
    "test.submit",
}
LEADS_MAY = EVERYBODY_MAY | {
    "campaign.manage",
    "gap.assign",
    "gap.own",
    "intel.triage",
    "layer.delete",
    "layer.upload",
    "technique.review",
    "test.archive",
    "test.decide",
}
ADMINS_MAY = (
    TECHS_MAY
    | LEADS_MAY
    | {
        "admin.use",
        "audit.read",
        "compliance.manage",
        "feed.manage",
        "source.manage",
        "source.sync",
        "technique.edit",
        "user.manage",
    }
) - {"gap.own"}
ALLOWED = {
    "admin": ADMINS_MAY,
    "red_tech": TECHS_MAY,
    "blue_tech": TECHS_MAY,
    "red_lead": LEADS_MAY,
    "blue_lead": LEADS_MAY,
    "viewer": EVERYBODY_MAY,
}


def test_roles_are_the_six_of_the_domain():
    assert list(ROLES) == ["admin", "red_tech", "blue_tech", "red_lead", "blue_lead", "viewer"]


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_exactly_what_the_table_says(role):
    user = User(username="someone", role=role)
    assert {action for action in ACTIONS if allows(user, action)} == ALLOWED[role]


@pytest.mark.parametrize("role", ROLES)
def test_inactive_user_may_do_nothing(role):
    user = User(username="someone", role=role, is_active=False)
    assert [action for action in ACTIONS if allows(user, action)] == []


@pytest.mark.parametrize("nobody", [None, AnonymousUser(), User(username="someone", role="owner")])
def test_nobody_may_do_nothing(nobody):
    assert [action for action in ACTIONS if allows(nobody, action)] == []


def test_unknown_action_is_an_error_and_not_a_refusal():
    with pytest.raises(KeyError):
        allows(User(role=Role.ADMIN), "catalog.raed")


@pytest.mark.parametrize("role", ROLES)
def test_django_admin_follows_from_the_role_alone(role):
    user = User(username="someone", role=role)
    answers = {
        user.is_staff,
        user.is_superuser,
        user.has_perm("accounts.change_user"),
        user.has_perms(["accounts.view_user"]),
        user.has_module_perms("accounts"),
    }
    assert answers == {role == "admin"}


def test_button_shows_to_those_whom_the_view_lets_in():
    assert may(User(role=Role.ADMIN), "source.sync")
    assert not may(User(role=Role.RED_LEAD), "source.sync")


def test_new_user_is_a_viewer_who_cannot_log_in_without_a_password(db):
    user = User.objects.create_user("new")
    assert (user.role, user.has_usable_password(), user.is_staff) == ("viewer", False, False)


def test_superuser_is_an_admin(db):
    assert User.objects.create_superuser("root", password="correct horse").role == "admin"
    assert [user.username for user in User.objects.active_admins()] == ["root"]
