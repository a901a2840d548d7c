"""Ids that are no technique of today: revoked ones, those of another ATT&CK release, and those that nobody knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse

from catalog.models import Technique, TechniqueCrosswalk
from catalog.resolution import Resolved, Resolver
from coverage.figures.claim_counts import named_by_claims

TECHNIQUE_ID: Final = re.compile(r"T\d{4}(\.\d{3})?", re.IGNORECASE | re.ASCII)

NOUNS: Final = {
    "rules": ("rule", "catalog:rule-list"),
    "templates": ("template", "catalog:template-list"),
    "actors": ("actor", "intel:actor-list"),
    "defences": ("D3FEND technique", "catalog:defence-list"),
    "mitigations": ("mitigation", ""),
    "controls": ("control", "compliance:control-list"),
}
"""Claim -> (what is counted, the list that `?technique=` narrows to it; mitigations have none)."""
NARROWED: Final = {"controls": {"defends": "true"}}
"""Claim -> what its list has to be asked for too."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How many rows of one kind name an id, and the list of them."""

    number: int
    noun: str
    url: str


@dataclass(frozen=True, slots=True)
class Translation:
    """One line of the crosswalk: `technique` is what the id of another release means here, None if it is not here either."""

    crosswalk: TechniqueCrosswalk
    technique: Technique | None
    is_meant: bool


@dataclass(frozen=True, slots=True)
class OtherId:
    """An id that the release does not have, or has revoked: what it means now, and who still names it."""

    mitre_id: str
    meant: Technique | None
    resolved: Resolved
    translations: tuple[Translation, ...]
    named: tuple[Naming, ...]

    @property
    def is_known(self) -> bool:
        """Whether anybody knows the id: a crosswalk, or a row that names it."""
        return bool(self.meant or self.translations or self.named)


def other_id(mitre_id: str) -> OtherId:
    """What is known of an id: five queries."""
    resolved = Resolver.load().resolve(mitre_id)
    crossings = list(TechniqueCrosswalk.objects.current().filter(Q(old_id=mitre_id) | Q(new_id=mitre_id)))
    others = {line.old_id if line.new_id == mitre_id else line.new_id for line in crossings}
    found = Technique.objects.in_bulk([*others, resolved.mitre_id or ""], field_name="mitre_id")
    meant = found.get(resolved.mitre_id or "")
    return OtherId(
        mitre_id=mitre_id,
        meant=None if meant and meant.mitre_id == mitre_id else meant,
        resolved=resolved,
        translations=tuple(_translation(line, mitre_id, found, meant) for line in crossings),
        named=tuple(namings(mitre_id)),
    )


def namings(mitre_id: str) -> list[Naming]:
    """The rows whose upstream names the id, by kind; kinds without any are left out. One query."""
    numbers = named_by_claims(mitre_id)
    return [
        Naming(
            numbers[claim],
            noun,
            reverse(url_name, query={"technique": mitre_id} | NARROWED.get(claim, {})) if url_name else "",
        )
        for claim, (noun, url_name) in NOUNS.items()
        if numbers[claim]
    ]


def _translation(
    line: TechniqueCrosswalk, mitre_id: str, found: dict[Any, Technique], meant: Technique | None
) -> Translation:
    technique = found.get(line.old_id if line.new_id == mitre_id else line.new_id)
    return Translation(line, technique, technique is not None and technique == meant)
