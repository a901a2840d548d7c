"""Frameworks beside NIST's: switched on and off, in words of their own, and only claims can be contradicted."""

import csv
import io

import pytest
from django.test import Client

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.tests.factories import make_release, make_rule, make_technique
from compliance.models import DEFENDS, ComplianceControl, ComplianceControlMapping, ComplianceFramework
from compliance.switching import switch
from compliance.tests.factories import make_control, make_framework, make_mapping
from compliance.words import words_of
from coverage.figures.claims import claims
from coverage.figures.controls import conflicting, framework_rows
from coverage.figures.groups import by_framework
from coverage.figures.shares import TechniqueFacts
from coverage.figures.standing import Standing
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db
FRAMEWORKS = "/api/v1/compliance/frameworks"
SCORED = {"mapping_type": "technique_scores", "score_value": "partial"}


def capability(framework: str, *mappings: tuple[str, dict], **fields) -> ComplianceControl:
    """A control of a framework of the Mappings Explorer with exactly these mappings."""
    control = make_control("T1001", framework=framework, **fields)
    control.mappings.all().delete()
    for published_id, said in mappings:
        make_mapping(control, published_id, **said)
    return control


@pytest.fixture
def world():
    """T1001 was missed. NIST mitigates it; AWS detects, protects or only responds; KEV and VERIS describe it."""
    make_release()
    for number in (1, 2):
        make_technique(f"T100{number}")
    make_rule("T1001")
    make_control("T1001", control_id="AC-1", title="Mitigates")
    make_framework("aws", name="Amazon Web Services", version="2024-12-12")
    make_framework("kev", name="CISA Known Exploited Vulnerabilities", version="2025-07-28")
    make_framework("veris", name="VERIS", version="1.4.0")
    both = [("T1001", SCORED | {"score_category": category}) for category in ("detect", "respond")]
    capability("aws", *both, control_id="tea_guard", title="Detects", category="Tea Guard")
    capability("aws", ("T1001", SCORED | {"score_category": "respond"}), control_id="tea_towel", title="Responds")
    exploited = [("T1001", {"mapping_type": kind}) for kind in ("exploitation_technique", "primary_impact")]
    capability("kev", *exploited, control_id="CVE-2031-0001", title="Exploited", category="Spilt Tea")
    capability("veris", ("T1001", {"mapping_type": "related_to"}), control_id="action.pouring", title="Describes")
    make_test("T1001", state="validated", outcome="missed")


def off(*slugs: str) -> None:
    for slug in slugs:
        switch(ComplianceFramework.objects.get(slug=slug), on=False)


def page(path: str, role: str = Role.VIEWER, **query: str) -> str:
    browser = Client()
    browser.force_login(make_user(role))
    answer = browser.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("said", "defends", "words"),
    [
        ({"mapping_type": "mitigates"}, True, "Mitigates"),
        ({"mapping_type": "protects"}, True, "Protects"),
        (SCORED | {"score_category": "protect"}, True, "Protects: partial"),
        (SCORED | {"score_category": "detect"}, True, "Detects: partial"),
        (SCORED | {"score_category": "respond"}, False, "Responds: partial"),
        (
            {"mapping_type": "cup-cg", "mapping_name": "Cosy Guard", "score_category": "protect"},
            True,
            "Protects (Cosy Guard)",
        ),
        ({"mapping_type": "technique_scores"}, False, "Technique scores"),
        ({"mapping_type": "primary_impact"}, False, "Primary impact"),
        ({"mapping_type": "related_to"}, False, "Related to"),
    ],
    ids=["mitigates", "protects", "protect", "detect", "respond", "product", "no-score", "impact", "related"],
)
def test_only_mitigating_protecting_and_detecting_is_a_claim(said, defends, words):
    mapping = make_mapping(make_control("T1001"), "T1002", **said)
    assert (mapping.defends, mapping.said) == (defends, words)
    assert ComplianceControlMapping.objects.filter(DEFENDS, pk=mapping.pk).exists() == defends


