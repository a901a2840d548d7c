"""Taking back what a run did: the catalogue is what it was before, and nothing comes again unasked."""

import pytest

from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from catalog.models import DetectionRule, DetectionRuleTechnique
from imports.decisions import request_undo
from imports.digest import catalog_digest
from imports.models import DataSource, ImportRun
from imports.snapshots import KEPT, kept
from imports.standing import NotPossible
from imports.tests.small_world import SmallWorld, counts, rule_id
from imports.tests.stix_world import technique

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("snapshots_folder")]


def source(slug: str = "sigma") -> DataSource:
    return DataSource.objects.get(slug=slug)


def test_undo_restores_the_catalogue_as_a_new_run(world: SmallWorld) -> None:
    world.attack(technique("T1059"), technique("T1105"))
    world.run("attack")
    world.rules(4, "T1059")
    world.run("sigma")
    before = catalog_digest()
    world.rule("r000", "T1105", level="low", title="Another name")
    world.remove("sigma", "rules/r001.yml")
    world.rule("new", "T1105")
    changed = world.run("sigma")
    assert catalog_digest() != before
    admin = make_user("admin")
    undo = world.undo(changed, by=admin)
    assert (undo.status, undo.error, undo.undoes, undo.requested_by) == ("succeeded", "", changed, admin)
    assert catalog_digest() == before
    assert counts(undo) == {"updated": 1, "unchanged": 2, "withdrawn": 1, "restored": 1}
    assert not DetectionRule.objects.get(external_id=rule_id("new")).is_current
    entry = AuditLog.objects.get(object_id=str(undo.pk), object_type="imports.importrun")
    assert (entry.actor_name, entry.action, entry.after["undoes"]) == (admin.username, "import.succeeded", changed.pk)


def test_undo_of_a_first_import_withdraws_what_it_brought(world: SmallWorld) -> None:
    before = catalog_digest()
    world.rules(30, "T1059")
    first = world.run("sigma")
    undo = world.undo(first)
    assert (undo.status, undo.withdrawn, DetectionRule.objects.current().count()) == ("succeeded", 30, 0)
    assert catalog_digest() == before
    row = source()
    assert (row.current_version, row.digest, row.validators, row.is_sample) == ("", "", {}, False)
    assert world.run("sigma").status == "held"


def test_undo_of_techniques_leaves_references_as_they_were(world: SmallWorld) -> None:
    world.attack(technique("T1059"))
    world.run("attack")
    world.rule("a", "T1059", "T1105")
    world.run("sigma")
    before = catalog_digest()
    world.attack(technique("T1059", revoked=True), technique("T1105"))
    run = world.run("attack")
    assert DetectionRuleTechnique.objects.get(published_id="T1105").technique_id == "T1105"
    world.undo(run)
    assert catalog_digest() == before
    assert DetectionRuleTechnique.objects.get(published_id="T1105").technique_id is None


def refused_undo(run: ImportRun) -> str:
    with pytest.raises(NotPossible) as caught:
        request_undo(run, by=None, trigger="command")
    return str(caught.value)


def test_only_the_last_applied_run_can_be_undone(world: SmallWorld) -> None:
    world.rule("a")
    first = world.run("sigma")
    world.rule("a", level="low")
    second = world.run("sigma")
    assert refused_undo(first) == (
        f"Only the last applied run of a source can be undone: that is run {second.pk}. Undo that one first."
    )
    undo = world.undo(second)
    assert refused_undo(second) == f"Run {second.pk} was undone already, or others were applied after it."
    assert refused_undo(undo) == (
        f"Run {undo.pk} took back run {second.pk}. To have that again, sync the source, and apply the run that is held."
    )
    assert world.undo(first).status == "succeeded"
    assert DetectionRule.objects.current().count() == 0


def test_runs_that_applied_nothing_cannot_be_undone(world: SmallWorld) -> None:
    world.rule("a")
    preview = world.run("sigma", dry_run=True)
    world.run("sigma")
    same = world.run("sigma")
    assert same.status == "not_modified"
    for run in (preview, same):
        assert refused_undo(run) == f"Run {run.pk} did not apply a version, so there is nothing to undo."


def test_undo_without_the_earlier_snapshot_is_refused(world: SmallWorld, tmp_path) -> None:
    world.rule("a")
    first = world.run("sigma")
    world.rule("a", level="low")
    second = world.run("sigma")
    (tmp_path / "snapshots" / "sigma" / first.digest).unlink()
    assert refused_undo(second) == (
        f"The snapshot of run {first.pk}, which stood before, is no longer kept: import version {first.version}."
    )


def test_undone_version_is_held_at_the_next_tick_until_somebody_applies_it(world: SmallWorld) -> None:
    world.rule("a")
    world.run("sigma")
    world.rule("a", level="low")
    second = world.run("sigma")
    admin = make_user("admin", username="anna")
    undo = world.undo(second, by=admin)
    tick = world.run("sigma", trigger="schedule")
    assert (tick.status, tick.reasons) == (
        "held",
        [{"code": "undone", "text": f"This very content was applied and undone by anna (run {undo.pk})."}],
    )
    assert DetectionRule.objects.get().severity == "high"
    assert world.apply(tick).status == "succeeded"
    assert DetectionRule.objects.get().severity == "low"
    assert world.run("sigma", trigger="schedule").status == "not_modified"
    assert world.run("sigma", trigger="schedule", force=True).status == "succeeded"


def test_next_version_after_an_undo_is_applied(world: SmallWorld) -> None:
    world.rule("a")
    world.run("sigma")
    world.rule("a", level="low")
    world.undo(world.run("sigma"))
    world.rule("a", level="critical")
    assert world.run("sigma", trigger="schedule").status == "succeeded"


def test_snapshots_of_what_can_be_undone_are_kept(world: SmallWorld) -> None:
    runs = []
    for number in range(5):
        world.rule("a", title=f"Version {number}")
        runs.append(world.run("sigma"))
    assert [kept("sigma", run.digest) is not None for run in runs] == [False, False] + [True] * KEPT
    for run in reversed(runs[-KEPT + 1 :]):
        assert world.undo(run).status == "succeeded"
    assert DetectionRule.objects.get().name == "Version 2"
    assert "no longer kept" in refused_undo(runs[2])
