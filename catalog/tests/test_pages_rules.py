"""The list of rules, and the page of one."""

import pytest

from aegis.accounts.policy import ROLES
from aegis.accounts.tests.factories import make_user
from catalog.models import Resolution, RuleSimulation, TemplateRuleLink
from catalog.templatetags.catalog import published_day
from catalog.tests.factories import SEEN, make_rule, make_technique, make_template

pytestmark = pytest.mark.django_db


def names(html: str, *candidates: str) -> list[str]:
    """The candidates that stand in the page, in its order."""
    return sorted((one for one in candidates if f">{one}</a>" in html), key=lambda one: html.index(f">{one}</a>"))


@pytest.fixture
def rules() -> dict[str, int]:
    """Four kinds of rules; the primary key by name."""
    make_technique("T1059")
    made = [
        make_rule("T1059", name="Live", severity="high", modified="2026-02-03"),
        make_rule("T1059", "T1685", name="Older", severity="critical", platforms=["Linux"], source="elastic"),
        make_rule(name="Unmapped", mapped=False),
        make_rule("T1059", name="Deprecated", status="deprecated"),
        make_rule("T1059", name="Dropped", withdrawn_at=SEEN),
    ]
    return {rule.name: rule.pk for rule in made}


ALL = ("Live", "Older", "Unmapped", "Deprecated", "Dropped")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Live", "Older"]),
        ({"mapped": "false"}, ["Unmapped"]),
        ({"status": "deprecated"}, ["Deprecated"]),
        ({"withdrawn": "true"}, ["Dropped"]),
        ({"severity": "critical"}, ["Older"]),
        ({"source": "elastic"}, ["Older"]),
        ({"platform": "linux"}, ["Older"]),
        ({"technique": "t1685"}, ["Older"]),
        ({"search": "LIV"}, ["Live"]),
        ({"ordering": "-name"}, ["Older", "Live"]),
        ({"ordering": "-severity"}, ["Older", "Live"]),
        ({"ordering": "severity"}, ["Live", "Older"]),
        ({"ordering": "nonsense"}, ["Live", "Older"]),
        ({"page": "999"}, ["Live", "Older"]),
        ({"platform": "Plan 9"}, []),
    ],
)
def test_list_shows_the_rules_that_count_unless_asked_for_others(shown, rules, query, expected):
    assert names(shown("/rules", **query), *ALL) == expected


def test_list_says_how_many_and_names_their_sources(shown, rules):
    html = shown("/rules")
    assert '<b class="num" id="count">2</b>' in html
    assert '<option value="elastic">Elastic</option>' in html
    assert '<option value="sigma">SigmaHQ</option>' in html
    assert '<td title="SigmaHQ detection rules">SigmaHQ</td>' in html


def test_list_draws_only_the_filters_that_help_and_those_that_are_set(shown, rules):
    assert 'name="building_block"' not in shown("/rules")
    assert '<select name="building_block" id="id_building_block">' in shown("/rules", building_block="false")


def test_id_that_no_release_knows_is_shown_as_such(shown, rules):
    html = shown("/rules")
    assert 'T1685<span class="vh"> unresolved</span>?' in html
    assert html.count("/techniques/T1059") == 2


def test_long_row_of_techniques_is_cut_and_says_by_how_many(shown):
    make_rule("T1001", "T1002", "T1003", "T1004", "T1005")
    assert '<span class="chip" title="T1004, T1005">+2</span>' in shown("/rules")


def test_empty_list_says_what_to_do(shown):
    assert "No rule yet" in (html := shown("/rules"))
    assert "Open data sources" in html
    assert "Show all rules" in shown("/rules?search=nothing")


