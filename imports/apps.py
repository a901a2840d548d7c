"""App configuration: the data sources' rows follow the code after every migration; pages learn their names."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from aegis.lib.upstreams import introduce
from imports.registry import SOURCES


class ImportsConfig(AppConfig):
    name = "imports"

    def ready(self) -> None:
        post_migrate.connect(describe_sources, sender=self)
        for source in SOURCES:
            introduce(source.slug, label=source.label, license=source.license)


def describe_sources(**_: Any) -> None:
    """Create or update the DataSource rows. The services need loaded models, so they are imported by name here."""
    import_module("imports.services").describe_sources()
