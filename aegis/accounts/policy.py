"""Who may do what: one table, one pure function. Pages, API, admin, tasks and buttons all ask here."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.db.models import TextChoices

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from aegis.accounts.models import User


class Role(TextChoices):
    """The six roles; a user has exactly one."""

    ADMIN = "admin", "Admin"
    RED_TECH = "red_tech", "Red tech"
    BLUE_TECH = "blue_tech", "Blue tech"
    RED_LEAD = "red_lead", "Red lead"
    BLUE_LEAD = "blue_lead", "Blue lead"
    VIEWER = "viewer", "Viewer"


ROLES: Final = tuple(Role)
EVERYONE: Final = frozenset(Role)
ADMINS: Final = frozenset({Role.ADMIN})
DOERS: Final = frozenset({Role.ADMIN, Role.RED_TECH, Role.BLUE_TECH})
DECIDERS: Final = frozenset({Role.ADMIN, Role.RED_LEAD, Role.BLUE_LEAD})
TECHS_AND_LEADS: Final = frozenset({Role.RED_TECH, Role.BLUE_TECH, Role.RED_LEAD, Role.BLUE_LEAD})

ACTIONS: Final[Mapping[str, frozenset[Role]]] = {
    "account.use": EVERYONE,
    "campaign.read": EVERYONE,
    "catalog.read": EVERYONE,
    "compliance.read": EVERYONE,
    "coverage.read": EVERYONE,
    "intel.read": EVERYONE,
    "layer.read": EVERYONE,
    "source.read": EVERYONE,
    "view.keep": EVERYONE,
    "test.read": EVERYONE,
    "campaign.manage": DOERS | DECIDERS,
    "evidence.add": DOERS,
    "gap.own": TECHS_AND_LEADS,
    "intel.triage": DOERS | DECIDERS,
    "layer.delete": DOERS | DECIDERS,
    "layer.upload": DOERS | DECIDERS,
    "test.assess": DOERS,
    "test.create": DOERS,
    "test.edit": DOERS,
    "test.execute": DOERS,
    "test.submit": DOERS,
    "gap.assign": DECIDERS,
    "technique.review": DECIDERS,
    "test.archive": DECIDERS,
    "test.decide": DECIDERS,
    "admin.use": ADMINS,
    "audit.read": ADMINS,
    "compliance.manage": ADMINS,
    "feed.manage": ADMINS,
    "source.manage": ADMINS,
    "source.sync": ADMINS,
    "technique.edit": ADMINS,
    "user.manage": ADMINS,
}
"""Whose role allows an action at all."""

CONFIRMED_ACTIONS: Final = frozenset({"user.manage"})
"""Actions that change who may do what: to write there, a browser needs a password that was given a moment ago."""


class SharedWork(Protocol):
    """What the rules below ask of a test, or of what belongs to one."""

    created_by_id: int

    @property
    def is_decided(self) -> bool:
        """Whether somebody decided on it."""

    @property
    def participant_ids(self) -> Collection[int]:
        """Users who take part in its campaign."""

    @property
    def involved_ids(self) -> Collection[int]:
        """Users who had a hand in it."""


def has_role(user: "User", role: Role) -> bool:
    """Whether `user` has this role."""
    return getattr(user, "role", None) == role


def takes_part(user: "User", work: SharedWork) -> bool:
    """Whether `user` is an admin, made it, takes part in its campaign, or had a hand in it already."""
    return has_role(user, Role.ADMIN) or user.pk in {work.created_by_id, *work.participant_ids, *work.involved_ids}


def is_impartial(user: "User", work: SharedWork) -> bool:
    """Four eyes: whether `user` neither made it nor had a hand in it. Admins are no exception."""
    return user.pk not in {work.created_by_id, *work.involved_ids}


OBJECT_RULES: Final[Mapping[str, Callable[["User", Any], bool]]] = {
    "evidence.add": takes_part,
    "layer.delete": lambda user, layer: has_role(user, Role.ADMIN) or user.pk == layer.uploaded_by_id,
    # What was decided counts: to put it away is as good as another decision.
    "test.archive": lambda user, test: not test.is_decided or is_impartial(user, test),
    "test.assess": lambda user, test: has_role(user, Role.BLUE_TECH) or takes_part(user, test),
    "test.decide": is_impartial,
    "test.edit": takes_part,
    "test.execute": lambda user, test: has_role(user, Role.RED_TECH) or takes_part(user, test),
    "test.submit": takes_part,
}
"""What is asked beside the role where the action is about one object; an action without a rule asks nothing more."""


def allows(user: "User | AnonymousUser | None", action: str, obj: object = None) -> bool:
    """Whether `user` may do `action`, to `obj` where the action is about one. Nobody and inactive users may do nothing.

    Raises KeyError for an action that is not in `ACTIONS`: a misspelt action is a bug, not a refusal.
    """
    roles = ACTIONS[action]
    if user is None or not user.is_active or getattr(user, "role", None) not in roles:
        return False
    rule = OBJECT_RULES.get(action)
    return obj is None or rule is None or rule(user, obj)
