"""LOLBAS: what its parser promises, on files of our own and on the real ones."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.records import TestTemplateRecord
from imports.sources.lolbas import SOURCE
from imports.tests.parsing import as_json, expected, golden_files, parsed, parsed_templates, upstream_files
from imports.upstream import ParseError, SourceFile

PATH = "yml/OSBinaries/Teapot.yml"


def templates(text: str, path: str = PATH) -> list[TestTemplateRecord]:
    return parsed_templates(SOURCE, SourceFile(path, text.encode()))


def binary(*commands: tuple[str, str, str], path: str = PATH, name: str = "Teapot.exe") -> list[TestTemplateRecord]:
    """The templates of a file whose commands are (category, technique, privileges)."""
    lines = [
        f"  - {{Command: pour {number}, Category: {category}, MitreID: {technique}, Privileges: '{privileges}'}}\n"
        for number, (category, technique, privileges) in enumerate(commands)
    ]
    return templates(f"Name: {name}\nCommands:\n{''.join(lines)}", path=path)


@pytest.mark.parametrize("file", golden_files("lolbas", ".yml"), ids=lambda file: file.stem)
def test_golden_file_gives_exactly_its_records_and_issues(file: Path):
    assert as_json(parsed(SOURCE, f"yml/OSBinaries/{file.name}", file.read_text(encoding="utf-8"))) == expected(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one YAML document, found none"),
        ("Name: Teapot.exe\n", "expected a list, found nothing at `Commands`"),
        ("Name: Teapot.exe\nCommands:\n", "expected a list, found nothing at `Commands`"),
        ("Name: Teapot.exe\nCommands: pour\n", "expected a list, found something else at `Commands`"),
        ("Commands: []\n", "expected text, found nothing at `Name`"),
        ("Name: 2024-01-01\nCommands: []\nDetection: none\n", "expected a list, found text at `Detection`"),
        ("Name: T\nCommands: []\nDetection: [{IOC: [a]}]\n", "expected text, found a list at `Detection[0].IOC`"),
    ],
)
def test_file_that_is_no_binary_is_refused_whole(text, message):
    with pytest.raises(ParseError) as caught:
        parsed(SOURCE, PATH, text)
    assert caught.value.message == message


CATEGORIES = st.sampled_from(["Execute", "AWL Bypass", "awl bypass", "AWL-Bypass"])
TECHNIQUES = st.sampled_from(["T9006", "T9006.001", "t9006", "T9006/001"])


@given(st.lists(st.tuples(CATEGORIES, TECHNIQUES, st.just("User")), min_size=1, max_size=12))
def test_no_two_commands_of_a_file_share_an_id_or_a_name(commands):
    found = binary(*commands)
    assert len(found) == len(commands)
    assert len({one.external_id for one in found}) == len({one.name for one in found}) == len(commands)


def test_id_and_name_are_built_from_file_category_technique_and_place():
    found = binary(("AWL Bypass", "T9006.001", ""), ("Execute", "T9006", ""), ("AWL Bypass", "T9006.001", ""))
    assert [(one.external_id, one.name) for one in found] == [
        ("osbinaries/teapot/awl-bypass/t9006.001/1", "Teapot.exe: AWL Bypass"),
        ("osbinaries/teapot/execute/t9006/1", "Teapot.exe: Execute"),
        ("osbinaries/teapot/awl-bypass/t9006.001/2", "Teapot.exe: AWL Bypass (2)"),
    ]


def test_files_of_one_stem_in_two_folders_keep_their_own_ids():
    (program,) = binary(("Execute", "T9006", ""), path="yml/OSBinaries/Sync.yml", name="Sync.exe")
    (script,) = binary(("Execute", "T9006", ""), path="yml/OSScripts/sync.yml", name="Sync.vbs")
    assert (program.external_id, script.external_id) == (
        "osbinaries/sync/execute/t9006/1",
        "osscripts/sync/execute/t9006/1",
    )


def test_edited_texts_keep_the_id():
    before = "Name: Teapot.exe\nCommands: [{Command: pour, Description: a, Category: Copy, MitreID: T9006}]\n"
    after = "Name: TeaPot.exe\nCommands: [{Command: pour /all, Description: b, Category: Copy, MitreID: T9006}]\n"
    assert [one.external_id for text in (before, after) for one in templates(text)] == [
        "osbinaries/teapot/copy/t9006/1"
    ] * 2


@pytest.mark.parametrize(
    ("privileges", "elevation_required"),
    [
        ("User", False),
        ("", False),
        ("Any", False),
        ("Low privileges", False),
        ("User, Administrator in Windows 8", False),
        ("Administrator", True),
        ("Admin", True),
        ("Local Admin", True),
        ("DNS admin", True),
        ("SYSTEM", True),
    ],
)
def test_elevation_is_read_from_privileges(privileges, elevation_required):
    (template,) = binary(("Execute", "T9006", privileges))
    assert template.executors[0].elevation_required is elevation_required
    assert template.privileges == privileges


@pytest.mark.parametrize(
    ("category", "severity"),
    [
        ("UAC Bypass", "high"),
        ("Dump", "high"),
        ("Execute", "medium"),
        ("Download", "medium"),
        ("Copy", "low"),
        ("New", "medium"),
    ],
)
def test_severity_follows_from_the_category(category, severity):
    (template,) = binary((category, "T9006", "User"))
    assert (template.severity, template.derived) == (severity, ("expected_detection", "severity"))


def test_expected_detection_is_upstreams_where_it_has_one_and_derived_otherwise():
    text = "Name: Teapot.exe\nCommands: [{{Command: pour, Category: Copy, MitreID: T9006}}]\nDetection: [{}]\n"
    (published,) = templates(text.format("{IOC: a whistle}, {Sigma: 'https://example.org/r.yml'}"))
    (derived,) = templates(text.format("{Sigma: 'https://example.org/r.yml'}"))
    assert (published.expected_detection, published.derived) == ("IOC: a whistle", ("severity",))
    assert derived.expected_detection == (
        "T9006 should show in:\n- Windows: process creation that names Teapot.exe (Security 4688, Sysmon 1)"
    )
    assert derived.derived == ("expected_detection", "severity")
    assert published.rule_links == derived.rule_links == ("https://example.org/r.yml",)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://example.org/a", "//example.org/a", "https://", "http://[::1", "a b"]
)
def test_only_web_links_are_kept(link):
    text = f"Name: T\nCommands: [{{Command: p, Category: Copy, MitreID: T9006}}]\nResources: [{{Link: '{link}'}}]\n"
    (template,) = templates(text + f"Detection: [{{Elastic: '{link}'}}]\n")
    assert (template.references, template.rule_links) == ((), ())


def upstream(mirror: Path) -> tuple[list[SourceFile], list[TestTemplateRecord]]:
    files = list(upstream_files(SOURCE, mirror))
    return files, parsed_templates(SOURCE, *files)


def rule_links(files: list[SourceFile]) -> Counter[str]:
    """How many rules of each project the binaries link, a rule counted once for each binary."""
    firsts = [parsed_templates(SOURCE, file)[0] for file in files]
    return Counter("Elastic" if "elastic" in link else "Sigma" for one in firsts for link in one.rule_links)


def test_real_upstream_is_read_whole(mirror):
    files, templates = upstream(mirror)
    assert (len(files), len(templates)) == (240, 477)
    assert len({one.external_id for one in templates}) == len({one.name for one in templates}) == 477
    assert len({one.external_id.rsplit("/", 3)[0] for one in templates}) == 240
    assert Counter(one.category for one in templates) == {
        "Execute": 257, "Download": 61, "AWL Bypass": 49, "ADS": 36, "Dump": 21, "Copy": 13, "UAC Bypass": 9, "Compile": 8,
        "Upload": 5, "Tamper": 5, "Credentials": 5, "Reconnaissance": 4, "Decode": 2, "Encode": 1, "Conceal": 1,
    }  # fmt: skip
    assert {one.platforms for one in templates} == {("Windows",)}
    assert len({one.published_id for one in templates}) == 58
    assert sum(1 for one in templates if "." in one.published_id) == 168
    assert sum(1 for one in templates if "\n" in one.attack_commands.strip()) == 5


def test_real_rule_links_reach_every_command(mirror):
    files, templates = upstream(mirror)
    assert rule_links(files) == {"Sigma": 293, "Elastic": 87}
    assert sum(1 for one in templates if one.rule_links) == 424
    assert Counter(one.derived for one in templates) == {("severity",): 349, ("expected_detection", "severity"): 128}
    assert Counter(one.severity for one in templates) == {"medium": 360, "high": 89, "low": 28}
    assert sum(1 for one in templates if one.executors[0].elevation_required) == 60


def test_real_upstream_of_may_2025_is_read_whole(mirror_2025):
    files, templates = upstream(mirror_2025)
    assert (len(files), len(templates)) == (210, 424)
    assert len({one.external_id for one in templates}) == len({one.name for one in templates}) == 424
    assert rule_links(files) == {"Sigma": 281, "Elastic": 87}
    assert Counter(one.derived for one in templates) == {("severity",): 311, ("expected_detection", "severity"): 113}


def test_real_commands_of_may_2025_keep_their_ids(mirror, mirror_2025):
    before = {one.external_id for one in upstream(mirror_2025)[1]}
    assert before <= {one.external_id for one in upstream(mirror)[1]}
