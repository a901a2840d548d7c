"""`seed_admin`: the first admin, once, with a password that nobody chose."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from aegis.accounts.models import User


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed_admin", *arguments, stdout=out)
    return out.getvalue()


def password_in(output: str) -> str:
    found = re.search(r"shown this once\): (\S+)", output)
    assert found
    return found.group(1)


def test_first_admin_can_log_in_with_the_printed_password(db):
    output = seed("--username", "root", "--email", "root@example.org")
    user = User.objects.get(username="root", role="admin", email="root@example.org")
    assert user.check_password(password_in(output))


def test_passwords_are_long_and_never_the_same(db):
    first = password_in(seed("--username", "one"))
    User.objects.update(is_active=False)
    second = password_in(seed("--username", "two"))
    assert first != second
    assert min(len(first), len(second)) >= 24


def test_second_admin_is_refused(db):
    seed("--username", "root")
    with pytest.raises(CommandError, match="root is an admin already") as error:
        seed("--username", "other")
    assert error.value.returncode == 1
    assert list(User.objects.values_list("username", flat=True)) == ["root"]


def test_if_none_ends_well_where_there_is_an_admin(db):
    seed("--username", "root")
    assert seed("--username", "root", "--if-none") == (
        "root is an admin already; admins make further users under Users.\n"
    )
    assert User.objects.count() == 1


def test_inactive_admin_does_not_count(db):
    User.objects.create_user("old", role="admin", is_active=False)
    assert "Admin root created." in seed("--username", "root")


@pytest.mark.parametrize("name", ["", "two words", "x" * 151, "taken"])
def test_name_that_will_not_do_is_refused_in_words(db, name):
    User.objects.create_user("taken")
    with pytest.raises(CommandError):
        seed("--username", name)
    assert not User.objects.active_admins().exists()


def test_link_instead_of_a_password_leaves_the_choice_to_the_admin(client, db):
    output = seed("--username", "root", "--link", "--site", "https://aegis.example.org/")
    found = re.search(r"https://aegis\.example\.org(/accounts/link/[A-Za-z0-9_-]{43})$", output.strip())
    assert found
    assert not User.objects.get(username="root").has_usable_password()
    answer = client.post(
        found.group(1), {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login")
    assert User.objects.get(username="root").check_password("correct horse battery")
