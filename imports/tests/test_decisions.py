"""Previews and held runs are applied exactly as shown or not at all, and what was applied can be taken back."""

import pytest

from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from catalog.models import DetectionRule, Technique
from imports import services
from imports.decisions import discard, request_apply
from imports.digest import catalog_digest
from imports.life import this_process
from imports.models import DataSource, ImportRun
from imports.services import execute
from imports.standing import NotPossible
from imports.tests.small_world import SmallWorld, counts, rule_id
from imports.tests.stix_world import stix, technique

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("snapshots_folder")]


def source(slug: str = "sigma") -> DataSource:
    return DataSource.objects.get(slug=slug)


def codes(run: ImportRun) -> list[str]:
    return [reason["code"] for reason in run.reasons]


def what_a_run_did(run: ImportRun) -> list[tuple]:
    return list(run.changes.order_by("model", "key").values_list("model", "key", "kind", "path", "changed"))


def test_preview_writes_nothing_and_waits(world: SmallWorld) -> None:
    world.rules(3, "T1059")
    world.run("sigma")
    before = catalog_digest()
    world.rule("r000", "T1059", level="low")
    world.remove("sigma", "rules/r001.yml")
    shown = world.run("sigma", dry_run=True)
    assert catalog_digest() == before
    assert (shown.status, shown.is_open, shown.reasons) == ("succeeded", True, [])
    assert counts(shown) == {"updated": 1, "unchanged": 1, "withdrawn": 1, "unresolved": 2}
    assert source().digest != shown.digest


def test_applied_preview_does_exactly_what_was_shown(world: SmallWorld) -> None:
    world.rules(3, "T1059")
    world.run("sigma")
    world.rule("r000", "T1105", level="low")
    world.remove("sigma", "rules/r001.yml")
    shown = world.run("sigma", dry_run=True)
    world.rule("r002", "T1059", level="critical")  # upstream goes on: what was shown is applied all the same
    admin = make_user("admin")
    run = world.apply(shown, by=admin)
    shown.refresh_from_db()
    assert (run.status, run.error, run.applies, run.requested_by) == ("succeeded", "", shown, admin)
    assert what_a_run_did(run) == what_a_run_did(shown)
    assert (run.version, run.digest, source().digest) == (shown.version, shown.digest, shown.digest)
    assert (shown.decision, shown.decided_by, shown.decided_at is not None) == ("applied", admin, True)
    assert DetectionRule.objects.get(external_id=rule_id("r002")).severity == "high"


def test_preview_of_a_first_import_can_be_applied(world: SmallWorld) -> None:
    world.rules(2)
    run = world.apply(world.run("sigma", dry_run=True))
    assert (run.status, counts(run)) == ("succeeded", {"created": 2, "skipped": 2})


def refused(shown: ImportRun) -> str:
    with pytest.raises(NotPossible) as caught:
        request_apply(shown, by=None, trigger="command")
    return str(caught.value)


def test_preview_is_applied_once(world: SmallWorld) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    world.apply(shown)
    shown.refresh_from_db()
    assert refused(shown) == f"Run {shown.pk} was applied already: preview again."


def test_preview_is_refused_after_another_run_of_its_source(world: SmallWorld) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    world.run("sigma")
    shown.refresh_from_db()
    assert shown.decision == "superseded"
    assert refused(shown) == f"Run {shown.pk} was superseded already: preview again."


def test_preview_is_refused_after_the_techniques_changed(world: SmallWorld) -> None:
    world.rules(2, "T1059")
    shown = world.run("sigma", dry_run=True)
    world.attack(technique("T1059"))
    moved = world.run("attack")
    assert refused(shown) == (
        f"The catalogue has moved since run {shown.pk}: run {moved.pk} of {moved.source.label} was applied. Preview again."
    )


def test_preview_survives_a_run_of_a_source_that_is_no_concern_of_it(world: SmallWorld) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    services.execute(services.request_import("caldera"), mirror=str(services.settings.BASE_DIR / "samples"))
    assert world.apply(shown).status == "succeeded"


