"""Whose work a gap is: who may say so, whom it may be, where it is told, and what becomes of it."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from openpyxl import load_workbook

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.models import Technique
from catalog.tests.factories import make_release, make_technique
from coverage.figures.standing import Standing
from coverage.models import GapAssignment
from coverage.my_work import to_close
from coverage.reports.executive import OwnedGap
from coverage.services.gaps import NoGap, OwnedByAnother, assign_gap
from coverage.testing.refusals import NotAllowed
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()
SOON = TODAY + timedelta(days=30)


@pytest.fixture
def lena():
    return make_user(Role.RED_LEAD, username="lena")


@pytest.fixture
def maria():
    return make_user(Role.BLUE_TECH, username="maria")


@pytest.fixture
def gap():
    """A technique that nobody has proven, beside another."""
    make_release()
    make_technique("T9002")
    return make_technique("T9001")


def given(by, technique, owner, **more):
    return assign_gap(by=by, technique=technique, changes={"owner": owner, **more})


def owners(rows):
    return {row["mitre_id"]: row["owner"] for row in rows}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.RED_LEAD, Role.BLUE_LEAD])
def test_leads_and_admins_give_a_gap_to_somebody(gap, maria, role):
    by = make_user(role, username="boss")
    assignment = given(by, gap, maria, due_on=SOON, note="Servers first.")
    assert (assignment.owner, assignment.assigned_by, assignment.ended_at) == (maria, by, None)
    assert AuditLog.objects.filter(action="gap.assigned").values_list(
        "actor_name", "object_id", "object_type", "before", "after"
    ).get() == (
        "boss",
        str(gap.pk),
        "catalog.technique",
        {"owner": None},
        {"owner": "maria", "due_on": SOON.isoformat(), "note": "Servers first."},
    )


@pytest.mark.parametrize("role", [Role.RED_TECH, Role.BLUE_TECH, Role.VIEWER])
def test_nobody_else_does(gap, maria, role):
    with pytest.raises(NotAllowed):
        given(make_user(role), gap, maria)
    assert GapAssignment.objects.count() == 0


@pytest.mark.parametrize(
    ("role", "active", "said"),
    [
        (Role.VIEWER, True, "tom may not own gaps: choose a tech or a lead."),
        (Role.ADMIN, True, "tom may not own gaps: choose a tech or a lead."),
        (Role.RED_TECH, False, "tom is deactivated: choose somebody else."),
    ],
)
def test_an_owner_is_an_active_tech_or_lead(gap, lena, role, active, said):
    with pytest.raises(ValidationError) as refusal:
        given(lena, gap, make_user(role, username="tom", is_active=active))
    assert refusal.value.message_dict == {"owner": [said]}


@pytest.mark.parametrize("role", [Role.RED_TECH, Role.BLUE_TECH, Role.RED_LEAD, Role.BLUE_LEAD])
def test_every_tech_and_every_lead_can_own_a_gap(gap, lena, role):
    owner = make_user(role)
    given(lena, gap, owner)
    assert [row.technique_id for row in to_close(owner)] == ["T9001"]


def test_what_is_proven_or_gone_cannot_be_owned(gap, lena, maria):
    make_test("T9002", state="validated", outcome="alerted")
    with pytest.raises(NoGap, match="T9002 is proven: there is no gap to own"):
        given(lena, Technique.objects.get(mitre_id="T9002"), maria)
    with pytest.raises(NoGap, match="T9003 is no active technique"):
        given(lena, make_technique("T9003", deprecated=True), maria)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"due_on": TODAY - timedelta(days=1)}, "due_on"),
        ({"due_on": TODAY.replace(year=2300)}, "due_on"),
        ({"note": "two\nlines"}, "note"),
        ({"note": "x" * 501}, "note"),
        ({"note": "\0"}, "note"),
    ],
    ids=["past", "far", "lines", "long", "nul"],
)
def test_days_that_have_passed_and_texts_that_are_no_line_are_refused(gap, lena, maria, more, field):
    with pytest.raises(ValidationError) as refusal:
        given(lena, gap, maria, **more)
    assert list(refusal.value.message_dict) == [field]
    assert GapAssignment.objects.count() == 0


def test_a_day_that_has_passed_since_may_stay(gap, lena, maria):
    assignment = given(lena, gap, maria, due_on=SOON)
    late = TODAY - timedelta(days=3)
    GapAssignment.objects.filter(pk=assignment.pk).update(due_on=late)
    assert given(lena, gap, maria, due_on=late, note="Almost.").note == "Almost."
    assert GapAssignment.objects.get().shown.said.startswith("maria, overdue since ")


def test_a_change_is_told_and_no_change_is_not(gap, lena, maria):
    first = given(lena, gap, maria, due_on=SOON)
    assert assign_gap(by=lena, technique=gap, changes={"note": "Half done."}).pk == first.pk
    given(lena, gap, maria, due_on=SOON, note="Half done.")
    assert list(AuditLog.objects.filter(action__startswith="gap.").order_by("id").values_list("action", flat=True)) == [
        "gap.assigned",
        "gap.changed",
    ]


def test_who_had_it_before_is_kept(gap, lena, maria):
    given(lena, gap, maria, due_on=SOON, note="Hers.")
    second = given(lena, gap, lena)
    assert (second.due_on, second.note) == (None, "")
    assert assign_gap(by=lena, technique=gap, changes={"owner": None}) is None
    assert [(row.owner.username, row.ended_by) for row in GapAssignment.objects.order_by("pk")] == [
        ("maria", lena),
        ("lena", lena),
    ]
    assert AuditLog.objects.filter(action="gap.cleared").count() == 1
    assert assign_gap(by=lena, technique=gap, changes={"owner": None}) is None
    assert AuditLog.objects.filter(action="gap.cleared").count() == 1


def test_nobody_has_neither_a_day_nor_a_note(gap, lena):
    for changes in ({"owner": None, "due_on": SOON}, {"note": "Who?"}, {}):
        with pytest.raises(ValidationError) as refusal:
            assign_gap(by=lena, technique=gap, changes=changes)
        assert list(refusal.value.message_dict) == ["owner"]


def test_the_database_keeps_one_owner_at_a_time(gap, lena, maria):
    given(lena, gap, maria)
    with pytest.raises(IntegrityError), transaction.atomic():
        GapAssignment.objects.create(technique=gap, owner=lena, assigned_by=lena)


def test_who_looked_before_another_wrote_is_told(gap, lena, maria):
    given(lena, gap, maria)
    with pytest.raises(OwnedByAnother, match="lena gave the gap to maria at "):
        assign_gap(by=lena, technique=gap, changes={"owner": None}, seen="")
    with pytest.raises(OwnedByAnother, match="taken the gap back from rita"):
        assign_gap(by=lena, technique=Technique.objects.get(mitre_id="T9002"), changes={"owner": maria}, seen="rita")


def test_what_is_proven_is_nobodys_work_and_whose_it_was_is_kept(client, gap, lena, maria):
    given(lena, gap, maria)
    given(lena, Technique.objects.get(mitre_id="T9002"), maria, due_on=SOON)
    assert [row.technique_id for row in to_close(maria)] == ["T9002", "T9001"]
    make_test("T9001", state="validated", outcome="alerted")
    assert [row.technique_id for row in to_close(maria)] == ["T9002"]
    assert GapAssignment.objects.standing().count() == 2
    client.force_login(maria)
    page = client.get("/techniques/T9001").content.decode()
    assert "It is proven, so nothing is left to do; should it become a gap again, it is maria’s." in page
    assert "Owners of the gap" in client.get("/techniques/T9001?tab=history").content.decode()


def test_a_deactivated_owner_is_shown_as_such(client, gap, lena, maria):
    given(lena, gap, maria)
    type(maria).objects.filter(pk=maria.pk).update(is_active=False)
    client.force_login(lena)
    for address in ("/gaps", "/techniques/T9001", "/techniques/T9001/owner?part=shown"):
        page = client.get(address, headers={"HX-Request": "true"} if "part" in address else {}).content.decode()
        assert ("maria" in page, "deactivated" in page) == (True, True), address
    row = bearer().get("/api/v1/metrics/gaps?owner=maria").json()["results"][0]
    assert (row["mitre_id"], row["owner"], row["owner_active"]) == ("T9001", "maria", False)


def test_ranking_takes_no_query_more_for_its_owners(gap, lena, maria, django_assert_num_queries):
    with django_assert_num_queries(2):
        Standing.now()
    given(lena, gap, maria, due_on=SOON)
    with django_assert_num_queries(2):
        known = Standing.now().techniques
    assert (known["T9001"].owner, known["T9002"].owner) == (("maria", True, SOON, ""), None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["T9001", "T9002"]),
        ("?owner=me", ["T9001"]),
        ("?owner=none", ["T9002"]),
        ("?owner=maria", ["T9001"]),
        ("?owner=lena", []),
    ],
)
def test_page_and_api_filter_by_owner(client, gap, lena, maria, asked, found):
    given(lena, gap, maria, due_on=SOON)
    client.force_login(maria)
    assert sorted(gap.mitre_id for gap in client.get(f"/gaps{asked}").context["page"].object_list) == found
    answer = bearer(maria).get(f"/api/v1/metrics/gaps{asked}").json()
    assert sorted(owners(answer["results"])) == found
    assert [(row["due_on"], row["overdue"]) for row in answer["results"] if row["owner"]] == [
        (SOON.isoformat(), False) for mitre_id in found if mitre_id == "T9001"
    ]


def test_users_who_are_called_like_the_words_are_found_too(client, gap, lena, maria):
    me = make_user(Role.BLUE_TECH, username="me")
    given(lena, gap, me)
    client.force_login(maria)
    page = client.get("/gaps?owner=%3Dme")
    assert [one.mitre_id for one in page.context["page"].object_list] == ["T9001"]
    assert '<option value="=me" selected>me</option>' in page.content.decode()
    assert owners(bearer(maria).get("/api/v1/metrics/gaps?owner=%3Dme").json()["results"]) == {"T9001": "me"}
    assert list(client.get("/gaps?owner=me").context["page"].object_list) == []


@pytest.mark.parametrize("word", ["ghost", "%00", "x" * 151])
def test_an_owner_that_there_is_not_is_refused(client, gap, lena, word):
    client.force_login(lena)
    assert client.get(f"/gaps?owner={word}").status_code == 400
    refusal = bearer().get(f"/api/v1/metrics/gaps?owner={word}")
    assert (refusal.status_code, list(refusal.json()["errors"])) == (400, ["owner"])


def test_rows_keep_their_rank_under_a_filter(client, gap, lena, maria):
    given(lena, Technique.objects.get(mitre_id="T9002"), maria)
    ranks = {row["mitre_id"]: row["rank"] for row in bearer().get("/api/v1/metrics/gaps").json()["results"]}
    found = bearer().get("/api/v1/metrics/gaps?owner=maria").json()["results"]
    assert [(row["mitre_id"], row["rank"]) for row in found] == [("T9002", ranks["T9002"])] == [("T9002", 2)]


def test_lists_and_the_annex_name_the_owner(client, gap, lena, maria):
    given(lena, gap, maria, due_on=SOON, note="=1+1")
    client.force_login(lena)
    for address in ("/gaps?export=csv", "/reports/executive?export=gaps.csv"):
        rows = csv.DictReader(io.StringIO(b"".join(client.get(address).streaming_content).decode("utf-8-sig")))
        assert {row["Id"]: (row["Owner"], row["Due"], row["Note"]) for row in rows} == {
            "T9001": ("maria", SOON.isoformat(), "'=1+1"),
            "T9002": ("", "", ""),
        }
    book = load_workbook(io.BytesIO(b"".join(client.get("/reports/executive?export=xlsx").streaming_content)))
    assert book.sheetnames == ["Annex", "Gaps", "About"]
    head, first, second = book["Gaps"].iter_rows(values_only=True)
    assert [dict(zip(head, row, strict=True))["Owner"] for row in (first, second)] == ["maria", None]


def test_the_executive_report_names_owner_day_and_who_tests(client, gap, lena, maria):
    given(lena, gap, maria, due_on=SOON)
    make_test("T9001", by=make_user(Role.RED_TECH, username="rita"))
    client.force_login(lena)
    answer = client.get("/reports/executive")
    rows: dict[str, OwnedGap] = {row.gap.mitre_id: row for row in answer.context["report"].gaps}
    due = f"{SOON.day} {SOON:%b %Y}"
    assert rows["T9001"].said == f"maria, due {due}; test under way: rita"
    assert rows["T9002"].said == "nobody yet"
    assert rows["T9001"].said in answer.content.decode()


def test_my_work_holds_what_is_due_first(client, gap, lena, maria):
    given(lena, gap, maria)
    given(lena, Technique.objects.get(mitre_id="T9002"), maria, due_on=SOON, note="Before the audit.")
    client.force_login(maria)
    page = client.get("/work")
    assert [row.technique_id for row in page.context["close"]] == ["T9002", "T9001"]
    assert "Before the audit." in page.content.decode()
    work = next(link for group in page.context["navigation"] for link in group.links if link.label == "My work")
    assert work.count == 2


def test_a_lead_assigns_in_the_row(client, gap, lena, maria):
    client.force_login(lena)
    part = {"HX-Request": "true"}
    form = client.get("/techniques/T9001/owner?next=/gaps", headers=part).content.decode()
    assert (form.lstrip()[:5], 'value="maria"' in form, "<html" in form) == ("<form", True, False)
    sent = {"owner": "maria", "due_on": SOON.isoformat(), "note": "Servers.", "seen": "", "next": "/gaps"}
    answer = client.post("/techniques/T9001/owner", sent, headers=part)
    assert (answer.status_code, "maria" in answer.content.decode()) == (200, True)
    stale = client.post("/techniques/T9001/owner", sent | {"owner": "lena"}, headers=part)
    assert (stale.status_code, stale["HX-Reswap"]) == (409, "outerHTML")
    assert "lena gave the gap to maria" in stale.content.decode()
    assert GapAssignment.objects.standing().get().owner == maria


def test_without_javascript_the_form_is_a_page_and_leads_back(client, gap, lena, maria):
    client.force_login(lena)
    page = client.get("/techniques/T9001/owner?next=/gaps%3Fowner%3Dnone").content.decode()
    assert 'name="next" value="/gaps?owner=none"' in page
    answer = client.post("/techniques/T9001/owner", {"owner": "maria", "seen": "", "next": "/gaps?owner=none"})
    assert (answer.status_code, answer["Location"]) == (302, "/gaps?owner=none")
    answer = client.post("/techniques/T9001/owner", {"owner": "", "note": "left over", "next": "//elsewhere.example"})
    assert (answer.status_code, answer["Location"]) == (302, "/techniques/T9001")
    assert GapAssignment.objects.standing().count() == 0


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"owner": "ghost"}, "Choose an active tech or lead."),
        ({"owner": "maria", "due_on": "soon"}, "Enter a valid date."),
        ({"owner": "maria", "due_on": "2020-01-01"}, "This day has passed"),
        ({"owner": "maria", "note": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_the_form_cannot_take_stays_in_it_with_the_reason(client, gap, lena, maria, sent, said):
    client.force_login(lena)
    answer = client.post("/techniques/T9001/owner", sent)
    assert (answer.status_code, said in answer.content.decode()) == (400, True)
    assert GapAssignment.objects.count() == 0


def test_the_api_assigns_changes_and_clears(gap, lena, maria):
    api, path = bearer(lena), "/api/v1/techniques/t9001/owner"
    body = {"owner": "maria", "due_on": SOON.isoformat(), "note": "Servers."}
    found = api.patch(path, body, format="json").json()["gap_owner"]
    assert {name: found[name] for name in (*body, "owner_active", "overdue", "assigned_by")} == body | {
        "owner_active": True,
        "overdue": False,
        "assigned_by": "lena",
    }
    assert api.patch(path, {"due_on": None}, format="json").json()["gap_owner"]["due_on"] is None
    assert api.get("/api/v1/techniques/T9001").json()["gap_owner"]["note"] == "Servers."
    assert api.patch(path, {"owner": None}, format="json").json()["gap_owner"] is None


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"owner": "ghost"}, 400, "owner"),
        ({"owner": "vera"}, 400, "owner"),
        ({"owner": 7, "x": 1}, 400, "x"),
        ({"owner": "maria", "due_on": "2020-01-01"}, 400, "due_on"),
        ({"owner": "maria", "due_on": "soon"}, 400, "due_on"),
        ({"owner": "maria", "note": "a\nb"}, 400, "note"),
        ({"owner": None, "note": "Left over."}, 400, "owner"),
        ({}, 400, "owner"),
    ],
)
def test_the_api_refuses_what_is_no_owner(gap, lena, maria, body, status, field):
    make_user(username="vera")
    answer = bearer(lena).patch("/api/v1/techniques/T9001/owner", body, format="json")
    assert (answer.status_code, field in answer.json()["errors"]) == (status, True)
    assert GapAssignment.objects.count() == 0


def test_the_api_says_where_there_is_no_gap(gap, lena, maria):
    make_test("T9001", state="validated", outcome="alerted")
    api = bearer(lena)
    body = {"owner": "maria"}
    assert api.patch("/api/v1/techniques/T9001/owner", body, format="json").status_code == 409
    assert api.patch("/api/v1/techniques/T9999/owner", body, format="json").status_code == 404