def test_htmx_gets_the_list_alone(client_of_viewer, rules):
    html = client_of_viewer.get("/rules", headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith('<div id="list"')
    assert "<form" not in html


def test_list_of_fifty_rules_costs_no_more_queries_than_one_of_two(shown, rules):
    for _ in range(60):
        make_rule("T1059", "T1685")
    assert "1–50 of 62" in shown("/rules", queries=10)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_rules(client, rules, role):
    client.force_login(make_user(role))
    assert client.get("/rules").status_code == 200
    assert client.get(f"/rules/{rules['Live']}").status_code == 200


def test_page_tells_a_rule_with_its_logic_first_and_its_file_behind(shown):
    rule = make_rule(
        "T1059",
        name="A rule",
        description="It sees **this**.",
        query="selection:\n  Image: 'a.exe'\n",
        content="title: A rule\nselection:\n  Image: 'a.exe'\n",
        false_positives=["Administrators"],
        references=["https://example.org/a", "javascript:alert(1)"],
        risk_score=47,
        log_source={"product": "windows", "category": "process_creation"},
        tactics=["execution"],
    )
    html = shown(f"/rules/{rule.pk}")
    assert "It sees <strong>this</strong>." in html
    assert '<span class="k">Image</span>: <span class="s">&#x27;a.exe&#x27;</span>' in html
    assert html.index("Query, as published") < html.index("<details><summary>Whole file</summary>")
    assert '<span class="k">title</span>: A rule' in html
    assert "<p>Administrators</p>" in html
    assert 'href="https://example.org/a"' in html
    assert "<li>javascript:alert(1)</li>" in html
    assert "47 of 100" in html
    assert "DRL-1.1" in html
    assert "process_creation" in html
    assert f'href="{rule.source_url}"' in html


def test_page_says_how_a_technique_was_found(shown):
    make_technique("T1562.001", name="Disable or Modify Tools")
    rule = make_rule("T1685")
    rule.references_to_techniques.update(technique="T1562.001", resolution=Resolution.CROSSWALK)
    html = shown(f"/rules/{rule.pk}")
    assert 'href="/techniques/T1562.001"' in html
    assert "By crosswalk from T1685" in html


def test_page_names_the_templates_that_should_trigger_it(shown):
    rule = make_rule("T1059", file_name="a_rule.yml")
    atomic = make_template("T1059", name="Atomic, by GUID")
    lolbas = make_template("T1059", name="LOLBAS, by file", source="lolbas")
    RuleSimulation.objects.create(rule=rule, template_guid=atomic.external_id)
    RuleSimulation.objects.create(rule=rule, template_guid="0000-nowhere")
    TemplateRuleLink.objects.create(template=lolbas, url="https://example.org/a_rule.yml", file_name="a_rule.yml")
    html = shown(f"/rules/{rule.pk}")
    assert names(html, "Atomic, by GUID", "LOLBAS, by file") == ["Atomic, by GUID", "LOLBAS, by file"]
    assert "0000-nowhere" in html
    assert "not in the catalogue" in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"withdrawn_at": SEEN}, "Upstream stopped publishing this rule by 2 Jan 2026"),
        ({"status": "deprecated"}, "Deprecated by its authors."),
        ({"building_block": True}, "Building block."),
        ({"query": "", "rule_type": "machine_learning"}, "a machine learning job finds what this rule reports"),
    ],
)
def test_page_of_an_unusual_rule_says_what_is_unusual(shown, fields, words):
    assert words in shown(f"/rules/{make_rule('T1059', **fields).pk}")


def test_page_shows_hidden_characters_and_escapes_the_rest(shown):
    rule = make_rule("T1059", query="a: <script>\u202e", name="<b>bold</b>")
    html = shown(f"/rules/{rule.pk}")
    assert "<script>\u202e" not in html
    assert '<span class="odd" title="hidden: right-to-left override">U+202E</span>' in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html


@pytest.mark.parametrize("number", ["0", "999999", "9" * 25, "9" * 5000, "-1", "x", "1.0", "%00", "1%00"])
@pytest.mark.parametrize("kind", ["rules", "templates", "defences"])
def test_unknown_and_odd_ids_are_not_found(client_of_viewer, kind, number):
    assert client_of_viewer.get(f"/{kind}/{number}").status_code == 404


@pytest.mark.parametrize("path", ["/rules", "/templates", "/defences"])
@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "severity=%FF",
        "page=x",
        "page=9" + "9" * 30,
        "withdrawn=maybe",
        "technique=" + "x" * 300,
        "ordering=-",
    ],
)
def test_odd_questions_get_an_answer(client_of_viewer, path, query):
    assert client_of_viewer.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("published", "shown"),
    [("2026-01-31", "31 Jan 2026"), ("2026/01/31", "2026/01/31"), ("soon", "soon"), ("", "")],
    ids=["a day", "another way", "a word", "nothing"],
)
def test_days_of_upstreams_are_written_as_every_other_date(published, shown):
    assert published_day(published) == shown
