"""samples/: a made-up world in the upstreams' formats. What it holds, and that it hangs together."""

from collections import Counter
from urllib.parse import urlsplit

import pytest

from imports.records import (
    AttackReleaseRecord,
    ComplianceControlRecord,
    DefensiveTechniqueRecord,
    DetectionRuleRecord,
    TacticRecord,
    TechniqueCrosswalkRecord,
    TechniqueRecord,
    TestTemplateRecord,
    ThreatActorRecord,
)
from imports.tests.sample_world import ALL_SLUGS, SAMPLES, records, taken_in

COUNTS = {
    "atomic": {"TestTemplateRecord": 24},
    "attack": {
        "AnalyticRecord": 11,
        "AttackCampaignRecord": 3,
        "AttackReleaseRecord": 1,
        "DataComponentRecord": 7,
        "DetectionStrategyRecord": 8,
        "MitigationRecord": 6,
        "SoftwareRecord": 8,
        "TacticRecord": 14,
        "TechniqueRecord": 54,
    },
    "caldera": {"TestTemplateRecord": 8},
    "d3fend": {"DefensiveTechniqueRecord": 18},
    "elastic": {"DetectionRuleRecord": 16, "TechniqueCrosswalkRecord": 3},
    "lolbas": {"TestTemplateRecord": 14},
    "mappings-explorer": {"ComplianceControlRecord": 10, "ComplianceFrameworkRecord": 2},
    "nist-800-53": {"ComplianceControlRecord": 48, "ComplianceFrameworkRecord": 2},
    "sigma": {"DetectionRuleRecord": 32},
    "threat-actors": {"ThreatActorRecord": 8},
}
# The two sets of mappings each name one technique that upstream's format marks as not mappable.
EXPECTED_ISSUES = {"nist-800-53": 2}
UNKNOWN_ID = "T1999"


def templates() -> list[TestTemplateRecord]:
    return [template for slug in ("atomic", "caldera", "lolbas") for template in records(slug, TestTemplateRecord)]


def rules() -> list[DetectionRuleRecord]:
    return [rule for slug in ("sigma", "elastic") for rule in records(slug, DetectionRuleRecord)]


def test_every_source_has_samples():
    assert set(COUNTS) == set(ALL_SLUGS)


@pytest.mark.parametrize("slug", ALL_SLUGS)
def test_samples_hold_what_the_readme_says_and_every_file_can_be_read(slug):
    assert Counter(type(record).__name__ for record in records(slug)) == COUNTS[slug]
    issues = taken_in(slug).issues
    assert len(issues) == EXPECTED_ISSUES.get(slug, 0), issues


def other_frameworks() -> dict[str, str]:
    """What the invented frameworks of the optional source hold, in the words of the readme."""
    kinds = {
        "sample-house-rules": "controls, {} mappings that mitigate",
        "sample-cloud": "capabilities, {} mappings with scores",
    }
    told = {}
    for slug, words in kinds.items():
        rows = [one for one in records("mappings-explorer", ComplianceControlRecord) if one.framework == slug]
        told[slug] = f"{len(rows)} {words.format(sum(len(one.mappings) for one in rows))}"
    return told


def test_readme_states_the_counts():
    readme = " ".join((SAMPLES / "README.md").read_text(encoding="utf-8").split())
    active = [one for one in records("attack", TechniqueRecord) if not one.revoked and not one.deprecated]
    actors = records("threat-actors", ThreatActorRecord)
    direct = sum(not use.campaign for actor in actors for use in actor.techniques)
    defences = records("d3fend", DefensiveTechniqueRecord)
    mappings = [mapping for defence in defences for mapping in defence.techniques]
    attack, others = COUNTS["attack"], other_frameworks()
    subtechniques, uses = sum(one.is_subtechnique for one in active), sum(len(actor.techniques) for actor in actors)
    paths = sum(len(mapping.paths) for mapping in mappings)
    for statement in (
        f"{attack['TechniqueRecord']} techniques ({len(active)} active over {attack['TacticRecord']} tactics",
        f"tactics, {subtechniques} sub-techniques; T1086 revoked, T1153 deprecated), {attack['MitigationRecord']} mit",
        f"{attack['SoftwareRecord']} software, {attack['AttackCampaignRecord']} campaigns",
        f"{attack['DetectionStrategyRecord']} detection strategies, {attack['AnalyticRecord']} analytics",
        f"{attack['DataComponentRecord']} data components",
        f"{len(actors)} groups (G9008 revoked by G9003), {direct} direct uses of a technique, {uses} with campaigns",
        f"{len(records('atomic', TestTemplateRecord))} tests in 16 files",
        f"{len(records('sigma', DetectionRuleRecord))} rules: 2 without a technique",
        f"{len(records('elastic', DetectionRuleRecord))} rules: 14 live",
        f"{len(defences)} techniques over {len({one.tactic for one in defences})} tactics",
        f"{len(mappings)} mappings by {paths} paths",
        f"Sample House Rules 2.0 ({others['sample-house-rules']}), Sample Cloud ({others['sample-cloud']})",
    ):
        assert statement in readme


