"""Which technique a sub-technique belongs to, and what becomes of `subtechnique-of` links that make no sense."""

from __future__ import annotations

from imports.readers.attack_graph import Links, attack_id
from imports.readers.stix import AttackPattern
from imports.upstream import Issue


def parents(techniques: list[AttackPattern], links: Links) -> tuple[dict[str, str], list[Issue]]:
    """ATT&CK id of each sub-technique -> id of its parent, which is never itself a sub-technique.

    Every link that is left out (to itself, to a second parent, to a sub-technique, in a circle) is an Issue, and so is
    an active sub-technique that ends up without a parent. The outcome does not depend on the order in the bundle.
    """
    chosen: dict[str, str] = {}
    issues: list[Issue] = []
    for technique in techniques:
        mitre_id = attack_id(technique)
        candidates = list(links.targets("subtechnique-of", technique, AttackPattern))
        parent, problems = _choice(mitre_id, candidates)
        issues += problems
        if parent:
            chosen[mitre_id] = parent
    kept = {child: parent for child, parent in chosen.items() if parent not in chosen}
    issues += [
        Issue(message=f"{child}: its parent {chosen[child]} is itself a sub-technique; the link was left out")
        for child in sorted(chosen.keys() - kept.keys())
    ]
    issues += [
        Issue(message=f"{attack_id(technique)} is a sub-technique without a parent technique in the bundle")
        for technique in techniques
        if technique.x_mitre_is_subtechnique and technique.is_active and attack_id(technique) not in kept
    ]
    return kept, issues


def _choice(child: str, candidates: list[str]) -> tuple[str, list[Issue]]:
    """The candidate whose id the child's id extends ("T1059" for "T1059.001"), else the first."""
    issues = []
    others = [parent for parent in candidates if parent != child]
    if len(others) < len(candidates):
        issues.append(Issue(message=f"{child} is a sub-technique of itself; ignored"))
    if not others:
        return "", issues
    prefix = child.partition(".")[0]
    kept = prefix if prefix in others else others[0]
    if len(others) > 1:
        issues.append(Issue(message=f"{child} is a sub-technique of {', '.join(others)}; {kept} was kept"))
    return kept, issues
