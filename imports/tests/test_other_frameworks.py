"""The optional source of other frameworks, from upstream's file to the catalogue and back."""

import json
from pathlib import Path

import pytest

from catalog.tests.factories import make_technique
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework
from compliance.switching import switch
from imports.digest import catalog_digest
from imports.models import DataSource
from imports.tests.parsing import GOLDEN
from imports.tests.small_world import SmallWorld

pytestmark = pytest.mark.django_db
SLUG = "mappings-explorer"
NEWER = "mappings/kev/attack-16.1/kev-05.06.2032/enterprise/kev-05.06.2032_attack-16.1-enterprise.json"


def place(name: str) -> str:
    framework, _, attack = name.partition("_attack-")
    return f"mappings/{framework.rpartition('-')[0]}/attack-{attack.partition('-')[0]}/{framework}/enterprise/{name}"


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    """A mirror with the golden files where upstream has them."""
    small = SmallWorld(tmp_path / "mirror")
    for file in (GOLDEN / "explorer").glob("*_attack-*.json"):
        small.write(SLUG, place(file.name), file.read_bytes())
    return small


def newer_kev(world: SmallWorld) -> dict:
    """A later KEV that has lost one vulnerability, and says other things of the other."""
    old = next((GOLDEN / "explorer").glob("kev-*.json"))
    document = json.loads(old.read_text(encoding="utf-8"))
    document["metadata"] |= {"mapping_framework_version": "05/06/2032", "attack_version": "16.1"}
    document["mapping_objects"] = document["mapping_objects"][:2]
    world.write(SLUG, NEWER, json.dumps(document))
    return document


def kept() -> set[tuple[str, str, str, str, str]]:
    columns = ("control__control_id", "published_id", "mapping_type", "score_category", "score_value")
    return set(ComplianceControlMapping.objects.filter(control__withdrawn_at=None).values_list(*columns))


def test_optional_source_is_off_and_can_be_imported_all_the_same(world):
    assert not DataSource.objects.get(slug=SLUG).enabled
    run = world.run(SLUG)
    assert (run.status, run.created, run.issue_count) == ("succeeded", 4 + 7, 4)
    assert dict(ComplianceFramework.objects.values_list("slug", "switched_on")) == dict.fromkeys(
        ("aws", "intel-vpro", "kev", "veris"), False
    )


def test_several_mappings_of_one_pair_are_kept_with_their_scores(world):
    world.run(SLUG)
    assert {row[1:] for row in kept() if row[0] == "kettle_guard"} == {
        ("T9001", "technique_scores", "detect", "minimal"),
        ("T9001", "technique_scores", "detect", "partial"),
        ("T9001", "technique_scores", "respond", "significant"),
        ("T9001.002", "technique_scores", "protect", "significant"),
    }
    assert {row[1:3] for row in kept() if row[0] == "CVE-2031-0001"} == {
        ("T9001", "exploitation_technique"),
        ("T9001", "primary_impact"),
        ("T9002", "primary_impact"),
    }
    partial = ComplianceControlMapping.objects.get(score_value="partial")
    assert (partial.comments, partial.references) == (
        "It also steams.\nIt whistles.",
        ["https://example.org/a", "https://example.org/b", "https://example.org/steam"],
    )


def test_ids_are_resolved_when_techniques_come(world):
    make_technique("T9001")
    world.run(SLUG)
    found = ComplianceControlMapping.objects.exclude(technique=None).values_list("technique_id", "published_id")
    assert {(str(mitre_id), published_id) for mitre_id, published_id in found} == {("T9001", "T9001")}


def test_same_archive_again_changes_nothing_and_forgets_no_switch(world):
    world.run(SLUG)
    switch(ComplianceFramework.objects.get(slug="kev"), on=True)
    before = catalog_digest()
    run = world.run(SLUG, force=True)
    assert (run.created, run.updated, run.withdrawn) == (0, 0, 0)
    assert catalog_digest() == before
    assert ComplianceFramework.objects.get(slug="kev").switched_on


