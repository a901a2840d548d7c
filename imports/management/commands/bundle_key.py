"""`manage.py bundle_key`: make the pair of keys that signs bundles and lets others trust them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports.bundles.keys import key_id, make_pair, public_text


class Command(BaseCommand):
    """Writes FILE (private, mode 0600) and FILE.pub, and prints the public key. Overwrites nothing."""

    help = "Make a key pair for bundles: the private key signs, the public key goes to AEGIS_BUNDLE_KEYS of the other side."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="where the private key goes")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["to"]
        try:
            public = make_pair(file)
        except FileExistsError as error:
            raise CommandError(
                f"{error.filename} exists already and is not overwritten: choose another name."
            ) from error
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be written ({error.strerror}).") from error
        self.stdout.write(f"private key  {file} (stays here, mode 600)")
        self.stdout.write(f"public key   {file}.pub (goes to the other side)")
        self.stdout.write(f"key id       {key_id(public)}")
        self.stdout.write(f"AEGIS_BUNDLE_KEYS={public_text(public)}")
