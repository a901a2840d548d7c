"""What a view asks of its visitor: an action of the policy, or nothing at all. A view that says neither is closed."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.urls import URLPattern, URLResolver

from aegis.accounts.models import User
from aegis.accounts.policy import ACTIONS, allows

View = TypeVar("View", bound=Callable[..., Any])


def require_action(action: str) -> Callable[[View], View]:
    """Decorator: the view is for those whom the policy allows `action`. On a function, or on a DRF view class.

    Raises ValueError for an action that the policy does not know.
    """
    if action not in ACTIONS:
        raise ValueError(
            f"No action {action!r} in aegis.accounts.policy.ACTIONS: add it there, or correct the spelling."
        )

    def mark(view: View) -> View:
        view.action_required = action  # type: ignore[attr-defined]
        return view

    return mark


def refuse_other_roles(user: User | AnonymousUser, action: str) -> None:
    """For one method of a view that asks for less: raises PermissionDenied unless the policy allows `action` to the role."""
    if not allows(user, action):
        raise PermissionDenied(f"Your role does not allow this ({action}).")


def public(view: View) -> View:
    """Decorator: the view is for everybody, logged in or not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Whether the view says that it is for everybody."""
    return bool(getattr(view, "is_public", False) or getattr(_drf_class(view), "is_public", False))


def required_action(view: Callable[..., Any]) -> str | None:
    """The action that the view asks for, None where it names none. Views of the Django admin ask for `admin.use`."""
    if _belongs_to_admin(view):
        return "admin.use"
    action = getattr(view, "action_required", None) or getattr(_drf_class(view), "action_required", None)
    return action if action in ACTIONS else None


def answers_for_itself(view: Callable[..., Any]) -> bool:
    """Whether it is a DRF view behind the project's policy permission, which sees tokens and answers in JSON."""
    permissions = {
        f"{kind.__module__}.{kind.__qualname__}" for kind in getattr(_drf_class(view), "permission_classes", ())
    }
    required: list[str] = settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"]  # type: ignore[assignment]
    return permissions.issuperset(required)


def is_guarded(view: Callable[..., Any]) -> bool:
    """Whether it is settled who may see the view: it is public, or names an action that somebody enforces."""
    enforced = _drf_class(view) is None or answers_for_itself(view)
    return is_public(view) or (required_action(view) is not None and enforced)


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every route below `resolver` as (path pattern, view)."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.callback


def _drf_class(view: Callable[..., Any]) -> type | None:
    """The DRF view class behind a routed view, told by its attributes: to import DRF here would be to load all of it."""
    kind = getattr(view, "cls", None)
    return kind if hasattr(kind, "permission_classes") else None


def _belongs_to_admin(view: Callable[..., Any]) -> bool:
    """Whether the Django admin routes it: a method of its site or of a model's admin, however often wrapped."""
    method = inspect.unwrap(view, stop=_is_admin_method)
    return _is_admin_method(method) or hasattr(view, "admin_site") or hasattr(view, "model_admin")


def _is_admin_method(view: Callable[..., Any]) -> bool:
    return isinstance(getattr(view, "__self__", None), (AdminSite, ModelAdmin))
