"""`manage.py scan_intel`: read the feeds once, from this command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports.feeds.managing import describe_feeds
from imports.feeds.scan import SECONDS, ScanRunning, execute_scan, request_scan, summary
from intel.models import Feed, FeedScan


class Command(BaseCommand):
    """Exits with 1 if a feed could not be read; the others are read all the same."""

    help = "Read the feeds, keep new articles with what they mention, and flag techniques in the news."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--feed", default="", help="only this one: its number, its short name (krebs) or its name")
        parser.add_argument("--mirror", default="", help="folder or address that holds each feed at <host>/<path>")
        parser.add_argument("--due", action="store_true", help="only feeds whose time has come")
        parser.add_argument("--within", type=float, default=SECONDS, help="seconds after which a feed is given up")
        parser.add_argument("--json", action="store_true", help="print the scan as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        describe_feeds()
        feed = _feed(options["feed"]) if options["feed"] else None
        try:
            scan = request_scan(feed=feed)
        except ScanRunning as error:
            raise CommandError(str(error)) from error
        execute_scan(scan, mirror=options["mirror"], seconds=options["within"], only_due=options["due"])
        self.stdout.write(json.dumps(summary(scan)) if options["json"] else "\n".join(_lines(scan)))
        if scan.failed_feeds:
            raise SystemExit(1)


def _feed(name: str) -> Feed:
    kept = Feed.objects.kept()
    found = kept.filter(pk=name).first() if name.isdecimal() and len(name) < 10 else None
    found = found or kept.filter(slug=name).first() or kept.filter(name__iexact=name).first()
    if found is None:
        known = ", ".join(feed.slug or str(feed.pk) for feed in kept)
        raise CommandError(f"there is no feed `{name}`: choose from {known}")
    return found


def _lines(scan: FeedScan) -> list[str]:
    feeds = [_line(result) for result in scan.results]
    held = f"; {scan.held_back} more were held back" if scan.held_back else ""
    again = f", {scan.reread} read again for names that are new" if scan.reread else ""
    total = (
        f"{scan.created} new items, {scan.updated} updated{again}, {scan.flagged} techniques flagged for review{held}"
    )
    return [*feeds, f"{total}, in {scan.seconds or 0:.1f} s"]


def _line(result: dict[str, Any]) -> str:
    if result["status"] == "failed":
        return f"{result['name']}: failed: {result['message']}"
    if result["status"] == "not_modified":
        return f"{result['name']}: nothing new"
    counts = ", ".join(f"{result[name]} {name}" for name in ("created", "updated", "unchanged"))
    quiet = f", {result['quiet']} not of note" if result["quiet"] else ""
    return f"{result['name']}: {counts}{quiet}"
