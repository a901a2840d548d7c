"""D3FEND: what its parsers promise, on files of our own and on both real releases."""

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.records import ArtifactPath, DefensiveTechniqueRecord, Record
from imports.sources.d3fend import SOURCE
from imports.tests.parsing import GOLDEN, as_json
from imports.upstream import HttpsFile, Issue, ParseError, SourceFile, Version

ONTOLOGY = "ontologies/d3fend.json"
TABLE = "api/ontology/inference/d3fend-full-mappings.json"
D3F = "http://d3fend.mitre.org/ontologies/d3fend.owl#"
TACTICS = ("Model", "Harden", "Detect", "Isolate", "Deceive", "Evict", "Restore")


def golden(name: str) -> dict:
    return json.loads((GOLDEN / "d3fend" / name).read_text(encoding="utf-8"))


def technique(name: str, published_id: str | None, **properties) -> dict:
    node = {"@id": f"d3f:{name}", "rdfs:label": name, "rdfs:subClassOf": {"@id": "d3f:DefensiveTechnique"}}
    if published_id is not None:
        node["d3f:d3fend-id"] = published_id
    return {**node, "d3f:enables": {"@id": "d3f:Detect"}, **properties}


def ontology(*nodes: object) -> dict:
    tactic = {"@id": "d3f:Detect", "rdfs:label": "Detect", "rdfs:subClassOf": {"@id": "d3f:DefensiveTactic"}}
    model = {"@id": "d3f:Model", "rdfs:label": "Model", "@type": "d3f:DefensiveTactic", "d3f:display-order": -1}
    return {"@graph": [tactic, model, *nodes]}


def row(defense: str = "Watching", published_id: str = "T1900", **columns) -> dict:
    labels = ("def_artifact_rel_label", "def_artifact_label", "off_artifact_rel_label", "off_artifact_label")
    terms = {"def_tech": D3F + defense, "off_tech_id": published_id, **dict.fromkeys(labels, "x"), **columns}
    return {name: {"type": "literal", "value": value} for name, value in terms.items()}


def table(*rows: object) -> dict:
    return {"head": {"vars": []}, "results": {"bindings": list(rows)}}


def read(path: str, document: object) -> list[Record | Issue | Version]:
    return list(SOURCE.parse(SourceFile(path, json.dumps(document).encode())))


def joined(*files: SourceFile) -> list[Record | Issue | Version]:
    """Issues and version of each file, then what the files make together."""
    found = [(file.path, one) for file in files for one in SOURCE.parse(file)]
    pieces = [(path, one) for path, one in found if isinstance(one, Record)]
    assert SOURCE.assemble is not None
    return [one for _, one in found if not isinstance(one, Record)] + [one for _, one in SOURCE.assemble(pieces)]


def together(graph: dict, rows: dict) -> list[Record | Issue | Version]:
    return joined(SourceFile(ONTOLOGY, json.dumps(graph).encode()), SourceFile(TABLE, json.dumps(rows).encode()))


def issues(found: list) -> list[str]:
    return [one.message for one in found if isinstance(one, Issue)]


def by_id(found: list) -> dict[str, DefensiveTechniqueRecord]:
    return {one.d3fend_id: one for one in found if isinstance(one, DefensiveTechniqueRecord)}


def test_golden_files_give_exactly_their_records_and_issues():
    found = together(golden("d3fend.json"), golden("d3fend-full-mappings.json"))
    assert as_json(found) == golden("records.json")


@given(st.randoms(use_true_random=False))
def test_order_of_nodes_and_rows_never_changes_the_records(chance: random.Random):
    graph, rows = golden("d3fend.json"), golden("d3fend-full-mappings.json")
    expected = together(graph, rows)
    chance.shuffle(graph["@graph"])
    for node in graph["@graph"]:
        for value in node.values():
            if isinstance(value, list):
                chance.shuffle(value)
    chance.shuffle(rows["results"]["bindings"])
    shuffled = together(graph, rows)
    assert by_id(shuffled) == by_id(expected)
    assert len(shuffled) == len(expected)


