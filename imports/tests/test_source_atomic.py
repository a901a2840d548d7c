"""Atomic Red Team: what its parser promises, on files of our own and on the real ones."""

from collections import Counter
from pathlib import Path

import pytest

from imports.records import TestTemplateRecord
from imports.sources.atomic import SOURCE
from imports.tests.parsing import as_json, expected, golden_files, parsed, parsed_templates, upstream_files
from imports.upstream import Issue, ParseError, SourceFile

PATH = "atomics/T9001/T9001.yaml"
ONE_TEST = """\
attack_technique: T9001
atomic_tests:
- name: Boil
  auto_generated_guid: 11111111-0000-4000-8000-00000000000a
  supported_platforms: [{platforms}]
  executor:
    name: {executor}
    command: boil
{more}"""

POWERSHELL_LOGS = "process creation that names PowerShell (Security 4688, Sysmon 1) and script blocks (PowerShell 4104)"


def one_test(*, platforms="linux", executor="sh", more="") -> TestTemplateRecord:
    text = ONE_TEST.format(platforms=platforms, executor=executor, more=more)
    (template,) = parsed_templates(SOURCE, SourceFile(PATH, text.encode()))
    return template


@pytest.mark.parametrize("file", golden_files("atomic", ".yaml"), ids=lambda file: file.stem)
def test_golden_file_gives_exactly_its_records_and_issues(file: Path):
    assert as_json(parsed(SOURCE, f"atomics/{file.stem}/{file.name}", file.read_text(encoding="utf-8"))) == expected(
        file
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one YAML document, found none"),
        ("# nothing\n", "expected one YAML document, found none"),
        ("- a list\n", "expected a mapping, found a list at the top level"),
        ("attack_technique: T9001\n", "expected a list, found nothing at `atomic_tests`"),
        ("attack_technique: T9001\natomic_tests:\n", "expected a list, found nothing at `atomic_tests`"),
        ("attack_technique: T9001\natomic_tests: {}\n", "expected a list, found something else at `atomic_tests`"),
        ("atomic_tests: []\n", "expected text, found nothing at `attack_technique`"),
        ("attack_technique: 9001\natomic_tests: []\n", "expected text, found the number 9001 at `attack_technique`"),
    ],
)
def test_file_that_is_no_technique_is_refused_whole(text, message):
    with pytest.raises(ParseError) as caught:
        parsed(SOURCE, PATH, text)
    assert caught.value.message == message


def test_empty_list_of_tests_is_a_technique_without_tests():
    assert parsed(SOURCE, PATH, "attack_technique: T9001\natomic_tests: []\n") == []


def test_issue_of_an_unnamed_test_says_where_it_stands():
    assert parsed(SOURCE, PATH, "attack_technique: T9001\natomic_tests: [{name: [a]}]\n") == [
        Issue(message="test 1: expected at least one platform at `atomic_tests[0].supported_platforms`")
    ]


def test_a_thousand_tests_in_one_file_all_arrive():
    test = (
        "- {{name: n, auto_generated_guid: g{0}, supported_platforms: [linux], executor: {{name: sh, command: c}}}}\n"
    )
    text = "attack_technique: T9001\natomic_tests:\n" + "".join(test.format(number) for number in range(1000))
    templates = parsed_templates(SOURCE, SourceFile(PATH, text.encode()))
    assert [one.external_id for one in templates] == [f"g{number}" for number in range(1000)]


def test_carriage_returns_and_a_byte_order_mark_change_nothing():
    text = ONE_TEST.format(platforms="linux", executor="sh", more="")
    assert parsed(SOURCE, PATH, "\ufeff" + text.replace("\n", "\r\n")) == parsed(SOURCE, PATH, text)


@pytest.mark.parametrize(
    ("word", "platform", "tags"),
    [
        ("windows", "Windows", ()),
        ("macos", "macOS", ()),
        ("linux", "Linux", ()),
        ("containers", "Containers", ()),
        ("esxi", "ESXi", ()),
        ("saas", "SaaS", ()),
        ("iaas", "IaaS", ()),
        ("iaas:aws", "IaaS", ("iaas:aws",)),
        ("iaas:azure", "IaaS", ("iaas:azure",)),
        ("iaas:gcp", "IaaS", ("iaas:gcp",)),
        ("azure-ad", "Identity Provider", ("azure-ad",)),
        ("office-365", "Office Suite", ("office-365",)),
        ("google-workspace", "Office Suite", ("google-workspace",)),
        ("mainframe", "mainframe", ()),
    ],
)
def test_platforms_are_attacks_words_and_what_they_hide_is_a_tag(word, platform, tags):
    template = one_test(platforms=word)
    assert (template.platforms, template.executors[0].platform, template.tags) == ((platform,), platform, tags)


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ("", "low"),
        ("    elevation_required: false\n    cleanup_command: cool\n", "medium"),
        ("    cleanup_command: ' '\n", "low"),
        ("    elevation_required: true\n", "high"),
        ("    elevation_required: True\n    cleanup_command: cool\n", "high"),
    ],
)
def test_severity_follows_from_rights_and_traces(more, severity):
    template = one_test(more=more)
    assert template.severity == severity
    assert template.derived == ("expected_detection", "severity")


