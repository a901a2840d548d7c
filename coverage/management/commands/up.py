"""`manage.py up`: the site, a worker and beat together on one machine, stopped together."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from aegis.lib.processes import Group
from aegis.lib.static_files import collect_if_stale
from aegis.lib.upgrades import BEHIND, WHAT_TO_DO, missing_migrations


class Command(BaseCommand):
    """Exits with 0 when it is told to stop (Ctrl+C, SIGTERM), with 1 when one of the three ends by itself."""

    help = "Serve the site, and run a worker and the schedule beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *args: Any, **options: Any) -> None:
        if missing := missing_migrations():
            raise CommandError(f"{BEHIND} {WHAT_TO_DO} ({', '.join(missing)})")
        try:
            collect_if_stale()
        except OSError as error:
            advice = "Give this user the right to, or name another folder in AEGIS_STATIC_ROOT."
            raise CommandError(f"What browsers load cannot be written: {error}. {advice}") from error
        self._say(f"Aegis is at http://127.0.0.1:{options['port']} (Ctrl+C stops it)")
        group = Group(programs(options["port"]), folder=settings.BASE_DIR, say=self._say)
        if status := group.run():
            raise SystemExit(status)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def programs(port: int) -> dict[str, list[str]]:
    """The three programs by name, of the same Python as this one."""
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "aegis"]
    gunicorn = [sys.executable, "-m", "gunicorn", "aegis.wsgi", "--bind", f"127.0.0.1:{port}"]
    return {
        "web": [*gunicorn, "--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--log-level", "warning"],
        "worker": [*celery, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
    }
