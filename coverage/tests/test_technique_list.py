"""The list of techniques: what it shows, in which order, and what else a search finds."""

import pytest

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_rule, make_technique, make_template
from coverage.figures.claims import claims
from intel.tests.factories import make_actor, make_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def world():
    make_technique("T9001", name="Alpha")
    make_technique("T9001.001", name="Alpha in small")
    make_technique("T9002", name="Zulu", platforms=["Linux"])
    make_technique("T9003", name="Beta", revoked=True)
    make_rule("T9001.001", "T9001")
    make_rule("T9001.001", name="sees zulu")
    make_template("T9002", name="A zulu test")
    make_use(make_actor("T9002", name="Zulu Bear"), "T9002", campaign="C0001")


def ids(response) -> list[str]:
    return [technique.mitre_id for technique in response.context["page"]]


def test_counts_stand_beside_each_technique_and_equal_the_claims(reader, world):
    rows = {row.mitre_id: row for row in reader.get("/techniques").context["page"]}
    assert list(rows) == ["T9001", "T9001.001", "T9002"]
    for name in ("rules", "templates", "actors"):
        counted = {mitre_id: getattr(row, f"claimed_{name}") for mitre_id, row in rows.items()}
        assert {mitre_id: number for mitre_id, number in counted.items() if number} == claims(name)


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("", ["T9001", "T9001.001", "T9002"]),
        ("-mitre_id", ["T9002", "T9001.001", "T9001"]),
        ("name", ["T9001", "T9001.001", "T9002"]),
        ("-rules", ["T9001.001", "T9001", "T9002"]),
        ("-actors", ["T9002", "T9001", "T9001.001"]),
        ("nonsense", ["T9001", "T9001.001", "T9002"]),
        ("--rules", ["T9001", "T9001.001", "T9002"]),
    ],
)
def test_order(reader, world, ordering, expected):
    assert ids(reader.get("/techniques", {"ordering": ordering})) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("has_rules=true", ["T9001", "T9001.001"]),
        ("has_rules=false", ["T9002"]),
        ("has_templates=true", ["T9002"]),
        ("has_rules=false&has_templates=false", []),
        ("is_subtechnique=true", ["T9001.001"]),
        ("platform=Linux", ["T9002"]),
        ("revoked=true", ["T9003"]),
        ("search=T9001.001", ["T9001.001"]),
    ],
)
def test_filters(reader, world, query, expected):
    assert ids(reader.get(f"/techniques?{query}")) == expected


def test_deprecated_rule_and_withdrawn_template_do_not_make_a_technique_claimed(reader):
    make_technique("T9001")
    make_rule("T9001", status="deprecated")
    make_template("T9001", withdrawn_at="2026-01-01T00:00:00Z")
    assert ids(reader.get("/techniques?has_rules=true")) == []
    assert ids(reader.get("/techniques?has_templates=true")) == []


def test_the_exact_id_comes_first(reader):
    for mitre_id in ("T9011", "T9011.001", "T9001"):
        make_technique(mitre_id, name=f"{mitre_id} unlike T9011")
    assert ids(reader.get("/techniques?search=t9011")) == ["T9011", "T9011.001", "T9001"]


def test_search_counts_what_the_words_find_in_other_lists(reader, world):
    response = reader.get("/techniques?search=zulu")
    assert [(other.number, other.noun, other.url) for other in response.context["elsewhere"]] == [
        (1, "actor", "/actors?search=zulu"),
        (1, "rule", "/rules?search=zulu"),
        (1, "template", "/templates?search=zulu"),
    ]


def test_an_id_that_is_no_active_technique_leads_to_its_own_page(reader, world):
    page = reader.get("/techniques?search=t9003").content.decode()
    assert "No active technique has the id T9003" in page
    assert 'href="/techniques/T9003"' in page


def test_htmx_gets_the_list_alone(reader, world):
    response = reader.get("/techniques", headers={"HX-Request": "true"})
    assert response.content.decode().lstrip().startswith('<div id="list"')


def test_broken_filters_are_told_and_break_nothing(reader, world):
    response = reader.get("/techniques?has_rules=perhaps&page=zz&search=%00")
    assert response.status_code == 200
    assert "Write true or false." in response.content.decode()


def test_ten_queries_and_eleven_with_a_search_whatever_the_data(reader, world, django_assert_max_num_queries):
    for number in range(60):
        make_technique(f"T92{number:02}.001", tactics=["execution", "discovery"])
    with django_assert_max_num_queries(10):
        reader.get("/techniques?ordering=-rules")
    with django_assert_max_num_queries(11):
        reader.get("/techniques?search=zulu")
