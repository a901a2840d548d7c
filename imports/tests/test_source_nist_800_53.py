"""NIST SP 800-53: what its parsers promise, on files of our own and on the real catalogues and mappings."""

import gzip
import json
import random
import tarfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.records import ComplianceControlRecord, ComplianceFrameworkRecord, Record
from imports.sources.nist_800_53 import SOURCE, newest_sets
from imports.sources.nist_800_53_join import control_id
from imports.tests.parsing import GOLDEN, as_json
from imports.upstream import GitHubArchive, HttpsFile, Issue, ParseError, SourceFile

FOLDER = "frameworks/attack_12_1"
EXPLORER = "mappings/nist_800_53/attack-{version}/nist_800_53-rev{revision}/enterprise/set.json"


def golden_documents() -> dict[str, dict]:
    files = sorted((GOLDEN / "nist").glob("nist*.json"))
    return {f"{FOLDER}/{file.name}": json.loads(file.read_text(encoding="utf-8")) for file in files}


def joined(documents: dict[str, dict]) -> list[tuple[str, Record | Issue]]:
    """Issues of each file, then what the files make together, each with its path."""
    files = [SourceFile(path, json.dumps(document).encode()) for path, document in documents.items()]
    return joined_files(files)


def joined_files(files: list[SourceFile]) -> list[tuple[str, Record | Issue]]:
    found = [(file.path, one) for file in files for one in SOURCE.parse(file)]
    pieces = [(path, one) for path, one in found if isinstance(one, Record)]
    assert SOURCE.assemble is not None
    return [(path, one) for path, one in found if isinstance(one, Issue)] + list(SOURCE.assemble(pieces))


def controls(found: list[tuple[str, Record | Issue]]) -> dict[tuple[str, str], ComplianceControlRecord]:
    """By revision ("rev4") and control id."""
    records = [one for _, one in found if isinstance(one, ComplianceControlRecord)]
    return {(one.framework.removeprefix("nist-800-53-"), one.control_id): one for one in records}


def frameworks(found: list[tuple[str, Record | Issue]]) -> list[ComplianceFrameworkRecord]:
    return [one for _, one in found if isinstance(one, ComplianceFrameworkRecord)]


def issues(found: list[tuple[str, Record | Issue]]) -> list[str]:
    return [one.message for _, one in found if isinstance(one, Issue)]


def stix_id(kind: str, number: int) -> str:
    return f"{kind}--00000000-0000-4000-8000-{number:012d}"


def control(number: int, published_id: str, **properties) -> dict:
    reference = {"source_name": "NIST 800-53 Revision 5", "external_id": published_id}
    return {
        "type": "course-of-action",
        "id": stix_id("course-of-action", number),
        "modified": "2031-01-01T00:00:00.000Z",
        "name": f"Control {number}",
        "description": "Text.",
        "external_references": [reference],
        **properties,
    }


def relation(kind: str, source: int, target: int) -> dict:
    target_type = "attack-pattern" if kind == "mitigates" else "course-of-action"
    return {
        "type": "relationship",
        "id": stix_id("relationship", source * 1000 + target),
        "relationship_type": kind,
        "source_ref": stix_id("course-of-action", source),
        "target_ref": stix_id(target_type, target),
    }


def bundle(*objects: object) -> dict:
    return {"type": "bundle", "id": stix_id("bundle", 0), "spec_version": "2.0", "objects": list(objects)}


def explorer(version: str, *rows: dict, revision: str = "rev5") -> dict:
    versions = {"mapping_framework": "nist_800_53", "mapping_framework_version": revision, "attack_version": version}
    return {"metadata": versions, "mapping_objects": list(rows)}


def mapping(published_id: str, technique: str, **values) -> dict:
    return {"capability_id": published_id, "attack_object_id": technique, "mapping_type": "mitigates", **values}


def test_golden_files_give_exactly_their_records_and_issues():
    expected = json.loads((GOLDEN / "nist" / "records.json").read_text(encoding="utf-8"))
    assert as_json([one for _, one in joined(golden_documents())]) == expected


@given(st.randoms(use_true_random=False))
def test_order_of_files_objects_and_rows_never_changes_the_records(chance: random.Random):
    documents = golden_documents()
    expected = joined(documents)
    paths = list(documents)
    chance.shuffle(paths)
    for document in documents.values():
        for rows in (document.get("objects"), document.get("mapping_objects")):
            if rows is not None:
                chance.shuffle(rows)
    shuffled = joined({path: documents[path] for path in paths})
    assert controls(shuffled) == controls(expected)
    assert frameworks(shuffled) == frameworks(expected)
    assert len(shuffled) == len(expected)


