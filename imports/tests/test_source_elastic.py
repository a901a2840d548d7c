"""Elastic's detection rules: what their parser promises, on files of our own and on the real ones."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.fetchers.names import matcher
from imports.records import DetectionRuleRecord, TechniqueCrosswalkRecord
from imports.sources.elastic import MAPS, SOURCE
from imports.tests.parsing import as_json, expected, golden_files, parsed, upstream_files
from imports.upstream import Issue, ParseError

PATH = "rules/cross-platform/one.toml"
MAP_PATH = f"{MAPS}attack_v18_to_v19.yaml"
ESCAPE_LOOK_ALIKE = "rules/integrations/o365/defense_evasion_exchange_new_inbox_rule_delete_or_move.toml"
FIELDS = {
    "name": '"Kettle"',
    "rule_id": '"1b2c3d4e"',
    "severity": '"low"',
    "type": '"eql"',
    "query": '"any where true"',
}
MAP = "framework: MITRE ATT&CK\nsource_version: '18'\ntarget_version: '19'\n"


def rule_text(metadata: str = "", rest: str = "", **fields: str) -> str:
    """A rule with the given TOML values; an empty value leaves the field out."""
    lines = [f"{name} = {value}" for name, value in {**FIELDS, **fields}.items() if value]
    return "\n".join(["[metadata]", metadata, "[rule]", *lines, rest])


def one_rule(text: str, path: str = PATH) -> DetectionRuleRecord:
    (rule,) = parsed(SOURCE, path, text)
    assert isinstance(rule, DetectionRuleRecord)
    return rule


@pytest.mark.parametrize(
    ("file", "folder"),
    [(file, "rules/linux/") for file in golden_files("elastic", ".toml")]
    + [(file, MAPS) for file in golden_files("elastic", ".yaml")],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_golden_file_gives_exactly_its_records_and_issues(file: Path, folder: str):
    found = parsed(SOURCE, folder + file.name, file.read_text(encoding="utf-8"))
    assert as_json(found) == expected(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected text, found nothing at `rule.type`"),
        ("[metadata]\n", "expected text, found nothing at `rule.type`"),
        ("rule = 1\n", "expected a mapping, found the number 1 at `rule`"),
        (rule_text(name=""), "expected text, found nothing at `rule.name`"),
        (rule_text(rule_id=""), "expected text, found nothing at `rule.rule_id`"),
        (rule_text(severity=""), "expected text, found nothing at `rule.severity`"),
        (rule_text(query=""), "expected text, found nothing at `rule.query`"),
        (rule_text(query='"  "'), "expected text, found nothing at `rule.query`"),
        (rule_text(name="2024-01-31"), "expected text, found a date at `rule.name`"),
        (rule_text(severity="3"), "expected text, found the number 3 at `rule.severity`"),
        (
            rule_text(severity='"severe"'),
            "unknown severity 'severe', expected one of informational, low, medium, high, critical at `rule.severity`",
        ),
        (rule_text(risk_score='"high"'), "expected a whole number, found text at `rule.risk_score`"),
        (
            rule_text(risk_score="0x" + "f" * 5_000),
            "expected a whole number, found a number that large at `rule.risk_score`",
        ),
        (rule_text(metadata="creation_date = 2024-01-31"), "expected text, found a date at `metadata.creation_date`"),
        (rule_text(threat='"all"'), "expected a list, found text at `rule.threat`"),
        (
            rule_text(rest='[[rule.threat]]\nframework = "MITRE ATT&CK"\n[[rule.threat.technique]]\nname = "x"'),
            "expected text, found nothing at `rule.threat[0].technique[0].id`",
        ),
    ],
)
def test_file_that_is_no_rule_is_refused_with_its_place(text, message):
    with pytest.raises(ParseError) as refused:
        parsed(SOURCE, PATH, text)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("path", "tags", "integration", "platforms"),
    [
        ("rules/cross-platform/a.toml", ["OS: Windows", "OS: macOS", "Domain: Cloud"], ["aws"], ("Windows", "macOS")),
        ("rules/_deprecated/a.toml", ["Elastic", "Linux"], [], ("Linux",)),
        ("rules/windows/a.toml", [], [], ("Windows",)),
        ("rules/integrations/aws/a.toml", ["Domain: Cloud"], ["aws"], ("IaaS",)),
        ("rules/integrations/aws/a.toml", [], [], ("IaaS",)),
        ("rules/integrations/okta/a.toml", [], ["okta"], ("Identity Provider",)),
        ("rules/integrations/azure/a.toml", ["Domain: Cloud"], ["azure"], ("IaaS",)),
        ("rules/integrations/azure/a.toml", ["Data Source: Microsoft Entra ID"], ["azure"], ("Identity Provider",)),
        ("rules/integrations/o365/a.toml", [], ["o365"], ("Office Suite",)),
        ("rules/integrations/google_workspace/a.toml", [], ["google_workspace"], ("Office Suite",)),
        ("rules/integrations/github/a.toml", ["Domain: Cloud"], ["github"], ("SaaS",)),
        ("rules/integrations/kubernetes/a.toml", [], ["kubernetes"], ("Containers",)),
        ("rules/network/a.toml", [], ["network_traffic", "panw"], ("Network Devices",)),
        ("rules_building_block/a.toml", [], ["aws", "okta", "gcp"], ("IaaS", "Identity Provider")),
        ("rules/cross-platform/a.toml", ["Domain: SaaS", "Domain: Container"], ["wiz"], ("SaaS", "Containers")),
        ("rules/promotions/a.toml", ["Domain: Endpoint"], ["endpoint"], ()),
    ],
)
def test_platforms_come_from_what_says_most(path, tags, integration, platforms):
    text = rule_text(metadata=f"integration = {integration}", tags=str(tags))
    assert one_rule(text, path).platforms == platforms


def test_deprecated_folder_outweighs_the_maturity():
    text = rule_text(metadata='maturity = "production"')
    assert one_rule(text, "rules/_deprecated/a.toml").status == "deprecated"
    assert one_rule(text, "rules/linux/a.toml").status == "production"


def test_building_blocks_are_known_by_folder_or_by_type():
    assert one_rule(rule_text(), "rules_building_block/a.toml").building_block
    assert one_rule(rule_text(building_block_type='"default"')).building_block
    assert not one_rule(rule_text()).building_block


@given(query=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="'"), min_size=1))
def test_query_and_content_are_the_text_of_the_file(query):
    text = rule_text(query=f"'''\n{query}.\n'''")
    rule = one_rule(text)
    assert (rule.query, rule.content) == (f"{query}.\n", text)


IDS = st.lists(st.from_regex(r"T[0-9]{4}", fullmatch=True), max_size=4)


@given(threats=st.lists(st.dictionaries(st.from_regex(r"T[0-9]{4}", fullmatch=True), IDS, max_size=3), max_size=5))
def test_each_technique_and_sub_technique_is_kept_once_and_in_order(threats):
    lines, ids = [], []
    for threat in threats:
        lines += ["[[rule.threat]]", 'framework = "MITRE ATT&CK"']
        for technique, subtechniques in threat.items():
            names = [f"{one}.001" for one in subtechniques]
            lines += ["[[rule.threat.technique]]", f'id = "{technique}"']
            lines += [f'[[rule.threat.technique.subtechnique]]\nid = "{name}"' for name in names]
            ids += [technique, *names]
    assert one_rule(rule_text(rest="\n".join(lines))).techniques == tuple(sorted(set(ids), key=ids.index))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one YAML document, found none"),
        ("- a", "expected a mapping, found a list at the top level"),
        ("framework: MITRE ATT&CK", "expected text, found nothing at `source_version`"),
        (MAP + "techniques: [T9001]", "expected a mapping, found a list at `techniques`"),
        (MAP + "techniques: {T9001: T9002}", "expected a mapping, found text at `techniques.T9001`"),
        (MAP + "techniques: {T9001: {id: T9002}}", "expected text, found nothing at `techniques.T9001.name`"),
    ],
)
def test_broken_version_map_is_refused_with_its_place(text, message):
    with pytest.raises(ParseError) as refused:
        parsed(SOURCE, MAP_PATH, text)
    assert refused.value.message == message


def test_version_map_of_another_framework_says_nothing():
    assert parsed(SOURCE, MAP_PATH, MAP.replace("ATT&CK", "ATLAS") + "techniques: {T1: {id: T2, name: x}}") == []


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("rules/linux/a.toml", True),
        ("rules/_deprecated/a.toml", True),
        ("rules_building_block/a.toml", True),
        (MAP_PATH, True),
        ("hunting/linux/queries/a.toml", False),
        ("detection_rules/etc/attack-crosswalk.json", False),
        ("detection_rules/etc/version.lock.toml", False),
        ("tests/data/rules/a.toml", False),
    ],
)
def test_only_rules_and_version_maps_are_read(path, wanted):
    assert matcher(SOURCE.files)(path) is wanted


def records_of(mirror: Path) -> tuple[list[DetectionRuleRecord], list[TechniqueCrosswalkRecord]]:
    found = [one for file in upstream_files(SOURCE, mirror) for one in SOURCE.parse(file)]
    assert not [one for one in found if isinstance(one, Issue)]
    return (
        [one for one in found if isinstance(one, DetectionRuleRecord)],
        [one for one in found if isinstance(one, TechniqueCrosswalkRecord)],
    )


def test_real_rules_are_complete(mirror: Path):
    rules, crosswalk = records_of(mirror)
    live = [rule for rule in rules if rule.status != "deprecated"]
    assert len(rules) == len({rule.external_id for rule in rules}) == 2192
    assert len(live) == 2068
    assert sum(rule.building_block for rule in live) == 128
    assert Counter(rule.rule_type for rule in live) == {
        "eql": 1024, "query": 454, "new_terms": 241, "esql": 209, "machine_learning": 106, "threshold": 28,
        "threat_match": 6,
    }  # fmt: skip
    assert Counter(rule.severity for rule in live) == {"medium": 913, "low": 590, "high": 548, "critical": 17}
    assert {rule.rule_type for rule in rules if not rule.query} == {"machine_learning"}
    assert sum(not rule.query for rule in rules) == 106
    assert sum(not rule.techniques for rule in live) == 85
    assert sum(len(rule.techniques) for rule in live) == 6782
    assert sum(len(rule.techniques) > 1 for rule in live) == 1772
    assert len({published_id for rule in live for published_id in rule.techniques}) == 450
    assert sum("defense-evasion" in rule.tactics for rule in live) == 725
    assert sum(not rule.platforms for rule in live) == 103
    assert all(rule.created and rule.modified and rule.risk_score is not None for rule in rules)
    assert [(one.old_version, one.new_version) for one in crosswalk] == [("18", "19")] * 12
    assert ("T1562.001", "T1685", "Disable or Modify Tools") in {
        (one.old_id, one.new_id, one.new_name) for one in crosswalk
    }


def test_real_rules_of_may_2025_are_complete(mirror_2025: Path):
    rules, crosswalk = records_of(mirror_2025)
    assert len(rules) == len({rule.external_id for rule in rules}) == 1518
    assert Counter(rule.status for rule in rules) == {"production": 1419, "deprecated": 95, "development": 4}
    assert sum(len(rule.techniques) for rule in rules if rule.status != "deprecated") == 3110
    assert crosswalk == []


def test_real_literal_that_looks_like_an_escape_stays_byte_exact(mirror: Path):
    (file,) = (file for file in upstream_files(SOURCE, mirror) if file.path == ESCAPE_LOOK_ALIKE)
    rule = one_rule(file.text, file.path)
    assert rule.content.encode() == file.data
    assert "\\u0000" in rule.content
    assert "\x00" not in rule.query + rule.content
    assert rule.query in rule.content
