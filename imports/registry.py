"""All upstreams, in the order in which `--all` imports them. No order is needed: ids are resolved again as techniques come.

`OPTIONAL` are those beside the nine: disabled until an admin wants them, and never part of `--all`.
"""

from imports.sources import (
    atomic,
    attack,
    caldera,
    d3fend,
    elastic,
    lolbas,
    mappings_explorer,
    nist_800_53,
    sigma,
    threat_actors,
)
from imports.upstream import Source

SOURCES: tuple[Source, ...] = (
    attack.SOURCE,
    threat_actors.SOURCE,
    elastic.SOURCE,
    sigma.SOURCE,
    atomic.SOURCE,
    caldera.SOURCE,
    lolbas.SOURCE,
    d3fend.SOURCE,
    nist_800_53.SOURCE,
)
OPTIONAL: tuple[Source, ...] = (mappings_explorer.SOURCE,)