def test_records_belong_to_the_ontology_and_orphans_to_the_table():
    pieces = [(ONTOLOGY, one) for one in read(ONTOLOGY, ontology(technique("Watching", "D3-W")))]
    pieces += [(TABLE, one) for one in read(TABLE, table(row(), row("Gone")))]
    assert SOURCE.assemble is not None
    assert [(path, type(one)) for path, one in SOURCE.assemble(pieces)] == [
        (ONTOLOGY, DefensiveTechniqueRecord),
        (TABLE, Issue),
    ]


def test_technique_is_the_one_of_the_row_and_not_the_page_that_shows_it():
    graph = ontology(technique("Watching", "D3-W"), technique("Waiting", "D3-WT"))
    found = by_id(together(graph, table(row("Watching", query_def_tech_label="Waiting"))))
    assert [len(found[published_id].techniques) for published_id in ("D3-W", "D3-WT")] == [1, 0]


def test_pair_keeps_every_artifact_path_once():
    rows = table(row(), row(), row(off_artifact_label="y"), row(off_artifact_rel_label="w"))
    (pair,) = by_id(together(ontology(technique("Watching", "D3-W")), rows))["D3-W"].techniques
    assert pair.paths == tuple(
        ArtifactPath(defense_relation="x", defense_artifact="x", attack_relation=relation, attack_artifact=artifact)
        for relation, artifact in [("w", "x"), ("x", "x"), ("x", "y")]
    )


def test_unknown_attack_technique_keeps_its_published_id():
    found = by_id(together(ontology(technique("Watching", "D3-W")), table(row(published_id="T9999.999"))))
    assert [pair.published_id for pair in found["D3-W"].techniques] == ["T9999.999"]


@pytest.mark.parametrize("published_id", [None, "", "W", "D3A-W", "D3-", "D3-" + "W" * 300, "D3-<b>", "d3-w"])
def test_class_without_a_usable_id_is_an_issue(published_id):
    found = read(ONTOLOGY, ontology(technique("Watching", published_id), technique("Waiting", "D3-WT")))
    assert list(by_id(found)) == ["D3-WT"]
    assert issues(found) == [
        "skipped a defensive technique without an id like D3-PSA at `d3f:d3fend-id` (d3f:Watching)"
    ]


def test_second_class_with_an_id_is_an_issue():
    found = read(ONTOLOGY, ontology(technique("Watching", "D3-W"), technique("Waiting", "D3-W")))
    assert by_id(found)["D3-W"].name == "Waiting"
    assert issues(found) == ["skipped a second defensive technique with the id D3-W (d3f:Watching)"]


def test_class_without_a_label_is_an_issue():
    found = read(ONTOLOGY, ontology(technique("Watching", "D3-W", **{"rdfs:label": 7}), technique("Waiting", "D3-WT")))
    assert list(by_id(found)) == ["D3-WT"]
    assert issues(found) == [
        "a value of a defensive technique was left out: expected text, found a number at `rdfs:label` (d3f:Watching)",
        "skipped a defensive technique without `rdfs:label` (d3f:Watching)",
    ]


def test_wrong_type_of_an_optional_value_costs_only_the_value():
    found = read(ONTOLOGY, ontology(technique("Watching", "D3-W", **{"d3f:definition": {"@id": "d3f:Pot"}})))
    assert by_id(found)["D3-W"].description == ""
    assert issues(found) == [
        "a value of a defensive technique was left out: expected text, found a reference at `d3f:definition` (d3f:Watching)"
    ]


