"""The page of a technique: its figures, its tabs, and what it costs."""

import re

import pytest

from aegis.accounts.tests.factories import make_user
from catalog.models import (
    Analytic,
    AnalyticLogSource,
    AttackCampaign,
    AttackCampaignTechnique,
    DataComponent,
    DetectionStrategy,
    DetectionStrategyTechnique,
    Software,
    SoftwareTechnique,
)
from catalog.tests.factories import (
    make_defence,
    make_mitigation,
    make_release,
    make_rule,
    make_technique,
    make_template,
    provenance,
    resolved,
)
from compliance.tests.factories import make_control
from coverage.techniques.page import TABS
from imports.tests.factories import make_change, make_run, make_source
from intel.tests.factories import make_actor, make_item, make_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def technique():
    make_release()
    make_technique("T9001", name="The parent")
    return make_technique("T9001.001", name="The child", description="First words.\n\nThe second paragraph.")


def shown(response) -> str:
    """The words of the main part of the page, without markup."""
    page = response.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def make_campaign(mitre_id: str, published_id: str, **fields) -> None:
    standing = {"stix_id": f"campaign--{mitre_id}", "name": f"Operation {mitre_id}", "first_seen": "2024-02-01"}
    campaign = AttackCampaign.objects.create(mitre_id=mitre_id, **provenance("attack") | standing | fields)
    AttackCampaignTechnique.objects.create(campaign=campaign, text="They used it.", **resolved(published_id))


def make_software(mitre_id: str, published_id: str, kind: str = "malware") -> None:
    standing = {"stix_id": f"{kind}--{mitre_id}", "name": f"Program {mitre_id}", "kind": kind}
    software = Software.objects.create(mitre_id=mitre_id, **provenance("attack") | standing)
    SoftwareTechnique.objects.create(software=software, **resolved(published_id))


def make_strategy(number: int, published_id: str) -> None:
    origin = provenance("attack")
    strategy = DetectionStrategy.objects.create(
        mitre_id=f"DET{number}", stix_id=f"det--{number}", name=f"Strategy {number}", **origin
    )
    DetectionStrategyTechnique.objects.create(strategy=strategy, **resolved(published_id))
    component = DataComponent.objects.create(
        mitre_id=f"DC{number}", stix_id=f"dc--{number}", name=f"Component {number}", **origin
    )
    analytic = Analytic.objects.create(
        mitre_id=f"AN{number}", stix_id=f"an--{number}", name=f"Analytic {number}", strategy=strategy, **origin
    )
    AnalyticLogSource.objects.create(
        analytic=analytic, name=f"log:{number}", channel="EventCode=1", data_component=component
    )


def test_status_is_honest_while_nothing_is_tested(reader, technique):
    make_rule("T9001.001")
    assert "Status Not covered no test recorded yet Claimed 1 rule" in shown(reader.get("/techniques/T9001.001"))


def test_strip_counts_what_stands_beside_the_technique(reader, technique):
    make_rule("T9001.001")
    make_rule("T9001.001", "T9001")
    make_rule("T9001.001", status="deprecated")
    make_template("T9001.001")
    make_use(make_actor("T9001.001"), "T9001.001", campaign="C0001")
    make_defence("T9001.001")
    make_control("T9001.001")
    make_strategy(1, "T9001.001")
    response = reader.get("/techniques/T9001.001")
    assert [(figure.label, figure.number, figure.family) for figure in response.context["figures"]] == [
        ("Claimed", 2, None),
        ("Testable", 1, None),
        ("Used by", 1, None),
        ("Defences", 1, None),
        ("Controls", 1, None),
    ]
    assert "Data 1 data component" in shown(response)


def test_parent_also_counts_its_family_where_a_rule_that_names_both_counts_once(reader, technique):
    make_rule("T9001.001", "T9001")
    make_rule("T9001.001")
    make_template("T9001.001")
    make_actor("T9001", "T9001.001")
    rules, templates, actors, defences, _ = reader.get("/techniques/T9001").context["figures"]
    assert [(one.number, one.family) for one in (rules, templates, actors)] == [(1, 2), (0, 1), (1, 1)]
    assert rules.family_url == "/rules?technique=T9001&subtechniques=true"
    assert (actors.family_url, defences.family) == ("", None)


def test_sub_techniques_are_listed_beside_parent_and_child_with_their_counts(reader, technique):
    make_technique("T9001.002", revoked=True)
    make_rule("T9001.001")
    for mitre_id in ("T9001", "T9001.001"):
        members = reader.get(f"/techniques/{mitre_id}").context["members"]
        assert [(one.mitre_id, one.claimed_rules) for one in members] == [("T9001.001", 1)]


