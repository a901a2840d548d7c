"""`manage.py backup --to FOLDER`: a copy of an embedded installation, made while it runs."""

import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aegis.lib.backup import NotHere, back_up


class Command(BaseCommand):
    """The folder is a whole installation: AEGIS_DATA_DIR=FOLDER starts it."""

    help = "Copy database, evidence, snapshots and secrets of an embedded installation into a new folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a folder that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["to"]
        try:
            size = back_up(target)
        except FileExistsError as error:
            raise CommandError(f"{target} exists: a backup goes into a folder of its own.") from error
        except (NotHere, OSError, sqlite3.Error) as error:
            raise CommandError(f"No backup: {error}") from error
        self.stdout.write(f"Copied {size:,} bytes to {target}. It holds the secrets too: keep it where they may be.")