def test_preview_is_refused_after_the_importer_changed(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    shown.importer = "another"
    assert refused(shown) == (
        f"The importer's code has changed since run {shown.pk}: it might do other things. Preview again."
    )


def test_run_that_applied_something_is_no_preview(world: SmallWorld) -> None:
    world.rules(1)
    run = world.run("sigma")
    assert refused(run).startswith(f"Run {run.pk} shows nothing that could be applied")


def test_row_that_moved_in_the_database_stops_the_apply_and_nothing_is_written(world: SmallWorld) -> None:
    world.rules(2)
    world.run("sigma")
    world.rule("r000", level="low")
    shown = world.run("sigma", dry_run=True)
    DetectionRule.objects.filter(external_id=rule_id("r001")).update(content_hash="moved")
    before = catalog_digest()
    run = world.apply(shown)
    shown.refresh_from_db()
    assert (run.status, catalog_digest(), shown.decision) == ("failed", before, "")
    assert run.error == (
        f"The catalogue has moved since run {shown.pk}: applied now it would do other things. Preview again."
    )


def test_snapshot_that_is_gone_is_fetched_anew_if_upstream_is_the_same(world: SmallWorld, tmp_path) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    (tmp_path / "snapshots" / "sigma" / shown.digest).unlink()
    assert world.apply(shown).status == "succeeded"


def test_snapshot_that_is_gone_fails_the_apply_if_upstream_moved_on(world: SmallWorld, tmp_path) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    (tmp_path / "snapshots" / "sigma" / shown.digest).unlink()
    world.rule("r000", level="low")
    run = world.apply(shown)
    assert (run.status, DetectionRule.objects.count()) == ("failed", 0)
    assert run.error == (
        f"Upstream has moved on since run {shown.pk}, and its snapshot is no longer kept. Preview again."
    )


def test_discarded_preview_is_kept_in_the_history_and_cannot_be_applied(world: SmallWorld) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    admin = make_user("admin")
    discard(shown, by=admin)
    shown.refresh_from_db()
    assert (shown.decision, shown.decided_by) == ("discarded", admin)
    assert refused(shown) == f"Run {shown.pk} was discarded already: preview again."
    entry = AuditLog.objects.get(action="import.discarded")
    assert (entry.actor_name, entry.object_id) == (admin.username, str(shown.pk))
    with pytest.raises(NotPossible, match="waits for no decision"):
        discard(shown, by=admin)


def test_preview_that_is_discarded_while_it_is_applied_stays_discarded(world: SmallWorld) -> None:
    world.rules(2)
    shown = world.run("sigma", dry_run=True)
    other = make_user("other")

    def meanwhile(step: str, done: int, total: int | None, rows: int = 0) -> None:
        if (step, done) == ("parse", 1):
            discard(shown, by=other)

    applying = request_apply(shown, by=make_user("admin"), trigger="button", worker=this_process())
    run = execute(applying, progress=meanwhile)
    shown.refresh_from_db()
    assert (run.status, run.error) == (
        "failed",
        f"Run {shown.pk} was discarded while it was applied: nothing was stored.",
    )
    assert (shown.decision, shown.decided_by) == ("discarded", other)
    assert DetectionRule.objects.count() == 0


def shrunk(world: SmallWorld, start: int, left: int) -> ImportRun:
    """A run after upstream had `start` rules and then had `left`."""
    world.rules(start)
    world.run("sigma")
    for place in range(left, start):
        world.remove("sigma", f"rules/r{place:03}.yml")
    return world.run("sigma")


@pytest.mark.parametrize(
    ("left", "status"), [(1, "held"), (50, "held"), (79, "held"), (80, "succeeded"), (81, "succeeded")]
)
def test_run_that_would_withdraw_more_than_a_fifth_is_held(world: SmallWorld, left: int, status: str) -> None:
    run = shrunk(world, 100, left)
    assert run.status == status
    assert DetectionRule.objects.current().count() == (100 if status == "held" else left)
    assert run.withdrawn == 100 - left


def test_held_run_says_why_and_applies_exactly_what_it_shows(world: SmallWorld) -> None:
    held = shrunk(world, 20, 9)
    assert held.reasons == [
        {"code": "withdrawals", "text": "It would withdraw 11 of 20 rows (55 %), more than 20% of the source."}
    ]
    assert (held.is_open, source().last_sync_status) == (True, "held")
    run = world.apply(held)
    assert (run.status, run.withdrawn, what_a_run_did(run)) == ("succeeded", 11, what_a_run_did(held))
    assert DetectionRule.objects.current().count() == 9


def test_few_withdrawals_hold_nothing(world: SmallWorld) -> None:
    assert shrunk(world, 10, 1).status == "succeeded"
    assert DetectionRule.objects.current().count() == 1


def test_withdrawals_accepted_beforehand_hold_nothing(world: SmallWorld) -> None:
    world.rules(20)
    world.run("sigma")
    for place in range(1, 20):
        world.remove("sigma", f"rules/r{place:03}.yml")
    run = world.run("sigma", allowed=["withdrawals"])
    assert (run.status, codes(run)) == ("succeeded", ["withdrawals"])


def test_preview_tells_that_the_run_would_be_held(world: SmallWorld) -> None:
    world.rules(20)
    world.run("sigma")
    for place in range(1, 20):
        world.remove("sigma", f"rules/r{place:03}.yml")
    shown = world.run("sigma", dry_run=True)
    assert (shown.status, codes(shown)) == ("succeeded", ["withdrawals"])
    assert world.apply(shown).status == "succeeded"


def test_of_several_held_runs_only_the_newest_waits(world: SmallWorld) -> None:
    first = shrunk(world, 20, 9)
    second = world.run("sigma")
    first.refresh_from_db()
    assert (first.decision, second.status, second.decision) == ("superseded", "held", "")


def test_discarded_version_is_not_asked_about_again(world: SmallWorld) -> None:
    held = shrunk(world, 20, 9)
    admin = make_user("admin")
    discard(held, by=admin)
    again = world.run("sigma", trigger="schedule")
    assert (again.status, again.decision, again.decided_by) == ("held", "discarded", admin)
    world.remove("sigma", "rules/r000.yml")
    other = world.run("sigma", trigger="schedule")
    assert (other.status, other.decision) == ("held", "")


@pytest.mark.parametrize(("left", "status"), [(0, "held"), (2, "held"), (3, "succeeded"), (11, "succeeded")])
def test_kind_of_rows_that_would_vanish_holds_the_run_though_the_source_keeps_most(world, left, status) -> None:
    techniques = [technique(f"T1{number:03}") for number in range(60)]
    mitigations = [stix("course-of-action", f"M1{number:03}") for number in range(12)]
    world.attack(*techniques, *mitigations)
    assert counts(world.run("attack")) == {"created": 73}  # with the release
    world.attack(*techniques, *mitigations[:left])
    run = world.run("attack")
    assert run.status == status
    told = f"It would withdraw {12 - left} of 12 mitigation rows ({100 * (12 - left) / 12:.0f} %), more than 20% of that kind."
    assert run.reasons == ([{"code": "withdrawals", "text": told}] if status == "held" else [])


def test_older_release_of_attack_is_held(world: SmallWorld) -> None:
    def release(version: str) -> dict:
        return {"type": "x-mitre-collection", "id": "x-mitre-collection--1", "x_mitre_version": version, "name": "E"}

    world.attack(technique("T1059"), release("18.1"))
    assert world.run("attack").version == "18.1"
    world.attack(technique("T1059", name="Earlier"), release("9.0"))
    held = world.run("attack")
    assert (held.status, codes(held)) == ("held", ["older"])
    assert held.reasons[0]["text"] == "Version 9.0 is older than what stands: 18.1."
    assert Technique.objects.get().name == "Name of T1059"
    assert world.run("attack", allowed=["older"]).status == "succeeded"
    assert Technique.objects.get().name == "Earlier"


def dated(world: SmallWorld, name: str, date: str) -> None:
    world.rule(name)
    file = world.place("sigma") / f"rules/{name}.yml"
    file.write_text(file.read_text() + f"modified: {date}\n")


def test_rules_whose_dates_go_back_are_held(world: SmallWorld) -> None:
    for name in ("a", "b", "c"):
        dated(world, name, "2026-03-01")
    world.run("sigma")
    dated(world, "a", "2026-02-01")
    dated(world, "b", "2026/02/02")
    dated(world, "c", "2026-03-02")
    held = world.run("sigma")
    assert (held.status, codes(held)) == ("held", ["older"])
    assert held.reasons[0]["text"] == ("It is older than what stands: 2 of 3 rows with a new date have an earlier one.")
    dated(world, "b", "2026-03-02")
    assert world.run("sigma").status == "succeeded"
