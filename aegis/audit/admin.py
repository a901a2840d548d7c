"""The audit trail in the Django admin: to read, never to write."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from aegis.audit.models import AuditLog

if TYPE_CHECKING:
    Base = admin.ModelAdmin[AuditLog]
else:
    Base = admin.ModelAdmin


@admin.register(AuditLog)
class AuditLogAdmin(Base):
    """Rows, newest first."""

    list_display = ("id", "at", "actor_name", "actor_role", "action", "object_label", "ip")
    search_fields = ("action", "actor_name", "object_label", "request_id")
    show_full_result_count = False

    def has_add_permission(self, request: Any) -> bool:
        """Nobody: rows come from what happens."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody."""
        return False