def test_records_and_issues_belong_to_the_file_that_they_come_from():
    catalogue = bundle(control(1, "AC-1"), control(2, "AC-2"), relation("subcontrol-of", 2, 7))
    documents = {"c.json": catalogue, "m.json": explorer("16.1", mapping("AC-1", "T1900"), mapping("AC-7", "T1900"))}
    assert [(path, type(one).__name__) for path, one in joined(documents)] == [
        ("c.json", "ComplianceFrameworkRecord"),
        ("c.json", "ComplianceControlRecord"),
        ("c.json", "ComplianceControlRecord"),
        ("m.json", "ComplianceControlRecord"),
        ("c.json", "Issue"),
        ("m.json", "Issue"),
    ]


@pytest.mark.parametrize(
    ("published", "normalised"),
    [
        ("AC-2", "AC-2"),
        ("AC-02", "AC-2"),
        ("ac-02", "AC-2"),
        (" AC-2 ", "AC-2"),
        ("AC-2(1)", "AC-2(1)"),
        ("AC-2 (1)", "AC-2(1)"),
        ("AC-02(01)", "AC-2(1)"),
        ("Ac-2 ( 1 )", "AC-2(1)"),
        ("AC-20 (10)", "AC-20(10)"),
    ],
)
def test_control_ids_of_all_spellings_meet(published, normalised):
    assert control_id(published) == normalised
    assert control_id(normalised) == normalised


@pytest.mark.parametrize(
    "published", ["", "AC", "AC-", "AC-0", "A-1", "AC-1(0)", "AC-1()", "AC-1(1)(2)", "AC-١", "AC-99999", "T1059"]
)
def test_what_is_no_control_id_is_refused(published):
    with pytest.raises(ParseError, match="expected a control id like AC-2"):
        control_id(published)


@given(st.from_regex(r"[A-Z]{2}", fullmatch=True), st.integers(1, 9999), st.none() | st.integers(1, 9999))
def test_padding_and_space_never_change_a_control_id(family, number, enhancement):
    plain = f"{family}-{number}" + (f"({enhancement})" if enhancement else "")
    padded = f"{family.lower()}-0{number}" + (f" (0{enhancement})" if enhancement else " ")
    assert control_id(padded) == control_id(plain) == plain


def test_newest_set_is_by_number_and_for_each_revision():
    def paths(revision: int, *versions: str) -> list[str]:
        return [EXPLORER.format(version=version, revision=revision) for version in versions]

    found = [*paths(4, "8.2", "9.0", "14.1", "12.1"), *paths(5, "9.0", "16.1", "16.0", "8.2"), "mappings/aws/set.json"]
    assert newest_sets(found) == [*paths(4, "14.1"), *paths(5, "16.1")]
    assert newest_sets([]) == []


def test_explorer_is_current_where_both_have_the_same_attack_version():
    documents = {
        f"{FOLDER}/c.json": bundle(control(1, "AC-1"), relation("mitigates", 1, 7)),
        "m.json": explorer("12.1", mapping("AC-1", "T1900")),
    }
    found = controls(joined(documents))["rev5", "AC-1"].mappings
    assert [(one.published_id, one.is_current) for one in found] == [
        (stix_id("attack-pattern", 7), False),
        ("T1900", True),
    ]


@pytest.mark.parametrize(
    ("versions", "newest"), [(("9.0", "16.1"), "16.1"), (("16.1", "9.0"), "16.1"), (("16.9", "16.10"), "16.10")]
)
def test_current_set_is_the_newest_by_number(versions, newest):
    sets = {f"{version}.json": explorer(version, mapping("AC-1", "T1900")) for version in versions}
    found = joined({"c.json": bundle(control(1, "AC-1")), **sets})
    assert [one.attack_version for one in controls(found)["rev5", "AC-1"].mappings if one.is_current] == [newest]
    assert [one.attack_version for one in frameworks(found)] == [newest]


@pytest.mark.parametrize(
    ("relations", "parents"),
    [
        ([(2, 1)], ["", "AC-1"]),
        ([(1, 1), (2, 1)], ["", "AC-1"]),
        ([(1, 2), (2, 1)], ["", ""]),
        ([(2, 9)], ["", ""]),
        ([(2, 1), (2, 1)], ["", "AC-1"]),
    ],
)
def test_parent_is_a_base_control_whatever_upstream_links(relations, parents):
    objects = [control(1, "AC-1"), control(2, "AC-1(1)"), *(relation("subcontrol-of", *pair) for pair in relations)]
    found = joined({"c.json": bundle(*objects), "m.json": explorer("16.1", mapping("AC-1", "T1900"))})
    assert [one.parent for one in controls(found).values()] == parents
    assert bool(issues(found)) == (relations not in ([(2, 1)], [(2, 1), (2, 1)]))


