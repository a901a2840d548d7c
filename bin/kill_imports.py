"""Kill imports at random points: `with_postgres.py python bin/kill_imports.py [--points 50] [--seed 1] [SLUG...]`.

For each source of the mirror (AEGIS_MIRROR): import it undisturbed, then so many times again into an empty catalogue while the
process that carries it out is ended with `kill -9`. After each kill the catalogue must be as empty or as full as it was, never
anything between; the next run must bring it to the digest of the undisturbed one. Prints a line per source; exits 1 on a fault.
"""

import argparse
import os
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Do it. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", metavar="SLUG")
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aegis-kill-") as folder:
        lay_out(Path(folder))
        return kill_all(options, Path(folder))


def lay_out(folder: Path) -> None:
    """The environment of this process and of the worker that it starts: an empty database, files as the broker."""
    if not os.environ.get("AEGIS_TEST_DATABASE_URL") or not os.environ.get("AEGIS_MIRROR"):
        sys.exit("kill_imports.py: run it with bin/with_postgres.py, and name the mirror in AEGIS_MIRROR")
    sys.path.insert(0, str(ROOT))
    own = {name: secrets.token_urlsafe(64) for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "AUDIT_HMAC_KEY")}
    os.environ |= own | {
        "DATABASE_URL": os.environ["AEGIS_TEST_DATABASE_URL"],
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
        "AEGIS_DATA_DIR": str(folder),
        "LOG_LEVEL": "WARNING",
        "REDIS_URL": "",
    }
    django.setup()
    call_command("migrate", verbosity=0)


def kill_all(options: argparse.Namespace, folder: Path) -> int:
    """All sources, one after the other."""
    from imports.registry import SOURCES  # noqa: PLC0415 (Django has to be set up first)
    from imports.tests.real_worker import Doorbell, worker  # noqa: PLC0415

    bell = Doorbell(settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    with worker({}, folder):
        failed = [
            source.slug
            for source in SOURCES
            if source.slug in (options.slugs or [one.slug for one in SOURCES])
            and not kill_one(source.slug, options, bell)
        ]
    return 1 if failed else 0


def kill_one(slug: str, options: argparse.Namespace, bell: object) -> bool:
    """One source. Prints what was found, and returns whether all was well."""
    from imports.services import request_import  # noqa: PLC0415
    from imports.tests.real_worker import digest, ended, forget_imports, killed_at, points  # noqa: PLC0415

    def whole_run() -> object:
        run = request_import(slug, trigger="schedule")
        bell.ring(run)  # type: ignore[attr-defined]
        return ended(run)

    forget_imports()
    empty = digest()
    undisturbed = whole_run()
    whole, took = digest(), float(undisturbed.seconds)  # type: ignore[attr-defined]
    found: Counter[str] = Counter()
    for moment in points(options.points, took, options.seed):
        forget_imports()
        run = killed_at(slug, moment, bell.ring)  # type: ignore[attr-defined]
        found[str(run.status)] += 1
        found["partial"] += digest() not in {empty, whole}
        whole_run()
        found["other than undisturbed"] += digest() != whole
    wrong = found["partial"] + found["other than undisturbed"] + (empty == whole)
    told = ", ".join(f"{number} {name}" for name, number in sorted(found.items()))
    print(f"{slug:<14} {took:6.1f} s undisturbed; killed {options.points} times: {told}", flush=True)
    return not wrong


if __name__ == "__main__":
    sys.exit(main())
