"""Pages of the ids that the current release calls otherwise, or not at all."""

import pytest
from django.test import Client
from django.utils import timezone

from aegis.accounts.tests.factories import make_user
from catalog.models import DetectionRuleTechnique, Resolution, TestTemplate
from catalog.tests.factories import make_mitigation, make_release, make_rule, make_technique, make_template
from imports.published_ids import add_examples, by_source, published_ids
from imports.tests.factories import make_source


@pytest.fixture
def client(db: None) -> Client:
    """A browser in which a viewer is logged in."""
    browser = Client()
    browser.force_login(make_user())
    return browser


@pytest.fixture
def translated(db: None) -> None:
    """T1685, which rules and a template name, is T1562.001 by crosswalk; T1142 is T1555.001 by revoked-by."""
    make_technique("T1562.001")
    make_technique("T1555.001")
    for name in ("First rule", "Second rule"):
        make_rule("T1685", name=name)
    make_template("T1685", name="Disable it")
    make_rule("T1142", source="elastic")
    for model in (DetectionRuleTechnique, TestTemplate):
        rows = model.objects.filter(published_id="T1685")
        rows.update(technique="T1562.001", resolution=Resolution.CROSSWALK)
    revoked = DetectionRuleTechnique.objects.filter(published_id="T1142")
    revoked.update(technique="T1555.001", resolution=Resolution.REVOKED_BY)


def test_ids_are_counted_by_source_and_kind_most_used_first(db):
    make_technique("T1059")
    make_rule("T1059", "T1690")
    make_rule("T1690", "T9999")
    make_rule("T1690", source="elastic")
    make_template("T1690")
    make_mitigation("T1690")
    first, second = published_ids()
    assert (first.published_id, first.technique, first.resolution, first.number) == ("T1690", None, "unresolved", 5)
    assert sorted((use.source_label, use.kind_name, use.number) for use in first.uses) == [
        ("Atomic Red Team", "test template", 1),
        ("Elastic detection rules", "detection rule", 1),
        ("MITRE ATT&CK Enterprise", "mitigation", 1),
        ("SigmaHQ detection rules", "detection rules", 2),
    ]
    assert (second.published_id, second.number) == ("T9999", 1)
    assert by_source([first, second])[0] == ("sigma", "SigmaHQ detection rules", 2, 3)


def test_rows_that_upstream_dropped_do_not_count(db):
    make_rule("T1690", withdrawn_at=timezone.now())
    assert published_ids() == []


def test_examples_name_rows_of_every_source_and_are_few(db, django_assert_num_queries):
    make_mitigation("T1690", name="Update it")
    template = make_template("T1690", name="Run it")
    rules = [make_rule("T1690", name=f"Rule {number}") for number in range(5)]
    ids = published_ids()
    with django_assert_num_queries(1):
        add_examples(ids)
    assert {(one.name, one.url) for one in ids[0].examples} == {
        ("Update it", ""),
        ("Run it", template.get_absolute_url()),
        ("Rule 0", rules[0].get_absolute_url()),
    }


def test_unresolved_page_explains_and_links_examples(client):
    make_release("18.1")
    rule = make_rule("T1690", name="Odd rule")
    page = client.get("/sources/unresolved").content.decode()
    assert "kept as published, nothing is guessed, and every import of ATT&amp;CK resolves them again" in page
    assert f'<a href="{rule.get_absolute_url()}">Odd rule</a>' in page
    assert "against enterprise-attack 18.1" in page


def test_translated_page_tells_how_each_id_was_found(client, translated):
    page = client.get("/sources/translated").content.decode()
    rows = page.split("<tr>")[2:]
    assert len(rows) == 2
    for published, now, how, number in [
        ("T1685", "T1562.001", "crosswalk", 3),
        ("T1142", "T1555.001", "revoked-by", 1),
    ]:
        (row,) = [row for row in rows if f">{published}</span>" in row]
        assert f'href="/techniques/{now}"' in row
        assert f"by {how}" in row
        assert f'data-l="references">{number}<' in row
    assert "Every reference is resolved" in client.get("/sources/unresolved").content.decode()


def test_both_lists_can_be_filtered_by_source_and_part_of_an_id(client, translated):
    make_source("sigma")
    make_source("elastic")
    make_rule("T1690")

    def ids(path: str) -> list[str]:
        return [one.published_id for one in client.get(path).context["page"]]

    assert ids("/sources/translated?source=elastic") == ["T1142"]
    assert ids("/sources/translated?search=168") == ["T1685"]
    assert ids("/sources/unresolved?source=elastic") == []
    assert ids("/sources/unresolved?search=t169") == ["T1690"]
    assert "No id matches these filters" in client.get("/sources/unresolved?search=T0000").content.decode()
    page = client.get("/sources/unresolved?source=sigma").content.decode()
    assert 'href="/sources/translated?source=sigma"' in page


@pytest.mark.parametrize("query", ["?source=nonsense", "?search=%00", f"?search={'x' * 500}", "?page=nonsense"])
def test_odd_query_strings_break_nothing(client, query):
    make_rule("T1690")
    assert client.get(f"/sources/unresolved{query}").status_code == 200


def test_ids_come_in_pages_of_50(client):
    for number in range(60):
        make_rule(f"T8{number:03}")
    assert len(client.get("/sources/unresolved?page=2").context["page"]) == 10
