"""Campaigns: planned from techniques, templates and actors, put in order, measured, repeated and compared."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from aegis.audit.verification import Verification
from catalog.tests.factories import make_technique, make_template, provenance, resolved
from coverage.campaigns.results import campaign_progress, compare_runs
from coverage.models import Campaign, TechniqueCoverage, TestInvolvement
from coverage.services.campaigns import (
    add_tests,
    archive_campaign,
    create_campaign,
    duplicate_as_retest,
    edit_campaign,
    reorder,
)
from coverage.services.creation import create_test
from coverage.services.decisions import archive_test
from coverage.services.recording import edit_test, set_outcomes
from coverage.services.status import drift
from coverage.testing.refusals import Conflict, NotAllowed
from coverage.tests.factories import facts_for, make_campaign
from intel.models import ThreatActor, ThreatActorTechnique

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def lead():
    return make_user("red_lead")


def techniques_of(campaign: Campaign) -> list[str]:
    return [test.technique_id for test in campaign.tests.in_campaign_order()]


def make_actor(*mitre_ids: str) -> ThreatActor:
    actor = ThreatActor.objects.create(
        mitre_id="G9001", stix_id="intrusion-set--9001", name="Made-up Bear", **provenance("threat-actors")
    )
    for mitre_id in mitre_ids:
        ThreatActorTechnique.objects.create(actor=actor, **resolved(mitre_id))
    return actor


def test_campaign_of_techniques_and_templates_has_their_tests_in_order(lead):
    techniques = [make_technique("T1003"), make_technique("T1001")]
    template = make_template("T1003")
    blue = make_user("blue_tech")
    campaign = create_campaign(
        by=lead, name=" Spring ", goal="All of it", techniques=techniques, templates=[template], participants=[blue]
    )
    assert (campaign.name, techniques_of(campaign)) == ("Spring", ["T1003", "T1001", "T1003"])
    assert [test.template for test in campaign.tests.in_campaign_order()] == [None, None, template]
    assert set(campaign.participants.all()) == {lead, blue}
    assert {row.status for row in (technique.coverage for technique in techniques)} == {"in_progress"}


def test_campaign_from_an_actor_tries_what_the_actor_uses_and_is_active(lead):
    for mitre_id in ("T1002", "T1001"):
        make_technique(mitre_id)
    make_technique("T1086", revoked=True)
    actor = make_actor("T1002", "T1001", "T1086", "T9999")
    campaign = create_campaign(by=lead, name="Bear", actor=actor)
    assert (campaign.actor, techniques_of(campaign)) == (actor, ["T1001", "T1002"])


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "NUL \0"}, "name"),
        ({"name": "x", "starts_on": date(2026, 2, 1), "ends_on": date(2026, 1, 1)}, "__all__"),
    ],
)
def test_campaign_that_cannot_be_is_refused(lead, fields, wrong):
    with pytest.raises(ValidationError) as refusal:
        create_campaign(by=lead, **fields)
    assert list(refusal.value.message_dict) == [wrong]
    assert not Campaign.objects.exists()


def test_viewer_plans_nothing():
    viewer, campaign = make_user("viewer"), make_campaign("T1059")
    for refused in (
        lambda: create_campaign(by=viewer, name="Mine"),
        lambda: edit_campaign(by=viewer, campaign=campaign, changes={"name": "Mine"}),
        lambda: add_tests(by=viewer, campaign=campaign),
        lambda: reorder(by=viewer, campaign=campaign, tests=[]),
        lambda: duplicate_as_retest(by=viewer, campaign=campaign),
        lambda: archive_campaign(by=viewer, campaign=campaign),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_tests_come_to_the_end_whichever_way_they_come(lead):
    campaign = make_campaign("T1001", by=lead)
    add_tests(by=lead, campaign=campaign, techniques=[make_technique("T1002")])
    create_test(by=make_user("red_tech"), technique=make_technique("T1003"), campaign=campaign)
    assert techniques_of(campaign) == ["T1001", "T1002", "T1003"]


def test_two_hundred_techniques_are_planned_and_repeated_in_few_queries(lead, django_assert_max_num_queries):
    techniques = [make_technique(f"T{number}") for number in range(1000, 1200)]
    templates = [make_template("T1000") for _ in range(5)]
    with django_assert_max_num_queries(45):
        campaign = create_campaign(by=lead, name="All", techniques=techniques, templates=templates)
    with django_assert_max_num_queries(45):
        retest = duplicate_as_retest(by=lead, campaign=campaign)
    for planned in (campaign, retest):
        tests = list(planned.tests.in_campaign_order())
        assert [test.technique_id for test in tests] == [*(one.mitre_id for one in techniques), *["T1000"] * 5]
        assert [test.position for test in tests] == list(range(1, 206))
        assert TestInvolvement.objects.filter(test__campaign=planned, user=lead, kind="created").count() == 205
        traces = AuditLog.objects.filter(action="test.created", after__campaign=planned.pk).order_by("pk")
        assert [trace.object_id for trace in traces] == [str(test.pk) for test in tests]
    assert {row.tests_total for row in TechniqueCoverage.objects.exclude(technique="T1000")} == {2}
    assert TechniqueCoverage.objects.get(technique="T1000").tests_total == 12
    assert (list(drift()), list(Verification().flaws())) == ([], [])


def test_order_names_each_live_test_once(lead):
    campaign = make_campaign("T1001", "T1002", "T1003", by=lead)
    first, second, third = campaign.tests.in_campaign_order()
    archive_test(by=lead, test=second)
    reorder(by=lead, campaign=campaign, tests=[third.pk, first.pk])
    assert [test.pk for test in campaign.tests.live().in_campaign_order()] == [third.pk, first.pk]
    for wrong in ([third.pk], [third.pk, third.pk], [first.pk, second.pk, third.pk], []):
        with pytest.raises(ValidationError, match="exactly once"):
            reorder(by=lead, campaign=campaign, tests=wrong)


def test_edit_is_kept_and_told(lead):
    campaign = make_campaign(by=lead)
    blue = make_user("blue_tech", username="bo")
    edit_campaign(by=lead, campaign=campaign, changes={"name": "Autumn", "goal": "More"}, participants=[blue])
    campaign.refresh_from_db()
    assert (campaign.name, campaign.goal, list(campaign.participants.all())) == ("Autumn", "More", [blue])
    trail = AuditLog.objects.filter(action="campaign.edited").get()
    assert (trail.after["name"], trail.after["participants"]) == ("Autumn", ["bo"])
    edit_campaign(by=lead, campaign=campaign, changes={"name": "Autumn"})
    assert AuditLog.objects.filter(action="campaign.edited").count() == 1
    with pytest.raises(ValidationError):
        edit_campaign(by=lead, campaign=campaign, changes={"created_by": 1})


def test_archived_campaign_takes_no_more(lead):
    campaign = archive_campaign(by=lead, campaign=make_campaign("T1001", by=lead))
    with pytest.raises(Conflict, match="archived"):
        add_tests(by=lead, campaign=campaign, techniques=[make_technique("T1002")])
    with pytest.raises(Conflict, match="archived"):
        create_test(by=make_user("admin"), campaign=campaign, technique=make_technique("T1003"))
    assert campaign.tests.live().count() == 1


def run_with(*outcomes: str, minutes: tuple[int, ...] = ()) -> Campaign:
    """A campaign of one test per outcome; `minutes` is how long each took to be detected."""
    admin = make_user("admin")
    campaign = make_campaign(*(f"T{1001 + number}" for number in range(len(outcomes))), by=admin)
    tests = list(campaign.tests.in_campaign_order())
    for test, outcome in zip(tests, outcomes, strict=True):
        set_outcomes(by=admin, test=test, facts=facts_for(outcome))
    for test, taken in zip(tests, minutes, strict=False):
        times = {"started_at": START, "detected_at": START + timedelta(minutes=taken)}
        edit_test(by=admin, test=test, changes=times)
    return campaign


def test_progress_counts_states_and_outcomes_and_takes_the_median_time():
    campaign = run_with("alerted", "alerted", "missed", "not_tested", minutes=(10, 2, 3))
    progress = campaign_progress(campaign)
    assert (progress.total, progress.decided, progress.percent) == (4, 0, 0)
    assert {name: number for name, number in progress.states.items() if number} == {"draft": 4}
    assert dict(progress.outcomes) == {"not_tested": 1, "missed": 1, "logged": 0, "alerted": 2, "prevented": 0}
    assert (progress.detected, progress.time_to_detect) == (3, timedelta(minutes=3))


def test_progress_of_an_empty_campaign_is_nought():
    progress = campaign_progress(make_campaign())
    assert (progress.total, progress.percent, progress.time_to_detect) == (0, 0, None)


def test_retest_has_the_plan_and_no_results(lead):
    first = run_with("alerted", "missed", minutes=(4,))
    retest = duplicate_as_retest(by=lead, campaign=first)
    assert (retest.retest_of, retest.name) == (first, f"{first.name} (retest)")
    for test, repeat in zip(first.tests.in_campaign_order(), retest.tests.in_campaign_order(), strict=True):
        assert repeat.retest_of == test
        assert (repeat.technique_id, repeat.name, repeat.commands) == (test.technique_id, test.name, test.commands)
        assert (repeat.state, repeat.outcome, repeat.started_at, repeat.detected_at) == (
            "draft",
            "not_tested",
            None,
            None,
        )


def test_runs_compare_test_by_test(lead):
    first = run_with("missed", "alerted", "logged", "alerted", "missed")
    second = duplicate_as_retest(by=lead, campaign=first)
    admin = make_user("admin")
    repeats = list(second.tests.in_campaign_order())
    for test, outcome in zip(repeats, ("prevented", "logged", "logged", "not_tested"), strict=False):
        set_outcomes(by=admin, test=test, facts=facts_for(outcome))
    archive_test(by=lead, test=repeats[4])
    add_tests(by=lead, campaign=second, techniques=[make_technique("T1900")])
    compared = compare_runs(first, second)
    assert [pair.change for pair in compared] == ["better", "worse", "same", "pending", "new", "gone"]
    assert [(pair.first or pair.second).technique_id for pair in compared] == [
        "T1001", "T1002", "T1003", "T1004", "T1900", "T1005",
    ]  # fmt: skip


def test_runs_without_a_link_compare_by_technique_and_name():
    first, second = run_with("missed"), run_with("alerted")
    assert [pair.change for pair in compare_runs(first, second)] == ["better"]
