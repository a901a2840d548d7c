"""Filters of the users, for page and API."""

import django_filters

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.lib.filters import Search, YesNo


class UserFilter(django_filters.FilterSet):
    """`search` in names and address, `role`, `is_active`."""

    search = Search()
    role = django_filters.ChoiceFilter(choices=Role.choices, empty_label="Any")
    is_active = YesNo(label="Can log in")
    ordering = django_filters.OrderingFilter(
        fields=[(name, name) for name in ("username", "role", "is_active", "last_login", "date_joined")]
    )

    class Meta:
        model = User
        fields = ("search", "role", "is_active")
