"""The other frameworks of the Mappings Explorer: what their parser promises, on files of our own and on the real archive."""

import json
import random
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.records import ComplianceControlRecord, ComplianceFrameworkRecord, ScoredMapping
from imports.sources.mappings_explorer import SOURCE, newest_sets
from imports.tests.parsing import GOLDEN, as_json, upstream_files
from imports.upstream import Issue, ParseError, SourceFile

FOLDER = GOLDEN / "explorer"
FILES = sorted(FOLDER.glob("*_attack-*.json"))


def path(framework: str, version: str, attack: str, domain: str = "enterprise") -> str:
    return f"mappings/{framework}/attack-{attack}/{framework}-{version}/{domain}/set.json"


def parsed(document: object, at: str = "set.json") -> list:
    return list(SOURCE.parse(SourceFile(at, json.dumps(document).encode())))


def golden(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


def controls(found: list) -> dict[str, ComplianceControlRecord]:
    return {one.control_id: one for one in found if isinstance(one, ComplianceControlRecord)}


def document(*rows: dict, framework: str = "csa_ccm") -> dict:
    versions = {"mapping_framework": framework, "mapping_framework_version": "4.1", "attack_version": "17.1"}
    return {"metadata": versions, "mapping_objects": list(rows)}


def row(capability: object, technique: object = "T9001", **values: object) -> dict:
    return {"capability_id": capability, "attack_object_id": technique, "mapping_type": "mitigates", **values}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition("-0")[0].partition("-2")[0])
def test_golden_file_gives_exactly_its_records_and_issues(file: Path):
    expected = json.loads((FOLDER / "records.json").read_text(encoding="utf-8"))
    assert as_json(parsed(golden(file))) == expected[file.name]


@given(st.randoms(use_true_random=False))
def test_order_of_rows_never_changes_the_records(chance: random.Random):
    for file in FILES:
        shuffled = golden(file)
        chance.shuffle(shuffled["mapping_objects"])
        found, expected = parsed(shuffled), parsed(golden(file))
        assert [one for one in found if not isinstance(one, Issue)] == [
            one for one in expected if not isinstance(one, Issue)
        ]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5], ids=str)
def test_newest_version_of_each_framework_counts_whatever_the_order(order: tuple[int, ...]):
    found = [
        path("kev", "02.13.2031", "15.1"),
        path("kev", "12.01.2030", "18.1"),
        path("veris", "1.10.0", "9.0"),
        path("veris", "1.9.0", "16.1"),
    ]
    assert set(newest_sets([found[place] for place in order])) == {found[0], found[2]}


def test_of_one_version_the_newest_attack_counts_and_neither_nist_nor_mobile():
    paths = [
        path("csa_ccm", "4.1", "9.0"),
        path("csa_ccm", "4.1", "17.1"),
        path("nist_800_53", "rev5", "16.1"),
        path("kev", "02.13.2031", "15.1", "mobile"),
        "mappings/kev/attack-15.1/aws-1/enterprise/x.json",
        "mappings/readme.json",
    ]
    assert newest_sets(paths) == [paths[1]]


def test_framework_that_nobody_knows_comes_under_its_own_name():
    framework, *_ = parsed(document(row("X-1"), framework="tea_ceremony"))
    assert (framework.slug, framework.name) == ("tea-ceremony", "tea ceremony")


def test_capability_without_a_name_goes_by_its_id_and_unmapped_ones_stay():
    found = controls(parsed(document(row("X-1"), row("X-2", None, mapping_type="non_mappable"))))
    assert {one.control_id: (one.title, len(one.mappings)) for one in found.values()} == {
        "X-1": ("X-1", 1),
        "X-2": ("X-2", 0),
    }


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(None), "skipped a mapping: expected text, found nothing at `capability_id` (mapping_objects[1])"),
        (
            row("X-2", ["T1"]),
            "skipped a mapping: expected text, found a list at `attack_object_id` (mapping_objects[1])",
        ),
        (row("X-2", score_value=3), "skipped a mapping: expected text, found the number 3 at `score_value`"),
        (row("X-2", references="x"), "skipped a mapping: expected a list, found text at `references`"),
        ("text", "skipped a mapping: expected an object, found text"),
    ],
    ids=["no-id", "list", "number", "references", "text"],
)
def test_bad_row_costs_its_mapping_and_no_capability_that_it_names(bad: object, message: str):
    found = parsed(document(row("X-1"), bad))
    named = isinstance(bad, dict) and bad["capability_id"] == "X-2"
    assert list(controls(found)) == ["X-1", *(["X-2"] if named else [])]
    assert [control.control_id for control in controls(found).values() if control.mappings] == ["X-1"]
    [issue] = [one for one in found if isinstance(one, Issue)]
    assert issue.message.startswith(message)
    assert issue.lossless == named


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({}, "expected the versions of the framework and of ATT&CK, found nothing at `metadata`"),
        (document(), "the set holds no mapping"),
        (document(row("X-1", None, mapping_type="non_mappable")), "the set holds no mapping"),
        ({**document(), "mapping_objects": {}}, "expected a list, found an object at `mapping_objects`"),
        ([], "expected an object at the top level"),
    ],
    ids=["empty", "no-rows", "nothing-mapped", "rows-no-list", "list"],
)
def test_file_that_is_no_set_is_refused_with_the_reason(bad: object, message: str):
    with pytest.raises(ParseError, match=message):
        parsed(bad)