@pytest.mark.parametrize(
    ("parents", "parent"),
    [
        (["DefensiveTechnique", "Watching"], ""),
        (["DefensiveTechnique", "Staring"], ""),
        (["Staring", "DefensiveTechnique", "Elsewhere"], ""),
    ],
)
def test_cycles_selves_and_several_parents_end_at_the_root(parents, parent):
    links = {"rdfs:subClassOf": [{"@id": f"d3f:{name}"} for name in parents]}
    below = {"rdfs:subClassOf": {"@id": "d3f:Watching"}}
    found = read(ONTOLOGY, ontology(technique("Watching", "D3-W", **links), technique("Staring", "D3-S", **below)))
    assert {one.d3fend_id: one.parent for one in by_id(found).values()} == {"D3-W": parent, "D3-S": "D3-W"}
    assert issues(found) == ["several parents: the one nearest to d3f:DefensiveTechnique was taken (d3f:Watching)"]


def test_cycle_that_never_reaches_the_root_is_no_technique():
    links = {"rdfs:subClassOf": {"@id": "d3f:Watching"}}
    found = read(ONTOLOGY, ontology(technique("Watching", "D3-W", **links), technique("Waiting", "D3-WT")))
    assert list(by_id(found)) == ["D3-WT"]


def test_nearest_tactic_counts_and_offensive_ones_never():
    inherits = {"d3f:enables": {"@id": "d3f:TA0005"}, "rdfs:subClassOf": {"@id": "d3f:Watching"}}
    own = {"d3f:enables": {"@id": "d3f:Model"}, "rdfs:subClassOf": {"@id": "d3f:Staring"}}
    graph = ontology(
        technique("Watching", "D3-W"), technique("Staring", "D3-S", **inherits), technique("Counting", "D3-C", **own)
    )
    found = by_id(read(ONTOLOGY, graph))
    assert {one.d3fend_id: (one.tactic, one.tactic_position) for one in found.values()} == {
        "D3-W": ("Detect", 1),
        "D3-S": ("Detect", 1),
        "D3-C": ("Model", 0),
    }


def test_technique_with_no_tactic_or_two_is_told():
    both = {"d3f:enables": [{"@id": "d3f:Detect"}, {"@id": "d3f:Model"}]}
    none = {"d3f:enables": None}
    found = read(ONTOLOGY, ontology(technique("Watching", "D3-W", **both), technique("Waiting", "D3-WT", **none)))
    assert [by_id(found)[published_id].tactic for published_id in ("D3-W", "D3-WT")] == ["Model", ""]
    assert issues(found) == [
        "expected one tactic for a defensive technique, found Model, Detect (d3f:Watching)",
        "expected one tactic for a defensive technique, found none (d3f:Waiting)",
    ]


def test_chain_of_twenty_thousand_classes_is_read():
    chain = [{"@id": f"d3f:C{level}", "rdfs:subClassOf": {"@id": f"d3f:C{level - 1}"}} for level in range(1, 20_000)]
    deepest = technique("Watching", "D3-W", **{"d3f:enables": None, "rdfs:subClassOf": {"@id": "d3f:C19999"}})
    top = technique("C0", "D3-TOP")
    found = read(ONTOLOGY, ontology(*chain, top, deepest))
    assert by_id(found)["D3-W"].tactic == "Detect"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "expected the D3FEND ontology (`@graph`) or its mappings (`results`), found neither"),
        ({"@graph": {}}, "expected a list, found an object at `@graph`"),
        ({"@graph": []}, "the ontology has no class below d3f:DefensiveTechnique"),
        ({"results": []}, "expected an object, found a list at `results`"),
        ({"results": {}}, "expected a list, found nothing at `bindings`"),
        ({"results": {"bindings": []}}, "the mappings name no ATT&CK Enterprise technique"),
        (table(row(published_id="T0803")), "the mappings name no ATT&CK Enterprise technique"),
        ([], "expected an object at the top level, found a list"),
    ],
)
def test_file_that_is_neither_part_is_refused_whole(document, message):
    with pytest.raises(ParseError) as caught:
        read(ONTOLOGY, document)
    assert caught.value.message == message


def test_web_page_is_refused_whole():
    with pytest.raises(ParseError, match="web page"):
        list(SOURCE.parse(SourceFile(ONTOLOGY, b"<!doctype html><h1>Just a moment...</h1>")))


