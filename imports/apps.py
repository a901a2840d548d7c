"""App configuration: the rows of sources and known feeds follow the code after every migration, and beat's rows follow them."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_delete, post_migrate, post_save

from aegis.lib.upstreams import introduce
from imports.registry import OPTIONAL, SOURCES


class ImportsConfig(AppConfig):
    name = "imports"

    def ready(self) -> None:
        post_migrate.connect(describe_sources, sender=self)
        post_migrate.connect(describe_feeds, sender=self)
        self._listen()
        import_module("catalog.provenance").introduce(import_module("imports.row_pages").last_run_of)
        for source in (*SOURCES, *OPTIONAL):
            introduce(source.slug, label=source.label, license=source.license)

    def _listen(self) -> None:
        """Keep the schedules of sources and of beat in step. Needs loaded models, so it is imported by name here."""
        schedule, tables = import_module("imports.schedule"), import_module("django_celery_beat.models")
        post_save.connect(schedule.source_was_saved, sender=self.get_model("DataSource"))
        post_save.connect(schedule.task_was_saved, sender=tables.PeriodicTask)
        post_delete.connect(schedule.task_was_deleted, sender=tables.PeriodicTask)
        post_save.connect(schedule.interval_was_saved, sender=tables.IntervalSchedule)


def describe_sources(**_: Any) -> None:
    """Create or update the DataSource rows. The services need loaded models, so they are imported by name here."""
    import_module("imports.services").describe_sources()


def describe_feeds(using: str, **_: Any) -> None:
    """Create the rows of the feeds that Aegis brings along, unless this migration went back to before there were any."""
    feeds = import_module("imports.feeds.managing")
    if feeds.Feed._meta.db_table in connections[using].introspection.table_names():
        feeds.describe_feeds()