def test_header_leads_to_tactic_and_parent(reader, technique):
    page = reader.get("/techniques/T9001.001").content.decode()
    assert 'href="/techniques?tactic=execution"' in page
    assert '<a href="/techniques/T9001">The parent</a>' in page


def test_attack_tab_shows_templates_by_source_actors_campaigns_and_software(reader, technique):
    make_template("T9001.001", name="An atomic test", severity="high")
    make_template("T9001.001", name="An ability", source="caldera")
    make_template("T9001.001", name="Gone", withdrawn_at="2026-01-01T00:00:00Z")
    actor = make_actor("T9002", name="Quiet Bear")
    make_use(actor, "T9001.001", text="[Quiet Bear](https://example.org/g) likes `it`.(Citation: Somebody 2020)")
    make_use(actor, "T9001.001", campaign="C0001", text="Again.")
    make_campaign("C0001", "T9001.001")
    make_campaign("C0002", "T9001.001", revoked=True)
    make_software("S0001", "T9001.001")
    make_software("S0002", "T9001.001", kind="tool")
    response = reader.get("/techniques/T9001.001")
    groups = [
        (group.source, [one.template.name for one in group.procedures]) for group in response.context["procedures"]
    ]
    assert groups == [("atomic", ["An atomic test"]), ("caldera", ["An ability"])]
    words = shown(response)
    assert "First words. More The second paragraph." in words
    assert "Quiet Bear likes it. In Operation C0001: Again." in words
    assert "Operation C0001" in words
    assert "C0002" not in words
    assert "Malware 1 uses it Program S0001" in words
    assert "Tool 1 uses it Program S0002" in words


def test_detect_tab_shows_the_most_severe_rules_first_and_links_the_rest(reader, technique):
    for number in range(52):
        make_rule("T9001.001", name=f"Medium {number:02}", severity="medium")
    make_rule("T9001.001", name="Worst", severity="critical", source="elastic")
    make_rule("T9001.001", name="No severity", severity="")
    response = reader.get("/techniques/T9001.001?tab=detect")
    rules = response.context["rules"]
    assert (rules.number, len(rules.shown), rules.by_source) == (54, 50, (("sigma", 53), ("elastic", 1)))
    assert [row.rule.name for row in rules.shown[:2]] == ["Worst", "Medium 00"]
    assert "No severity" not in shown(response)
    assert 'href="/rules?technique=T9001.001"' in response.content.decode()


def test_detect_tab_leads_from_strategies_to_log_sources(reader, technique):
    make_strategy(7, "T9001.001")
    words = shown(reader.get("/techniques/T9001.001?tab=detect"))
    assert "Strategy 7 DET7 ATT&amp;CK detection strategy AN7" in words
    assert "log:7 EventCode=1 Component 7 DC7" in words


def test_a_reference_that_was_not_exact_says_how_it_was_found(reader, technique):
    make_template("T8888", technique=technique, resolution="crosswalk")
    rule = make_rule("T9001.001", name="By another id")
    rule.references_to_techniques.update(published_id="T7777", resolution="revoked-by")
    assert "by crosswalk from T8888" in shown(reader.get("/techniques/T9001.001"))
    assert "By another id as successor of T7777" in shown(reader.get("/techniques/T9001.001?tab=detect"))


def test_defend_tab_says_why_a_defence_counters_and_marks_what_comes_from_the_parent(reader, technique):
    path = {
        "defense_relation": "filters",
        "defense_artifact": "File",
        "attack_relation": "may-create",
        "attack_artifact": "Executable Script",
    }
    make_defence("T9001", name="Inherited").mappings.update(paths=[path, path])
    own = make_defence("T9001.001", "T9001", name="Own")
    own.mappings.update(paths=[path | {"attack_artifact": "File"}])
    make_mitigation("T9001.001", name="Lock it")
    make_control("T9001.001", title="Least Privilege", control_id="AC-6")
    response = reader.get("/techniques/T9001.001?tab=defend")
    defences = {
        one.mapping.defensive_technique.name: one for group in response.context["defences"] for one in group.defences
    }
    assert defences["Inherited"].reasons == ("filters File, and T9001 may create Executable Script",)
    assert defences["Own"].reasons == ("filters File, which T9001.001 may create",)
    words = shown(response)
    assert re.search(r"Inherited D3-X\d+ through the parent T9001", words)
    assert not re.search(r"Own D3-X\d+ through the parent", words)
    assert "Lock it M" in words
    assert "NIST SP 800-53 Rev 5 1 control, mapped for ATT&amp;CK 16.1" in words
    assert "AC-6 Least Privilege" in words


