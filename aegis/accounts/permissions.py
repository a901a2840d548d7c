"""The policy as a permission of REST framework: a view that names no action is closed, to admins too."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from aegis.accounts.access import is_public, required_action
from aegis.accounts.policy import allows


class PolicyPermission(BasePermission):
    """Asks the policy for the action that the view requires (`require_action`), unless the view is `public`."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the policy lets this user in."""
        if is_public(view):
            return True
        action = required_action(view)
        return action is not None and allows(request.user, action)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Whether the policy lets this user do it to this row."""
        action = required_action(view)
        return is_public(view) or (action is not None and allows(request.user, action, obj))
