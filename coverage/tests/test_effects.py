"""What an import would move in our own work is told before anything moves."""

import pytest

from catalog.models import DetectionRule
from coverage.models import TechniqueCoverage
from coverage.tests.factories import make_test
from imports.tests.small_world import SmallWorld, rule_id
from imports.tests.stix_world import link, technique

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path) -> SmallWorld:
    return SmallWorld(tmp_path / "mirror")


def status_of(mitre_id: str) -> str:
    return TechniqueCoverage.objects.get(technique=mitre_id).status


def test_preview_tells_tests_statuses_and_reviews_and_moves_none(world: SmallWorld) -> None:
    old, new, parent = technique("T1059.001"), technique("T1218"), technique("T1059")
    below = link("subtechnique-of", old, parent)
    world.attack(parent, old, new, below)
    world.run("attack")
    test = make_test("T1059.001", state="validated", outcome="alerted", name="Shell test")
    TechniqueCoverage.objects.update(review_required=False, review_reasons=[])
    assert status_of("T1059") == "validated"
    world.attack(parent, old | {"revoked": True}, new, below, link("revoked-by", old, new))
    shown = world.run("attack", dry_run=True)
    assert shown.effects["tests"] == {
        "total": 1,
        "rows": [
            {
                "test": test.pk,
                "name": "Shell test",
                "technique": "T1059.001",
                "text": "T1059.001 is revoked by T1218.",
            }
        ],
    }
    assert shown.effects["statuses"] == {
        "total": 1,
        "rows": [{"technique": "T1059", "name": "Name of T1059", "before": "validated", "after": "not_covered"}],
    }
    assert [(row["technique"], row["text"]) for row in shown.effects["reviews"]["rows"]] == [
        ("T1059.001", f"ATT&CK {shown.version} changed: revoked."),
        ("T1218", f"ATT&CK {shown.version} replaced T1059.001 by it: tests of T1059.001 do not count here."),
    ]
    assert status_of("T1059") == "validated"
    assert not TechniqueCoverage.objects.filter(review_required=True).exists()
    applied = world.apply(shown)
    assert applied.effects == shown.effects
    assert status_of("T1059") == "not_covered"
    assert TechniqueCoverage.objects.get(technique="T1059.001").review_required
    (reason,) = TechniqueCoverage.objects.get(technique="T1218").reasons
    assert reason["link"] == "/tests?technique=T1059.001"


def test_undo_of_a_revocation_brings_the_status_back(world: SmallWorld) -> None:
    old, parent = technique("T1059.001"), technique("T1059")
    below = link("subtechnique-of", old, parent)
    world.attack(parent, old, below)
    world.run("attack")
    make_test("T1059.001", state="validated", outcome="alerted")
    world.attack(parent, old | {"revoked": True}, below)
    run = world.run("attack")
    assert status_of("T1059") == "not_covered"
    undo = world.undo(run)
    assert status_of("T1059") == "validated"
    assert undo.effects["statuses"]["rows"] == [
        {"technique": "T1059", "name": "Name of T1059", "before": "not_covered", "after": "validated"}
    ]


def test_tests_that_name_a_rule_hear_of_its_end_and_of_its_change(world: SmallWorld) -> None:
    world.attack(technique("T1059"))
    world.run("attack")
    world.rule("a", "T1059")
    world.rule("b", "T1059")
    world.run("sigma")
    test = make_test("T1059", name="Uses both")
    test.detection_rules.set(DetectionRule.objects.all())
    archived = make_test("T1059", name="No longer")
    archived.detection_rules.set(DetectionRule.objects.all())
    type(archived).objects.filter(pk=archived.pk).update(archived_at=archived.created_at)
    world.remove("sigma", "rules/a.yml")
    world.rule("b", "T1059", level="low")
    shown = world.run("sigma", dry_run=True)
    found = {row["text"] for row in shown.effects["tests"]["rows"]}
    assert {row["name"] for row in shown.effects["tests"]["rows"]} == {"Uses both"}
    assert found == {"The rule Rule a is withdrawn.", "The rule Rule b changes: content, severity."}
    assert list(shown.effects) == ["tests"]
    assert DetectionRule.objects.get(external_id=rule_id("a")).is_current


def test_import_that_moves_nothing_of_ours_says_nothing(world: SmallWorld) -> None:
    world.attack(technique("T1059"))
    assert world.run("attack").effects == {}
    world.rule("a", "T1059")
    assert world.run("sigma", dry_run=True).effects == {}


def test_long_lists_are_cut_and_their_length_is_told(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coverage.effects.MOST", 2)
    ids = [f"T10{number:02}" for number in range(5)]
    world.attack(*(technique(one) for one in ids))
    world.run("attack")
    for one in ids:
        make_test(one)
    world.attack(*(technique(one, x_mitre_deprecated=True) for one in ids))
    effects = world.run("attack", dry_run=True).effects
    assert (effects["tests"]["total"], len(effects["tests"]["rows"])) == (5, 2)
    assert (effects["reviews"]["total"], len(effects["reviews"]["rows"])) == (5, 2)
