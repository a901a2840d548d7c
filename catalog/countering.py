"""Why a defence counters a technique, in words: D3FEND's paths over the artifact that both touch."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.models import DefensiveTechnique, DefensiveTechniqueMapping


@dataclass(frozen=True, slots=True)
class Countered:
    """One technique that a defence counters, as D3FEND names it, and a sentence for each path."""

    reference: DefensiveTechniqueMapping
    reasons: tuple[str, ...]


def countered_by(defence: DefensiveTechnique) -> list[Countered]:
    """The techniques that a defence counters, by ATT&CK id."""
    mappings = defence.mappings.select_related("technique").order_by("technique", "published_id")
    return [Countered(one, tuple(sentence(path, one.published_id) for path in one.paths)) for one in mappings]


def sentence(path: Mapping[str, str], technique: str) -> str:
    """A path in words: "analyzes Create Process, which T1053 invokes"."""
    defends, attacks = (path.get(f"{side}_relation", "").replace("-", " ") for side in ("defense", "attack"))
    defended, attacked = (path.get(f"{side}_artifact", "") for side in ("defense", "attack"))
    if defended == attacked:
        return f"{defends} {defended}, which {technique} {attacks}"
    return f"{defends} {defended}, and {technique} {attacks} {attacked}"
