"""MITRE ATT&CK Enterprise: every kind of object, how they are joined, and what becomes of joins that make no sense."""

import dataclasses
import gzip
import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.records import AttackReleaseRecord, Record, TacticRecord, TechniqueRecord, TechniqueUse
from imports.sources import attack, threat_actors
from imports.tests.stix_world import bundle, group, link, stix, technique
from imports.upstream import Issue, ParseError, SourceFile, Version

GOLDEN = Path(__file__).parent / "golden" / "attack"
REAL_BUNDLE = "raw.githubusercontent.com/mitre/cti/master/enterprise-attack/enterprise-attack.json.gz"


def golden_file(name: str) -> SourceFile:
    return SourceFile(name, (GOLDEN / name).read_bytes())


def golden_records() -> list[dict[str, Any]]:
    return json.loads((GOLDEN / "records.json").read_text())


def as_golden(*found: Record | Issue | Version) -> list[dict[str, Any]]:
    rows = [{"record": type(one).__name__, **dataclasses.asdict(one)} for one in found if not isinstance(one, Version)]
    return json.loads(json.dumps(rows))


def parsed(*objects: object) -> tuple[list[Record], list[str]]:
    found = list(attack.parse(bundle(*objects)))
    records = [one for one in found if isinstance(one, Record)]
    return records, [one.message for one in found if isinstance(one, Issue)]


def techniques(*objects: object) -> tuple[dict[str, TechniqueRecord], list[str]]:
    records, issues = parsed(*objects)
    return {one.mitre_id: one for one in records if isinstance(one, TechniqueRecord)}, issues


def real_records(folder: Path) -> list[Record | Issue]:
    file = SourceFile("enterprise-attack.json", gzip.decompress((folder / REAL_BUNDLE).read_bytes()))
    return [one for one in attack.parse(file) if not isinstance(one, Version)]


def test_both_sources_of_the_bundle_tell_its_release():
    file = golden_file("bundle-2.0.json")
    told = [[one for one in parse(file) if isinstance(one, Version)] for parse in (attack.parse, threat_actors.parse)]
    assert told == [[Version("18.0")], [Version("18.0")]]


def test_a_stix_2_0_bundle_gives_exactly_these_records():
    file = golden_file("bundle-2.0.json")
    assert as_golden(*attack.parse(file), *threat_actors.parse(file)) == golden_records()


def test_a_stix_2_1_bundle_gives_the_same_records_and_states_its_release():
    file = golden_file("bundle-2.1.json")
    release, *others = as_golden(*attack.parse(file), *threat_actors.parse(file))
    assert release["version"] == "19.0"
    assert others == golden_records()[1:]


@given(st.randoms(use_true_random=False))
def test_the_order_of_objects_never_changes_a_record(shuffle: random.Random):
    content = json.loads((GOLDEN / "bundle-2.0.json").read_text())
    shuffle.shuffle(content["objects"])
    file = SourceFile("x", json.dumps(content).encode())
    assert as_golden(*attack.parse(file), *threat_actors.parse(file)) == golden_records()


@given(st.randoms(use_true_random=False))
def test_the_order_of_contradictions_never_changes_the_outcome(shuffle: random.Random):
    one, two, three = (technique(mitre_id) for mitre_id in ("T9001", "T9002", "T9003"))
    child = technique("T9001.001")
    objects = [
        *(one, two, three, child, technique("T9004"), technique("T9004", id="attack-pattern--twin")),
        *(link("subtechnique-of", child, two), link("subtechnique-of", child, three)),
        *(link("subtechnique-of", two, three), link("subtechnique-of", three, two)),
        *(link("revoked-by", one, two), link("revoked-by", one, three)),
        *(link("uses", one, two), link("uses", one, technique("T9999"))),
    ]
    expected = parsed(*objects)
    assert len(expected[1]) == 9
    shuffle.shuffle(objects)
    assert parsed(*objects) == expected


