"""The list of defences, and the page of one."""

import pytest

from catalog.models import DefensiveTechniqueMapping
from catalog.tests.factories import SEEN, make_defence, make_technique

pytestmark = pytest.mark.django_db

TACTICS = ("Model", "Harden", "Detect", "Isolate", "Deceive", "Evict", "Restore")


def test_list_stands_in_the_order_of_d3fends_tactics(shown):
    for position, tactic in reversed(list(enumerate(TACTICS))):
        make_defence(tactic=tactic, tactic_position=position)
    html = shown("/defences")
    headings = [f'scope="rowgroup">{tactic}</th>' for tactic in TACTICS]
    assert [html.count(heading) for heading in headings] == [1] * 7
    assert sorted(headings, key=html.index) == headings


def test_list_counts_the_techniques_of_the_release_that_each_counters(shown):
    make_technique("T1059")
    make_technique("T1053")
    make_defence("T1059", "T1053", "T1685", name="Two")
    html = shown("/defences")
    assert '<td class="r" data-l="Techniques countered:">2</td>' in html


def test_list_sorted_by_count_has_no_headings(shown):
    make_technique("T1059")
    make_defence("T1685", name="None")
    make_defence("T1059", name="One")
    html = shown("/defences", ordering="-techniques")
    assert "rowgroup" not in html
    assert html.index(">One</a>") < html.index(">None</a>")


def test_list_filters_by_tactic_and_technique(shown):
    make_technique("T1059")
    make_defence("T1059", name="Kept", tactic="Detect")
    make_defence("T1053", name="Other", tactic="Harden")
    for query in ({"tactic": "Detect"}, {"technique": "T1059"}):
        html = shown("/defences", **query)
        assert ">Kept</a>" in html
        assert ">Other</a>" not in html


def test_page_spells_out_why_a_technique_is_countered(shown):
    make_technique("T1053", name="Scheduled Task/Job")
    defence = make_defence("T1053", name="Process Spawn Analysis", synonyms=["Spawn watching"])
    DefensiveTechniqueMapping.objects.update(
        paths=[
            {
                "defense_relation": "analyzes",
                "defense_artifact": "Create Process",
                "attack_relation": "may-invoke",
                "attack_artifact": "Create Process",
            },
            {
                "defense_relation": "analyzes",
                "defense_artifact": "Process",
                "attack_relation": "executes",
                "attack_artifact": "Scheduled Job",
            },
        ]
    )
    html = shown(f"/defences/{defence.d3fend_id}")
    assert "<p>analyzes Create Process, which T1053 may invoke</p>" in html
    assert "<p>analyzes Process, and T1053 executes Scheduled Job</p>" in html
    assert "Scheduled Task/Job" in html
    assert "Spawn watching" in html
    assert "MIT (D3FEND terms of use)" in html


def test_page_links_up_and_down(shown):
    parent = make_defence(d3fend_id="D3-PA", name="Process Analysis")
    child = make_defence(d3fend_id="D3-PSA", name="Process Spawn Analysis", parent=parent)
    make_defence(d3fend_id="D3-GONE", name="Gone", parent=parent, withdrawn_at=SEEN)
    assert f'<a href="/defences/{child.d3fend_id}">Process Spawn Analysis</a>' in shown("/defences/D3-PA")
    assert "Gone" not in shown("/defences/D3-PA")
    assert '<a href="/defences/D3-PA">Process Analysis</a>' in shown("/defences/d3-psa")


def test_page_of_a_withdrawn_defence_answers_and_says_so(shown):
    html = shown(f"/defences/{make_defence(withdrawn_at=SEEN).d3fend_id}")
    assert "Upstream stopped publishing this defence" in html


def test_pages_stay_within_their_queries(shown):
    parent = make_defence(d3fend_id="D3-TOP")
    for number in range(60):
        make_technique(f"T1{number:03}")
        make_defence(f"T1{number:03}", parent=parent)
    assert "1–50 of 61" in shown("/defences", queries=9)
    assert shown("/defences/D3-TOP", queries=9).count('class="mono small muted push"') == 60
