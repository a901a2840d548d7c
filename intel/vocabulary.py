"""The names and ids of the current catalogue, for finding mentions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.db.models import Count, Max

from catalog.models import Software, Tactic, Technique, TechniqueCrosswalk, TechniqueTactic
from catalog.resolution import Resolver
from intel.mentions import OldId, Term, Vocabulary
from intel.models import ThreatActor

RULES: Final = sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).with_name("mentions").glob("*.py")))
).hexdigest()
"""Stands for the rules by which names are found: another release of Aegis may judge the same text otherwise."""

State = tuple[tuple[Any, ...], ...]
"""Changes whenever an import changed what the vocabulary is built from."""


def vocabulary() -> Vocabulary:
    """What to look for, by the catalogue as it is now; built anew only when an import has changed the catalogue."""
    return _built(catalogue_state())


def catalogue_state() -> State:
    """Numbers of rows and the times of their last change, for each kind of row that the vocabulary reads."""
    kinds = (Tactic, Technique, Software, ThreatActor, TechniqueCrosswalk)
    numbers = {"rows": Count("pk"), "withdrawn": Count("withdrawn_at"), "changed": Max("changed_at")}
    return tuple(tuple(kind._default_manager.aggregate(**numbers).values()) for kind in kinds)


def mark() -> str:
    """16 characters that stand for the vocabulary as it is now, and for the rules by which it is looked for."""
    return sha256(repr((RULES, catalogue_state())).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _built(state: State) -> Vocabulary:  # noqa: ARG001  # the state is the key of the cache
    old_ids = _old_ids()
    return Vocabulary([*_terms(), *_former_names(old_ids)], old_ids)


def _terms() -> Iterator[Term]:
    """Current techniques, tactics, actors and software, with every name that ATT&CK gives them."""
    tactics = _tactics_by_technique()
    for key, name in Technique.objects.active().values_list("mitre_id", "name"):
        yield Term(name, "technique", key, tactics.get(key, ()))
    for key, name in Tactic.objects.active().values_list("mitre_id", "name"):
        yield Term(name, "tactic", key)
    for key, name, aliases in ThreatActor.objects.active().values_list("mitre_id", "name", "aliases"):
        yield from (Term(text, "actor", key) for text in dict.fromkeys([name, *aliases]))
    for key, name, aliases in Software.objects.active().values_list("mitre_id", "name", "aliases"):
        yield from (Term(text, "software", key) for text in dict.fromkeys([name, *aliases]))


def _tactics_by_technique() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    links = TechniqueTactic.objects.order_by("technique", "position")
    for key, name in links.values_list("technique__mitre_id", "tactic__name"):
        if name:
            found[key] = (*found.get(key, ()), name)
    return found


def _old_ids() -> dict[str, OldId]:
    """Ids of techniques that are revoked, or that only the crosswalk knows, with the current technique that each means."""
    resolver = Resolver.load()
    active = set(Technique.objects.active().values_list("mitre_id", flat=True))
    meanings = ((old, resolver.resolve(old)) for old in _ids_ever() if old not in active)
    return {
        old: OldId(one.mitre_id, str(one.resolution))
        for old, one in meanings
        if one.mitre_id and one.mitre_id in active
    }


def _ids_ever() -> set[str]:
    known: Iterable[str] = Technique.objects.values_list("mitre_id", flat=True)
    crossed = TechniqueCrosswalk.objects.current().values_list("old_id", "new_id")
    return {*known, *(one for pair in crossed for one in pair)}


def _former_names(old_ids: dict[str, OldId]) -> Iterator[Term]:
    """The names of old techniques that no current technique has."""
    names = {name.casefold() for name in Technique.objects.active().values_list("name", flat=True)}
    for key, name in Technique.objects.filter(mitre_id__in=old_ids).values_list("mitre_id", "name"):
        if name.casefold() not in names:
            yield Term(name, "technique", key)