def test_only_claims_are_in_conflict_with_a_missed_test(world):
    found = conflicting(ComplianceControl.objects.in_force())
    assert {control.title for control in found} == {"Mitigates", "Detects"}
    rows = {
        row.framework.slug: (row.controls, row.mapped, row.conflicts) for row in framework_rows(TechniqueFacts.now())
    }
    assert rows == {"nist-800-53-rev5": (1, 1, 1), "aws": (2, 2, 1), "kev": (1, 1, 0), "veris": (1, 1, 0)}
    listed = bearer().get("/api/v1/compliance/conflicts").json()["results"]
    assert {one["control_id"]: [missed["mitre_id"] for missed in one["missed"]] for one in listed} == {
        "AC-1": ["T1001"],
        "tea_guard": ["T1001"],
    }


def test_figures_of_all_mapped_techniques_are_there_for_every_framework(world):
    assert {row.framework.slug: row.shares.techniques for row in framework_rows(TechniqueFacts.now())} == {
        "aws": 1,
        "kev": 1,
        "nist-800-53-rev5": 1,
        "veris": 1,
    }


def test_controls_at_hand_are_those_that_claim(world):
    assert claims("controls") == {"T1001": 2}


def test_framework_that_is_switched_off_is_in_no_list_filter_figure_or_export(world):
    off("aws", "kev", "veris")
    assert [row.framework.slug for row in framework_rows(TechniqueFacts.now())] == ["nist-800-53-rev5"]
    assert [group.key for group in by_framework(Standing.now())] == ["nist-800-53-rev5"]
    assert claims("controls") == {"T1001": 1}
    assert list(ComplianceControl.objects.in_force().values_list("control_id", flat=True)) == ["AC-1"]
    for path in (
        "/compliance",
        "/compliance/frameworks",
        "/compliance/conflicts",
        "/matrix",
        "/techniques/T1001?tab=defend",
    ):
        html = page(path)
        assert "Amazon" not in html, path
        assert "CISA" not in html, path
    assert "tea_guard" not in page("/compliance", framework="aws", withdrawn="true")
    api = bearer()
    assert [one["slug"] for one in api.get(FRAMEWORKS).json()["results"]] == ["nist-800-53-rev5"]
    assert [one["control_id"] for one in api.get("/api/v1/compliance/controls").json()["results"]] == ["AC-1"]
    assert api.get("/api/v1/techniques", {"framework": "kev"}).json()["results"] == []


def test_pages_of_a_switched_off_framework_say_so_and_count_nothing(world):
    off("kev")
    control = ComplianceControl.objects.get(framework="kev")
    for path in ("/compliance/frameworks/kev", f"/compliance/controls/{control.pk}"):
        html = page(path)
        assert "Switched off." in html
        assert "Switch on" not in html
        assert "Switch on" in page(path, Role.ADMIN)


def test_admin_switches_on_the_page_and_it_is_on_record(world):
    off("kev")
    browser = Client()
    browser.force_login(admin := make_user("admin"))
    assert "Switched off" in browser.get("/compliance/frameworks").content.decode()
    browser.post("/compliance/frameworks/kev/switch", {"on": "true"})
    assert ComplianceFramework.objects.get(slug="kev").switched_on
    row = AuditLog.objects.latest("id")
    assert (row.action, row.actor_name, row.before, row.after) == (
        "framework.switched_on",
        admin.username,
        {"switched_on": False},
        {"switched_on": True},
    )
    browser.post("/compliance/frameworks/kev/switch", {"on": "true"})
    assert AuditLog.objects.latest("id") == row
    assert browser.get("/compliance/frameworks/kev/switch").status_code == 405
    assert browser.post("/compliance/frameworks/none/switch").status_code == 404


def test_admin_switches_in_the_api_and_others_may_not(world):
    assert bearer().patch(f"{FRAMEWORKS}/kev", {"switched_on": False}, format="json").status_code == 403
    api = bearer(make_user("admin"))
    assert api.patch(f"{FRAMEWORKS}/kev", {"switched_on": "maybe"}, format="json").status_code == 400
    assert api.patch(f"{FRAMEWORKS}/kev", {"name": "Mine"}, format="json").status_code == 400
    answer = api.patch(f"{FRAMEWORKS}/kev", {"switched_on": False}, format="json").json()
    assert (answer["switched_on"], answer["thing"], answer["controls"]) == (False, "vulnerability", 0)
    assert [one["slug"] for one in api.get(FRAMEWORKS, {"switched_on": "false"}).json()["results"]] == ["kev"]
    assert AuditLog.objects.latest("id").action == "framework.switched_off"


