"""Layers that Aegis writes: what stands in them, and that other tools read them as they are."""

import json

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from mitreattack.navlayers import Layer as PublicLayer

from coverage.layers.export import layer_of
from coverage.layers.writing import written
from coverage.matrix.assembly import Assembly
from coverage.matrix.facts import MatrixFacts
from coverage.matrix.query import MatrixQuery
from coverage.tests.matrix_world import NOW, QUIET, SCRIPT, SHELL, TACTICS, TRIED, Entry

FACTS = MatrixFacts(
    **{name: getattr(TRIED, name) for name in ("tactics", "techniques", "rules", "proofs", "laid", "offers", "now_is")},
    release="enterprise-attack 18.1",
)


def layer(query: str = "", facts: MatrixFacts = FACTS) -> dict:
    return json.loads(written(layer_of(Assembly(facts, MatrixQuery.of(QueryDict(query))))))


def entries(query: str = "") -> dict[tuple[str, str], dict]:
    return {(entry["techniqueID"], entry["tactic"]): entry for entry in layer(query)["techniques"]}


def test_every_technique_of_the_release_has_an_entry_for_each_of_its_tactics():
    assert list(entries()) == [
        ("T1.001", "execution"),
        ("T2", "execution"),
        ("T1", "execution"),
        ("T1.002", "execution"),
        ("T2", "discovery"),
        ("T3", "discovery"),
    ]
    assert all(entry["enabled"] for entry in entries().values())


def test_head_says_release_format_and_platforms():
    found = layer()
    assert found["versions"] == {"attack": "18", "navigator": "5.1.0", "layer": "4.5"}
    assert (found["domain"], found["name"]) == ("enterprise-attack", "Aegis coverage")
    assert found["filters"] == {"platforms": ["Linux", "Windows"]}
    assert {"name": "As of", "value": f"{NOW:%Y-%m-%d %H:%M} UTC"} in found["metadata"]
    assert {"name": "Proven", "value": "2 of 5 techniques"} in found["metadata"]


def test_entry_has_the_score_and_colour_of_its_proof():
    found = entries()
    assert (found["T2", "discovery"]["score"], found["T2", "discovery"]["color"]) == (33, "#dba127")
    assert (found["T1.002", "execution"]["score"], found["T1.002", "execution"]["color"]) == (0, "#c8480f")
    assert "score" not in found["T3", "discovery"]
    assert "color" not in found["T3", "discovery"]
    assert {"name": "Tests", "value": "partial, 1 of 3 tests met"} in found["T2", "discovery"]["metadata"]


def test_claimed_layer_scores_rules():
    found = entries("show=claimed")
    assert [found[key].get("score") for key in [("T2", "execution"), ("T3", "discovery")]] == [1, 0]
    assert found["T2", "execution"]["color"] == "#e1e6ec"


def test_what_filters_leave_out_is_there_and_disabled():
    found = entries("platform=Linux&tactic=discovery")
    assert {key for key, entry in found.items() if entry["enabled"]} == {("T3", "discovery")}
    assert len(found) == 6
    assert layer("platform=Linux")["hideDisabled"] is True


def test_overlay_names_the_layer_and_marks_its_techniques():
    found = layer("campaign=7&only=marked")
    assert found["name"] == "Aegis coverage: Spring"
    assert {entry["techniqueID"] for entry in found["techniques"] if entry["enabled"]} == {"T2"}
    assert {"name": "Campaign: Spring", "value": "1 marked, 1 claimed, 1 proven"} in found["metadata"]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    names=st.lists(NAMES, min_size=1, max_size=6),
    query=st.sampled_from(
        ["", "show=claimed&sort=rules", "subs=all&ids=1", "campaign=7&only=marked", "search=a&open=T0"]
    ),
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_layer_read_by_the_public_library_and_written_again_is_equal(names, query):
    techniques = [
        Entry(f"T{n}", name, platforms=(name,), tactics=("execution", "impact")[: 1 + n % 2])
        for n, name in enumerate(names)
    ]
    facts = MatrixFacts(
        release="enterprise-attack 18.1",
        tactics=TACTICS,
        techniques=(SCRIPT, SHELL, QUIET, *techniques),
        rules=FACTS.rules,
        proofs=FACTS.proofs,
        laid=FACTS.laid,
    )
    ours = layer(query, facts)
    theirs = PublicLayer()
    theirs.from_dict(json.loads(json.dumps(ours)))
    assert theirs.to_dict() == ours
