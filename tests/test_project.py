"""House rules of the project: pinned requirements, no traces of one machine, documents that tell the truth."""

import ast
import re
from importlib import metadata
from pathlib import Path

import pytest
from django.core.management import get_commands
from packaging.requirements import Requirement
from packaging.version import Version

from tests.tree import ROOT, nodes, text, tracked, tracked_files

# The first releases without a known hole that Aegis would stand in.
FLOORS = {
    "django": "5.2.11",
    "djangorestframework": "3.18.2",
    "djangorestframework-simplejwt": "5.5.1",
    "pyjwt": "2.4",
    "pyyaml": "5.4",
}
BINARY = {".docx", ".gz", ".ico", ".jpg", ".png", ".woff2", ".xlsx", ".zip"}
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/configuration.md"]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_exact_and_sorted(name):
    lines = [line for line in text(Path(name)).splitlines() if not line.startswith(("#", "-r "))]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9.-]+(\[[a-z0-9,]+\])?==[0-9][0-9a-z.]*", line)] == []
    assert lines == sorted(lines, key=lambda line: re.split(r"[\[=]", line.lower())[0])


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_what_is_required(name):
    required = [Requirement(line) for line in text(Path(name)).splitlines() if not line.startswith(("#", "-r "))]
    wrong = {
        str(one): metadata.version(one.name) for one in required if metadata.version(one.name) not in one.specifier
    }
    assert wrong == {}


@pytest.mark.parametrize("package", FLOORS)
def test_no_library_is_older_than_its_last_known_hole(package):
    assert Version(metadata.version(package)) >= Version(FLOORS[package])


def test_no_file_names_the_machine_it_was_written_on():
    machine = re.compile(
        "|".join(["/" + "work/", r"\." + "library/", "/" + r"root/", "/" + r"home/[a-z]", "/" + "Users/"])
    )
    found = [
        f"{path}:{number}"
        for path in tracked_files()
        if path.suffix not in BINARY
        for number, line in enumerate(text(path).splitlines(), start=1)
        if machine.search(line)
    ]
    assert found == []


def test_no_tracked_file_holds_a_private_key():
    key = re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY-----|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}")
    assert [str(path) for path in tracked_files() if path.suffix not in BINARY and key.search(text(path))] == []


def test_changelog_tells_what_is_not_released_yet():
    assert re.search(r"^## \[Unreleased\]$", text(Path("CHANGELOG.md")), re.MULTILINE)


def test_documents_name_only_commands_that_exist():
    known = set(get_commands()) | {"help"}
    targets = set(re.findall(r"^([a-z-]+):", text(Path("Makefile")), re.MULTILINE))
    for document in [*DOCUMENTS, "Makefile"]:
        named = set(re.findall(r"manage\.py ([a-z_]+)", text(Path(document))))
        assert named - known == set(), document
        made = set(re.findall(r"(?<![\w-])make ([a-z][a-z-]*)`", text(Path(document))))
        assert made - targets == set(), document


def test_documents_link_only_to_files_that_exist():
    for path in tracked(".md"):
        links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text(path))
        assert [link for link in links if not (ROOT / path.parent / link).exists()] == [], path


def test_configuration_page_lists_every_variable_that_settings_and_compose_read():
    read = {
        node.args[0].value
        for file in ("aegis/settings.py", "aegis/lib/evidence_storage.py")
        for node in nodes(Path(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "env"
        if isinstance(node.args[0], ast.Constant)
    }
    read |= set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", text(Path("compose.yaml"))))
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", text(Path("docs/configuration.md")), re.MULTILINE))
    assert read - listed == set()
    assert {name for name in listed - read if not name.startswith("PORT")} == set()


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in tracked(".md") if path.parent == Path("docs/adr")]
    assert numbers == list(range(1, len(numbers) + 1))
