"""What an import promises, whatever the source: differences only, nothing lost, nothing doubled, everything told."""

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from aegis.accounts.tests.factories import make_user
from catalog.models import DetectionRule, DetectionRuleTechnique, Technique
from imports.digest import catalog_digest
from imports.life import this_process
from imports.models import DataSource, ImportChange, ImportRun
from imports.services import AlreadyRunning, UnknownSource, request_import
from imports.tests.small_world import SmallWorld, counts, rule_id
from imports.tests.stix_world import technique

pytestmark = pytest.mark.django_db


def test_first_import_creates_every_row_and_tells_each(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.rule("b", "T1059.001", "T1105")
    run = world.run("sigma")
    assert run.status == "succeeded"
    assert counts(run) == {"created": 2, "unresolved": 3}
    assert run.kinds == {
        "catalog.detectionrule": {"created": 2, "updated": 0, "unchanged": 0, "withdrawn": 0, "restored": 0}
    }
    assert [(c.kind, c.key) for c in run.changes.all()] == [("created", rule_id("a")), ("created", rule_id("b"))]
    assert list(DetectionRuleTechnique.objects.order_by("published_id").values_list("published_id", "position")) == [
        ("T1059", 0),
        ("T1059.001", 0),
        ("T1105", 1),
    ]


def test_same_snapshot_again_is_not_modified_and_writes_no_catalogue_row(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.run("sigma")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        run = world.run("sigma")
    assert (run.status, counts(run)) == ("not_modified", {"unchanged": 1, "unresolved": 1})
    assert _catalogue_writes(queries) == []


def test_unmodified_run_still_tells_what_could_not_be_read(world: SmallWorld, client) -> None:
    world.rule("a", "T1059")
    world.write("sigma", "rules/b.yml", "title: [broken\n")
    first, again, third = (world.run("sigma") for _ in range(3))
    assert (again.status, again.issue_count, again.issues.count()) == ("not_modified", 1, 0)
    assert list(third.known_issues) == list(first.issues.all())
    assert DataSource.objects.get(slug="sigma").last_sync_stats["issues"] == 1
    client.force_login(make_user())
    for path in (f"/runs/{third.pk}", f"/runs/{third.pk}/issues", f"/api/v1/import-runs/{third.pk}/issues"):
        assert "rules/b.yml" in client.get(path).content.decode(), path


def test_forced_import_of_the_same_snapshot_compares_and_writes_no_catalogue_row(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.run("sigma")
    with CaptureQueriesContext(connection) as queries:
        run = world.run("sigma", force=True)
    assert (run.status, counts(run)) == ("succeeded", {"unchanged": 1, "unresolved": 1})
    assert _catalogue_writes(queries) == []


def _catalogue_writes(queries: CaptureQueriesContext) -> list[str]:
    statements = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in statements if sql.startswith(("INSERT", "UPDATE", "DELETE")) and '"catalog_' in sql]


def test_changed_rule_is_the_same_row_and_tells_the_fields(world: SmallWorld) -> None:
    world.rule("a", "T1059", "T1105", level="low")
    world.run("sigma")
    before = DetectionRule.objects.get()
    world.rule("a", "T1059", "T1027", level="high", title="A better name")
    run = world.run("sigma")
    after = DetectionRule.objects.get()
    assert counts(run) == {"updated": 1, "unresolved": 2}
    assert (after.pk, after.name, after.severity, after.first_seen_at) == (
        before.pk,
        "A better name",
        "high",
        before.first_seen_at,
    )
    assert after.changed_at > before.changed_at
    changed = run.changes.get().changed
    assert set(changed) == {"name", "severity", "tags", "content", "techniques"}
    assert changed["severity"] == ["low", "high"]
    assert changed["techniques"] == [
        [{"published_id": "T1105", "position": 1}],
        [{"published_id": "T1027", "position": 1}],
    ]


def test_links_that_stay_are_not_written_again(world: SmallWorld) -> None:
    world.rule("a", "T1059", "T1105")
    world.run("sigma")
    kept = DetectionRuleTechnique.objects.get(published_id="T1059").pk
    world.rule("a", "T1059", "T1027")
    world.run("sigma")
    assert DetectionRuleTechnique.objects.get(published_id="T1059").pk == kept


def test_dropped_rule_is_withdrawn_and_a_returning_one_restored(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.rule("b", "T1105")
    world.run("sigma")
    row = DetectionRule.objects.get(external_id=rule_id("b")).pk
    world.remove("sigma", "rules/b.yml")
    gone = world.run("sigma")
    assert counts(gone) == {"unchanged": 1, "withdrawn": 1, "unresolved": 1}
    assert [(c.kind, c.name) for c in gone.changes.all()] == [("withdrawn", "Rule b")]
    assert [rule.name for rule in DetectionRule.objects.current()] == ["Rule a"]
    world.rule("b", "T1105")
    back = world.run("sigma")
    assert counts(back) == {"unchanged": 1, "restored": 1, "unresolved": 2}
    assert DetectionRule.objects.current().get(external_id=rule_id("b")).pk == row


def test_moved_file_is_the_same_row_at_its_new_path(world: SmallWorld) -> None:
    world.rule("old/a", "T1059")
    world.run("sigma")
    row = DetectionRule.objects.get()
    text = (world.place("sigma") / "rules/old/a.yml").read_text()
    world.remove("sigma", "rules/old/a.yml")
    world.write("sigma", "rules/new/a.yml", text)
    run = world.run("sigma")
    assert counts(run) == {"updated": 1, "unresolved": 1}
    assert run.changes.get().changed == {"path": ["rules/old/a.yml", "rules/new/a.yml"]}
    assert DetectionRule.objects.get().pk == row.pk


def test_broken_file_keeps_its_rule_and_is_named(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.rule("b", "T1105")
    world.run("sigma")
    world.write("sigma", "rules/a.yml", "title: [broken\n")
    world.remove("sigma", "rules/b.yml")
    run = world.run("sigma")
    assert counts(run) == {"withdrawn": 1, "unresolved": 1, "issues": 1}
    assert [issue.path for issue in run.issues.all()] == ["rules/a.yml"]
    assert [rule.name for rule in DetectionRule.objects.current()] == ["Rule a"]


def test_id_that_stands_in_two_files_is_kept_once_and_the_second_is_named(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    text = (world.place("sigma") / "rules/a.yml").read_text()
    world.write("sigma", "rules/z.yml", text.replace("Rule a", "Rule z"))
    run = world.run("sigma")
    assert counts(run) == {"created": 1, "unresolved": 1, "issues": 1}
    issue = run.issues.get()
    assert (issue.path, issue.message) == (
        "rules/z.yml",
        f"{rule_id('a')} is already defined in rules/a.yml: this second one is skipped",
    )
    assert DetectionRule.objects.get().name == "Rule a"


@pytest.mark.parametrize("title", ["Rule \\0", "Rule \\b", "\\uD800", "x" * 256])
def test_text_that_a_database_refuses_skips_its_file_only(world: SmallWorld, title: str) -> None:
    world.rule("good", "T1059")
    world.rule("bad", "T1105", title=f'"{title}"')
    run = world.run("sigma")
    assert run.status == "succeeded"
    assert (run.created, [issue.path for issue in run.issues.all()]) == (1, ["rules/bad.yml"])


def test_rule_without_technique_is_kept_unmapped_and_counted_as_skipped(world: SmallWorld) -> None:
    world.rule("mapped", "T1059")
    world.rule("unmapped")
    run = world.run("sigma")
    assert counts(run) == {"created": 2, "skipped": 1, "unresolved": 1}
    assert [rule.name for rule in DetectionRule.objects.listed()] == ["Rule mapped"]


def test_dry_run_tells_the_same_and_writes_nothing(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.run("sigma")
    digest = catalog_digest()
    world.rule("a", "T1059", level="low")
    world.rule("b", "T1105")
    preview = world.run("sigma", dry_run=True)
    assert catalog_digest() == digest
    assert counts(preview) == {"created": 1, "updated": 1, "unresolved": 2}
    applied = world.run("sigma")
    told = [(c.kind, c.key, c.changed) for c in preview.changes.all()]
    assert told == [(c.kind, c.key, c.changed) for c in applied.changes.all()]


def test_preview_leaves_the_source_as_it_was(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.run("sigma", dry_run=True)
    source = DataSource.objects.get(slug="sigma")
    assert (source.current_version, source.digest, source.last_sync_at) == ("", "", None)


def test_joined_source_with_an_unreadable_file_fails_and_writes_nothing(world: SmallWorld) -> None:
    file = world.place("attack")
    file.parent.mkdir(parents=True)
    file.write_text("<!doctype html><title>Rate limited</title>")
    run = world.run("attack")
    assert run.status == "failed"
    assert "enterprise-attack.json" in run.error
    assert (Technique.objects.count(), ImportChange.objects.count()) == (0, 0)


def test_missing_upstream_fails_the_run_with_the_place(world: SmallWorld) -> None:
    world.folder.mkdir()
    run = world.run("sigma")
    assert run.status == "failed"
    assert "codeload.github.com/SigmaHQ/sigma" in run.error


def test_failed_run_keeps_what_the_last_good_one_told(world: SmallWorld) -> None:
    world.rule("a", "T1059")
    world.run("sigma")
    good = DataSource.objects.get(slug="sigma")
    (world.place("sigma") / "rules/a.yml").unlink()
    world.folder.rename(world.folder.with_name("elsewhere"))
    run = world.run("sigma")
    source = DataSource.objects.get(slug="sigma")
    assert (run.status, source.last_sync_status) == ("failed", "failed")
    assert (source.current_version, source.last_sync_stats) == (good.current_version, good.last_sync_stats)


def test_one_source_has_one_active_run(world: SmallWorld) -> None:
    run = request_import("sigma")
    with pytest.raises(AlreadyRunning):
        request_import("sigma")
    with pytest.raises(IntegrityError):
        ImportRun.objects.create(source=run.source)


def test_run_of_a_dead_process_is_abandoned_and_the_source_free_again(world: SmallWorld) -> None:
    dead = request_import("sigma", worker=this_process())
    ImportRun.objects.filter(pk=dead.pk).update(status="running", worker=dead.worker.rpartition(":")[0] + ":999999999")
    world.rule("a", "T1059")
    assert world.run("sigma").status == "succeeded"
    dead.refresh_from_db()
    assert (dead.status, dead.finished_at is not None) == ("abandoned", True)


def test_unknown_source_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownSource, match="choose from attack, threat-actors"):
        request_import("splunk")


def test_rows_tell_where_they_came_from(world: SmallWorld) -> None:
    world.rule("windows/a", "T1059")
    run = world.run("sigma")
    rule = DetectionRule.objects.get()
    assert (rule.source, rule.path, rule.source_version) == ("sigma", "rules/windows/a.yml", run.version)
    assert rule.source_url == f"https://github.com/SigmaHQ/sigma/blob/{run.version}/rules/windows/a.yml"
    assert rule.first_seen_at == rule.changed_at


def test_techniques_that_vanish_are_withdrawn_and_leave_what_named_them_unresolved(world: SmallWorld) -> None:
    world.attack(technique("T1059"), technique("T1105"))
    world.rule("a", "T1105")
    world.run("attack")
    world.run("sigma")
    world.attack(technique("T1059"))
    run = world.run("attack")
    assert run.withdrawn == 1
    assert not Technique.objects.get(mitre_id="T1105").is_current
    reference = DetectionRuleTechnique.objects.get()
    assert (reference.published_id, reference.technique_id, reference.resolution) == ("T1105", None, "unresolved")
    world.attack(technique("T1059"), technique("T1105"))
    assert world.run("attack").restored == 1
    assert DetectionRuleTechnique.objects.get().technique_id == "T1105"