def test_admin_switches_in_the_django_admin(world):
    browser = Client()
    browser.force_login(make_user("admin"))
    chosen = ComplianceFramework.objects.filter(slug__in=["aws", "kev"]).values_list("pk", flat=True)
    data = {"action": "switch_off", "_selected_action": list(chosen)}
    browser.post("/admin/compliance/complianceframework/", data)
    assert set(ComplianceFramework.objects.shown().values_list("slug", flat=True)) == {"nist-800-53-rev5", "veris"}
    assert AuditLog.objects.filter(action="framework.switched_off").count() == 2


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("nist-800-53-rev5", ["Mapped is not compliant.", "1</b> control matches"]),
        ("aws", ["Scored is not protected.", "2</b> capabilities match"]),
        ("kev", ["Mapped is neither exposed nor safe.", "1</b> vulnerability matches"]),
        ("veris", ["Mapped is a description.", "1</b> action matches"]),
    ],
    ids=str,
)
def test_each_framework_is_told_in_its_own_words(world, slug, expected):
    html = page("/compliance", framework=slug)
    assert [words for words in expected if words not in html] == []
    control = ComplianceControl.objects.filter(framework=slug).first()
    for path in (f"/compliance/frameworks/{slug}", f"/compliance/controls/{control.pk}"):
        assert expected[0] in page(path)


def test_framework_without_words_of_its_own_has_controls():
    assert words_of("tea-ceremony").counted(1) == "1 control"
    assert words_of("kev").counted(1200) == "1,200 vulnerabilities"


def test_control_shows_every_mapping_with_score_comment_and_references(world):
    control = ComplianceControl.objects.get(title="Detects")
    mapping = control.mappings.get(score_category="detect")
    long = "It whistles. " * 40
    control.mappings.filter(pk=mapping.pk).update(
        comments=long, references=["https://example.org/tea", "javascript:alert(1)"]
    )
    html = page(f"/compliance/controls/{control.pk}")
    assert "Detects: partial" in html
    assert "Responds: partial" in html
    assert long.strip() in html
    assert 'href="https://example.org/tea"' in html
    assert 'href="javascript' not in html


def test_technique_lists_what_names_it_by_framework(world):
    html = page("/techniques/T1001", tab="defend")
    assert "2 capabilities, mapped for" in html
    assert "1 vulnerability, mapped for" in html
    assert "Primary impact" in html
    assert "Mapped is a description. It describes the technique, and stands against nothing." in html
    assert "/compliance?technique=T1001&amp;defends=true" in html


def test_figure_of_a_technique_leads_to_as_many_rows(world):
    html = page("/compliance", technique="T1001", defends="true")
    assert '<b class="num" id="count">2</b>' in html
    assert '<b class="num" id="count">4</b>' in page("/compliance", technique="T1001", defends="false")
    assert "Amazon Web Services 2024-12-12" in html


def test_overlay_says_what_the_framework_has(world):
    html = page("/matrix", framework="kev")
    assert "exploited in CISA Known Exploited Vulnerabilities 2025-07-28 (1 vulnerability)" in html


@pytest.mark.parametrize("slug", ["", "aws", "kev"], ids=["any", "aws", "kev"])
def test_conflicts_leave_as_csv(world, client, slug):
    client.force_login(make_user())
    answer = client.get("/compliance/conflicts", {"export": "csv", "framework": slug})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    expected = {"": ["AC-1", "tea_guard"], "aws": ["tea_guard"], "kev": []}[slug]
    assert sorted(row["Control"] for row in rows) == expected
    assert all((row["Techniques that tests missed"], row["Tests that missed"]) == ("T1001", "1") for row in rows)


def test_queries_stay_the_same_with_many_frameworks(world, client, django_assert_max_num_queries):
    for number in range(12):
        make_framework(f"more-{number}", name=f"More {number}")
        for _ in range(4):
            make_control("T1001", "T1002", framework=f"more-{number}")
    client.force_login(make_user("admin"))
    for path in ("/compliance", "/compliance/frameworks", "/compliance/frameworks/kev", "/compliance/conflicts"):
        with django_assert_max_num_queries(14):
            assert client.get(path).status_code == 200