def test_several_base_controls_are_told_and_the_first_is_taken():
    objects = [control(1, "AC-10"), control(2, "AC-2(1)"), control(3, "AC-2")]
    links = [relation("subcontrol-of", 2, 1), relation("subcontrol-of", 2, 3)]
    found = joined({"c.json": bundle(*objects, *links), "m.json": explorer("16.1", mapping("AC-2", "T1900"))})
    assert controls(found)["rev5", "AC-2(1)"].parent == "AC-2"
    assert issues(found) == ["expected one base control of an enhancement, found several or none (AC-2(1))"]


@pytest.mark.parametrize(
    ("properties", "withdrawn"),
    [
        ({"description": "Text."}, False),
        ({"description": "Records that were [Withdrawn: ..] stay."}, False),
        ({"description": "[Withdrawn: Incorporated into AC-2]."}, True),
        ({"description": ""}, True),
        ({"description": None}, True),
        ({"revoked": True}, True),
        ({"x_mitre_deprecated": True}, True),
    ],
)
def test_withdrawn_control_is_marked(properties, withdrawn):
    documents = {
        "c.json": bundle(control(1, "AC-1", **properties)),
        "m.json": explorer("16.1", mapping("AC-1", "T1900")),
    }
    assert controls(joined(documents))["rev5", "AC-1"].withdrawn is withdrawn


@pytest.mark.parametrize("row", [mapping("AC-1", "T1900"), mapping("AC-01", "T1900"), mapping("ac-1 ", "T1900 ")])
def test_repeated_pair_is_one_mapping(row):
    found = joined({"c.json": bundle(control(1, "AC-1")), "m.json": explorer("16.1", mapping("AC-1", "T1900"), row)})
    assert len(controls(found)["rev5", "AC-1"].mappings) == 1
    assert issues(found) == []


def test_non_mappable_rows_are_counted_and_never_mapped():
    rows = [
        mapping("AC-1", "T1900"),
        {"capability_id": None, "attack_object_id": "T1901", "mapping_type": None, "status": "non_mappable"},
        {"capability_id": "AC-1", "attack_object_id": None, "mapping_type": "non_mappable"},
    ]
    found = joined({"c.json": bundle(control(1, "AC-1")), "m.json": explorer("16.1", *rows)})
    assert [one.published_id for one in controls(found)["rev5", "AC-1"].mappings] == ["T1900"]
    assert issues(found) == ["left out what upstream marks as not mappable (2 times: AC-1, T1901)"]


@pytest.mark.parametrize(
    ("path", "document", "message"),
    [
        ("x", {}, "expected a STIX bundle (`objects`) or a mapping set (`mapping_objects`), found neither"),
        ("x", [], "expected an object at the top level, found a list"),
        ("x", bundle(), "the bundle holds neither controls (course-of-action) nor mappings (relationship)"),
        (
            "x",
            bundle(relation("mitigates", 1, 2)),
            "the mappings' ATT&CK version is only in the path: expected a folder like attack_12_1",
        ),
        (
            "x",
            {"mapping_objects": []},
            "expected the versions of the framework and of ATT&CK, found nothing at `metadata`",
        ),
        ("x", {"metadata": [], "mapping_objects": []}, "expected an object, found a list at `metadata`"),
        (
            "x",
            {"metadata": {}, "mapping_objects": []},
            "expected text, found nothing at `metadata.mapping_framework`",
        ),
        ("x", {**explorer("16.1"), "mapping_objects": {}}, "expected a list, found an object at `mapping_objects`"),
        (
            "x",
            {
                "metadata": {"mapping_framework": "csa", "mapping_framework_version": "4", "attack_version": "1"},
                "mapping_objects": [mapping("A", "T1900")],
            },
            "expected mappings of nist_800_53, found csa",
        ),
    ],
)
def test_file_that_is_none_of_the_parts_is_refused_whole(path, document, message):
    with pytest.raises(ParseError) as caught:
        list(SOURCE.parse(SourceFile(path, json.dumps(document).encode())))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ({"c.json": bundle(control(1, "AC-1"))}, "the mappings of NIST SP 800-53 are missing"),
        (
            {"m.json": explorer("16.1", mapping("AC-1", "T1900"))},
            "the control catalogues of NIST SP 800-53 are missing",
        ),
    ],
)
def test_catalogue_without_mappings_or_mappings_without_catalogue_are_refused(documents, message):
    assert SOURCE.complete
    with pytest.raises(ParseError, match=message):
        joined(documents)