@pytest.mark.parametrize(
    ("platform", "executor", "logs"),
    [
        ("windows", "powershell", f"Windows, powershell: {POWERSHELL_LOGS}"),
        ("windows", "command_prompt", "Windows, command_prompt: process creation that names cmd.exe (Security 4688, Sysmon 1)"),
        ("linux", "bash", "Linux, bash: process execution of bash (auditd EXECVE, Sysmon for Linux 1)"),
        ("linux", "powershell", "Linux, powershell: process execution of PowerShell (auditd EXECVE, Sysmon for Linux 1)"),
        ("macos", "sh", "macOS, sh: process execution of sh (Endpoint Security exec events)"),
        ("containers", "sh", "Containers, sh: container runtime events and the Kubernetes audit log"),
        ("office-365", "powershell", "Office Suite, powershell: the Microsoft 365 unified audit log"),
    ],
)  # fmt: skip
def test_expected_detection_names_the_logs_of_the_platform(platform, executor, logs):
    assert one_test(platforms=platform, executor=executor).expected_detection == f"T9001 should show in:\n- {logs}"


def upstream(mirror: Path) -> tuple[int, list[TestTemplateRecord]]:
    files = list(upstream_files(SOURCE, mirror))
    return len(files), parsed_templates(SOURCE, *files)


def test_real_upstream_is_read_whole(mirror):
    files, templates = upstream(mirror)
    assert (files, len(templates), len({one.external_id for one in templates})) == (341, 1819, 1819)
    assert Counter(platform for one in templates for platform in one.platforms) == {
        "Windows": 1225, "Linux": 410, "macOS": 252, "IaaS": 46, "Containers": 19, "Identity Provider": 18, "Office Suite": 8,
    }  # fmt: skip
    assert Counter(tag for one in templates for tag in one.tags if not tag.startswith("dependency executor")) == {
        "iaas:aws": 25, "azure-ad": 18, "iaas:azure": 15, "office-365": 7, "iaas:gcp": 6, "google-workspace": 1,
    }  # fmt: skip
    assert Counter(one.executors[0].executor for one in templates) == {
        "powershell": 703, "command_prompt": 559, "sh": 413, "bash": 128, "manual": 16,
    }  # fmt: skip
    assert sum(len(one.executors) for one in templates) == 1978
    assert sum(1 for one in templates if not one.cleanup_commands) == 804
    assert sum(1 for one in templates if "." in one.published_id) == 1014
    assert sum(1 for one in templates if one.published_id == "T1112") == 90


def test_real_names_repeat_and_lose_no_test(mirror):
    _, templates = upstream(mirror)
    repeated = Counter((one.name, one.published_id) for one in templates)
    assert sum(1 for count in repeated.values() if count > 1) == 8
    assert all(one.name == one.name.strip() for one in templates)


def test_real_arguments_and_dependencies_are_all_there(mirror):
    _, templates = upstream(mirror)
    arguments = [argument for one in templates for argument in one.input_arguments]
    assert (len(arguments), sum(1 for argument in arguments if argument.default is None)) == (2171, 45)
    assert sum(1 for one in templates if one.input_arguments) == 1045
    assert sum(1 for one in templates if one.dependencies) == 726
    assert max(len(one.attack_commands) for one in templates) == 6449
    assert Counter(one.severity for one in templates) == {"high": 682, "medium": 515, "low": 622}


def test_real_upstream_of_may_2025_is_read_whole(mirror_2025):
    files, templates = upstream(mirror_2025)
    assert (files, len(templates), len({one.external_id for one in templates})) == (325, 1730, 1730)
    assert sum(len(one.executors) for one in templates) == 1876
    assert sum(len(one.input_arguments) for one in templates) == 2054
    assert sum(1 for one in templates if one.cleanup_commands) == 950
    assert Counter(one.executors[0].executor for one in templates)["manual"] == 16
    assert Counter(one.severity for one in templates) == {"high": 662, "medium": 467, "low": 601}
