"""App configuration: the audit trail. It hears of logins and of changes to users from the floor below."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "aegis.audit"
    label = "audit"

    def ready(self) -> None:
        """Listen, once all models are there."""
        from aegis.audit import receivers  # noqa: PLC0415

        receivers.listen()