def test_set_of_another_framework_than_its_folder_says_is_refused():
    with pytest.raises(ParseError, match="expected mappings of kev, found csa_ccm"):
        parsed(document(row("X-1")), path("kev", "1.0", "16.1"))


REAL = {
    # slug: name, version, ATT&CK, capabilities, mapped ones, mappings, ids of techniques, groups
    "aws": ("Amazon Web Services", "2024-12-12", "16.1", 30, 20, 487, 215, 30),
    "azure": ("Microsoft Azure", "2025-04-26", "16.1", 38, 38, 971, 412, 38),
    "cri-profile": ("CRI Profile", "v2.1", "16.1", 60, 60, 2152, 430, 11),
    "csa-ccm": ("CSA Cloud Controls Matrix", "4.1", "17.1", 204, 57, 790, 213, 17),
    "gcp": ("Google Cloud", "2025-03-06", "16.1", 58, 40, 516, 290, 58),
    "intel-vpro": ("Intel vPro", "2024-08-20", "15.1", 6, 6, 261, 158, 4),
    "kev": ("CISA Known Exploited Vulnerabilities", "2025-07-28", "16.1", 419, 419, 1183, 155, 36),
    "m365": ("Microsoft 365", "2025-07-18", "16.1", 38, 38, 748, 218, 4),
    "veris": ("VERIS", "1.4.0", "16.1", 188, 140, 1160, 541, 7),
}


def test_real_archive_is_read_whole(mirror: Path):
    files = {file.path: file for file in upstream_files(SOURCE, mirror)}
    chosen = newest_sets(sorted(files))
    found = {name: list(SOURCE.parse(files[name])) for name in chosen}
    told = {}
    for records in found.values():
        framework = next(one for one in records if isinstance(one, ComplianceFrameworkRecord))
        rows = controls(records).values()
        mappings = [one for control in rows for one in control.mappings]
        told[framework.slug] = (
            framework.name,
            framework.version,
            framework.attack_version,
            len(rows),
            sum(bool(control.mappings) for control in rows),
            len(mappings),
            len({one.published_id for one in mappings}),
            len({control.category for control in rows}),
        )
        assert all(isinstance(one, ScoredMapping) and one.is_current for one in mappings)
    assert told == REAL
    issues = [one for records in found.values() for one in records if isinstance(one, Issue)]
    assert [one.message for one in issues if one.message.startswith("skipped")] == [
        "skipped a mapping: expected text, found nothing at `attack_object_id` (mapping_objects[359])"
    ]
    assert all(one.lossless for one in issues)


def test_real_numbers_are_those_of_upstream(mirror: Path):
    """Upstream's own rows counted with nothing but `json`: distinct facts, and ids in whatever case."""
    files = {file.path: json.loads(file.data) for file in upstream_files(SOURCE, mirror)}
    for name in newest_sets(sorted(files)):
        rows = files[name]["mapping_objects"]
        mapped = [one for one in rows if one["status"] != "non_mappable" and one["attack_object_id"]]
        facts = {
            (
                one["capability_id"].casefold(),
                one["attack_object_id"],
                one["mapping_type"],
                one.get("score_category"),
                one.get("score_value"),
            )
            for one in mapped
        }
        slug = files[name]["metadata"]["mapping_framework"].replace("_", "-")
        capabilities = {one["capability_id"].casefold() for one in rows}
        assert (len(capabilities), len(facts)) == (REAL[slug][3], REAL[slug][5]), slug


def test_real_scores_are_kept(mirror: Path):
    files = {file.path: file for file in upstream_files(SOURCE, mirror)}
    name = next(one for one in newest_sets(sorted(files)) if "/aws/" in one)
    mappings = [one for control in controls(list(SOURCE.parse(files[name]))).values() for one in control.mappings]
    assert Counter(one.score_category for one in mappings) == {"protect": 302, "detect": 153, "respond": 32}
    assert Counter(one.score_value for one in mappings) == {"partial": 256, "minimal": 136, "significant": 95}