def test_controls_stand_by_framework_in_their_own_order(reader, technique):
    for control_id, framework in (("AC-10", "rev5"), ("AC-2", "rev4"), ("AC-2", "rev5")):
        make_control("T9001.001", control_id=control_id, framework=framework, sort_key=f"AC-{control_id[3:]:0>4}")
    groups = reader.get("/techniques/T9001.001?tab=defend").context["controls"]
    assert [(group.framework.slug, [row.control.control_id for row in group.mappings]) for group in groups] == [
        ("rev4", ["AC-2"]),
        ("rev5", ["AC-2", "AC-10"]),
    ]


def test_history_tab_tells_which_run_changed_which_field(reader, technique):
    run = make_run(make_source("attack"), version="18.1")
    make_change(run, model="catalog.technique", key="T9001.001", changed={"name": ["The kid", "The child"]})
    make_change(run, model="catalog.technique", key="T9001", changed={"name": ["Not", "this one"]})
    make_change(make_run(run.source, dry_run=True), model="catalog.technique", key="T9001.001", changed={})
    response = reader.get("/techniques/T9001.001?tab=history")
    words = shown(response)
    assert f"Updated Run {run.pk} version 18.1" in words
    assert "<del>kid</del><ins>child</ins>" in response.content.decode()
    assert "this one" not in words
    assert len(response.context["changes"]) == 1
    assert "Provenance" in words


def test_tabs_keep_their_place_in_the_url_and_work_without_a_script(reader, technique):
    for name, label in TABS.items():
        page = reader.get(f"/techniques/T9001.001?tab={name}").content.decode()
        assert re.search(
            rf'id="tab-{name}" href="\?tab={name}" hx-get="\?tab={name}" aria-current="page">{label}', page
        )
    assert reader.get("/techniques/T9001.001?tab=nonsense").context["tab"] == "attack"


def test_tab_of_the_news_counts_the_articles_that_surely_name_the_technique_or_one_below_it(reader, technique):
    make_item("T9001", "T9001.001")
    make_item("T9001.001")
    make_item("T9001.001", confident=False)
    make_item("T90011")
    numbers = {
        mitre_id: {tab.name: tab.number for tab in reader.get(f"/techniques/{mitre_id}").context["tabs"]}["intel"]
        for mitre_id in ("T9001", "T9001.001")
    }
    assert numbers == {"T9001": 2, "T9001.001": 2}
    make_item("T9001")
    answer = reader.get("/techniques/T9001?tab=intel")
    assert len(answer.context["news"]) == 3
    assert {tab.name: tab.number for tab in answer.context["tabs"]}["intel"] == 3


def test_htmx_gets_the_tab_alone(reader, technique):
    answer = reader.get("/techniques/T9001.001?tab=defend", headers={"HX-Request": "true"}).content.decode()
    assert answer.lstrip().startswith('<div id="tab"')
    assert "<aside" not in answer


def test_deprecated_and_withdrawn_techniques_are_noted(reader):
    make_technique("T9001", deprecated=True)
    make_technique("T9002", withdrawn_at="2026-01-01T00:00:00Z")
    assert "Deprecated. ATT&amp;CK keeps this technique" in shown(reader.get("/techniques/T9001"))
    assert "Withdrawn. ATT&amp;CK no longer publishes" in shown(reader.get("/techniques/T9002"))


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("mitre_id", ["T9001", "T9001.001"])
def test_fourteen_queries_whatever_the_data(reader, technique, django_assert_max_num_queries, mitre_id, tab):
    run = make_run(make_source("attack"))
    for number in range(6):
        make_rule(mitre_id, "T9002", source=("sigma", "elastic")[number % 2])
        make_template(mitre_id, source=("atomic", "caldera")[number % 2])
        make_use(make_actor(mitre_id), mitre_id, campaign="C0001")
        make_campaign(f"C000{number}", mitre_id)
        make_software(f"S000{number}", mitre_id)
        make_strategy(number, mitre_id)
        make_defence(mitre_id)
        make_mitigation(mitre_id)
        make_control(mitre_id, framework=("rev4", "rev5")[number % 2])
        make_change(run, model="catalog.technique", key=mitre_id)
    with django_assert_max_num_queries(14):
        assert reader.get(f"/techniques/{mitre_id}?tab={tab}").status_code == 200
