"""Looking again: flags by intelligence, by ATT&CK and by age, the lead who clears them, and imports under our tests."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from catalog.models import Technique
from catalog.tests.factories import make_technique
from coverage.models import TechniqueCoverage, Test
from coverage.services.creation import create_test
from coverage.services.decisions import submit_test, validate_test
from coverage.services.review import flag_for_review, flag_old, review_technique
from coverage.services.status import drift
from coverage.testing.refusals import NotAllowed
from coverage.tests.factories import make_test
from imports.tests.small_world import SmallWorld
from imports.tests.stix_world import link, technique

pytestmark = pytest.mark.django_db
Reason = TechniqueCoverage.Reason


def coverage_of(mitre_id: str) -> TechniqueCoverage:
    return TechniqueCoverage.objects.get(technique=mitre_id)


def test_flag_says_why_once():
    make_technique("T1059")
    text = "An article names it."
    flagged = [flag_for_review(techniques=["T1059", "T9999"], reason=Reason.INTEL, text=text) for _ in range(2)]
    assert flagged == [["T1059"], []]
    row = coverage_of("T1059")
    assert row.review_required
    assert [(reason["kind"], reason["text"]) for reason in row.review_reasons] == [("intel", text)]
    assert row.status == "not_covered"


@pytest.mark.parametrize("role", ["admin", "red_lead", "blue_lead"])
def test_lead_clears_the_flag(role):
    subject, lead = make_technique("T1059"), make_user(role)
    flag_for_review(techniques=["T1059"], reason=Reason.INTEL, text="An article names it.")
    row = review_technique(by=lead, technique=subject, note="Read it.")
    assert (row.review_required, row.review_reasons, row.reviewed_by) == (False, [], lead)
    trail = AuditLog.objects.get(action="technique.reviewed")
    assert (trail.note, trail.before["review_required"], trail.after) == ("Read it.", True, {"review_required": False})


@pytest.mark.parametrize("role", ["red_tech", "blue_tech", "viewer"])
def test_nobody_else_clears_it(role):
    with pytest.raises(NotAllowed):
        review_technique(by=make_user(role), technique=make_technique("T1059"))


def test_technique_is_due_when_neither_validated_nor_reviewed_for_long(settings):
    settings.AEGIS_REVIEW_AFTER_DAYS = 180
    test = make_test(state="validated", outcome="alerted")
    later = test.decided_at + timedelta(days=180)
    assert flag_old(now=later) == []
    assert flag_old(now=later + timedelta(seconds=1)) == ["T1059"]
    assert flag_old(now=later + timedelta(days=9)) == []
    reviewed_at = review_technique(by=make_user("red_lead"), technique=test.technique).reviewed_at
    assert flag_old(now=reviewed_at + timedelta(days=180)) == []
    assert flag_old(now=reviewed_at + timedelta(days=181)) == ["T1059"]


def test_technique_that_was_never_validated_does_not_age():
    make_test(state="in_review")
    assert flag_old(now=timezone.now() + timedelta(days=9999)) == []


def test_command_finds_and_mends_drift(capsys):
    make_test(state="validated", outcome="alerted")
    call_command("recompute_status", check=True)
    assert "is what its tests say" in capsys.readouterr().out
    TechniqueCoverage.objects.update(status="partial", tests_met=7)
    Test.objects.update(outcome="missed")
    with pytest.raises(SystemExit) as end:
        call_command("recompute_status", check=True)
    told = capsys.readouterr().out
    assert end.value.code == 1
    assert "outcome is missed, and should be alerted" in told
    assert "T1059: status is partial, and should be not_covered" in told
    Test.objects.update(outcome="alerted")
    call_command("recompute_status")
    assert list(drift()) == []
    assert coverage_of("T1059").status == "validated"


@pytest.fixture
def world(tmp_path) -> SmallWorld:
    return SmallWorld(tmp_path / "mirror")


def subtechnique(mitre_id: str, **fields) -> list[dict]:
    """A sub-technique of T9001 and the relationship that makes it one."""
    child = technique(mitre_id, **fields)
    return [child, link("subtechnique-of", child, technique("T9001"))]


def validated(mitre_id: str) -> Test:
    """A validated test of an imported technique."""
    subject = Technique.objects.get(mitre_id=mitre_id)
    existing = make_test(mitre_id, state="validated", outcome="alerted")
    assert existing.technique == subject
    return existing


def test_import_that_adds_a_subtechnique_makes_its_parent_partial(world):
    world.attack(technique("T9001"), *subtechnique("T9001.001"))
    world.run("attack")
    validated("T9001.001")
    assert coverage_of("T9001").status == "validated"
    world.attack(technique("T9001"), *subtechnique("T9001.001"), *subtechnique("T9001.002"))
    run = world.run("attack")
    assert (run.status, coverage_of("T9001").status) == ("succeeded", "partial")
    assert list(drift()) == []


def test_import_that_revokes_a_subtechnique_leaves_it_out_of_its_parent(world):
    world.attack(technique("T9001"), *subtechnique("T9001.001"), *subtechnique("T9001.002"))
    world.run("attack")
    validated("T9001.001")
    make_test("T9001.002")
    assert coverage_of("T9001").status == "partial"
    world.attack(technique("T9001"), *subtechnique("T9001.001"), *subtechnique("T9001.002", revoked=True))
    world.run("attack")
    assert (coverage_of("T9001").status, coverage_of("T9001.002").status) == ("validated", "in_progress")
    assert list(drift()) == []


def test_import_flags_tested_techniques_that_changed_and_no_others(world):
    world.attack(*(technique(mitre_id, description="Old.") for mitre_id in ("T9001", "T9002", "T9003")))
    world.run("attack")
    validated("T9001")
    validated("T9002")
    world.attack(
        technique("T9001", description="New.", x_mitre_version="9.9"),
        technique("T9002", description="Old.", x_mitre_version="9.9"),
        technique("T9003", description="New."),
    )
    run = world.run("attack")
    assert [found.technique.mitre_id for found in TechniqueCoverage.objects.due_for_review()] == ["T9001"]
    [reason] = coverage_of("T9001").review_reasons
    assert (reason["kind"], reason["text"]) == ("attack", f"ATT&CK {run.version} changed: description.")


def test_import_that_drops_a_tested_technique_keeps_the_test_and_says_so(world):
    world.attack(technique("T9001"), technique("T9002"))
    world.run("attack")
    test = validated("T9001")
    world.attack(technique("T9002"))
    run = world.run("attack")
    assert Test.objects.get(pk=test.pk).technique_id == "T9001"
    [reason] = coverage_of("T9001").review_reasons
    assert reason["text"] == f"ATT&CK {run.version} does not have it any more."


def test_preview_of_an_import_changes_no_status(world):
    world.attack(technique("T9001"), *subtechnique("T9001.001"))
    world.run("attack")
    validated("T9001.001")
    world.attack(technique("T9001", description="New."), *subtechnique("T9001.001"), *subtechnique("T9001.002"))
    world.run("attack", dry_run=True)
    assert coverage_of("T9001").status == "validated"
    assert not TechniqueCoverage.objects.due_for_review().exists()


def test_test_of_a_technique_that_was_revoked_meanwhile_goes_its_way(world):
    world.attack(technique("T9001"))
    world.run("attack")
    author = make_user("red_tech")
    test = create_test(by=author, technique=Technique.objects.get(), name="Before")
    world.attack(technique("T9001", revoked=True))
    world.run("attack")
    submit_test(by=author, test=test)
    assert validate_test(by=make_user("red_lead"), test=test).state == "validated"
    assert list(drift()) == []
