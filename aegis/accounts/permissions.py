"""The policy as a permission of REST framework: a view that names no action is closed, to admins too."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.text import format_lazy
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from aegis.accounts.access import is_public, required_action
from aegis.accounts.policy import CONFIRMED_ACTIONS, allows
from aegis.accounts.sessions import is_confirmed


class Unconfirmed(PermissionDenied):
    """A browser that was left open is not enough for this."""

    default_detail = format_lazy(
        "You gave your password more than 15 minutes ago, so nothing was changed. Give it once more at {page}, then do this "
        "again. A program sends a token instead.",
        page=reverse_lazy("accounts:confirm"),
    )


class PolicyPermission(BasePermission):
    """Asks the policy for the action that the view requires (`require_action`), unless the view is `public`."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the policy lets this user in. Raises Unconfirmed where their browser has to ask for the password first."""
        if is_public(view):
            return True
        action = required_action(view)
        if action is None or not allows(request.user, action):
            return False
        if action in CONFIRMED_ACTIONS and request.method not in SAFE_METHODS and _is_stale(request):
            raise Unconfirmed
        return True

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Whether the policy lets this user do it to this row."""
        action = required_action(view)
        return is_public(view) or (action is not None and allows(request.user, action, obj))


def _is_stale(request: Request) -> bool:
    """Whether it is a browser's login, not a token, and its password was given too long ago."""
    return request.auth is None and not is_confirmed(request._request)
