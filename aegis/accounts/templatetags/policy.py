"""Template filter of the policy: `{% load policy %}{% if user|may:"source.sync" %}`."""

from typing import TYPE_CHECKING

from django import template

from aegis.accounts.policy import allows

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from aegis.accounts.models import User

register = template.Library()


@register.filter
def may(user: "User | AnonymousUser | None", action: str) -> bool:
    """Whether to show the button: the same answer that the view will give."""
    return allows(user, action)
