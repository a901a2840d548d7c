#!/usr/bin/env python
"""Command line entry point."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from aegis.lib.boot import require_sound_environment

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
    if sys.argv[1:2] == ["runserver"]:
        require_sound_environment()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Aegis does not start: {error}")