def test_newer_version_takes_the_place_of_the_older_and_stays_switched_on(world):
    world.run(SLUG)
    switch(ComplianceFramework.objects.get(slug="kev"), on=True)
    newer_kev(world)
    run = world.run(SLUG)
    assert (run.status, run.withdrawn) == ("succeeded", 1)
    kev = ComplianceFramework.objects.get(slug="kev")
    assert (kev.version, kev.attack_version, kev.switched_on) == ("2032-05-06", "16.1", True)
    gone = ComplianceControl.objects.get(control_id="CVE-2031-40000")
    assert gone.withdrawn_at is not None
    assert {row[1:3] for row in kept() if row[0] == "CVE-2031-0001"} == {
        ("T9001", "exploitation_technique"),
        ("T9001", "primary_impact"),
    }


def test_upgrade_is_applied_as_shown_and_undone_to_the_digest_before(world):
    world.run(SLUG)
    before = catalog_digest()
    newer_kev(world)
    shown = world.run(SLUG, dry_run=True)
    assert catalog_digest() == before
    applied = world.apply(shown)
    assert (applied.status, applied.statistics()) == ("succeeded", shown.statistics())
    assert world.undo(applied).status == "succeeded"
    assert catalog_digest() == before


def test_undoing_the_first_import_withdraws_everything_and_a_new_one_restores_the_switches(world):
    run = world.run(SLUG)
    switch(ComplianceFramework.objects.get(slug="aws"), on=True)
    assert world.undo(run).status == "succeeded"
    assert not ComplianceFramework.objects.current().exists()
    assert world.run(SLUG, allowed=["undone"]).restored == 4 + 7
    assert list(ComplianceFramework.objects.shown().values_list("slug", flat=True)) == ["aws"]


UNREADABLE = {
    "no json": (
        lambda place: place.write_text("{"),
        "No older edition is taken in its place, and what stands of it stays",
    ),
    "of another framework": (
        lambda place: place.write_bytes(next((GOLDEN / "explorer").glob("veris-*.json")).read_bytes()),
        "expected mappings of kev, found veris. No older edition",
    ),
    "a link": (lambda place: place.symlink_to("/etc/passwd"), "a symbolic link, not a regular file: skipped"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_newer_file_that_cannot_be_used_takes_nothing_away_and_brings_back_nothing_older(world, case):
    newer_kev(world)
    world.run(SLUG)
    before = catalog_digest()
    world.remove(SLUG, NEWER)
    newest = world.place(SLUG) / NEWER.replace("16.1", "17.1")
    newest.parent.mkdir(parents=True)
    put, says = UNREADABLE[case]
    put(newest)
    run = world.run(SLUG)
    assert (run.status, run.withdrawn, run.updated, catalog_digest()) == ("succeeded", 0, 0, before)
    (issue,) = run.issues.filter(path__contains="attack-17.1")
    assert says in issue.message


def test_part_of_a_newer_file_that_cannot_be_read_keeps_what_the_older_brought(world):
    world.run(SLUG)
    document = newer_kev(world)
    document["mapping_objects"][1] = "no object"
    world.write(SLUG, NEWER, json.dumps(document))
    run = world.run(SLUG)
    assert (run.status, run.withdrawn) == ("succeeded", 0)
    assert ComplianceControl.objects.get(control_id="CVE-2031-40000").withdrawn_at is None


def test_mapping_that_cannot_be_read_costs_no_capability_and_keeps_no_other(world):
    world.run(SLUG)
    document = newer_kev(world)
    document["mapping_objects"][1]["attack_object_id"] = None
    world.write(SLUG, NEWER, json.dumps(document))
    assert world.run(SLUG).withdrawn == 1
    assert ComplianceControl.objects.get(control_id="CVE-2031-40000").withdrawn_at is not None


def test_edition_that_upstream_takes_back_waits_for_a_person(world):
    world.run(SLUG)
    newer_kev(world)
    world.run(SLUG)
    before = catalog_digest()
    world.remove(SLUG, NEWER)
    run = world.run(SLUG)
    assert (run.status, [reason["code"] for reason in run.reasons], catalog_digest()) == ("held", ["older"], before)
    assert "would go back from 2032-05-06 to 2031-03-04" in run.reasons[0]["text"]
    assert world.run(SLUG, allowed=["older"]).status == "succeeded"


def test_archive_without_other_frameworks_says_so(tmp_path):
    world = SmallWorld(tmp_path / "mirror")
    world.write(SLUG, "mappings/nist_800_53/attack-16.1/nist_800_53-rev5/enterprise/x.json", "{}")
    run = world.run(SLUG)
    assert run.status == "failed"
    assert "holds no usable file that matches mappings/*/attack-*/*/enterprise/*.json" in run.error
