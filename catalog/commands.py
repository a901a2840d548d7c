"""A template's executors as a page shows them: each command once, as published and with its arguments filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.arguments import defaults, filled, placeholders, published
from catalog.code import Code, code
from catalog.models import TestTemplate

ATOMICS_FOLDER: Final = "PathToAtomicsFolder"
"""Invoke-AtomicTest puts the folder of the installed tests in its place; nobody else does."""


@dataclass(frozen=True, slots=True)
class Text:
    """One command: `filled` is None where it has no arguments, `open` the arguments that have no default."""

    published: Code
    filled: Code | None
    arguments: int
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """What one executor runs, and how it is undone; `platforms` are all those for which upstream publishes the same."""

    platforms: tuple[str, ...]
    executor: str
    elevated: bool
    payloads: tuple[str, ...]
    run: Text
    cleanup: Text | None

    @property
    def names_atomics_folder(self) -> bool:
        """Whether a path in it begins with the folder of the atomic tests."""
        texts = [self.run, self.cleanup] if self.cleanup else [self.run]
        return any(ATOMICS_FOLDER in (text.filled or text.published).text for text in texts)


@dataclass(frozen=True, slots=True)
class Need:
    """What must be there before the test: how to check for it, and how to get it."""

    description: str
    check: Text | None
    get: Text | None


@dataclass(slots=True)
class _Same:
    """Executors that differ in nothing but their platform."""

    executor: Mapping[str, Any]
    platforms: list[str] = field(default_factory=list)


def commands_of(template: TestTemplate) -> list[Command]:
    """The commands of a template in upstream's order; what is the same on several platforms stands there once."""
    groups: dict[tuple[str, ...], _Same] = {}
    for executor in template.executors:
        key = tuple(
            str(executor.get(name)) for name in ("executor", "command", "cleanup", "elevation_required", "payloads")
        )
        groups.setdefault(key, _Same(executor)).platforms.append(executor["platform"])
    values = defaults(template.input_arguments)
    return [_command(group, values) for group in groups.values()]


def needs_of(template: TestTemplate) -> list[Need]:
    """The dependencies of a template, in upstream's order."""
    values = defaults(template.input_arguments)
    return [
        Need(one["description"], _text(one.get("check", ""), values), _text(one.get("get", ""), values))
        for one in template.dependencies
    ]


def _command(group: _Same, values: Mapping[str, str]) -> Command:
    executor = group.executor
    return Command(
        platforms=tuple(dict.fromkeys(platform for platform in group.platforms if platform)),
        executor=executor["executor"],
        elevated=bool(executor.get("elevation_required")),
        payloads=tuple(executor.get("payloads") or ()),
        run=_shown(executor["command"], values),
        cleanup=_text(executor.get("cleanup", ""), values),
    )


def _text(text: str, values: Mapping[str, str]) -> Text | None:
    return _shown(text, values) if text.strip() else None


def _shown(text: str, values: Mapping[str, str]) -> Text:
    names = placeholders(text)
    return Text(
        published=code(published(text)),
        filled=code(filled(text, values)) if values and names else None,
        arguments=len(names),
        open=tuple(name for name in names if name not in values),
    )
