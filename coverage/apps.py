"""App configuration: coverage hears of imports."""

from importlib import import_module

from django.apps import AppConfig


class CoverageConfig(AppConfig):
    name = "coverage"

    def ready(self) -> None:
        """The receivers need loaded models, so they are imported by name here."""
        import_module("coverage.receivers").listen()
