"""Atomic Red Team: one YAML file per technique, with its tests in a list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from imports.readers.fields import Fields
from imports.readers.yaml import load_yaml
from imports.records import Dependency, Executor, InputArgument, Record, TestTemplateRecord
from imports.sources.emulation import DERIVED, expected_detection, one_after_another, severity
from imports.sources.objects import listed, read_each
from imports.sources.platforms import attack_platform, attack_platforms
from imports.upstream import GitHubArchive, Issue, Source, SourceFile


def parse(file: SourceFile) -> Iterator[Record | Issue]:
    """The tests of one technique. The format is upstream's `atomic_red_team/models.py`."""
    technique = Fields.of(load_yaml(file.text))
    published_id = technique.text("attack_technique").strip()
    tests = listed(technique, "atomic_tests")
    yield from read_each("test", tests, "atomic_tests", lambda test: _template(test, published_id))


def _template(test: Fields, published_id: str) -> TestTemplateRecord:
    words = _platform_words(test)
    executors = _executors(test.fields("executor"), words)
    return TestTemplateRecord(
        external_id=test.text("auto_generated_guid").strip(),
        name=test.text("name").strip(),
        published_id=published_id,
        description=test.optional_text("description"),
        platforms=attack_platforms(words),
        executors=executors,
        attack_commands=one_after_another(executor.command for executor in executors),
        cleanup_commands=one_after_another(executor.cleanup for executor in executors),
        expected_detection=expected_detection(published_id, [(word, executors[0].executor) for word in words]),
        severity=severity(executors),
        derived=DERIVED,
        input_arguments=_input_arguments(test.fields("input_arguments")),
        dependencies=_dependencies(test),
        tags=_tags(test, words),
    )


def _platform_words(test: Fields) -> tuple[str, ...]:
    words = tuple(word.strip() for word in test.texts("supported_platforms") if word.strip())
    if not words:
        test.refuse("expected at least one platform", "supported_platforms")
    return words


def _executors(executor: Fields, words: tuple[str, ...]) -> tuple[Executor, ...]:
    """One executor for each ATT&CK platform: an atomic test has one way to run, on all of its platforms."""
    name = executor.text("name").strip()
    command = executor.text("steps" if name == "manual" else "command")
    cleanup = executor.optional_text("cleanup_command")
    elevation_required = executor.flag("elevation_required")
    return tuple(
        Executor(
            platform=platform,
            executor=name,
            command=command,
            cleanup=cleanup if cleanup.strip() else "",
            elevation_required=elevation_required,
        )
        for platform in attack_platforms(words)
    )


def _input_arguments(arguments: Fields) -> tuple[InputArgument, ...]:
    return tuple(
        InputArgument(
            name=name,
            description=arguments.fields(name).optional_text("description"),
            type=arguments.fields(name).optional_text("type"),
            default=arguments.fields(name).written("default"),
        )
        for name in arguments.values
    )


def _dependencies(test: Fields) -> tuple[Dependency, ...]:
    return tuple(
        Dependency(
            description=dependency.optional_text("description"),
            check=dependency.optional_text("prereq_command"),
            get=dependency.optional_text("get_prereq_command"),
        )
        for dependency in test.each("dependencies")
    )


def _tags(test: Fields, words: tuple[str, ...]) -> tuple[str, ...]:
    """What the record has no field for: platforms that ATT&CK does not tell apart ("iaas:aws"), the dependencies' shell."""
    finer = [word for word in words if attack_platform(word).lower() != word.lower()]
    shell = test.optional_text("dependency_executor_name").strip()
    return (*finer, *([f"dependency executor: {shell}"] if shell else []))


SOURCE = Source(
    slug="atomic",
    label="Atomic Red Team",
    license="MIT",
    homepage="https://www.atomicredteam.io/",
    fetch=(GitHubArchive("redcanaryco/atomic-red-team", "master"),),
    files=("atomics/T*/T*.yaml",),
    parse=parse,
    every=timedelta(days=30),
    notes=("Atomic Red Team publishes no severity and no expected detection: Aegis derives both and marks them so.",),
)