def test_samples_read_as_the_release_that_they_imitate():
    (release,) = records("attack", AttackReleaseRecord)
    assert release.version == "18.1"


def test_every_tactic_has_active_techniques_and_some_techniques_have_several():
    active = [one for one in records("attack", TechniqueRecord) if not one.revoked and not one.deprecated]
    shown = Counter(tactic for technique in active for tactic in technique.tactics)
    tactics = sorted(records("attack", TacticRecord), key=lambda tactic: tactic.position)
    assert len(tactics) == 14
    assert [tactic.shortname for tactic in tactics if shown[tactic.shortname] < 2] == []
    assert any(len(technique.tactics) == 4 for technique in active)
    assert all(technique.platforms for technique in active)
    ids = {technique.mitre_id for technique in active}
    assert all(technique.parent in ids for technique in active if technique.is_subtechnique)


def test_one_technique_is_revoked_with_a_successor_and_one_is_deprecated():
    techniques = records("attack", TechniqueRecord)
    assert [(one.mitre_id, one.revoked_by) for one in techniques if one.revoked] == [("T1086", "T1059.001")]
    assert [one.mitre_id for one in techniques if one.deprecated] == ["T1153"]


def test_every_named_technique_is_in_the_samples_or_in_the_crosswalk_but_one():
    known = {technique.mitre_id for technique in records("attack", TechniqueRecord)}
    known |= {entry.new_id for entry in records("elastic", TechniqueCrosswalkRecord)}
    named = {template.published_id for template in templates()}
    named |= {published_id for rule in rules() for published_id in rule.techniques}
    named |= {
        mapping.published_id
        for control in records("mappings-explorer", ComplianceControlRecord)
        for mapping in control.mappings
    }
    named |= {use.published_id for defence in records("d3fend", DefensiveTechniqueRecord) for use in defence.techniques}
    assert sorted(named - known) == [UNKNOWN_ID]
    assert {"T1685", "T1685.005"} <= named


def test_every_severity_rule_type_executor_and_platform_family_occurs():
    assert {rule.severity for rule in rules()} == {"informational", "low", "medium", "high", "critical"}
    assert {rule.rule_type for rule in records("elastic", DetectionRuleRecord)} == {
        "eql",
        "query",
        "esql",
        "threshold",
        "new_terms",
        "machine_learning",
    }
    assert {"Windows", "Linux", "macOS"} <= {platform for rule in rules() for platform in rule.platforms}
    executors = {one.executor for template in records("atomic", TestTemplateRecord) for one in template.executors}
    assert executors == {"powershell", "command_prompt", "sh", "bash", "manual"}
    assert [rule.building_block for rule in rules()].count(True) == 1
    assert [rule.status for rule in records("elastic", DetectionRuleRecord)].count("deprecated") == 1
    assert sum(not rule.techniques for rule in records("sigma", DetectionRuleRecord)) == 2


def test_links_between_rules_and_templates_lead_to_samples():
    tests = {template.external_id for template in records("atomic", TestTemplateRecord)}
    simulations = [guid for rule in rules() for guid in rule.simulations]
    assert len(simulations) == 5
    assert set(simulations) <= tests
    links = [link for template in templates() for link in template.rule_links]
    assert links
    for link in links:
        owner, repository, _blob, branch, path = urlsplit(link).path.lstrip("/").split("/", 4)
        archive = SAMPLES / "codeload.github.com" / owner / repository / "tar.gz/refs/heads" / branch
        assert (archive / path).is_file(), link


def test_actors_show_attributed_and_unattributed_groups():
    actors = {actor.name: actor for actor in records("threat-actors", ThreatActorRecord)}
    countries = {name: actor.country for name, actor in actors.items() if actor.country}
    assert countries == {"Puffin Ledger": "Canada", "Marble Gecko": "Portugal", "Velvet Otter": "Sweden"}
    assert {actor.motivation for actor in actors.values()} == {"", "espionage", "financial"}
    assert actors["Old Ferry"].revoked_by == actors["Quiet Ferry"].mitre_id


@pytest.mark.parametrize("revision", ["4", "5"])
def test_each_revision_has_withdrawn_controls_and_current_mappings(revision):
    framework = f"nist-800-53-rev{revision}"
    controls = [one for one in records("nist-800-53", ComplianceControlRecord) if one.framework == framework]
    assert len(controls) == 24
    assert sum(control.withdrawn for control in controls) == 2
    by_version = Counter((one.attack_version, one.is_current) for control in controls for one in control.mappings)
    assert by_version == {("12.1", False): 59, **({("14.1", True): 59} if revision == "4" else {("16.1", True): 61})}


def test_sample_files_are_small_and_hold_plain_lines():
    files = [file for file in SAMPLES.rglob("*") if file.is_file()]
    assert len(files) > 80
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert len(text) < 200_000, file
        assert "\r" not in text, file
        assert text.endswith("\n"), file