@pytest.mark.parametrize(
    ("newest", "version"),
    [
        (datetime(2018, 1, 1, tzinfo=UTC), "7.2 or older"),
        (datetime(2023, 11, 14, 23, tzinfo=UTC), "14.1"),
        (datetime(2025, 4, 22, 13, tzinfo=UTC), "17.0"),
        (datetime(2025, 5, 2, 19, tzinfo=UTC), "17.1"),
        (datetime(2025, 10, 24, tzinfo=UTC), "18.0"),
        (datetime(2025, 11, 12, 22, tzinfo=UTC), "18.1"),
        (datetime(2026, 4, 28, tzinfo=UTC), "18.1+2026-04-28"),
    ],
)
def test_the_release_is_told_from_the_newest_object(newest, version):
    assert attack.release_version(newest) == version


def test_a_collection_with_a_version_that_is_none_does_not_decide_the_release():
    collection = stix("x-mitre-collection", "X", x_mitre_version="<b>19</b>")
    records, _ = parsed(technique("T9001"), collection)
    assert records[0] == AttackReleaseRecord(
        domain="enterprise-attack", version="18.0", modified="2025-10-20T10:00:00.000Z", name="Enterprise ATT&CK 18.0"
    )


@pytest.mark.parametrize("objects", [[], [group("G9001")], [{"type": "attack-pattern", "id": "attack-pattern--1"}]])
def test_a_bundle_without_techniques_is_refused_rather_than_withdrawing_all(objects):
    with pytest.raises(ParseError, match="holds no ATT&CK technique"):
        list(attack.parse(bundle(*objects)))


def test_a_bundle_without_dates_is_refused():
    with pytest.raises(ParseError, match="its release cannot be told"):
        list(attack.parse(bundle(technique("T9001", modified=None))))


def test_the_attack_id_is_found_wherever_it_stands_and_in_any_case():
    references = [
        {"source_name": "a report", "external_id": "T1"},
        {"source_name": "capec", "external_id": "CAPEC-1"},
        {"source_name": "mitre-attack", "external_id": None},
        {"source_name": "mitre-attack", "external_id": " t9001 "},
    ]
    found, issues = techniques(technique("T9001", external_references=references))
    assert list(found) == ["T9001"]
    assert issues == []


@pytest.mark.parametrize("references", [None, [], [{"source_name": "other", "external_id": "T9002"}]])
def test_an_object_without_an_attack_id_is_an_issue(references):
    found, issues = techniques(technique("T9001"), technique("T9002", external_references=references))
    assert list(found) == ["T9001"]
    assert issues == ["attack-pattern--T9002 was skipped: no `external_references` entry has an ATT&CK id"]


def test_of_two_objects_with_one_id_the_active_one_wins():
    old = technique("T9001", id="attack-pattern--a-old", revoked=True, modified="2025-10-27T00:00:00Z")
    for objects in ((old, technique("T9001")), (technique("T9001"), old)):
        found, issues = techniques(*objects)
        assert found["T9001"].stix_id == "attack-pattern--T9001"
        assert issues == ["attack-pattern--a-old was skipped: T9001 is also the id of attack-pattern--T9001"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//attack.mitre.org/techniques/T9001",
        "http://attack.mitre.org/techniques/T9001",
        "https://attack.mitre.org@evil.example/",
        "https://attack.mitre.org.evil.example/",
        "https://user@attack.mitre.org/",
        'https://attack.mitre.org/" onclick="x ',
        "https://attack.mitre.org/\nT9001",
        None,
    ],
)
def test_an_address_that_does_not_lead_to_attack_mitre_org_is_left_out(url):
    references = [{"source_name": "mitre-attack", "external_id": "T9001", "url": url}]
    found, issues = techniques(technique("T9001", external_references=references))
    assert found["T9001"].url == ""
    assert issues == []


def test_a_description_is_kept_byte_for_byte():
    text = ' (Citation: x) <script>alert(1)</script> [a](javascript:b) ```\n``` \r\n\x00"'
    found, _ = techniques(technique("T9001", description=text))
    assert found["T9001"].description == text


def test_unknown_tactics_and_platforms_are_kept_without_repeats():
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": name} for name in ("stealth", "new", "stealth")]
    other = {"kill_chain_name": "mitre-ics-attack", "phase_name": "evasion"}
    found, issues = techniques(
        technique("T9001", kill_chain_phases=[other, *phases], x_mitre_platforms=["Toaster"] * 2)
    )
    assert found["T9001"].tactics == ("stealth", "new")
    assert found["T9001"].platforms == ("Toaster",)
    assert issues == []


