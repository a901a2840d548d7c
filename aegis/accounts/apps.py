"""App configuration: users, their roles, and who may do what."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "aegis.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Register the system check that no view is open by accident, and note every login in a browser."""
        import aegis.accounts.checks  # noqa: F401, PLC0415  Django registers checks on import, once the apps are loaded
        from aegis.accounts.sessions import note_login  # noqa: PLC0415  it imports models

        user_logged_in.connect(note_login, dispatch_uid="aegis.accounts.note_login")
