"""What the address of the matrix asks for: filters, overlays, order, which sub-techniques are open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import quote

from django.http import QueryDict

from aegis.lib.filters import LONGEST
from coverage.techniques.status import Status
from coverage.testing.outcomes import Outcome

SUBS: Final = {"": "None", "annotated": "Annotated", "all": "All"}
"""Which sub-techniques are open: none, those of families where one has a rule, a template, a test or a mark, all."""

SORTS: Final = {"": "Name", "rules": "Most rules", "proven": "Best proven", "marks": "Most marks"}

STATUSES: Final = {**dict(Status.choices), "proven_gap": "Proven gap", "unknown": "Nothing known"}

AGES: Final = {
    "30": "Last 30 days",
    "90": "Last 90 days",
    "365": "Last year",
    "older": "Over a year ago",
    "never": "Never",
}
"""When a technique was last proven, in days."""

OUTCOMES: Final = dict(Outcome.choices)

KINDS: Final = {
    "actor": "Actor",
    "campaign": "Campaign",
    "component": "Data component",
    "framework": "Framework",
    "layer": "Layer",
}
"""What can be laid over the matrix, by the name in the address."""

MOST_OVERLAYS: Final = 5
"""More marks on a cell could not be told apart."""

MOST_VALUES: Final = 50
"""Families to open or close; what an address names beyond them is passed over."""

MOST_PICKED: Final = 2000

TEXTS: Final = ("search", "platform", "tactic", "source")
CHOICES: Final = {
    "sort": SORTS,
    "subs": SUBS,
    "status": STATUSES,
    "age": AGES,
    "outcome": OUTCOMES,
    "review": {"due": "Due"},
    "only": {"marked": "Marked"},
    "show": {"claimed": "Claimed"},
}
"""Parameters with a fixed set of values: any other value says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixQuery:
    """One view of the matrix. Texts that nothing knows find nothing; an unknown choice is the usual one.

    `overlays` are (kind, key), of `KINDS`. `picked` leaves these techniques alone. `show` says what a layer prints. `opened`
    and `closed` name families that differ from `subs`: by ATT&CK id for every column, or as `T1059~execution` for one.
    """

    search: str = ""
    platform: str = ""
    tactic: str = ""
    source: str = ""
    sort: str = ""
    subs: str = ""
    status: str = ""
    age: str = ""
    outcome: str = ""
    review: str = ""
    only: str = ""
    show: str = ""
    overlays: tuple[tuple[str, str], ...] = ()
    left_out: int = 0
    picked: frozenset[str] = frozenset()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    ids: bool = False
    as_table: bool = False
    address: str = field(default="?", compare=False)

    @classmethod
    def of(cls, values: QueryDict, picked: QueryDict | None = None) -> Self:
        """The view that a query string asks for, of the techniques that it (or a form, as `picked`) names if it names any."""
        overlays = [(kind, key) for kind in KINDS for key in _several(values, kind)]
        chosen = [
            key.strip().upper()[:LONGEST]
            for source in (values, picked)
            if source
            for key in source.getlist("technique")
        ]
        return cls(
            **{name: values.get(name, "").strip()[:LONGEST] for name in TEXTS},
            **{name: value if (value := values.get(name, "")) in known else "" for name, known in CHOICES.items()},
            overlays=tuple((kind, key.upper() if kind == "actor" else key) for kind, key in overlays[:MOST_OVERLAYS]),
            left_out=max(0, len(overlays) - MOST_OVERLAYS),
            picked=frozenset(chosen[:MOST_PICKED]),
            opened=_several(values, "open"),
            closed=_several(values, "closed"),
            ids=values.get("ids", "") not in {"", "0"},
            as_table=values.get("view") == "table",
            address=_without_families(values),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether techniques are left out."""
        narrowed = (
            self.search,
            self.platform,
            self.tactic,
            self.status,
            self.age,
            self.outcome,
            self.review,
            self.only,
        )
        return any(narrowed) or bool(self.picked)

    def keys(self, kind: str) -> list[str]:
        """What is chosen of one kind of overlay."""
        return [key for one, key in self.overlays if one == kind]

    def opens(self, mitre_id: str, tactic: str, *, otherwise: bool) -> bool:
        """Whether the family of a technique is open in a column: as the address says, or else `otherwise`."""
        if not self.opened and not self.closed:
            return otherwise
        keys = {mitre_id, family_key(mitre_id, tactic)}
        if not keys.isdisjoint(self.closed):
            return False
        return otherwise or not keys.isdisjoint(self.opened)

    def toggled(self, mitre_id: str, tactic: str, *, is_open: bool) -> str:
        """The address of the same view with that family closed if it is open, and open if it is closed."""
        keys = {mitre_id, key := family_key(mitre_id, tactic)}
        opened = [name for name in self.opened if name not in keys]
        closed = [name for name in self.closed if name not in keys]
        if is_open and len(opened) == len(self.opened):
            closed.append(key)
        if not is_open and len(closed) == len(self.closed):
            opened.append(key)
        changes = [f"open={quote(name, safe='')}" for name in opened] + [
            f"closed={quote(name, safe='')}" for name in closed
        ]
        return (self.address + "&".join(changes)).rstrip("&")


def family_key(mitre_id: str, tactic: str) -> str:
    """The name of a family in one column, as it stands in an address."""
    return f"{mitre_id}~{tactic}"


def _several(values: QueryDict, name: str) -> tuple[str, ...]:
    """The different values of a name, in their order."""
    given = (value.strip()[:LONGEST] for value in values.getlist(name))
    return tuple(dict.fromkeys(value for value in given if value))[:MOST_VALUES]


def _without_families(values: QueryDict) -> str:
    """The query string, ready to take families: it ends in `?` or `&`."""
    rest = values.copy()
    rest.pop("open", None)
    rest.pop("closed", None)
    return f"?{rest.urlencode()}&" if rest else "?"
