"""Who may do what: one table, one pure function. Pages, API, admin, tasks and buttons all ask here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

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

ACTIONS: Final[Mapping[str, frozenset[Role]]] = {
    "account.use": EVERYONE,
    "catalog.read": EVERYONE,
    "compliance.read": EVERYONE,
    "coverage.read": EVERYONE,
    "intel.read": EVERYONE,
    "source.read": EVERYONE,
    "admin.use": ADMINS,
    "source.manage": ADMINS,
    "source.sync": ADMINS,
    "technique.edit": ADMINS,
    "user.manage": ADMINS,
}


def allows(user: "User | AnonymousUser | None", action: str, obj: object = None) -> bool:
    """Whether `user` may do `action`, to `obj` where the action is about one. Nobody and inactive users may do nothing.

    Raises KeyError for an action that is not in `ACTIONS`: a misspelt action is a bug, not a refusal.
    """
    roles = ACTIONS[action]
    return user is not None and user.is_active and getattr(user, "role", None) in roles
