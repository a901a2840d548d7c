"""SigmaHQ: what its parser promises, on files of our own and on the real ones."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.fetchers.names import matcher
from imports.readers.yaml import load_yaml
from imports.records import DetectionRuleRecord
from imports.sources.sigma import SOURCE
from imports.tests.parsing import as_json, expected, golden_files, parsed, upstream_files
from imports.upstream import Issue, ParseError, SourceFile

PATH = "rules/kitchen/one.yml"
GUID = "0a1b2c3d-0000-4000-8000-000000000009"
TITLE, ID = "title: Kettle\n", f"id: {GUID}\n"
LOGSOURCE, DETECTION = "logsource: {product: linux}\n", "detection: {a: b}\n"
WHOLE = TITLE + ID + LOGSOURCE + DETECTION


def one_rule(text: str) -> DetectionRuleRecord:
    (rule,) = parsed(SOURCE, PATH, text)
    assert isinstance(rule, DetectionRuleRecord)
    return rule


@pytest.mark.parametrize("file", golden_files("sigma", ".yml"), ids=lambda file: file.stem)
def test_golden_file_gives_exactly_its_records_and_issues(file: Path):
    found = parsed(SOURCE, f"rules/kitchen/{file.name}", file.read_text(encoding="utf-8"))
    assert as_json(found) == expected(file)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("", "the file holds no rule", None),
        ("# nothing\n", "the file holds no rule", None),
        ("- a\n", "expected a mapping, found a list at the top level", None),
        ("just text", "expected a mapping, found text at the top level", None),
        ("---\n", "expected a mapping, found nothing at the top level", None),
        (ID + LOGSOURCE + DETECTION, "expected text, found nothing at `title`", None),
        (TITLE + LOGSOURCE + DETECTION, "expected text, found nothing at `id`", None),
        (TITLE + ID + DETECTION, "expected a mapping, found nothing at `logsource`", None),
        (TITLE + ID + LOGSOURCE, "expected a mapping, found nothing at `detection`", None),
        (TITLE + ID + LOGSOURCE + "detection: {}", "expected a mapping, found nothing at `detection`", 4),
        (TITLE + ID + LOGSOURCE + "detection: [a]", "expected a mapping, found a list at `detection`", 4),
        (TITLE + "id: 17\n" + LOGSOURCE + DETECTION, "expected text, found the number 17 at `id`", 2),
        (TITLE + "id: kettle-1\n" + LOGSOURCE + DETECTION, "'kettle-1' is not a GUID at `id`", 2),
        ("title: [a, b]\n" + ID + LOGSOURCE + DETECTION, "expected text, found a list at `title`", 1),
        ("title: true\n" + ID + LOGSOURCE + DETECTION, "expected text, found true at `title`", 1),
        ("title: 2024\n" + ID + LOGSOURCE + DETECTION, "expected text, found the number 2024 at `title`", 1),
        (WHOLE + "level: 5\n", "expected text, found the number 5 at `level`", 5),
        (WHOLE + "tags: {attack: t1059}\n", "expected a list, found a mapping at `tags`", 5),
        (WHOLE + "tags: [a, [b]]\n", "expected text, found a list at `tags[1]`", 5),
        (WHOLE + "author: [Ada]\n", "expected text, found a list at `author`", 5),
        (WHOLE + "simulation: [aaaa]\n", "expected a mapping, found text at `simulation[0]`", None),
        (WHOLE + "title: Again\n", "the key 'title' is there twice", 5),
        (WHOLE + "level: &a low\n", "the anchor &a is not accepted: write the value out", 5),
        (TITLE + "correlation: {type: event_count}\n", "expected text, found nothing at `id`", None),
        (WHOLE + "---\n" + TITLE, "expected a mapping, found nothing at `detection`", None),
        (
            "action: global\n" + WHOLE + "---\ndetection: {a: c}\n",
            "rules that share fields between documents (`action`) are not read at `action`",
            1,
        ),
        (
            WHOLE + "level: severe\n",
            "unknown severity 'severe', expected one of informational, low, medium, high, critical at `level`",
            5,
        ),
    ],
)
def test_file_that_is_no_rule_is_refused_with_its_place(text, message, line):
    with pytest.raises(ParseError) as refused:
        parsed(SOURCE, PATH, text)
    assert (refused.value.message, refused.value.line) == (message, line)


@pytest.mark.parametrize(
    ("source", "platforms"),
    [
        ("{product: windows, category: dns_query}", ("Windows",)),
        ("{product: Windows}", ("Windows",)),
        ("{product: macos}", ("macOS",)),
        ("{product: aws, service: cloudtrail}", ("IaaS",)),
        ("{product: azure, service: activitylogs}", ("IaaS",)),
        ("{product: azure, service: auditlogs}", ("Identity Provider",)),
        ("{product: gcp, service: gcp.audit}", ("IaaS",)),
        ("{product: gcp, service: google_workspace.admin}", ("Office Suite",)),
        ("{product: m365}", ("Office Suite",)),
        ("{product: okta}", ("Identity Provider",)),
        ("{product: kubernetes}", ("Containers",)),
        ("{product: github}", ("SaaS",)),
        ("{product: cisco, service: aaa}", ("Network Devices",)),
        ("{category: firewall}", ("Network Devices",)),
        ("{category: webserver}", ()),
        ("{category: process_creation}", ()),
        ("{product: toaster, category: firewall}", ()),
    ],
)
def test_log_source_names_the_platform_in_the_words_of_attack(source, platforms):
    assert one_rule(f"{TITLE}{ID}logsource: {source}\n{DETECTION}").platforms == platforms


@pytest.mark.parametrize("written", ["010", "1:30", "no", "2024-01-31", "1e3", "0x10", "=cmd|' /C calc'!A0"])
def test_title_is_the_text_that_upstream_wrote(written):
    assert one_rule(f"title: {written}\n{ID}{LOGSOURCE}{DETECTION}").name == written


def test_query_and_content_keep_line_breaks_as_they_are():
    text = f"{TITLE}{ID}{LOGSOURCE}detection:\n  # why\n  a: b\n\nlevel: HIGH\n".replace("\n", "\r\n")
    rule = one_rule(text)
    assert rule.query == "detection:\r\n  # why\r\n  a: b\r\n\r\n"
    assert (rule.content, rule.severity) == (text, "high")


TAGS = st.lists(
    st.one_of(
        st.from_regex(r"attack\.[tT][0-9]{4}(\.[0-9]{3})?", fullmatch=True),
        st.sampled_from(["attack.impact", "attack.lateral_movement", "attack.g0001", "cve.2024-1", "x"]),
    ),
    max_size=8,
)


@given(tags=TAGS)
def test_each_technique_tag_is_kept_once_and_in_order(tags):
    rule = one_rule(WHOLE + f"tags: [{', '.join(tags)}]\n")
    ids = [tag[7:].upper() for tag in tags if tag[7:8] in ("t", "T")]
    assert rule.tags == tuple(tags)
    assert rule.techniques == tuple(sorted(set(ids), key=ids.index))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("rules/windows/process_creation/a.yml", True),
        ("rules-emerging-threats/2024/a.yml", True),
        ("deprecated/windows/a.yml", False),
        ("unsupported/windows/a.yml", False),
        ("regression_data/rules/windows/a/info.yml", False),
        ("other/godmode_sigma_rule.yml", False),
        ("rules/windows/README.md", False),
    ],
)
def test_only_the_folders_of_rules_are_read(path, wanted):
    assert matcher(SOURCE.files)(path) is wanted


def rules_of(mirror: Path) -> list[DetectionRuleRecord]:
    found = [one for file in upstream_files(SOURCE, mirror) for one in SOURCE.parse(file)]
    assert not [one for one in found if isinstance(one, Issue)]
    return [one for one in found if isinstance(one, DetectionRuleRecord)]


def test_real_rules_are_complete(mirror: Path):
    rules = rules_of(mirror)
    assert len(rules) == len({rule.external_id for rule in rules}) == 3780
    assert sum(not rule.techniques for rule in rules) == 471
    assert sum(len(rule.techniques) > 1 for rule in rules) == 811
    assert sum(len(rule.techniques) for rule in rules) == 4509
    assert len({published_id for rule in rules for published_id in rule.techniques}) == 400
    assert Counter(rule.severity for rule in rules) == {
        "high": 1727, "medium": 1507, "low": 341, "critical": 177, "informational": 28,
    }  # fmt: skip
    assert Counter(rule.status for rule in rules) == {"test": 3343, "experimental": 333, "stable": 104}
    tactics = Counter(tactic for rule in rules for tactic in rule.tactics)
    assert (len(tactics), tactics["stealth"], tactics["defense-impairment"]) == (15, 1094, 415)
    assert Counter(platform for rule in rules for platform in rule.platforms) == {
        "Windows": 2889, "Linux": 248, "Identity Provider": 123, "IaaS": 109, "macOS": 75, "Network Devices": 54,
        "Office Suite": 31, "SaaS": 29, "Containers": 16,
    }  # fmt: skip
    assert sum(bool(rule.simulations) for rule in rules) == 65
    assert sum(len(rule.simulations) for rule in rules) == 78
    assert all(rule.created and rule.author and rule.description for rule in rules)


def test_real_rules_of_may_2025_are_complete(mirror_2025: Path):
    rules = rules_of(mirror_2025)
    assert len(rules) == len({rule.external_id for rule in rules}) == 3496
    assert sum(not rule.techniques for rule in rules) == 480
    assert sum(len(rule.techniques) for rule in rules) == 4004
    assert Counter(tactic for rule in rules for tactic in rule.tactics)["defense-evasion"] == 1317


def test_real_query_is_the_detection_section_and_nothing_else(mirror: Path):
    for rule in rules_of(mirror):
        section, whole = load_yaml(rule.query), load_yaml(rule.content)
        assert section == {"detection": whole["detection"]}, rule.name


def test_bytes_that_are_not_text_are_refused_with_their_line():
    with pytest.raises(ParseError, match="not UTF-8 text") as refused:
        list(SOURCE.parse(SourceFile(PATH, WHOLE.encode() + b"author: M\xfcller\n")))
    assert refused.value.line == 5