def test_a_tactic_outside_the_matrix_comes_last_with_an_issue():
    tactics = [stix("x-mitre-tactic", f"TA900{n}", x_mitre_shortname=f"t{n}") for n in (1, 2, 3)]
    matrix = stix("x-mitre-matrix", "enterprise-attack", tactic_refs=[tactics[2]["id"], tactics[1]["id"]])
    records, issues = parsed(technique("T9001"), *tactics, matrix)
    placed = {one.mitre_id: one.position for one in records if isinstance(one, TacticRecord)}
    assert placed == {"TA9003": 0, "TA9002": 1, "TA9001": 2}
    assert issues == ["the matrix does not place TA9001; put behind its other tactics"]


def test_a_subtechnique_circle_leaves_both_without_a_parent():
    one, two = technique("T9001.001"), technique("T9001.002")
    found, issues = techniques(one, two, link("subtechnique-of", one, two), link("subtechnique-of", two, one))
    assert [found[mitre_id].parent for mitre_id in ("T9001.001", "T9001.002")] == ["", ""]
    assert "T9001.001: its parent T9001.002 is itself a sub-technique; the link was left out" in issues
    assert len(issues) == 4


def test_a_subtechnique_of_itself_has_no_parent():
    one = technique("T9001.001")
    found, issues = techniques(one, link("subtechnique-of", one, one))
    assert found["T9001.001"].parent == ""
    assert issues == [
        "T9001.001 is a sub-technique of itself; ignored",
        "T9001.001 is a sub-technique without a parent technique in the bundle",
    ]


def test_of_two_parents_the_one_that_the_id_names_is_kept():
    child, wrong, right = technique("T9002.001"), technique("T9001"), technique("T9002")
    links = [link("subtechnique-of", child, wrong), link("subtechnique-of", child, right)]
    found, issues = techniques(child, wrong, right, *links)
    assert found["T9002.001"].parent == "T9002"
    assert issues == ["T9002.001 is a sub-technique of T9001, T9002; T9002 was kept"]


def test_a_third_level_is_cut_and_the_second_stays():
    top, middle, low = technique("T9001"), technique("T9001.001"), technique("T9001.002")
    found, issues = techniques(
        top, middle, low, link("subtechnique-of", middle, top), link("subtechnique-of", low, middle)
    )
    assert found["T9001.001"].parent == "T9001"
    assert found["T9001.002"].parent == ""
    assert "T9001.002: its parent T9001.001 is itself a sub-technique; the link was left out" in issues


def test_a_missing_parent_is_an_issue_and_a_revoked_orphan_is_not():
    child, orphan = technique("T9001.001"), technique("T9001.002", revoked=True)
    to_nowhere = link("subtechnique-of", child, technique("T9001"))
    _, issues = techniques(child, orphan, to_nowhere)
    assert issues == [
        "relationships left out (1): `subtechnique-of` to or from an object that the bundle does not hold: "
        + to_nowhere["id"],
        "T9001.001 is a sub-technique without a parent technique in the bundle",
    ]


def test_revoked_by_is_the_direct_successor_even_in_a_loop():
    one, two, three = (technique(f"T900{n}", revoked=True) for n in (1, 2, 3))
    found, issues = techniques(
        one, two, three, link("revoked-by", one, two), link("revoked-by", two, three), link("revoked-by", three, one)
    )
    assert [technique.revoked_by for technique in found.values()] == ["T9002", "T9003", "T9001"]
    assert issues == []


def test_two_successors_and_itself_are_issues():
    one, two, three = technique("T9001", revoked=True), technique("T9002"), technique("T9003")
    found, issues = techniques(one, two, three, *(link("revoked-by", one, other) for other in (three, two, one)))
    assert found["T9001"].revoked_by == "T9002"
    assert issues == [
        "T9001 is revoked by itself; ignored",
        "T9001 is revoked by T9002, T9003; T9002 was kept",
    ]


