"""From a snapshot's files to clean, unique records: every bad file or object becomes one issue, and nothing else is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

import msgspec
import yaml

from imports.records import Record
from imports.targets import TARGET_OF, Target, Values
from imports.upstream import Issue, ParseError, Source, SourceFile, Version, itself

Found = Record | Issue | Version
"""What a parser yields."""

CONTROL_CHARACTER = re.compile(rb"\\(?:u00[01]|[bf])")
"""A control character other than tab, line feed and carriage return, as JSON without escaped backslashes has it."""

PARSE_ERRORS = (
    yaml.YAMLError,
    ValueError,
    RecursionError,
    UnicodeError,
    msgspec.MsgspecError,
    KeyError,
    TypeError,
    AttributeError,
)
"""What a parser may raise on hostile input beside ParseError: parsers of one file must never end a whole run."""


NO_OTHER = "No older edition is taken in its place, and what stands of it stays"
"""What a run says of the newest of several editions, when that cannot be read."""


UNREADABLE_SHARE: Final = 0.05
"""The share of a source's files of which nothing may be readable: beyond it something is wrong with all of them."""

UNREADABLE_FEW: Final = 10
"""So many are always skipped one by one: in a small source one file is a large share."""


class SourceUnreadable(Exception):
    """Too many files, or some of those that only make sense together, are not readable: the run fails and writes nothing."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One row as the snapshot has it: its natural key, columns, content hash and the file it came from."""

    key: tuple[object, ...]
    values: Values
    record: Record
    path: str
    content_hash: str


@dataclass
class Intake:
    """What a snapshot holds. `failed` are the files of which something could not be read, by what they are editions of: nothing
    of them is withdrawn. `version` is what the files themselves tell of it, if they do."""

    rows: dict[type[Record], dict[tuple[object, ...], Incoming]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    skipped: int = 0
    version: str = ""
    edition_of: Callable[[str], str] = itself

    def of(self, target: Target) -> dict[tuple[object, ...], Incoming]:
        """The incoming rows of one kind by natural key."""
        return self.rows.get(target.record, {})

    def report(self, issue: Issue) -> None:
        """Keep an issue, and protect the rows of its file from being withdrawn."""
        self.issues.append(issue)
        if issue.path and not issue.lossless:
            self.failed.add(self.edition_of(issue.path))

    def spares(self, path: str) -> bool:
        """Whether what came from this file is not withdrawn: of the same file, in this edition, something could not be read."""
        return bool(self.failed) and self.edition_of(path) in self.failed

    def add(self, incoming: Incoming) -> None:
        """Keep a row; of two rows with one key the first stays and the other is an issue."""
        rows = self.rows.setdefault(type(incoming.record), {})
        first = rows.setdefault(incoming.key, incoming)
        if first is not incoming and first.content_hash != incoming.content_hash:
            self.issues.append(Issue(message=_repeated(incoming.key, first.path), path=incoming.path))


def _repeated(key: tuple[object, ...], path: str) -> str:
    return f"{' '.join(map(str, key))} is already defined in {path}: this second one is skipped"


def parse_file(source: Source, file: SourceFile) -> list[Found]:
    """The records of one file. Every error of a hostile file ends as an issue; for a `complete` source it fails the run."""
    try:
        return list(source.parse(file))
    except ParseError as error:
        issue = Issue(message=error.message, path=file.path, line=error.line)
    except PARSE_ERRORS as error:
        issue = Issue(message=f"cannot be read: {type(error).__name__}: {str(error)[:500]}", path=file.path)
    if source.complete:
        raise SourceUnreadable(f"{issue.path}: {issue.message}")
    return [issue if source.select is None else replace(issue, message=f"{issue.message}. {NO_OTHER}")]


def check_readable(parsed: Sequence[tuple[str, list[Found]]]) -> None:
    """Raises SourceUnreadable where nothing can be read of more than a twentieth of the files, the first three named."""
    bad = [(path, found[0]) for path, found in parsed if found and all(_is_loss(one) for one in found)]
    if len(bad) <= max(UNREADABLE_FEW, UNREADABLE_SHARE * len(parsed)):
        return
    first = "; ".join(f"{path}: {issue.message}" for path, issue in bad[:3] if isinstance(issue, Issue))
    raise SourceUnreadable(
        f"{len(bad)} of {len(parsed)} files cannot be read, so that nothing was stored. Look whether upstream changed its "
        f"format, or sync again later. The first: {first}"
    )


def _is_loss(found: Found) -> bool:
    return isinstance(found, Issue) and not found.lossless


def take_in(source: Source, parsed: Iterable[tuple[str, list[Found]]]) -> Intake:
    """The intake of all parsed files, in the order of their paths, so that the order of an archive changes nothing."""
    intake = Intake(edition_of=source.edition_of)
    for path, found in _assembled(source, sorted(parsed, key=lambda item: item[0])):
        if isinstance(found, Issue):
            intake.report(_located(found, path))
        elif isinstance(found, Version):
            intake.version = found.text
        else:
            _accept(intake, found, path)
    return intake


def _located(issue: Issue, path: str) -> Issue:
    return replace(issue, path=issue.path or path)


def _assembled(source: Source, parsed: list[tuple[str, list[Found]]]) -> Iterator[tuple[str, Found]]:
    found = ((path, item) for path, items in parsed for item in items)
    if source.assemble is None:
        yield from found
        return
    pieces: list[tuple[str, Record]] = []
    for path, item in found:
        if isinstance(item, Record):
            pieces.append((path, item))
        else:
            yield path, item
    try:
        yield from source.assemble(pieces)
    except ParseError as error:
        raise SourceUnreadable(error.message) from error


def _accept(intake: Intake, record: Record, path: str) -> None:
    target = TARGET_OF[type(record)]
    try:
        encoded = msgspec.json.encode(record, order="deterministic")
    except UnicodeEncodeError:
        intake.report(Issue(message=f"{_name(record)}: holds a character that is not valid Unicode", path=path))
        return
    values = target.values(record, path)
    if fault := _fault(target, values, encoded):
        intake.report(Issue(message=f"{_name(record)}: {fault}", path=path))
        return
    content_hash = blake2b(encoded + path.encode(), digest_size=32).hexdigest()
    intake.add(Incoming(target.key_of(values), values, record, path, content_hash))
    intake.skipped += values.get("mapped") is False and values["status"] != "deprecated"


def _fault(target: Target, values: Values, encoded: bytes) -> str:
    """Why a row cannot be kept, or an empty text."""
    if CONTROL_CHARACTER.search(encoded.replace(rb"\\", b"")):
        return "holds a control character (NUL, backspace, ...)"
    if missing := [name for name in target.key if values[name] in ("", None)]:
        return f"has no {missing[0]}"
    for name, limit in target.limits.items():
        if values[name] and len(values[name]) > limit:
            return f"`{name}` has {len(values[name])} characters, more than the {limit} that fit"
    return ""


def _name(record: Record) -> str:
    names = (getattr(record, name, "") for name in ("mitre_id", "external_id", "d3fend_id", "control_id", "name"))
    return str(next((name for name in names if name), type(record).__name__))[:200]
