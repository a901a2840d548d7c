"""How much of each tactic is claimed, in figures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from catalog.models import Tactic, Technique
from coverage.figures.claims import claims


@dataclass(frozen=True, slots=True, kw_only=True)
class TacticSummary:
    """One tactic: its active techniques and sub-techniques, and how many of them have a live rule, or a test template."""

    mitre_id: str
    tactic: str
    name: str
    techniques: int
    claimed: int
    testable: int


def coverage_by_tactic() -> list[TacticSummary]:
    """One summary per tactic, in the release's order: four queries. A technique of several tactics counts in each."""
    members: dict[str, set[str]] = defaultdict(set)
    places = Technique.objects.active().order_by().values_list("technique_tactics__tactic", "mitre_id")
    for shortname, mitre_id in places:
        members[str(shortname)].add(mitre_id)
    with_rule, with_template = claims("rules").keys(), claims("templates").keys()
    return [
        TacticSummary(
            mitre_id=tactic.mitre_id,
            tactic=tactic.shortname,
            name=tactic.name,
            techniques=len(members[tactic.shortname]),
            claimed=len(members[tactic.shortname] & with_rule),
            testable=len(members[tactic.shortname] & with_template),
        )
        for tactic in Tactic.objects.active()
    ]
