"""What the address of the matrix asks for: filters, actors to mark, order, which sub-techniques are open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from django.http import QueryDict

from aegis.lib.filters import LONGEST

SUBS: Final = {"": "None", "annotated": "Annotated", "all": "All"}
"""Which sub-techniques are open: none, those of families where one has a rule or a template, all."""

SORTS: Final = {"": "Name", "rules": "Most rules"}

MOST_VALUES: Final = 50
"""Actors to mark and families to open or close; what an address names beyond them is passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixQuery:
    """One view of the matrix. Values that nothing knows find nothing; an unknown order or way to open is the usual one.

    `opened` and `closed` name families that differ from what `subs` says: by ATT&CK id for every column, or as
    `T1059~execution` for one.
    """

    search: str = ""
    platform: str = ""
    tactic: str = ""
    source: str = ""
    sort: str = ""
    subs: str = ""
    actors: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    ids: bool = False
    as_table: bool = False
    address: str = field(default="?", compare=False)

    @classmethod
    def of(cls, values: QueryDict) -> Self:
        """The view that a query string asks for."""
        texts = {name: values.get(name, "").strip()[:LONGEST] for name in ("search", "platform", "tactic", "source")}
        sort, subs = values.get("sort", ""), values.get("subs", "")
        return cls(
            **texts,
            sort=sort if sort in SORTS else "",
            subs=subs if subs in SUBS else "",
            actors=tuple(actor.upper() for actor in _several(values, "actor")),
            opened=_several(values, "open"),
            closed=_several(values, "closed"),
            ids=values.get("ids", "") not in {"", "0"},
            as_table=values.get("view") == "table",
            address=_without_families(values),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether techniques are left out."""
        return bool(self.search or self.platform or self.tactic)

    def opens(self, mitre_id: str, tactic: str, *, otherwise: bool) -> bool:
        """Whether the family of a technique is open in a column: as the address says, or else `otherwise`."""
        keys = {mitre_id, family_key(mitre_id, tactic)}
        if keys & set(self.closed):
            return False
        return otherwise or bool(keys & set(self.opened))

    def toggled(self, mitre_id: str, tactic: str, *, is_open: bool) -> str:
        """The address of the same view with that family closed if it is open, and open if it is closed."""
        keys = {mitre_id, key := family_key(mitre_id, tactic)}
        opened = [name for name in self.opened if name not in keys]
        closed = [name for name in self.closed if name not in keys]
        if is_open and len(opened) == len(self.opened):
            closed.append(key)
        if not is_open and len(closed) == len(self.closed):
            opened.append(key)
        changes = QueryDict(mutable=True)
        changes.setlist("open", opened)
        changes.setlist("closed", closed)
        return (self.address + changes.urlencode()).rstrip("&")


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
