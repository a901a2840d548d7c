"""How tests read samples/: everything that each source makes of it, by the way that an import goes."""

import functools
from pathlib import Path

from imports.fetchers import Snapshot, fetch
from imports.intake import Intake, parse_file, take_in
from imports.records import Record
from imports.registry import OPTIONAL, SOURCES

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SOURCE_OF = {source.slug: source for source in (*SOURCES, *OPTIONAL)}
SLUGS = sorted(source.slug for source in SOURCES)
ALL_SLUGS = sorted(SOURCE_OF)


@functools.cache
def taken_in(slug: str, mirror: Path = SAMPLES) -> Intake:
    """What one source holds in a mirror, with every issue."""
    source = SOURCE_OF[slug]
    snapshot = fetch(source, mirror=str(mirror))
    assert isinstance(snapshot, Snapshot)
    intake = take_in(source, [(file.path, parse_file(source, file)) for file in snapshot.files()])
    for issue in snapshot.issues:
        intake.report(issue)
    return intake


def records(slug: str, *kinds: type[Record], mirror: Path = SAMPLES) -> list:
    """The records of the given kinds, or all."""
    rows = taken_in(slug, mirror).rows.values()
    return [row.record for by_key in rows for row in by_key.values() if isinstance(row.record, kinds or Record)]
