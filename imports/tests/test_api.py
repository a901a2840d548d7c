"""Sources, runs, changes, issues and unresolved references in the API."""

import pytest

from aegis.accounts.policy import ROLES
from aegis.accounts.tests.factories import bearer, make_user
from catalog.tests.factories import SEEN, make_defence, make_rule, make_technique, make_template
from compliance.tests.factories import make_control
from imports.models import DataSource, ImportRun
from imports.registry import SOURCES
from imports.services import execute
from imports.tests.factories import make_change, make_issue, make_run, make_source
from imports.tests.small_world import SmallWorld
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"


@pytest.fixture
def api():
    return bearer()


def test_a_source_tells_its_state_its_schedule_and_its_last_run(api):
    source = make_source("sigma")
    make_run(source)
    last = make_run(source, status=ImportRun.Status.FAILED, error="the archive cannot be read")
    make_run(source, dry_run=True)
    row = api.get(V1 + "data-sources/sigma").json()
    assert {
        name: row[name] for name in ("id", "slug", "state", "schedule_hours", "last_sync_status", "last_sync_at")
    } == {
        "id": source.pk,
        "slug": "sigma",
        "state": "failed",
        "schedule_hours": 720.0,
        "last_sync_status": "succeeded",
        "last_sync_at": "2026-01-02T03:04:05Z",
    }
    assert row["last_sync_stats"] == source.last_sync_stats
    assert (row["last_run"]["id"], row["last_run"]["error"]) == (last.pk, "the archive cannot be read")
    assert api.get(f"{V1}data-sources/{source.pk}").json() == row
    listed = {one["slug"]: one for one in api.get(V1 + "data-sources").json()["results"]}
    assert listed["sigma"] == row
    assert (listed["elastic"]["state"], listed["elastic"]["last_run"]) == ("never", None)


def test_all_nine_sources_are_listed_in_the_order_in_which_they_are_imported(api):
    rows = api.get(V1 + "data-sources").json()["results"]
    assert [row["slug"] for row in rows] == [source.slug for source in SOURCES]
    assert [DataSource.objects.get(slug=row["slug"]).position for row in rows] == list(range(9))


def test_optional_sources_are_listed_where_they_are_asked_for(api):
    rows = api.get(V1 + "data-sources", {"optional": "true"}).json()["results"]
    assert [(row["slug"], row["optional"], row["enabled"]) for row in rows] == [("mappings-explorer", True, False)]
    assert api.get(V1 + "data-sources/mappings-explorer").json()["optional"] is True
    assert api.get(V1 + "data-sources/sigma").json()["optional"] is False


def test_a_run_in_list_and_detail(api):
    admin = make_user("admin", username="root")
    kinds = {"catalog.detectionrule": {"created": 3, "updated": 0}}
    run = make_run(requested_by=admin, trigger="api", kinds=kinds, issue_count=2, skipped=1)
    fields = {
        "id": run.pk,
        "source": "sigma",
        "status": "succeeded",
        "dry_run": False,
        "trigger": "api",
        "requested_by": "root",
        "created_at": run.created_at.isoformat().replace("+00:00", "Z"),
        "started_at": "2026-01-02T03:04:05Z",
        "finished_at": "2026-01-02T03:04:05Z",
        "seconds": 0.0,
        "version": "0123abc",
        "origin": "",
        "step": "",
        "done": 0,
        "total": 0,
        "statistics": {
            "created": 3,
            "updated": 0,
            "unchanged": 0,
            "withdrawn": 0,
            "restored": 0,
            "skipped": 1,
            "unresolved": 0,
            "issues": 2,
        },
        "error": "",
        "reasons": [],
        "applies": None,
        "undoes": None,
        "decision": "",
        "decided_by": None,
        "decided_at": None,
    }
    assert api.get(V1 + "import-runs").json()["results"] == [fields]
    assert api.get(f"{V1}import-runs/{run.pk}").json() == fields | {"kinds": kinds, "effects": {}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["elastic", "sigma"]),
        ({"source": "sigma"}, ["sigma"]),
        ({"status": "failed"}, ["elastic"]),
        ({"dry_run": "true"}, ["elastic"]),
        ({"dry_run": "false"}, ["sigma"]),
        ({"ordering": "id"}, ["sigma", "elastic"]),
    ],
)
def test_runs_that_a_filter_shows(api, query, expected):
    make_run(make_source("sigma"))
    make_run(make_source("elastic"), status=ImportRun.Status.FAILED, dry_run=True)
    assert [row["source"] for row in api.get(V1 + "import-runs", query).json()["results"]] == expected


