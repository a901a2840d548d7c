"""App configuration: users, their roles, and who may do what."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "aegis.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Register the system check that no view is open by accident."""
        import aegis.accounts.checks  # noqa: F401, PLC0415  Django registers checks on import, once the apps are loaded
