"""docs/sources.md tells administrators what the code does."""

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from imports.fetchers.addresses import PUBLIC_HOSTS
from imports.fetchers.ways import place_of
from imports.registry import OPTIONAL, SOURCES
from imports.upstream import Source

PAGE = (settings.BASE_DIR / "docs" / "sources.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", [*SOURCES, *OPTIONAL], ids=lambda source: source.slug)
def test_each_source_is_listed_with_its_licence_hosts_and_schedule(source: Source) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{source.slug}` |")]
    assert f"| {source.license} |" in row
    assert row.endswith("| every day |" if source.every.days == 1 else f"| every {source.every.days} days |")
    if source.slug != "threat-actors":
        assert {urlsplit(part.url).netloc for part in source.fetch} <= set(re.findall(r"`([a-z0-9.-]+)", row))


def test_each_host_is_listed_for_the_firewall() -> None:
    table = PAGE[PAGE.index("## What the firewall") : PAGE.index("Aegis asks no other host")]
    assert set(re.findall(r"`([a-z0-9.-]+)`", table)) == PUBLIC_HOSTS


def test_recipe_for_a_mirror_fetches_every_part() -> None:
    recipe = PAGE[PAGE.index("mkdir -p mirror") :]
    for place in {place_of(part.url) for source in SOURCES for part in source.fetch}:
        known = place.partition("/")[2] if place.startswith("codeload.") else place
        if "nist800_53" in place:
            known = place.partition("/nist800_53")[0]
        assert known in recipe
