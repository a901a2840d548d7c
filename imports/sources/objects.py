"""A file that lists several objects: each is read alone, and one that cannot be read costs one issue, not its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from imports.readers.fields import Fields
from imports.records import Record
from imports.upstream import Issue, ParseError


def listed(parent: Fields, key: str) -> list[object]:
    """The list that a file exists for. An absent or null one is a ParseError: an empty list would withdraw all of it."""
    value = parent.values.get(key)
    if isinstance(value, list):
        return value
    parent.refuse(f"expected a list, found {'nothing' if value is None else 'something else'}", key)


def read_each(
    kind: str, objects: Iterable[object], at: str, read: Callable[[Fields], Record]
) -> Iterator[Record | Issue]:
    """What `read` makes of each object, or an Issue that names the object ("test 3 “Boil the kettle”: ...") and the reason."""
    for position, value in enumerate(objects):
        try:
            found: Record | Issue = read(Fields.of(value, f"{at}[{position}]"))
        except ParseError as error:
            found = Issue(message=f"{kind} {position + 1}{_name(value)}: {error.message}", line=error.line)
        yield found


def _name(value: object) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return f" “{name.strip()}”" if isinstance(name, str) and name.strip() else ""
