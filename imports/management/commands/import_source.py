"""`manage.py import_source`: import public sources from the upstreams, a mirror, a local file or a bundle."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from imports.bundles.accepting import accept, require_newer
from imports.bundles.keys import trusted_keys
from imports.bundles.reading import Bundle, read_bundle
from imports.fetchers import FetchError
from imports.holding import OLDER, UNDONE, WITHDRAWALS
from imports.life import this_process
from imports.models import DataSource, ImportRun
from imports.registry import SOURCES
from imports.run_report import as_json, report
from imports.services import SOURCE_OF, AlreadyRunning, describe_sources, execute, request_import

WIDE = 160
"""Columns where no terminal says how many it has."""
NEEDED = 135
"""Columns that the table takes."""
COUNTS = ("created", "updated", "unchanged", "withdrawn", "restored", "skipped", "unresolved")

Result = ImportRun | AlreadyRunning
"""An ended run, or why there was none."""


class Command(BaseCommand):
    """Prints a table, or with --json one JSON object per source as the last lines. Exits 1 if any source failed or is held."""

    help = "Import public sources into the catalogue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help=", ".join(SOURCE_OF))
        parser.add_argument("--all", action="store_true", help="import all sources but the optional ones")
        parser.add_argument("--mirror", default="", help="folder or URL that holds <host>/<path> of each upstream")
        parser.add_argument(
            "--from", dest="local", default="", help="a local archive, file or checkout of the one source"
        )
        parser.add_argument("--bundle", type=Path, help="import the snapshots of a signed file of `export_bundle`")
        parser.add_argument(
            "--trust",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a public key beside AEGIS_BUNDLE_KEYS",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would change, write nothing to the catalogue"
        )
        parser.add_argument("--force", action="store_true", help="import even if upstream has not changed")
        parser.add_argument(
            "--accept-withdrawals", action="store_true", help="apply also what withdraws more than a fifth of a source"
        )
        parser.add_argument(
            "--allow-rollback", action="store_true", help="apply also a version or bundle older than what stands"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object per source")

    def handle(self, *args: Any, **options: Any) -> None:
        bundle = self._bundle(options)
        slugs = self._brought(bundle, options) if bundle else self._chosen(options)
        self.stdout.ending = ""  # Rich ends its lines itself, and writes some that have no end.
        console = _console(sys.stderr if options["json"] else self.stdout)
        with _progress(console) as progress:
            runs = {slug: self._import(slug, bundle, options, progress) for slug in slugs}
        if options["json"]:
            self.stdout.write("".join(f"{json.dumps(_report(slug, run))}\n" for slug, run in runs.items()))
        else:
            _print_runs(console, runs)
        if any(isinstance(run, AlreadyRunning) or run.status not in ImportRun.GOOD for run in runs.values()):
            raise SystemExit(1)

    def _bundle(self, options: dict[str, Any]) -> Bundle | None:
        """The verified bundle, remembered unless this is a preview."""
        if options["bundle"] is None:
            return None
        if options["local"] or options["mirror"]:
            raise CommandError("--bundle brings everything itself: leave out --from and --mirror")
        self._require_known(options["slugs"])
        wanted = [] if options["all"] else options["slugs"]
        try:
            bundle = read_bundle(options["bundle"], trusted_keys(settings.AEGIS_BUNDLE_KEYS, options["trust"]), wanted)
            if not options["allow_rollback"]:
                require_newer(bundle)
        except FetchError as error:
            raise CommandError(str(error)) from error
        self._require_known(list(bundle.snapshots))
        if not options["dry_run"]:
            accept(bundle)
        return bundle

    def _brought(self, bundle: Bundle, options: dict[str, Any]) -> list[str]:
        """The sources of a bundle: those that are named, else all but the disabled ones, of which each is told."""
        if options["slugs"]:
            return list(bundle.snapshots)
        describe_sources()
        rows = DataSource.objects.filter(slug__in=bundle.snapshots, enabled=False)
        disabled = [] if options["dry_run"] else list(rows.values_list("slug", flat=True))
        for slug in disabled:
            self.stderr.write(f"{slug} is disabled here, and left out: name it to import it all the same.")
        return [slug for slug in bundle.snapshots if slug not in disabled]

    def _require_known(self, slugs: list[str]) -> None:
        if unknown := [slug for slug in slugs if slug not in SOURCE_OF]:
            raise CommandError(f"unknown source {', '.join(unknown)}: choose from {', '.join(SOURCE_OF)}")

    def _chosen(self, options: dict[str, Any]) -> list[str]:
        slugs = [source.slug for source in SOURCES] if options["all"] else options["slugs"]
        if not slugs:
            raise CommandError(f"name a source or say --all. Sources: {', '.join(SOURCE_OF)}")
        self._require_known(slugs)
        if options["local"] and len(slugs) != 1:
            raise CommandError("--from is the input of one source: name exactly one")
        return slugs

    def _import(self, slug: str, bundle: Bundle | None, options: dict[str, Any], progress: Progress) -> Result:
        task = progress.add_task(slug, total=None, step="fetch")
        try:
            run = request_import(slug, dry_run=options["dry_run"], worker=this_process(), allowed=_allowed(options))
        except AlreadyRunning as error:
            _end(progress, task, slug, "busy")
            return error
        execute(
            run,
            mirror=options["mirror"],
            local=options["local"],
            given=bundle.snapshots[slug] if bundle else None,
            force=options["force"],
            progress=lambda step, done, total, rows=0: _advance(progress, task, step, done, total),
        )
        _end(progress, task, slug, f"{run.get_status_display().lower()} in {run.seconds or 0:.1f} s")
        return run


def _allowed(options: dict[str, Any]) -> list[str]:
    """Why a run shall not be held."""
    accepted = {WITHDRAWALS: "accept_withdrawals", OLDER: "allow_rollback", UNDONE: "force"}
    return [code for code, option in accepted.items() if options[option]]


def _console(file: Any) -> Console:
    """A console as wide as the terminal; a file or a pipe has room for the whole table."""
    return Console(file=file, width=None if file.isatty() else WIDE)


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description:<14}"), TextColumn("{task.fields[step]:<10}"))
    bars = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, *bars, console=console, disable=not console.is_terminal)


def _advance(progress: Progress, task: TaskID, step: str, done: int, total: int | None) -> None:
    progress.update(task, step=step, completed=done, total=total)


def _end(progress: Progress, task: TaskID, slug: str, words: str) -> None:
    """Close the bar; where there are no bars, one line tells that the source is through."""
    progress.update(task, step=words.partition(" in ")[0], total=1, completed=1)
    if progress.disable:
        progress.console.print(f"{slug:<14} {words}", highlight=False)


def _report(slug: str, run: Result) -> dict[str, Any]:
    if isinstance(run, ImportRun):
        return as_json(run)
    issues = [{"path": "", "message": str(run)}]
    counts = dict.fromkeys(COUNTS, 0)
    return {"source": slug, "status": "failed", "version": "", **counts, "issues": issues, "seconds": 0.0}


def _print_runs(console: Console, runs: dict[str, Result]) -> None:
    ended = [run for run in runs.values() if isinstance(run, ImportRun)]
    if ended and console.width >= NEEDED:
        console.print(_table(ended))
    elif ended:
        console.print("\n".join(_lines(ended)), highlight=False)
    for run in ended:
        _print_issues(console, run)
        for line in report(run):
            console.print(line, markup=False, highlight=False)
        if run.status == ImportRun.Status.HELD:
            console.print(_what_to_do(run), style="yellow", markup=False)
    for error in runs.values():
        if isinstance(error, AlreadyRunning):
            console.print(str(error), style="red", markup=False)


def _what_to_do(run: ImportRun) -> str:
    flags = {WITHDRAWALS: "--accept-withdrawals", OLDER: "--allow-rollback", UNDONE: "--force"}
    options = " ".join(flags[reason["code"]] for reason in run.reasons)
    return f"{run.source.slug}: nothing was written. Apply or discard run {run.pk} on its page, or import again with {options}."


def _lines(runs: list[ImportRun]) -> list[str]:
    """What the table says, for a window that it does not fit in."""
    title = ["Preview: nothing was written"] if runs[0].dry_run else []
    return title + [f"{run.source.slug}: {_words(run)}" for run in runs]


def _words(run: ImportRun) -> str:
    counts = [f"{number:,} {name}" for name, number in run.statistics().items() if number]
    return ", ".join([f"{run.status} {run.version[:12]}".strip(), *counts])


def _table(runs: list[ImportRun]) -> Table:
    table = Table(title="Preview: nothing was written" if runs[0].dry_run else None)
    for heading in ("source", "status", "version"):
        table.add_column(heading)
    for heading in (*COUNTS, "issues", "seconds"):
        table.add_column(heading, justify="right")
    for run in runs:
        counts = [f"{getattr(run, name):,}" for name in COUNTS]
        table.add_row(
            run.source.slug, run.status, run.version[:12], *counts, str(run.issue_count), f"{run.seconds or 0:.1f}"
        )
    return table


def _print_issues(console: Console, run: ImportRun) -> None:
    if run.error:
        console.print(f"{run.source.slug}: {run.error}", style="red", markup=False)
    for issue in run.known_issues[:20]:
        line = f":{issue.line}" if issue.line else ""
        console.print(f"{run.source.slug}: {issue.path}{line}: {issue.message}", style="yellow", markup=False)
    if run.issue_count > 20:
        console.print(f"{run.source.slug}: and {run.issue_count - 20} more issues, see the run's page", style="yellow")
