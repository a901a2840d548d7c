"""Rows in the Django admin that are looked at, not edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Admin = admin.ModelAdmin
    Inline = admin.TabularInline


class Untouched:
    """Nothing can be added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


class ReadOnlyAdmin(Untouched, Admin):
    """Rows to look at, in pages of 50."""

    actions: tuple[str, ...] | None = None
    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(Untouched, Inline):
    """Rows below another row, to look at."""

    extra = 0
    show_change_link = False
