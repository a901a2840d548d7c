"""System check aegis.E001: every route says who may see it."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import get_resolver

from aegis.accounts.access import is_guarded, routes


@register(Tags.security)
def every_view_is_guarded(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """One error for each route whose view is neither public nor behind an action of the policy."""
    return [
        Error(
            f"The view of /{route} does not say who may see it.",
            hint="Decorate it with aegis.accounts.access.require_action(...), or with public if it is for everybody.",
            obj=f"{view.__module__}.{getattr(view, '__qualname__', type(view).__qualname__)}",
            id="aegis.E001",
        )
        for route, view in routes(get_resolver())
        if not is_guarded(view)
    ]
