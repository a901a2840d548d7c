"""CALDERA Stockpile: one YAML file per ability, in an older layout (`platforms`) or a newer one (`executors`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from imports.readers.fields import Fields
from imports.readers.yaml import load_documents
from imports.records import Dependency, Executor, Record, TestTemplateRecord
from imports.sources.emulation import DERIVED, expected_detection, one_after_another, severity
from imports.sources.objects import read_each
from imports.sources.platforms import attack_platform, attack_platforms
from imports.upstream import GitHubArchive, Issue, ParseError, Source, SourceFile


def parse(file: SourceFile) -> Iterator[Record | Issue]:
    """The abilities of one file: each of its documents is a list of them, or one. Both layouts are CALDERA's own loader's."""
    documents = [document for document in load_documents(file.text) if document is not None]
    abilities = [
        ability for document in documents for ability in (document if isinstance(document, list) else [document])
    ]
    if not abilities:
        raise ParseError("expected an ability, found an empty file")
    yield from read_each("ability", abilities, "", _template)


def _template(ability: Fields) -> TestTemplateRecord:
    published_id = _technique(ability)
    privilege = ability.optional_text("privilege").strip()
    executors = _executors(ability, elevated=privilege.lower() == "elevated")
    return TestTemplateRecord(
        external_id=ability.text("id").strip(),
        name=ability.text("name").strip(),
        published_id=published_id,
        description=ability.optional_text("description"),
        platforms=attack_platforms(executor.platform for executor in executors),
        executors=executors,
        attack_commands=one_after_another(executor.command for executor in executors),
        cleanup_commands=one_after_another(executor.cleanup for executor in executors),
        expected_detection=expected_detection(published_id, [(one.platform, one.executor) for one in executors]),
        severity=severity(executors),
        derived=DERIVED,
        dependencies=tuple(_dependencies(ability)),
        tactic=ability.text("tactic").strip().lower(),
        privileges=privilege,
    )


def _technique(ability: Fields) -> str:
    newer = "technique_id" in ability
    return (ability.text("technique_id") if newer else ability.fields("technique").text("attack_id")).strip()


def _executors(ability: Fields, *, elevated: bool) -> tuple[Executor, ...]:
    """Each platform with each executor. Keys with commas name several: "linux,darwin", "psh,pwsh"."""
    executors = tuple(
        _executor(details, platform, name, elevated=elevated)
        for platforms, names, details in _blocks(ability)
        for platform in _words(platforms)
        for name in _words(names)
    )
    if not executors:
        ability.refuse("expected at least one executor", "executors" if "executors" in ability else "platforms")
    return executors


def _blocks(ability: Fields) -> Iterator[tuple[str, str, Fields]]:
    """(platforms, executors, details) as they stand in the file, whatever its layout."""
    platforms = ability.fields("platforms")
    for platform in platforms.values:
        executors = platforms.fields(platform)
        for name in executors.values:
            yield platform, name, executors.fields(name)
    for details in ability.each("executors"):
        yield details.text("platform"), details.text("name"), details


def _executor(details: Fields, platform: str, name: str, *, elevated: bool) -> Executor:
    """Upstream compiles `code` where there is no command, and a few abilities only clean up."""
    command = details.optional_text("command") or details.optional_text("code")
    cleanup = "\n".join(text for text in details.text_or_texts("cleanup") if text.strip())
    if not command.strip() and not cleanup:
        raise ParseError(f"expected a command, code or a cleanup at `{details.at}`")
    return Executor(
        platform=attack_platform(platform),
        executor=name,
        command=command,
        cleanup=cleanup,
        elevation_required=elevated,
        payloads=details.text_or_texts("payloads"),
    )


def _dependencies(ability: Fields) -> Iterator[Dependency]:
    """The facts that CALDERA must know before the ability can run, with the module that checks them."""
    for requirement in ability.each("requirements"):
        newer = "module" in requirement
        for module in [requirement.text("module")] if newer else requirement.values:
            for fact in requirement.each("relationship_match" if newer else module):
                words = (fact.optional_text(key) for key in ("source", "edge", "target"))
                yield Dependency(description=" ".join(("Fact", *filter(None, words), f"({module})")))


def _words(key: str) -> list[str]:
    return [word for part in key.split(",") if (word := part.strip())]


SOURCE = Source(
    slug="caldera",
    label="CALDERA Stockpile abilities",
    license="Apache-2.0",
    homepage="https://github.com/mitre/stockpile",
    fetch=(GitHubArchive("mitre/stockpile", "master"),),
    files=("data/abilities/*/*.yml",),
    parse=parse,
    every=timedelta(days=90),
    notes=("CALDERA publishes no severity and no expected detection: Aegis derives both and marks them so.",),
)
