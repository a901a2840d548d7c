"""Imports killed at random points: what `bin/kill_imports.py` does once Django is set up."""

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

from django.conf import settings

from imports.models import ImportRun
from imports.registry import SOURCES
from imports.services import request_import
from imports.tests.real_worker import Doorbell, digest, ended, forget_imports, killed_at, points, worker

MOST = 2
"""Times the points asked for: so many runs at most, to kill that many before they are through."""


def kill_all(options: argparse.Namespace, folder: Path) -> int:
    """All sources, one after the other."""
    bell = Doorbell(
        settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS, settings.CELERY_BROKER_TRANSPORT
    )
    with worker({}, folder):
        failed = [
            source.slug
            for source in SOURCES
            if source.slug in (options.slugs or [one.slug for one in SOURCES])
            and not kill_one(source.slug, options, bell)
        ]
    return 1 if failed else 0


def kill_one(slug: str, options: argparse.Namespace, bell: Doorbell) -> bool:
    """One source. Prints what was found, and returns whether all was well."""

    def whole_run() -> ImportRun:
        run = request_import(slug, trigger="schedule")
        bell.ring(run)
        return ended(run)

    forget_imports()
    empty = digest()
    undisturbed = whole_run()
    whole, took = digest(), float(undisturbed.seconds)
    found: Counter[str] = Counter()
    waiting = points(options.points, took, options.seed)
    while waiting:
        forget_imports()
        run = killed_at(slug, waiting.pop(), bell.ring)
        if run.status == ImportRun.Status.SUCCEEDED and sum(found.values()) < MOST * options.points:
            # It was quicker than the undisturbed one, and through before: that says nothing.
            waiting.append(random.uniform(0, took))
        found[str(run.status)] += 1
        found["partial"] += digest() not in {empty, whole}
        whole_run()
        found["other than undisturbed"] += digest() != whole
    wrong = found["partial"] + found["other than undisturbed"] + (empty == whole)
    told = ", ".join(f"{number} {name}" for name, number in sorted(found.items()))
    sys.stdout.write(f"{slug:<14} {took:6.1f} s undisturbed; {told}\n")
    sys.stdout.flush()
    return not wrong
