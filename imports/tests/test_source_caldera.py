"""CALDERA Stockpile: what its parser promises, on files of our own and on the real ones."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.records import TestTemplateRecord
from imports.sources.caldera import SOURCE
from imports.tests.parsing import as_json, expected, golden_files, parsed, parsed_templates, upstream_files
from imports.upstream import Issue, ParseError, SourceFile

PATH = "data/abilities/execution/one.yml"
ONE_ABILITY = """\
- id: a
  name: Stir
  tactic: execution
  technique: {{attack_id: T9005}}
  platforms:
    {platforms}:
      {executors}:
        {details}
"""


def one_ability(*, platforms="linux", executors="sh", details="command: stir") -> TestTemplateRecord:
    text = ONE_ABILITY.format(platforms=platforms, executors=executors, details=details)
    (template,) = parsed_templates(SOURCE, SourceFile(PATH, text.encode()))
    return template


@pytest.mark.parametrize("file", golden_files("caldera", ".yml"), ids=lambda file: file.stem)
def test_golden_file_gives_exactly_its_records_and_issues(file: Path):
    found = parsed(SOURCE, f"data/abilities/execution/{file.name}", file.read_text(encoding="utf-8"))
    assert as_json(found) == expected(file)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "[]\n"])
def test_file_without_an_ability_is_refused_whole(text):
    with pytest.raises(ParseError, match="expected an ability, found an empty file"):
        parsed(SOURCE, PATH, text)


@pytest.mark.parametrize("text", ["just text\n", "- just text\n"])
def test_document_that_is_no_ability_is_an_issue(text):
    assert parsed(SOURCE, PATH, text) == [Issue(message="ability 1: expected a mapping, found text at `[0]`")]


WORDS = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4, unique=True)
COMMAS = st.sampled_from([",", ", ", " ,"])


@given(platforms=WORDS, executors=WORDS, comma=COMMAS)
def test_comma_keys_mean_each_platform_with_each_executor(platforms, executors, comma):
    template = one_ability(platforms=comma.join(platforms), executors=comma.join(executors))
    assert [(one.platform, one.executor) for one in template.executors] == [
        (p, e) for p in platforms for e in executors
    ]
    assert {one.command for one in template.executors} == {"stir"}
    assert template.attack_commands == "stir"


def test_darwin_is_macos():
    template = one_ability(platforms="darwin,linux")
    assert template.platforms == ("macOS", "Linux")
    assert [one.platform for one in template.executors] == ["macOS", "Linux"]


@pytest.mark.parametrize(
    ("details", "cleanup"),
    [
        ("{command: stir, cleanup: wipe}", "wipe"),
        ("{command: stir, cleanup: [wipe, dry, wipe]}", "wipe\ndry\nwipe"),
        ("{command: stir, cleanup: []}", ""),
        ("{command: stir, cleanup: }", ""),
        ("{command: stir, cleanup: ' '}", ""),
        ("{cleanup: wipe}", "wipe"),
    ],
)
def test_cleanup_may_be_one_text_or_a_list(details, cleanup):
    template = one_ability(details=details)
    assert (template.executors[0].cleanup, template.cleanup_commands) == (cleanup, cleanup)
    assert template.severity == ("medium" if cleanup else "low")


@pytest.mark.parametrize("details", ["timeout: 60", "{command: '', code: , cleanup: []}"])
def test_executor_with_nothing_to_run_is_an_issue(details):
    text = ONE_ABILITY.format(platforms="linux", executors="sh", details=details)
    message = "ability 1 “Stir”: expected a command, code or a cleanup at `[0].platforms.linux.sh`"
    assert parsed(SOURCE, PATH, text) == [Issue(message=message)]


def test_one_id_twice_gives_two_records_for_the_importer_to_judge():
    ability = ONE_ABILITY.format(platforms="linux", executors="sh", details="command: stir")
    templates = parsed_templates(SOURCE, SourceFile(PATH, (ability + ability).encode()))
    assert [one.external_id for one in templates] == ["a", "a"]


def test_carriage_returns_change_nothing():
    text = ONE_ABILITY.format(
        platforms="linux", executors="sh", details="command: |\n          stir\n          taste\n"
    )
    assert parsed(SOURCE, PATH, text.replace("\n", "\r\n")) == parsed(SOURCE, PATH, text)


def upstream(mirror: Path) -> tuple[int, list[TestTemplateRecord]]:
    files = list(upstream_files(SOURCE, mirror))
    return len(files), parsed_templates(SOURCE, *files)


def test_real_upstream_is_read_whole(mirror):
    """An executor is one pair of platform and name, keys with commas split: 304 blocks, and 19 of the newer layout, are 354."""
    files, templates = upstream(mirror)
    assert (files, len(templates), len({one.external_id for one in templates})) == (209, 209, 209)
    assert sum(len(one.executors) for one in templates) == 354
    assert Counter(executor.executor for one in templates for executor in one.executors) == {
        "psh": 161, "sh": 144, "pwsh": 22, "cmd": 20, "native": 3, "shellcode_amd64": 2, "shellcode_386": 1, "osa": 1,
    }  # fmt: skip
    assert Counter(platform for one in templates for platform in one.platforms) == {
        "Windows": 171,
        "Linux": 80,
        "macOS": 68,
    }
    assert Counter(one.tactic for one in templates) == {
        "discovery": 79, "defense-evasion": 30, "collection": 18, "persistence": 14, "impact": 13, "credential-access": 12,
        "exfiltration": 11, "lateral-movement": 11, "execution": 8, "privilege-escalation": 8, "command-and-control": 5,
    }  # fmt: skip


def test_real_techniques_are_stripped_and_known_in_both_layouts(mirror):
    _, templates = upstream(mirror)
    assert len({one.published_id for one in templates}) == 123
    assert sum(1 for one in templates if "." in one.published_id) == 105
    assert sum(1 for one in templates if one.published_id == "T1564.001") == 2
    assert all(one.published_id == one.published_id.strip() for one in templates)


def test_real_executors_without_a_command_keep_their_cleanup_or_code(mirror):
    _, templates = upstream(mirror)
    bare = [(one.name, executor.executor) for one in templates for executor in one.executors if not executor.command]
    assert Counter(bare) == {("Delete payload", "sh"): 2, ("Delete payload", "psh"): 1, ("Delete payload", "pwsh"): 1}
    assert all(executor.command or executor.cleanup for one in templates for executor in one.executors)
    (code,) = [
        executor.command
        for one in templates
        for executor in one.executors
        if (one.name, executor.executor) == ("Find LSASS Process ID", "cmd")
    ]
    assert code.startswith("using System;\n")
    assert sum(1 for one in templates if one.cleanup_commands) == 58


def test_real_upstream_of_may_2025_is_read_whole(mirror_2025):
    files, templates = upstream(mirror_2025)
    assert (files, len(templates), len({one.external_id for one in templates})) == (162, 162, 162)
    assert sum(len(one.executors) for one in templates) == 299
    assert Counter(platform for one in templates for platform in one.platforms) == {
        "Windows": 130,
        "Linux": 70,
        "macOS": 63,
    }
    assert sum(1 for one in templates if one.cleanup_commands) == 35
    assert Counter(one.severity for one in templates) == {"low": 125, "medium": 32, "high": 5}
