"""App configuration: `aegis.lib` has no models, only template tags and shared code."""

from django.apps import AppConfig

from aegis.lib.garbage import look_seldom


class LibConfig(AppConfig):
    name = "aegis.lib"
    label = "lib"

    def ready(self) -> None:
        """Register the system check of the environment; everything is loaded now, and stays."""
        import aegis.lib.boot  # noqa: F401, PLC0415  Django registers checks on import, once the apps are loaded

        look_seldom()
