"""All upstreams, in the order in which `--all` imports them. No order is needed: ids are resolved again as techniques come."""

from imports.sources import (
    atomic,
    attack,
    caldera,
    d3fend,
    elastic,
    lolbas,
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
