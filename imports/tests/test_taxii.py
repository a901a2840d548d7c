"""ATT&CK by TAXII: a real medallion server, the same rows as from GitHub, and the way back to GitHub."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from imports.digest import catalog_digest
from imports.fetchers import NotModified, Snapshot, TaxiiServer, fetch
from imports.fetchers.tests.taxii_worlds import as_stix21, config, medallion
from imports.intake import parse_file, take_in
from imports.services import SOURCE_OF, execute, request_import
from imports.sources.attack import CTI_BUNDLE
from imports.tests.sample_world import SAMPLES
from imports.upstream import Source

PLACE = CTI_BUNDLE.url.removeprefix("https://")
SLUGS = ("attack", "threat-actors")


def objects_of(mirror: Path) -> list[dict]:
    [file] = fetch(SOURCE_OF["attack"], mirror=str(mirror)).files()
    return json.loads(file.data)["objects"]


@pytest.fixture(scope="module")
def sample_server(tmp_path_factory) -> Iterator[str]:
    """medallion with the sample bundle, on pages of 100 objects."""
    objects = as_stix21(objects_of(SAMPLES), "18.1")
    with medallion(config(tmp_path_factory.mktemp("taxii"), objects, page=100)) as url:
        yield url


def by_taxii(source: Source, url: str, **more) -> Snapshot | NotModified:
    return fetch(source, taxii=[TaxiiServer("2.1", url)], **more)


def rows(source: Source, snapshot: Snapshot | NotModified) -> dict:
    assert isinstance(snapshot, Snapshot)
    intake = take_in(source, [(file.path, parse_file(source, file)) for file in snapshot.files()])
    found = {key: row.content_hash for kind in intake.rows.values() for key, row in kind.items()}
    return {"version": intake.version, "issues": intake.issues, "rows": found}


@pytest.mark.parametrize("slug", SLUGS)
def test_collection_makes_the_same_rows_as_the_file(slug: str, sample_server: str) -> None:
    source = SOURCE_OF[slug]
    collection = by_taxii(source, sample_server)
    assert collection.origin == f"TAXII 2.1 {sample_server}"
    file = fetch(source, mirror=str(SAMPLES))
    assert rows(source, collection) == rows(source, file)
    assert [piece.path for piece in collection.pieces] == [piece.path for piece in file.pieces]


def test_order_in_which_a_server_gives_its_objects_does_not_matter(sample_server: str, tmp_path: Path) -> None:
    source = SOURCE_OF["attack"]
    objects = sorted(as_stix21(objects_of(SAMPLES), "18.1"), key=lambda each: each["id"])
    with medallion(config(tmp_path, objects, page=1_000)) as other:
        assert by_taxii(source, other).digest == by_taxii(source, sample_server).digest


def test_unchanged_manifest_is_not_modified(sample_server: str) -> None:
    source = SOURCE_OF["attack"]
    first = by_taxii(source, sample_server)
    [(address, _)] = first.validators.items()
    assert address.endswith("/manifest/")
    assert by_taxii(source, sample_server, validators=first.validators) == NotModified(first.origin, first.validators)


@pytest.mark.django_db
def test_import_says_that_it_came_by_taxii_and_the_file_changes_nothing_after_it(sample_server: str, settings) -> None:
    settings.AEGIS_TAXII_URL = sample_server
    for slug in SLUGS:
        run = execute(request_import(slug))
        assert (run.status, run.origin) == ("succeeded", f"TAXII 2.1 {sample_server}"), run.error
    digest = catalog_digest()
    again = execute(request_import("attack"))
    assert (again.status, again.origin) == ("not_modified", f"TAXII 2.1 {sample_server}")
    for slug in SLUGS:
        run = execute(request_import(slug), mirror=str(SAMPLES))
        assert (run.status, run.origin) == ("succeeded", f"mirror {SAMPLES}"), run.error
        assert (run.created, run.updated, run.withdrawn) == (0, 0, 0)
    assert catalog_digest() == digest


@pytest.mark.parametrize("way", ["mirror", "local"])
def test_mirror_or_local_file_is_taken_without_asking_a_server(way: str) -> None:
    nobody = TaxiiServer("2.1", "http://127.0.0.1:9/v21/")
    place = str(SAMPLES) if way == "mirror" else str(SAMPLES / PLACE)
    snapshot = fetch(SOURCE_OF["attack"], taxii=[nobody], **{way: place})
    assert "TAXII" not in snapshot.origin


@pytest.mark.parametrize("slug", SLUGS)
def test_real_bundle_makes_the_same_rows_by_both_ways(slug: str, mirror: Path, real_server: str) -> None:
    source = SOURCE_OF[slug]
    assert rows(source, by_taxii(source, real_server)) == rows(source, fetch(source, mirror=str(mirror)))


@pytest.fixture(scope="module")
def real_server(mirror: Path, tmp_path_factory) -> Iterator[str]:
    """medallion with the real bundle, on pages of 5,000 objects."""
    objects = as_stix21(objects_of(mirror), "18.1")
    folder = tmp_path_factory.mktemp("taxii")
    with medallion(config(folder, objects, page=5_000, backend="LinearBackend")) as url:
        yield url
