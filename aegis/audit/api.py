"""The audit trail in the API."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers

from aegis.accounts.access import require_action
from aegis.audit.filters import AuditLogFilter
from aegis.audit.models import AuditLog
from aegis.lib.api import ListEndpoint

EXAMPLE = {
    "id": 17,
    "at": "2026-01-02T03:04:05.678901Z",
    "actor_id": 1,
    "actor_name": "maria",
    "actor_role": "admin",
    "ip": "192.0.2.7",
    "request_id": "0123456789abcdef0123456789abcdef",
    "action": "user.role_changed",
    "object_type": "accounts.user",
    "object_id": "7",
    "object_label": "anna",
    "before": {"role": "viewer"},
    "after": {"role": "red_lead"},
    "note": "",
    "key_id": "0123456789abcdef",
    "prev_mac": "0" * 64,
    "mac": "1" * 64,
}


@extend_schema_serializer(examples=[OpenApiExample("A change of role", value=EXAMPLE)])
class AuditLogSerializer(serializers.ModelSerializer[AuditLog]):
    """One thing that happened. `mac` signs the row together with `prev_mac`, the `mac` of the row before."""

    before = serializers.DictField(read_only=True)
    after = serializers.DictField(read_only=True)

    class Meta:
        model = AuditLog
        fields = tuple(EXAMPLE)
        read_only_fields = fields


@require_action("audit.read")
@extend_schema(tags=["audit"])
class AuditLogList(ListEndpoint):
    """What happened, the newest first."""

    queryset = AuditLog.objects.all()
    serializer_class = AuditLogSerializer
    filterset_class = AuditLogFilter
    ordering_fields = {"id": "pk", "action": "action", "actor": "actor_name"}