def real(mirror: Path) -> list[tuple[str, Record | Issue]]:
    files = [_https(mirror, fetch) for fetch in SOURCE.fetch if isinstance(fetch, HttpsFile)]
    (archive,) = [fetch for fetch in SOURCE.fetch if isinstance(fetch, GitHubArchive)]
    return joined_files([*files, *_newest(mirror, archive)])


def _https(mirror: Path, fetch: HttpsFile) -> SourceFile:
    address = urlsplit(fetch.url)
    path = address.path.lstrip("/")
    return SourceFile(path, gzip.decompress((mirror / address.netloc / f"{path}.gz").read_bytes()))


def _newest(mirror: Path, archive: GitHubArchive) -> list[SourceFile]:
    address = urlsplit(archive.url)
    with tarfile.open(mirror / address.netloc / address.path.lstrip("/")) as members:
        named = {member.name.partition("/")[2]: member for member in members if member.isreg()}
        chosen = newest_sets([path for path in named if path.endswith(".json")])
        return [SourceFile(path, content.read()) for path in chosen if (content := members.extractfile(named[path]))]


@pytest.fixture(scope="module")
def current(mirror: Path) -> list[tuple[str, Record | Issue]]:
    return real(mirror)


@pytest.fixture(scope="module")
def of_2025(mirror_2025: Path) -> list[tuple[str, Record | Issue]]:
    return real(mirror_2025)


@pytest.mark.parametrize("snapshot", ["current", "of_2025"])
def test_real_catalogues_and_mappings_are_whole(snapshot: str, request: pytest.FixtureRequest):
    found = request.getfixturevalue(snapshot)
    every = controls(found)
    assert Counter(key[0] for key, one in every.items() if one.in_catalogue) == {"rev4": 922, "rev5": 1189}
    assert [key for key, one in every.items() if not one.in_catalogue] == [("rev4", "SC-46"), ("rev5", "IA-13")]
    assert Counter(key[0] for key, one in every.items() if one.withdrawn) == {"rev4": 96, "rev5": 179}
    assert Counter(key[0] for key, one in every.items() if one.parent) == {"rev4": 666, "rev5": 867}
    assert all(one.parent == number.partition("(")[0] for (_, number), one in every.items() if one.parent)
    assert Counter(
        (key[0], one.attack_version, one.mapping_type, one.is_current) for key in every for one in every[key].mappings
    ) == {
        ("rev4", "12.1", "mitigates", False): 4863,
        ("rev4", "14.1", "protects", True): 4971,
        ("rev5", "12.1", "mitigates", False): 4929,
        ("rev5", "16.1", "mitigates", True): 5264,
    }


def test_real_catalogues_name_their_families_and_versions(current):
    found = current
    assert [(one.slug, one.name, one.version, one.attack_version) for one in frameworks(found)] == [
        ("nist-800-53-rev4", "NIST SP 800-53", "Rev 4", "14.1"),
        ("nist-800-53-rev5", "NIST SP 800-53", "Rev 5", "16.1"),
    ]
    every = controls(found)
    families = {revision: {one.category for key, one in every.items() if key[0] == revision} for revision, _ in every}
    assert (len(families["rev4"]), len(families["rev5"])) == (18, 20)
    assert "" not in families["rev4"] | families["rev5"]
    assert families["rev4"] - families["rev5"] == {"Security Assessment and Authorization"}
    assert every["rev5", "AC-2(1)"].category == "Access Control"


def test_what_real_mappings_have_beyond_the_catalogues_is_told_and_costs_no_row(current):
    found = [one for _, one in current if isinstance(one, Issue)]
    assert all(issue.lossless for issue in found)
    unmappable, lacking = [issue.message for issue in found[:2]], [issue.message for issue in found[2:]]
    assert [message.partition(" times")[0] for message in unmappable] == [
        "left out what upstream marks as not mappable (89",
        "left out what upstream marks as not mappable (96",
    ]
    assert lacking == [
        f"the catalogue of {revision} lacks a control that has mappings: kept as named there ({control})"
        for revision, control in (
            ("Rev 4", "SC-46 Cross Domain Policy Enforcement"),
            ("Rev 5", "IA-13 Identity Providers and Authorization Servers"),
        )
    ]
