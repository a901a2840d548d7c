"""An installation of its own for a script: an empty database and a folder, with secrets that nobody knows."""

import os
import secrets
import sys
from pathlib import Path

import django
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent


def lay_out(folder: Path) -> None:
    """The environment of this process and of those that it starts: Django is set up on an empty database, files are the broker.

    `folder` holds the database where `with_postgres.py` names none, and the files of the installation in `data`.
    """
    sys.path.insert(0, str(ROOT))
    own = {name: secrets.token_urlsafe(64) for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "AUDIT_HMAC_KEY")}
    os.environ |= own | {
        "DATABASE_URL": os.environ.get("AEGIS_TEST_DATABASE_URL") or f"sqlite:///{folder / 'aegis.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
        "AEGIS_DATA_DIR": str(folder / "data"),
        "LOG_LEVEL": "WARNING",
        "REDIS_URL": "",
    }
    django.setup()
    call_command("migrate", verbosity=0)