@pytest.mark.parametrize("document", [table(row()), ontology(technique("Watching", "D3-W"))])
def test_one_file_without_the_other_is_refused(document):
    assert SOURCE.assemble is not None
    with pytest.raises(ParseError, match="needs both files"):
        list(SOURCE.assemble([("", one) for one in read("", document)]))


def test_files_that_only_make_sense_together_fail_together():
    assert SOURCE.complete
    assert [urlsplit(fetch.url).path.lstrip("/") for fetch in SOURCE.fetch if isinstance(fetch, HttpsFile)] == [
        ONTOLOGY,
        TABLE,
    ]


def real(mirror: Path) -> list:
    folder = mirror / "d3fend.mitre.org"
    return joined(
        *(SourceFile(path, gzip.decompress((folder / f"{path}.gz").read_bytes())) for path in (ONTOLOGY, TABLE))
    )


@pytest.fixture(scope="module")
def current(mirror: Path) -> list:
    return real(mirror)


def figures(found: list) -> tuple[list[int], list[int], int, int, int]:
    """Techniques and pairs by tactic, artifact paths, mapped techniques, ATT&CK ids."""
    techniques = by_id(found).values()
    count = Counter(one.tactic for one in techniques)
    pairs = Counter(one.tactic for one in techniques for _ in one.techniques)
    assert {one.tactic: one.tactic_position for one in techniques} == {name: n for n, name in enumerate(TACTICS)}
    return (
        [count[tactic] for tactic in TACTICS],
        [pairs[tactic] for tactic in TACTICS],
        sum(len(pair.paths) for one in techniques for pair in one.techniques),
        sum(bool(one.techniques) for one in techniques),
        len({pair.published_id for one in techniques for pair in one.techniques}),
    )


def test_real_release_has_every_technique_pair_and_path(current: list):
    found = current
    assert issues(found) == []
    assert found[0] == Version("1.2.0")
    assert figures(found) == ([27, 47, 79, 53, 11, 19, 12], [168, 289, 1069, 893, 124, 220, 242], 3307, 139, 307)


def test_real_release_answers_the_samples(current: list):
    found = by_id(current)
    counters = {name: {pair.published_id for pair in one.techniques} for name, one in found.items()}

    def against(published_id: str) -> str:
        return " ".join(sorted(name[3:] for name, countered in counters.items() if published_id in countered))

    assert against("T1059") == "CF CM CQ DA DF EAL EDL EFA FA FE FEV FIM LFP RF RFAM"
    assert against("T1078") == "AA AL AM CFP RUAA UAP ULA"
    assert "SPP" in against("T1110.001").split()
    assert [against(published_id) for published_id in ("T1059.001", "T1110", "T1486")] == ["", "", ""]
    assert [len(counters[name]) for name in ("D3-PSA", "D3-FA", "D3-MFA", "D3-SPP")] == [35, 97, 18, 3]
    assert "T1053" in counters["D3-PSA"]
    assert "T1059" not in counters["D3-PSA"]
    assert "D3-ARMA" not in found
    assert (found["D3-PSA"].parent, found["D3-PA"].parent) == ("D3-PA", "")
    assert found["D3-PSA"].url == "https://d3fend.mitre.org/technique/d3f:ProcessSpawnAnalysis/"
    assert [sum(bool(one.parent) for one in found.values()), sum(bool(one.synonyms) for one in found.values())] == [
        219,
        67,
    ]


def test_older_real_release_has_every_technique_pair_and_path(mirror_2025: Path):
    found = real(mirror_2025)
    assert issues(found) == []
    assert found[0] == Version("0.17.0")
    techniques, pairs, paths, mapped, attack_ids = figures(found)
    assert (techniques, sum(techniques), sum(pairs)) == ([27, 33, 78, 22, 11, 19, 12], 202, 2566)
    assert (paths, mapped, attack_ids) == (2798, 127, 305)
