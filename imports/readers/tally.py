"""Many small losses told as few issues: one for each reason, with how often and some examples."""

from __future__ import annotations

from collections.abc import Iterator

from imports.upstream import Issue

EXAMPLES = 5


class Tally:
    """Collects what was left out of a file, by reason."""

    def __init__(self) -> None:
        self._examples: dict[str, list[str]] = {}
        self._notes: set[str] = set()

    def add(self, reason: str, example: str) -> None:
        """Something that should have been a row, or a part of one, was left out."""
        self._examples.setdefault(reason, []).append(example)

    def note(self, reason: str, example: str) -> None:
        """Something was left out or done that costs no row."""
        self._notes.add(reason)
        self.add(reason, example)

    def issues(self) -> Iterator[Issue]:
        """One issue for each reason, in alphabetical order: "not a control id (3 times: AC, X-1)"."""
        for reason, examples in sorted(self._examples.items()):
            distinct = sorted(set(examples))
            shown = ", ".join(distinct[:EXAMPLES]) + (", ..." if len(distinct) > EXAMPLES else "")
            times = f"{len(examples):,} times: " if len(examples) > 1 else ""
            yield Issue(message=f"{reason} ({times}{shown})", lossless=reason in self._notes)
