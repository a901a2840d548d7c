"""ATT&CK Navigator layers as Aegis writes them: format 4.5.

Fields and their meanings: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md
"""

from __future__ import annotations

from typing import Final

import msgspec

FORMAT: Final = "4.5"
NAVIGATOR: Final = "5.1.0"
"""The Navigator that this format belongs to."""


class Named(msgspec.Struct, frozen=True):
    """A name and its value, shown beside a technique or a layer."""

    name: str
    value: str


class Versions(msgspec.Struct, frozen=True):
    """What the layer speaks of, and how."""

    attack: str
    navigator: str = NAVIGATOR
    layer: str = FORMAT


class Filters(msgspec.Struct, frozen=True):
    """The platforms that Navigator shows."""

    platforms: list[str]


class Layout(msgspec.Struct, frozen=True):
    """How Navigator draws the layer at first."""

    expandedSubtechniques: str = "none"  # noqa: N815  names of the format
    showID: bool = False  # noqa: N815
    layout: str = "side"
    showName: bool = True  # noqa: N815
    aggregateFunction: str = "average"  # noqa: N815
    showAggregateScores: bool = False  # noqa: N815
    countUnscored: bool = False  # noqa: N815


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A technique in one tactic. `enabled` is always written, the rest where it says something."""

    techniqueID: str  # noqa: N815
    tactic: str
    enabled: bool
    score: int | None = None
    color: str = ""
    comment: str = ""
    metadata: list[Named] = []
    showSubtechniques: bool = False  # noqa: N815


class Gradient(msgspec.Struct, frozen=True):
    """The colours that stand for scores; an entry's own colour goes before."""

    colors: list[str]
    minValue: int  # noqa: N815
    maxValue: int  # noqa: N815


class LegendItem(msgspec.Struct, frozen=True):
    """What a colour means."""

    label: str
    color: str


class Layer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A whole layer. Navigator orders by `sorting`: 0 by name, 3 by score from the highest."""

    name: str
    versions: Versions
    domain: str
    description: str = ""
    filters: Filters
    sorting: int = 0
    layout: Layout
    hideDisabled: bool  # noqa: N815
    techniques: list[Entry]
    gradient: Gradient
    legendItems: list[LegendItem]  # noqa: N815
    metadata: list[Named]
    showTacticRowBackground: bool = True  # noqa: N815
    tacticRowBackground: str = "#eef1f4"  # noqa: N815
    selectTechniquesAcrossTactics: bool = True  # noqa: N815
    selectSubtechniquesWithParent: bool = False  # noqa: N815
    selectVisibleTechniques: bool = False  # noqa: N815


def written(layer: Layer) -> bytes:
    """The layer as a file."""
    return msgspec.json.encode(layer)
