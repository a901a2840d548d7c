#!/usr/bin/env python
"""Command line entry point."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from aegis.lib.boot import require_sound_environment
from aegis.lib.upgrades import BEHIND, WHAT_TO_DO, is_behind

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
    if sys.argv[1:2] == ["runserver"]:
        require_sound_environment()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Aegis does not start: {error}")
    except DatabaseError as error:
        if not is_behind(error):
            raise
        sys.exit(f"{BEHIND} {WHAT_TO_DO} ({error})")
