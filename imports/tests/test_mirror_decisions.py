"""The upgrade of the real world from May 2025 to August 2026: previewed, applied as shown, and taken back to the byte."""

from pathlib import Path

import pytest

from imports.decisions import request_apply, request_undo
from imports.digest import catalog_digest
from imports.life import this_process
from imports.models import ImportRun
from imports.registry import SOURCES
from imports.services import execute, request_import

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("mirror")]


def ask(mirror: Path, slug: str, **asked) -> ImportRun:
    return execute(request_import(slug, **asked), mirror=str(mirror))


@pytest.mark.one_database  # a minute and a half; the small world of test_decisions.py is undone on both
def test_real_upgrade_is_applied_as_shown_and_undone_to_the_digest_before(mirror: Path, mirror_2025: Path) -> None:
    asked = {"by": None, "trigger": "command", "worker": this_process()}
    for source in SOURCES:
        assert ask(mirror_2025, source.slug).status == "succeeded"
    before = catalog_digest()
    applied = []
    for source in SOURCES:
        shown = ask(mirror, source.slug, dry_run=True)
        assert (shown.status, shown.reasons) == ("succeeded", [])
        run = execute(request_apply(shown, **asked), mirror="/nowhere")
        assert (run.status, run.error, run.statistics()) == ("succeeded", "", shown.statistics())
        applied.append(run)
    after = catalog_digest()
    changed = {label for label in before if before[label] != after[label]}
    assert {"catalog.technique", "catalog.detectionrule", "intel.threatactor", "total"} <= changed
    for run in reversed(applied):
        undo = execute(request_undo(run, **asked), mirror="/nowhere")
        assert (undo.status, undo.error) == ("succeeded", "")
    assert catalog_digest() == before
