"""A source that is down, slow, truncated or wrong: its run fails with a reason, the others go on, the catalogue stays."""

import gzip
import json
import re
import socket
import ssl
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

import imports.fetching
from imports.digest import catalog_digest
from imports.fetchers import LIMITS, fetch
from imports.fetchers.tests.conftest import Answer, Server, hang_up, ok, serving, status, then_hang_up
from imports.fetchers.ways import place_of
from imports.models import ImportRun
from imports.registry import SOURCES
from imports.services import SOURCE_OF, execute, request_import
from imports.tests.sample_world import SAMPLES
from imports.upstream import Fetch, GitHubArchive

pytestmark = pytest.mark.django_db
HURRIED = replace(LIMITS, backoff=0.001, retry_after=0.02, connect=1, read=0.3, total=2, retries=2)


@pytest.fixture
def server() -> Iterator[Server]:
    """A plain HTTP server on a free port of 127.0.0.1."""
    yield from serving(Server())


@pytest.fixture(autouse=True)
def hurried(monkeypatch) -> None:
    """The same limits with less patience."""
    monkeypatch.setattr(imports.fetching, "fetch", partial(fetch, limits=HURRIED))


def content(part: Fetch) -> bytes:
    """One part of a source as upstream would send it, out of the samples."""
    place = SAMPLES / place_of(part.url)
    if not isinstance(part, GitHubArchive):
        return place.read_bytes()
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(place, arcname=f"{part.repository.rpartition('/')[2]}-main")
    return gzip.compress(out.getvalue(), mtime=0)


def path_of(slug: str) -> str:
    return f"/{place_of(SOURCE_OF[slug].fetch[0].url)}"


def tagged(body: bytes) -> Answer:
    """The body with an ETag, or 304 for whoever has it."""
    tag = f'"{len(body)}"'

    def _answer(request) -> None:
        (status(304) if request.headers.get("If-None-Match") == tag else ok(body, ETag=tag))(request)

    return _answer


def hang_before(request) -> None:
    time.sleep(1)


def hang_within(request) -> None:
    ok(b"x", Content_Length="1000")(request)
    request.wfile.flush()
    time.sleep(1)


def trickle(request) -> None:
    ok(b"", Content_Length="100000")(request)
    for _ in range(40):
        request.wfile.write(b"x")
        time.sleep(0.03)


ARCHIVE = content(SOURCE_OF["lolbas"].fetch[0])
BOMB = gzip.compress(bytes(300 * 1024 * 1024), 9)
TROUBLES: dict[str, tuple[Answer, str]] = {
    "403": (status(403), "answered 403"),
    "404": (status(404), "The mirror has neither"),
    "429 with Retry-After": (status(429, Retry_After="3600"), r"answered 429 \(tried 3 times\)"),
    "500": (status(500), r"answered 500 \(tried 3 times\)"),
    "503 with Retry-After": (status(503, Retry_After="120"), r"answered 503 \(tried 3 times\)"),
    "html with 200": (ok(b"<!doctype html><title>Rate limit</title>"), "is a web page, not the file"),
    "json for an archive": (ok(b'{"message": "rate limit"}'), "is JSON, not a tar.gz archive"),
    "empty": (ok(b""), "is empty"),
    "hang up": (hang_up, r"the connection broke .*tried 3 times"),
    "hang before the body": (hang_before, r"tried 3 times|took longer than"),
    "hang within the body": (hang_within, r"tried 3 times|took longer than"),
    "trickle": (trickle, r"too slow: \d+ bytes in .*tried 3 times|took longer than 2 seconds"),
    "truncated": (ok(ARCHIVE[:-100]), "is cut short"),
    "truncated tar": (ok(gzip.compress(gzip.decompress(ARCHIVE)[:5_000])), "is cut short"),
    "flipped": (ok(ARCHIVE[:200] + bytes([ARCHIVE[200] ^ 255]) + ARCHIVE[201:]), "is damaged|not a readable tar"),
    "length too long": (
        then_hang_up(ok(ARCHIVE, Content_Length=str(len(ARCHIVE) + 9))),
        "the connection broke .*tried 3",
    ),
    "length too short": (ok(ARCHIVE, Content_Length=str(len(ARCHIVE) - 9), Connection="close"), "is cut short"),
    "bomb of 300 MB": (ok(BOMB), "100 times its size, as a decompression bomb does"),
    "redirect loop": (status(302, Location=path_of("lolbas")), "sends on more than 3 times"),
    "redirect to another host": (status(302, Location="https://example.org/"), "another host"),
    "redirect to a private address": (status(302, Location="http://169.254.169.254/latest"), "another host"),
    "redirect to another scheme": (
        status(302, Location="file:///etc/passwd"),
        "sends on to file:///etc/passwd, which is not fetched",
    ),
    "archive of something else": (
        ok(content(SOURCE_OF["caldera"].fetch[0])),
        "is not an archive of LOLBAS-Project/LOLBAS",
    ),
}


