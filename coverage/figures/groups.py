"""The same figures for other groups of techniques: those of a platform, of an actor, of a framework's controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from compliance.models import ComplianceControlMapping
from coverage.figures.claims import CONTROL_IN_FORCE
from coverage.figures.standing import GroupFigures, Standing
from coverage.gaps.query import Chosen, known_actors
from coverage.gaps.ranking import uses_of


def by_platform(standing: Standing) -> list[GroupFigures]:
    """Each platform that ATT&CK names, the one with most techniques first; a technique counts in each of its platforms."""
    members: dict[str, set[str]] = defaultdict(set)
    for mitre_id, technique in standing.techniques.items():
        for platform in technique.platforms:
            members[platform].add(mitre_id)
    return _largest_first(
        [standing.figures(techniques, key=platform, name=platform) for platform, techniques in members.items()]
    )


def by_actor(standing: Standing, actors: Collection[Chosen] | None = None) -> list[GroupFigures]:
    """Each of these actors (all active ones) by the techniques it uses, most first. One query, or two."""
    actors = known_actors() if actors is None else actors
    uses = uses_of(actors, standing.techniques.keys())
    return _largest_first(
        [standing.figures(uses[actor.mitre_id], key=actor.mitre_id, name=actor.name) for actor in actors]
    )


def by_framework(standing: Standing) -> list[GroupFigures]:
    """Each framework by the techniques that its controls in force are mapped to: that a control is mapped proves nothing.

    One query.
    """
    rows = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE).exclude(technique=None).order_by()
    columns = [f"control__framework__{name}" for name in ("slug", "name", "version")]
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    for slug, name, version, mitre_id in rows.values_list(*columns, "technique_id").distinct():
        members[slug, f"{name} {version}"].add(str(mitre_id))
    return [standing.figures(members[slug, name], key=slug, name=name) for slug, name in sorted(members)]


def _largest_first(figures: list[GroupFigures]) -> list[GroupFigures]:
    return sorted(figures, key=lambda one: (-one.techniques, one.name, one.key))
