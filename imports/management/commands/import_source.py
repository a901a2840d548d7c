"""`manage.py import_source`: import public sources from the upstreams, a mirror or a local file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from imports.models import ImportRun
from imports.services import SOURCE_OF, AlreadyRunning, as_json, execute, request_import

GOOD = (ImportRun.Status.SUCCEEDED, ImportRun.Status.NOT_MODIFIED)
COUNTS = ("created", "updated", "unchanged", "withdrawn", "restored", "skipped", "unresolved")


class Command(BaseCommand):
    """Prints a table, or with --json one JSON object per source as the last lines. Exits 1 if any source failed."""

    help = "Import public sources into the catalogue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help=", ".join(SOURCE_OF))
        parser.add_argument("--all", action="store_true", help="import all sources")
        parser.add_argument("--mirror", default="", help="folder or URL that holds <host>/<path> of each upstream")
        parser.add_argument(
            "--from", dest="local", default="", help="a local archive, file or checkout of the one source"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would change, write nothing to the catalogue"
        )
        parser.add_argument("--force", action="store_true", help="import even if upstream has not changed")
        parser.add_argument("--json", action="store_true", help="print one JSON object per source")

    def handle(self, *args: Any, **options: Any) -> None:
        slugs = self._chosen(options)
        console = Console(file=self.stdout, stderr=False) if not options["json"] else Console(stderr=True)
        with _progress(console) as progress:
            runs = [self._import(slug, options, progress) for slug in slugs]
        if options["json"]:
            for run in runs:
                self.stdout.write(json.dumps(as_json(run)))
        else:
            console.print(_table(runs))
            for run in runs:
                _print_issues(console, run)
        if any(run.status not in GOOD for run in runs):
            raise SystemExit(1)

    def _chosen(self, options: dict[str, Any]) -> list[str]:
        slugs = list(SOURCE_OF) if options["all"] else options["slugs"]
        if not slugs:
            raise CommandError(f"name a source or say --all. Sources: {', '.join(SOURCE_OF)}")
        if unknown := [slug for slug in slugs if slug not in SOURCE_OF]:
            raise CommandError(f"unknown source {', '.join(unknown)}: choose from {', '.join(SOURCE_OF)}")
        if options["local"] and len(slugs) != 1:
            raise CommandError("--from is the input of one source: name exactly one")
        return slugs

    def _import(self, slug: str, options: dict[str, Any], progress: Progress) -> ImportRun:
        task = progress.add_task(slug, total=None, step="fetch")
        try:
            run = request_import(slug, dry_run=options["dry_run"])
        except AlreadyRunning as error:
            raise CommandError(str(error)) from error
        execute(
            run,
            mirror=options["mirror"],
            local=options["local"],
            force=options["force"],
            progress=lambda step, done, total: _advance(progress, task, step, done, total),
        )
        progress.update(task, step=run.get_status_display().lower(), total=1, completed=1)
        return run


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description:<14}"), TextColumn("{task.fields[step]:<10}"))
    return Progress(*columns, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)


def _advance(progress: Progress, task: TaskID, step: str, done: int, total: int | None) -> None:
    progress.update(task, step=step, completed=done, total=total)


def _table(runs: list[ImportRun]) -> Table:
    table = Table(title="Preview: nothing was written" if runs and runs[0].dry_run else None)
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
    for issue in run.issues.all()[:20]:
        line = f":{issue.line}" if issue.line else ""
        console.print(f"{run.source.slug}: {issue.path}{line}: {issue.message}", style="yellow", markup=False)
    if run.issue_count > 20:
        console.print(f"{run.source.slug}: and {run.issue_count - 20} more issues, see the run's page", style="yellow")
