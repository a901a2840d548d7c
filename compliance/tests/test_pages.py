"""The list of controls, and the page of one."""

import pytest

from aegis.accounts.tests.factories import make_user
from catalog.models import Resolution
from catalog.tests.factories import SEEN, make_technique
from compliance.tests.factories import make_control, make_framework, make_mapping

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(client, django_assert_max_num_queries):
    """The HTML of a page as a viewer gets it, made with at most `queries` queries."""
    client.force_login(make_user())

    def show(path: str, *, queries: int = 15, **query: str) -> str:
        with django_assert_max_num_queries(queries):
            answer = client.get(path, query)
        assert answer.status_code == 200
        return answer.content.decode()

    return show


@pytest.fixture
def frameworks() -> None:
    """Two revisions; the newer has two families, an enhancement and a withdrawn control."""
    make_framework("nist-800-53-rev4", version="Rev 4", attack_version="14.1")
    make_framework("nist-800-53-rev5")
    make_technique("T1059")
    make_control("T1059", control_id="AC-10", sort_key="AC-0010", title="Tenth")
    make_control("T1059", "T1685", control_id="AC-2", sort_key="AC-0002", title="Second")
    make_control(control_id="AC-2(1)", sort_key="AC-0002(0001)", title="Enhanced", parent_control_id="AC-2")
    make_control(control_id="SI-4", sort_key="SI-0004", title="Watching", category="System Integrity")
    make_control(control_id="AC-9", sort_key="AC-0009", title="Retired", withdrawn=True)
    make_control(control_id="AC-1", sort_key="AC-0001", title="Of the old revision", framework="nist-800-53-rev4")


TITLES = ("Second", "Enhanced", "Tenth", "Watching", "Retired", "Of the old revision")


def found(html: str) -> list[str]:
    shown = [title for title in TITLES if f">{title}</a>" in html]
    return sorted(shown, key=lambda title: html.index(f">{title}</a>"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Second", "Enhanced", "Tenth", "Watching"]),
        ({"framework": ""}, ["Second", "Enhanced", "Tenth", "Watching"]),
        ({"framework": "nist-800-53-rev4"}, ["Of the old revision"]),
        ({"framework": "nonsense"}, []),
        ({"category": "System Integrity"}, ["Watching"]),
        ({"withdrawn": "true"}, ["Retired"]),
        ({"technique": "T1685"}, ["Second"]),
        ({"search": "ac-2"}, ["Second", "Enhanced"]),
        ({"ordering": "-control"}, ["Watching", "Tenth", "Enhanced", "Second"]),
        ({"ordering": "title"}, ["Enhanced", "Second", "Tenth", "Watching"]),
    ],
)
def test_list_shows_the_newest_revision_in_the_order_of_its_ids(shown, frameworks, query, expected):
    assert found(shown("/compliance", **query)) == expected


def test_list_is_grouped_by_family_and_says_what_a_mapping_means(shown, frameworks):
    html = shown("/compliance")
    assert html.count('scope="rowgroup">Access Control</th>') == 1
    assert html.count('scope="rowgroup">System Integrity</th>') == 1
    assert "Mapped is not compliant." in html
    assert "NIST SP 800-53 Rev 5, mapped to ATT&amp;CK 16.1" in html
    assert '<option value="nist-800-53-rev5" selected>NIST SP 800-53 Rev 5</option>' in html


def test_list_counts_only_current_mappings_to_known_techniques(shown, frameworks):
    make_technique("T1053")
    control = make_control("T1059", "T1685", control_id="ZZ-1", sort_key="ZZ-0001", title="Counted")
    make_mapping(control, "T1053", attack_version="12.1", is_current=False)
    html = shown("/compliance", search="ZZ-1")
    assert '<td class="r" data-l="Techniques:">1</td>' in html


def test_empty_catalogue_says_what_to_do(shown):
    assert "No control yet" in shown("/compliance")


def test_page_names_current_mappings_and_keeps_older_sets_behind(shown):
    make_technique("T1059", name="Interpreter")
    make_technique("T1053", name="Scheduled Task")
    control = make_control("T1059", title="Account Management", control_id="AC-2")
    control.mappings.update(comments="It sees who logs on.")
    older = make_mapping(control, "T1053", attack_version="12.1", is_current=False)
    html = shown(f"/compliance/controls/{control.pk}")
    assert "1 mapping to ATT&amp;CK 16.1" in html
    assert "It sees who logs on." in html
    assert "Mitigates" in html
    assert "Mapped is not compliant." in html
    behind = html[html.index("<details") :]
    assert "Older set: 1 mapped to ATT&amp;CK 12.1" in behind
    assert older.technique.name in behind
    assert "Interpreter" not in behind


def test_page_says_how_a_technique_was_found_or_that_it_was_not(shown):
    make_technique("T1562.001")
    control = make_control("T1685", "T9999")
    control.mappings.filter(published_id="T1685").update(technique="T1562.001", resolution=Resolution.CROSSWALK)
    html = shown(f"/compliance/controls/{control.pk}")
    assert "by crosswalk from T1685" in html
    assert 'T9999<span class="vh"> unresolved</span>?' in html


def test_page_links_a_control_and_its_enhancements(shown, frameworks):
    parent = make_control(control_id="IA-2", title="Identification")
    child = make_control(control_id="IA-2(1)", title="Two factors", parent_control_id="IA-2")
    make_control(
        control_id="IA-2(2)", title="Of another revision", parent_control_id="IA-2", framework="nist-800-53-rev4"
    )
    html = shown(f"/compliance/controls/{parent.pk}")
    assert f'<a href="/compliance/controls/{child.pk}">Two factors</a>' in html
    assert "Of another revision" not in html
    assert f'<a href="/compliance/controls/{parent.pk}">Identification</a>' in shown(f"/compliance/controls/{child.pk}")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"withdrawn": True}, "Withdrawn by the framework."),
        ({"withdrawn_at": SEEN}, "Upstream stopped publishing this control"),
        ({"in_catalogue": False}, "Only a set of mappings names this control"),
    ],
)
def test_page_of_an_unusual_control_says_what_is_unusual(shown, fields, words):
    assert words in shown(f"/compliance/controls/{make_control(**fields).pk}")


def test_pages_cost_no_more_queries_however_much_there_is(shown):
    for number in range(55):
        make_technique(f"T1{number:03}")
    control = make_control(*(f"T1{number:03}" for number in range(55)), control_id="AA-1", sort_key="AA-0001")
    for number in range(55):
        make_control("T1000", parent_control_id="AA-1", sort_key=f"AA-0001({number:04})")
    assert "1–50 of 56" in shown("/compliance", queries=13)
    assert shown(f"/compliance/controls/{control.pk}", queries=13).count("Mitigates") == 55


@pytest.mark.parametrize("number", ["0", "999999", "9" * 25, "9" * 5000, "x", "%00"])
def test_unknown_and_odd_ids_are_not_found(client, number):
    client.force_login(make_user())
    assert client.get(f"/compliance/controls/{number}").status_code == 404


def test_lists_in_the_text_of_a_control_are_drawn_and_other_text_keeps_its_lines(shown):
    make_framework("nist-800-53-rev5")
    listed = make_control(control_id="AC-1", description="It does:\n\n* **AC-1a.** This; and\n* **AC-1b.** that.")
    plain = make_control(control_id="AC-2", description="First line.\nSecond * line.")
    page = shown(listed.get_absolute_url())
    assert "<strong>AC-1a.</strong> This; and" in page
    assert "**" not in page
    assert '<p class="lines">First line.\nSecond * line.</p>' in shown(plain.get_absolute_url())
