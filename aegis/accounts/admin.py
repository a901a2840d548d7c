"""Users in the Django admin: names and addresses. Roles, access and passwords have their own pages, with their own rules."""

from typing import TYPE_CHECKING

import django.contrib.auth.admin  # noqa: F401  it registers groups, which Aegis does not have
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from aegis.accounts.models import ApiSession, BrowserSession, User
from aegis.lib.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    Base = admin.ModelAdmin[User]
else:
    Base = admin.ModelAdmin

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(Base):
    """No way past the rules: nobody is made, removed, promoted or given a password here."""

    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    fields = ("username", "first_name", "last_name", "email", "role", "is_active", "last_login", "date_joined")
    readonly_fields = ("username", "role", "is_active", "last_login", "date_joined")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: the users page makes users."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: users are switched off, so that what they did stays theirs."""
        return False


@admin.register(BrowserSession)
class BrowserSessionAdmin(ReadOnlyAdmin):
    """Logins in browsers. Their keys are shown to nobody; the page of the user ends them."""

    list_display = ("user", "device", "address", "started_at", "seen_at")
    list_filter = ("started_at", "seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "address", "user_agent")
    ordering = ("-seen_at",)
    fields = ("user", "device", "user_agent", "address", "started_at", "seen_at")


@admin.register(ApiSession)
class ApiSessionAdmin(ReadOnlyAdmin):
    """Logins to the API. The page of the user ends them."""

    list_display = ("user", "device", "address", "created_at", "seen_at", "expires_at")
    list_filter = ("created_at", "seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "address", "user_agent")
    ordering = ("-seen_at",)
    fields = ("user", "device", "user_agent", "address", "created_at", "seen_at", "expires_at")