def test_changes_and_issues_are_those_of_their_run(api):
    run, other = make_run(), make_run(make_source("elastic"))
    change, issue = make_change(run), make_issue(run)
    make_change(other)
    make_issue(other)
    assert api.get(f"{V1}import-runs/{run.pk}/changes").json()["results"] == [
        {
            "id": change.pk,
            "run": run.pk,
            "kind": "updated",
            "model": change.model,
            "key": "sigma/rule-1",
            "name": "Rule 1",
            "path": "",
            "changed": {"severity": ["low", "high"]},
        }
    ]
    assert api.get(f"{V1}import-runs/{run.pk}/issues").json()["results"] == [
        {"id": issue.pk, "path": "rules/broken.yml", "line": 3, "message": "expected text, found a list at `title`"}
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "created"}, ["new"]),
        ({"model": "catalog.TestTemplate"}, ["new"]),
        ({"search": "NEEDLE"}, ["new"]),
        ({"kind": "restored"}, []),
    ],
)
def test_changes_that_a_filter_shows(api, query, expected):
    run = make_run()
    make_change(run)
    make_change(run, kind="created", model="catalog.testtemplate", key="new", path="a/needle.yml")
    assert [row["key"] for row in api.get(f"{V1}import-runs/{run.pk}/changes", query).json()["results"]] == expected


def test_unresolved_references_of_every_kind_name_their_row(api):
    make_technique("T1059")
    rule, template = make_rule("T1059", "T9001"), make_template("T9002")
    actor, defence, control = make_actor("T9003"), make_defence("T9004"), make_control("T9005")
    make_rule("T9006", withdrawn_at=SEEN)
    rows = api.get(V1 + "unresolved-references").json()["results"]
    assert [tuple(row.values()) for row in rows] == [
        ("T9001", "sigma", "catalog.DetectionRule", str(rule.pk), rule.name),
        ("T9002", "atomic", "catalog.TestTemplate", str(template.pk), template.name),
        ("T9003", "threat-actors", "intel.ThreatActor", actor.mitre_id, actor.name),
        ("T9004", "d3fend", "catalog.DefensiveTechnique", defence.d3fend_id, defence.name),
        ("T9005", "nist-800-53", "compliance.ComplianceControl", str(control.pk), control.title),
    ]
    assert list(rows[0]) == ["published_id", "source", "object_type", "object_id", "object_name"]


@pytest.mark.parametrize(
    "query", [{"source": "elastic"}, {"object_type": "catalog.testtemplate"}, {"published_id": "t9002"}]
)
def test_unresolved_references_that_a_filter_shows(api, query):
    make_rule("T9001")
    make_template("T9002", source="elastic")
    rows = api.get(V1 + "unresolved-references", query).json()["results"]
    assert [row["published_id"] for row in rows] == ["T9002"]


def test_admin_applies_discards_and_undoes_by_api(world: SmallWorld) -> None:
    admin = bearer(make_user("admin", username="anna"))
    world.rules(2)
    world.run("sigma")
    world.rule("r000", level="low")
    shown = world.run("sigma", dry_run=True)
    answer = admin.post(f"/api/v1/import-runs/{shown.pk}/apply")
    told = answer.json()
    assert (answer.status_code, told["status"], told["applies"], told["requested_by"]) == (
        202,
        "queued",
        shown.pk,
        "anna",
    )
    run = execute(ImportRun.objects.get(pk=told["id"]), mirror="/nowhere")
    assert run.status == "succeeded"
    told = admin.get(f"/api/v1/import-runs/{shown.pk}").json()
    assert (told["decision"], told["decided_by"], told["effects"], told["reasons"]) == ("applied", "anna", {}, [])
    answer = admin.post(f"/api/v1/import-runs/{run.pk}/undo")
    assert (answer.status_code, answer.json()["undoes"]) == (202, run.pk)
    assert execute(ImportRun.objects.get(pk=answer.json()["id"])).status == "succeeded"
    held = world.run("sigma", trigger="schedule")
    answer = admin.post(f"/api/v1/import-runs/{held.pk}/discard")
    told = answer.json()
    assert (answer.status_code, told["status"], told["decision"], told["decided_by"]) == (
        200,
        "held",
        "discarded",
        "anna",
    )
    assert [reason["code"] for reason in told["reasons"]] == ["undone"]


@pytest.mark.parametrize("way", ["apply", "undo", "discard"])
def test_decision_that_makes_no_sense_is_a_conflict_with_its_reason(way: str) -> None:
    run = make_run(make_source("sigma"), status="failed")
    answer = bearer(make_user("admin")).post(f"/api/v1/import-runs/{run.pk}/{way}")
    assert answer.status_code == 409
    assert f"Run {run.pk} " in answer.json()["detail"]


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_only_admins_decide_about_runs(role: str) -> None:
    run = make_run(make_source("sigma"), dry_run=True)
    client = bearer(make_user(role))
    for way in ("apply", "undo", "discard"):
        assert client.post(f"/api/v1/import-runs/{run.pk}/{way}").status_code == 403
    run.refresh_from_db()
    assert run.decision == ""


def test_changes_of_all_applied_runs_can_be_searched() -> None:
    run = make_run(make_source("sigma"))
    make_change(run, name="Mimikatz")
    make_change(make_run(dry_run=True), name="Mimikatz")
    client = bearer(make_user())
    found = client.get("/api/v1/import-changes?search=mimi&source=sigma&key=sigma/rule-1").json()["results"]
    assert [(one["run"], one["name"], one["changed"]) for one in found] == [
        (run.pk, "Mimikatz", {"severity": ["low", "high"]})
    ]
    assert client.get("/api/v1/import-changes?search=nothing").json()["count"] == 0