def test_thousands_of_dangling_relationships_are_one_issue():
    missing = technique("T9999")
    links = [link("uses", missing, technique(f"T{n}")) for n in range(2000, 4000)]
    _, issues = techniques(technique("T9001"), *links)
    assert len(issues) == 1
    assert issues[0].startswith("relationships left out (2000): `uses` to or from an object")


def test_a_relationship_the_wrong_way_round_is_an_issue():
    actor, one = group("G9001"), technique("T9001")
    _, issues = parsed(actor, one, link("uses", one, actor))
    left_out = "relationships left out (1): `uses` from attack-pattern to intrusion-set, which ATT&CK does not define: "
    assert issues == [left_out + "relationship--uses-attack-pattern--T9001-intrusion-set--G9001"]


def test_repeated_relationships_are_one_use_with_both_texts():
    tool, one = stix("tool", "S9001"), technique("T9001")
    texts = [link("uses", tool, one, text, id=f"relationship--{n}") for n, text in enumerate(["b", "a", "b", ""])]
    records, issues = parsed(tool, one, *texts)
    assert records[-1].techniques == (TechniqueUse(published_id="T9001", text="a\n\nb"),)
    assert issues == []


def test_detection_by_data_components_of_older_releases_is_no_issue():
    component, one = stix("x-mitre-data-component", "DC9001", external_references=None), technique("T9001")
    records, issues = parsed(component, one, link("detects", component, one))
    assert (records[-1].stix_id, records[-1].mitre_id) == ("x-mitre-data-component--DC9001", "")
    assert issues == []


def test_campaign_dates_that_are_none_are_issues():
    campaign = stix("campaign", "C9001", first_seen="9999-01-01T00:00:00Z", last_seen="2024-02-03T05:00:00.000Z")
    records, issues = parsed(technique("T9001"), campaign)
    assert (records[-1].first_seen, records[-1].last_seen) == ("", "2024-02-03")
    assert issues == ["campaign--C9001: `first_seen` is not a usable date: '9999-01-01T00:00:00Z'"]


def test_the_real_release_18_1(mirror):
    found = real_records(mirror)
    assert Counter(type(one).__name__ for one in found) == {
        "AttackReleaseRecord": 1,
        "TacticRecord": 14,
        "TechniqueRecord": 835,
        "MitigationRecord": 268,
        "SoftwareRecord": 787,
        "AttackCampaignRecord": 52,
        "DetectionStrategyRecord": 691,
        "AnalyticRecord": 1739,
        "DataComponentRecord": 109,
    }
    assert (found[0].version, found[0].modified) == ("18.1", "2025-11-12T22:03:39.105Z")
    tactics = [one.shortname for one in found if isinstance(one, TacticRecord)]
    assert (tactics[0], tactics[2], tactics[-1]) == ("reconnaissance", "initial-access", "impact")
    by_id = {one.mitre_id: one for one in found if isinstance(one, TechniqueRecord)}
    active = [one for one in by_id.values() if not one.revoked and not one.deprecated]
    assert (len(active), sum(one.is_subtechnique for one in active)) == (691, 475)
    assert all(bool(one.parent) == one.is_subtechnique for one in active)
    assert sum(one.revoked for one in by_id.values()) == sum(bool(one.revoked_by) for one in by_id.values()) == 132
    assert sum(one.deprecated for one in by_id.values()) == 12
    assert Counter(len(one.tactics) for one in active) == {1: 537, 2: 117, 3: 32, 4: 5}
    assert Counter(platform for one in active for platform in one.platforms)["Windows"] == 472
    assert (by_id["T1073"].revoked_by, by_id["T1574.002"].revoked_by) == ("T1574.002", "T1574.001")


def test_the_real_release_17_1(mirror_2025):
    found = real_records(mirror_2025)
    assert Counter(type(one).__name__ for one in found) == {
        "AttackReleaseRecord": 1,
        "TacticRecord": 14,
        "TechniqueRecord": 823,
        "MitigationRecord": 268,
        "SoftwareRecord": 758,
        "AttackCampaignRecord": 47,
        "DataComponentRecord": 109,
    }
    assert found[0].version == "17.1"
