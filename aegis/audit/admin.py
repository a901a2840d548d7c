"""The audit trail in the Django admin: to read, never to write."""

from django.contrib import admin

from aegis.audit.models import AuditLog
from aegis.lib.admin import ReadOnlyAdmin


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    """Rows, newest first."""

    list_display = ("id", "at", "actor_name", "actor_role", "action", "object_label", "ip")
    search_fields = ("action", "actor_name", "object_label", "request_id")
