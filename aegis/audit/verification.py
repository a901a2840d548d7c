"""Walking the chain: every row, in order, against its MAC, its neighbour and the head."""

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from aegis.audit import triggers
from aegis.audit.chain import GENESIS, SIGNED, Key, known_keys
from aegis.audit.models import AuditHead
from aegis.audit.recording import iso

COLUMNS: Final = (*SIGNED, "prev_mac", "mac")
BATCH: Final = 5000
QUERY: Final = f"SELECT {', '.join(COLUMNS)} FROM {triggers.LOG} WHERE id > %s ORDER BY id LIMIT {BATCH}"  # noqa: S608  constants
LEAST: Final = -(2**63)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was recorded. `row` is the first row that it is about, None for the head and triggers."""

    row: int | None
    message: str


class Verification:
    """One walk. `flaws` yields what it finds, first row first; afterwards `rows` says how many rows were read.

    A walk goes on behind a bad row, from that row's own MAC: each break is told once.
    """

    def __init__(self, witness: tuple[int, str] | None = None) -> None:
        """`witness` is a size and MAC that `audit_head` printed earlier: the chain must still pass through them."""
        self.rows = 0
        self._keys = known_keys()
        self._witness = witness
        self._last = LEAST
        self._expected = 1
        self._mac = GENESIS

    def flaws(self) -> Iterator[Flaw]:
        """Every flaw of rows, head and triggers."""
        yield from self._walk()
        yield from self._head_flaws()
        if self._witness and self._witness[0] >= self._expected:
            yield Flaw(self._expected, f"is missing: the witness saw {self._witness[0]:,} rows")
        yield from (
            Flaw(None, f"the trigger {name} is gone: rows can be changed") for name in triggers.missing(connection)
        )

    def _walk(self) -> Iterator[Flaw]:
        while batch := _rows_after(self._last):
            for row in batch:
                if not self._is_sound(row):
                    yield from self._row_flaws(row)
                self._last, self._mac = row["id"], row["mac"]
                self._expected = max(self._last + 1, 1)
            self.rows += len(batch)

    def _is_sound(self, row: dict[str, Any]) -> bool:
        """The short way past a row of which there is nothing to tell: nearly all of them."""
        key = self._keys.get(row["key_id"])
        in_place = row["id"] == self._expected and row["prev_mac"] == self._mac
        witnessed = self._witness is not None and row["id"] == self._witness[0]
        return in_place and not witnessed and key is not None and _is_authentic(row, key)

    def _row_flaws(self, row: dict[str, Any]) -> Iterator[Flaw]:
        number = row["id"]
        if number < 1:
            yield Flaw(number, "was inserted: rows count from 1")
            return
        if number > self._expected:
            gap = number - self._expected
            yield Flaw(self._expected, "is missing" if gap == 1 else f"is missing, and the next {gap - 1:,} too")
        message = self._signature_flaw(row)
        if not message and number == self._expected and row["prev_mac"] != self._mac:
            message = f"does not follow from row {number - 1}, which is not the one that it was recorded behind"
        if message:
            yield Flaw(number, message)
        if self._witness and self._witness[0] == number and row["mac"] != self._witness[1]:
            yield Flaw(number, "is not the row that the witness saw: the chain was written anew")

    def _signature_flaw(self, row: dict[str, Any]) -> str:
        key = self._keys.get(row["key_id"])
        if key is None:
            return (
                f"was signed with an unknown key, {row['key_id']}: is it forged, or its key not in AUDIT_HMAC_OLD_KEYS?"
            )
        return "" if _is_authentic(row, key) else "was changed, or put in another row's place"

    def _head_flaws(self) -> Iterator[Flaw]:
        head = yield from self._head_behind_all_rows()
        size = self._expected - 1
        key = self._keys.get(head.key_id) if head else None
        if head is None:
            yield Flaw(None, "the head of the chain is gone: rows at the end may be missing")
        elif key is None or key.signature_of(head.size, head.mac) != head.signature:
            yield Flaw(None, "the head of the chain was changed: rows at the end may be missing")
        elif head.size > size:
            rest = head.size - size - 1
            yield Flaw(self._expected, f"is missing, and all {rest:,} after it" if rest else "is missing")
        elif head.size < size:
            yield Flaw(head.size + 1, "was inserted: the head of the chain does not know it")
        elif head.mac != self._mac:
            yield Flaw(size, "is not the row that the head of the chain was signed for")

    def _head_behind_all_rows(self) -> Generator[Flaw, None, AuditHead | None]:
        """The head, read after all rows: of rows that were written meanwhile it may know, and they are walked too."""
        head = AuditHead.objects.filter(pk=1).first()
        while head and head.size >= self._expected:
            reached = self._last
            yield from self._walk()
            head = AuditHead.objects.filter(pk=1).first()
            if self._last == reached:
                break
        return head


def _rows_after(number: int) -> list[dict[str, Any]]:
    """The next rows as the database holds them: a model could not even read some of what a forger may write."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY, [number])
        return [dict(zip(COLUMNS, values, strict=True)) for values in cursor.fetchall()]


def _is_authentic(row: dict[str, Any], key: Key) -> bool:
    try:
        facts = row | {"at": _moment(row["at"]), "before": json.loads(row["before"]), "after": json.loads(row["after"])}
        return bool(key.mac_of(row["prev_mac"], facts) == row["mac"])
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return False  # no value that we would ever have written


def _moment(value: Any) -> str:
    """SQLite keeps moments as text, in UTC."""
    return iso(value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC))
