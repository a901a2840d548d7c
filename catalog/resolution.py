"""Which technique of the current ATT&CK release a published id means.

Upstreams speak different ATT&CK versions. A published id (ATT&CK id, or STIX id in older NIST mappings) is looked up as it is,
then along revoked-by to the end of the chain, then through the crosswalk between releases in both directions. What is found in
none of these ways stays unresolved: nothing is dropped and nothing is invented.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Count, Q, QuerySet

from catalog.models import Resolution, Technique, TechniqueCrosswalk, TechniqueReference


@dataclass(frozen=True, slots=True)
class Resolved:
    """The technique's ATT&CK id (None when unresolved) and how it was found."""

    mitre_id: str | None
    resolution: Resolution


UNRESOLVED = Resolved(None, Resolution.UNRESOLVED)


@dataclass(frozen=True, slots=True)
class KnownTechnique:
    """What the resolver needs to know of a technique."""

    mitre_id: str
    stix_id: str
    name: str
    revoked: bool
    revoked_by: str | None


class Resolver:
    """Resolves published ids against one state of the catalogue; answers are remembered."""

    def __init__(self, techniques: Iterable[KnownTechnique], crosswalk: Iterable[tuple[str, str, str]]) -> None:
        """`crosswalk` holds (old id, new id, new name)."""
        self._techniques = {technique.mitre_id: technique for technique in techniques}
        self._by_stix_id = {technique.stix_id: technique for technique in self._techniques.values()}
        self._newer: dict[str, str] = {}
        self._older: dict[str, list[str]] = defaultdict(list)
        self._new_names: dict[str, str] = {}
        for old_id, new_id, new_name in sorted(crosswalk):
            self._newer[old_id] = new_id
            self._older[new_id].append(old_id)
            self._new_names[new_id] = new_name
        self._answers: dict[str, Resolved] = {}

    @classmethod
    def load(cls) -> Resolver:
        """A resolver for the catalogue as it is in the database now: a technique that was withdrawn means nothing any more."""
        techniques = Technique.objects.current().values_list("mitre_id", "stix_id", "name", "revoked", "revoked_by_id")
        crosswalk = TechniqueCrosswalk.objects.filter(withdrawn_at=None).values_list("old_id", "new_id", "new_name")
        known = (
            KnownTechnique(mitre_id, stix_id, name, revoked, str(revoked_by) if revoked_by else None)
            for mitre_id, stix_id, name, revoked, revoked_by in techniques
        )
        return cls(known, crosswalk)

    def resolve(self, published_id: str) -> Resolved:
        """What `published_id` means in the current release."""
        if published_id not in self._answers:
            self._answers[published_id] = self._look_up(published_id)
        return self._answers[published_id]

    def _look_up(self, published_id: str) -> Resolved:
        known = self._techniques.get(published_id) or self._by_stix_id.get(published_id)
        if known:
            return self._follow(known, Resolution.EXACT)
        crossed = self._across_releases(published_id)
        return self._follow(crossed, Resolution.CROSSWALK) if crossed else UNRESOLVED

    def _follow(self, technique: KnownTechnique, found: Resolution) -> Resolved:
        """The end of the revoked-by chain from `technique`; a loop or a missing end resolves to the last one known."""
        seen = {technique.mitre_id}
        last = technique
        while last.revoked and last.revoked_by and last.revoked_by not in seen:
            successor = self._techniques.get(last.revoked_by)
            if successor is None:
                break
            seen.add(successor.mitre_id)
            last = successor
        if last is not technique and found == Resolution.EXACT:
            found = Resolution.REVOKED_BY
        return Resolved(last.mitre_id, found)

    def _across_releases(self, published_id: str) -> KnownTechnique | None:
        """The known technique that another release calls otherwise: forward first, then back to the one of the same name."""
        if newer := self._techniques.get(self._newer.get(published_id, "")):
            return newer
        older = [self._techniques[old] for old in self._older.get(published_id, ()) if old in self._techniques]
        namesakes = [technique for technique in older if technique.name == self._new_names[published_id]]
        candidates = namesakes or older
        return candidates[0] if len(candidates) == 1 else None


def reference_models() -> list[type[TechniqueReference]]:
    """Every model that keeps a published technique id, in a stable order."""
    models = (model for model in apps.get_models() if issubclass(model, TechniqueReference))
    return sorted(models, key=lambda model: model._meta.label)


def resolve_again(resolver: Resolver) -> int:
    """Resolve every reference in the database again, writing only what differs. Returns the number of rows written."""
    return sum(_resolve_model(model, resolver) for model in reference_models())


def _resolve_model(model: type[TechniqueReference], resolver: Resolver) -> int:
    standing = model._default_manager.values_list("published_id", "technique_id", "resolution").order_by().distinct()
    stale = {published for published, *found in standing if tuple(found) != _columns(resolver.resolve(published))}
    return sum(_write(model, published, resolver.resolve(published)) for published in sorted(stale))


def _columns(resolved: Resolved) -> tuple[str | None, str]:
    return resolved.mitre_id, str(resolved.resolution)


def _write(model: type[TechniqueReference], published_id: str, resolved: Resolved) -> int:
    same = Q(technique=resolved.mitre_id, resolution=resolved.resolution)
    rows = model._default_manager.filter(published_id=published_id).exclude(same)
    return rows.update(technique=resolved.mitre_id, resolution=resolved.resolution)


def unresolved_by_source() -> dict[str, int]:
    """How many references of current rows are unresolved, by source slug."""
    counts: dict[str, int] = defaultdict(int)
    for model in reference_models():
        rows = unresolved(model).values_list(model.owner("source")).annotate(count=Count("pk")).order_by()
        for source, count in rows:
            counts[source] += count
    return dict(counts)


def unresolved(model: type[TechniqueReference]) -> QuerySet[TechniqueReference]:
    """The references of one kind that found no technique and whose owner is current."""
    current = {model.owner("withdrawn_at"): None}
    return model._default_manager.filter(resolution=Resolution.UNRESOLVED, **current)
