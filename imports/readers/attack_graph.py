"""What ATT&CK says about its own objects: their published ids and addresses, and how relationships join them.

Both sources that read the bundle of MITRE CTI build on it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypedDict, TypeVar

from imports.readers.stix import (
    AttackPattern,
    Bundle,
    Campaign,
    CourseOfAction,
    DataComponent,
    Described,
    DetectionStrategy,
    IntrusionSet,
    Relationship,
    Software,
    StixObject,
    moment,
    struct_type,
)
from imports.records import TechniqueUse
from imports.upstream import Issue

ATTACK_ID = re.compile(r"[A-Z]{1,4}\d{4}(\.\d{3})?")
ATTACK_URL = re.compile(r"https://attack\.mitre\.org/[!-~]*")

# Which ends a relationship may have. `revoked-by` joins any two objects of one kind.
ENDS: dict[str, tuple[tuple[type[StixObject], type[StixObject]], ...]] = {
    "subtechnique-of": ((AttackPattern, AttackPattern),),
    "revoked-by": (
        (AttackPattern, AttackPattern),
        (CourseOfAction, CourseOfAction),
        (Software, Software),
        (IntrusionSet, IntrusionSet),
        (Campaign, Campaign),
    ),
    "uses": (
        (Software, AttackPattern),
        (IntrusionSet, AttackPattern),
        (IntrusionSet, Software),
        (Campaign, AttackPattern),
        (Campaign, Software),
    ),
    "mitigates": ((CourseOfAction, AttackPattern),),
    # Before release 18 data components detected techniques.
    "detects": ((DetectionStrategy, AttackPattern), (DataComponent, AttackPattern)),
    "attributed-to": ((Campaign, IntrusionSet),),
}

Published = TypeVar("Published", bound=Described)


class CommonFields(TypedDict):
    """The fields of records.AttackObject."""

    mitre_id: str
    stix_id: str
    name: str
    description: str
    url: str
    object_version: str
    revoked: bool
    deprecated: bool


def attack_id(found: Described) -> str:
    """The ATT&CK id ("T1059.001") of an object in upper case, wherever among its references it stands, or ""."""
    for reference in found.external_references or ():
        published = (reference.external_id or "").strip().upper()
        if reference.source_name == "mitre-attack" and ATTACK_ID.fullmatch(published):
            return published
    return ""


def attack_url(found: Described) -> str:
    """The object's page on attack.mitre.org, or "" when the reference leads anywhere else."""
    for reference in found.external_references or ():
        if reference.source_name == "mitre-attack" and ATTACK_URL.fullmatch(reference.url or ""):
            return reference.url or ""
    return ""


def common_fields(found: Described) -> CommonFields:
    return {
        "mitre_id": attack_id(found),
        "stix_id": found.id,
        "name": found.name,
        "description": found.description or "",
        "url": attack_url(found),
        "object_version": found.x_mitre_version or "",
        "revoked": bool(found.revoked),
        "deprecated": bool(found.x_mitre_deprecated),
    }


def distinct_names(aliases: list[str] | None) -> tuple[str, ...]:
    """The aliases in upstream's order without repeats. Upstream puts the object's own name first."""
    return tuple(name for name in dict.fromkeys(aliases or ()) if name.strip())


def published(bundle: Bundle, kind: type[Published]) -> tuple[list[Published], list[Issue]]:
    """The objects of one kind that have an ATT&CK id, sorted by it, one for each id.

    Of several objects with one id the active one wins, then the newest. Whatever is left out is an Issue.
    """
    claims: defaultdict[str, list[Published]] = defaultdict(list)
    issues = []
    for found in bundle.of(kind):
        if mitre_id := attack_id(found):
            claims[mitre_id].append(found)
        else:
            issues.append(Issue(message=f"{found.id} was skipped: no `external_references` entry has an ATT&CK id"))
    winners = []
    for mitre_id in sorted(claims):
        best = max(claims[mitre_id], key=_precedence)
        winners.append(best)
        issues += [
            Issue(message=f"{loser.id} was skipped: {mitre_id} is also the id of {best.id}")
            for loser in claims[mitre_id]
            if loser is not best
        ]
    return winners, issues


def _precedence(found: Described) -> tuple[bool, float, str]:
    date = moment(found.modified)
    return found.is_active, date.timestamp() if date else 0.0, found.id


class Links:
    """The relationships of a bundle that are neither revoked nor deprecated and whose both ends exist."""

    def __init__(self, bundle: Bundle, types: Iterable[str]) -> None:
        self._objects = bundle.objects
        self._wanted = frozenset(types)
        self._outgoing: defaultdict[tuple[str, str], list[Relationship]] = defaultdict(list)
        self._refused: defaultdict[str, list[str]] = defaultdict(list)
        for link in bundle.of(Relationship):
            if link.is_active and link.relationship_type in self._wanted:
                self._add(link)

    def _add(self, link: Relationship) -> None:
        source, target = self._objects.get(link.source_ref), self._objects.get(link.target_ref)
        if source is None or target is None:
            self._refused[f"`{link.relationship_type}` to or from an object that the bundle does not hold"].append(
                link.id
            )
        elif not any(
            isinstance(source, one) and isinstance(target, other) for one, other in ENDS[link.relationship_type]
        ):
            ends = f"from {struct_type(source)} to {struct_type(target)}"
            self._refused[f"`{link.relationship_type}` {ends}, which ATT&CK does not define"].append(link.id)
        else:
            self._outgoing[link.relationship_type, link.source_ref].append(link)

    @property
    def issues(self) -> Iterator[Issue]:
        """One issue for each reason, however many relationships share it."""
        for reason, links in sorted(self._refused.items()):
            named = ", ".join(links[:3]) + (", ..." if len(links) > 3 else "")
            yield Issue(message=f"relationships left out ({len(links)}): {reason}: {named}")

    def targets(
        self, relationship_type: str, source: StixObject, kind: type[Published]
    ) -> dict[str, list[Relationship]]:
        """Relationships from `source` to objects of `kind`, by the ATT&CK id of their target, sorted by it."""
        found: defaultdict[str, list[Relationship]] = defaultdict(list)
        for link in self._outgoing.get((relationship_type, source.id), ()):
            target = self._objects[link.target_ref]
            if isinstance(target, kind) and (mitre_id := attack_id(target)):
                found[mitre_id].append(link)
        return dict(sorted(found.items()))

    def uses(
        self, relationship_type: str, source: StixObject, kind: type[Described], campaign: str = ""
    ) -> list[TechniqueUse]:
        """One use for each target of `kind`, sorted by its id; the texts of repeated relationships are joined."""
        return [
            TechniqueUse(published_id=mitre_id, text=_joined_texts(links), campaign=campaign)
            for mitre_id, links in self.targets(relationship_type, source, kind).items()
        ]

    def successor(self, source: Described, kind: type[Described]) -> tuple[str, list[Issue]]:
        """The id that `source` was revoked by, or "". Of several the smallest counts, and an Issue says so."""
        ids = list(self.targets("revoked-by", source, kind))
        others = [mitre_id for mitre_id in ids if mitre_id != attack_id(source)]
        issues = []
        if len(others) < len(ids):
            issues.append(Issue(message=f"{attack_id(source)} is revoked by itself; ignored"))
        if len(others) > 1:
            issues.append(Issue(message=f"{attack_id(source)} is revoked by {', '.join(others)}; {others[0]} was kept"))
        return (others[0] if others else ""), issues


def _joined_texts(links: list[Relationship]) -> str:
    return "\n\n".join(sorted({link.description for link in links if link.description}))