@pytest.fixture
def upstream(server: Server) -> Server:
    """A mirror site with two good sources."""
    for slug in ("lolbas", "caldera"):
        server.answers[path_of(slug)] = [ok(content(SOURCE_OF[slug].fetch[0]))]
    return server


@pytest.mark.one_database  # half a minute of broken lines and files, which are found out before a row is stored
@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_of_one_source_fails_its_run_alone_and_says_why(upstream: Server, trouble: str) -> None:
    for slug in ("lolbas", "caldera"):
        assert execute(request_import(slug), mirror=upstream.url).status == "succeeded"
    before = catalog_digest()
    answer, says = TROUBLES[trouble]
    upstream.answers[path_of("lolbas")] = [answer]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_source", "lolbas", "caldera", mirror=upstream.url, force=True, json=True, stdout=out)
    lolbas, caldera = map(json.loads, out.getvalue().splitlines())
    assert (lolbas["status"], caldera["status"]) == ("failed", "succeeded")
    failed = ImportRun.objects.get(source__slug="lolbas", status="failed")
    assert upstream.url in failed.error
    assert re.search(says, failed.error), failed.error
    assert "Traceback" not in failed.error
    assert " object at 0x" not in failed.error
    assert catalog_digest() == before


def refused() -> Exception:
    return ConnectionRefusedError(111, "Connection refused")


NETWORK: dict[str, tuple[Callable[[], Exception], str]] = {
    "refused": (refused, r"no connection \(Connection refused\) \(tried 3 times\)"),
    "no such name": (lambda: socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no such host"),
    "name server silent": (lambda: socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "tried 3 times"),
    "unreachable": (lambda: OSError(101, "Network is unreachable"), "Network is unreachable"),
    "not trusted": (lambda: ssl.SSLCertVerificationError(1, "self-signed certificate"), "certificate is not trusted"),
}


@pytest.mark.parametrize("case", NETWORK)
def test_network_that_fails_is_said_in_words(monkeypatch, case: str) -> None:
    error, says = NETWORK[case]

    def fail(*args: object, **kwargs: object) -> None:
        raise error()

    monkeypatch.setattr("socket.getaddrinfo", fail)
    run = execute(request_import("lolbas"))
    assert run.status == "failed"
    assert re.search(says, run.error), run.error
    assert "codeload.github.com" in run.error


def test_all_nine_on_an_unchanged_upstream_cost_one_small_request_for_each_part(server: Server) -> None:
    parts = {part.url: part for source in SOURCES for part in source.fetch}
    for part in parts.values():
        server.answers[f"/{place_of(part.url)}"] = [tagged(content(part))]
    for source in SOURCES:
        run = execute(request_import(source.slug), mirror=server.url)
        assert run.status == "succeeded", run.error
    server.asked.clear()
    before = catalog_digest()
    started = time.monotonic()
    runs = [execute(request_import(source.slug), mirror=server.url) for source in SOURCES]
    assert {run.status for run in runs} == {"not_modified"}
    assert len(server.asked) == sum(len(source.fetch) for source in SOURCES)
    assert all("If-None-Match" in headers for _, headers in server.asked)
    assert time.monotonic() - started < 10
    assert catalog_digest() == before


def test_truncated_json_is_no_release(tmp_path: Path) -> None:
    [part] = SOURCE_OF["attack"].fetch
    place = tmp_path / place_of(part.url)
    place.parent.mkdir(parents=True)
    place.write_bytes(content(part)[:-200])
    run = execute(request_import("attack"), mirror=str(tmp_path))
    assert run.status == "failed"
    assert "not a STIX bundle" in run.error
