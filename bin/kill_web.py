"""Kill web workers while they answer: `[with_postgres.py] python bin/kill_web.py [--requests 2000] [--every 2] [--seed 1]`.

Starts the site as production does, and lets several clients write by the API while its workers are ended with `kill -9`. What
was answered stands in a ledger, and what was not is sent again, or looked up. At the end every write that was acknowledged
must be there, once, as it was acknowledged; the audit trail, the statuses and the evidence must be sound, and the site must
answer. Prints a line for each figure; exits 1 on a fault. On PostgreSQL through `with_postgres.py`, else on SQLite.
"""

import argparse
import os
import secrets
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Do it. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000, help="writes to have acknowledged")
    parser.add_argument("--clients", type=int, default=6, help="clients at once")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aegis-kill-") as folder:
        lay_out(Path(folder))
        # Django has to be set up before anything of the house can be imported.
        status: int = import_module("coverage.tests.kill_web").kill_all(options, Path(folder))
        return status


def lay_out(folder: Path) -> None:
    """The environment of this process and of the site that it starts: an empty database."""
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


if __name__ == "__main__":
    sys.exit(main())
