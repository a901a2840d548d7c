"""TAXII servers that are down, slow, wrong or of the older version: nothing half comes, and the next way is told why."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

import imports.fetchers
from imports.fetchers import LIMITS, FetchError, NotModified, Snapshot, TaxiiServer, fetch
from imports.fetchers.addresses import Endpoint, mirror_route
from imports.fetchers.download import Downloader, tls_context
from imports.fetchers.taxii import TAXII_LIMITS, taxii_route, taxii_snapshot
from imports.fetchers.tests.conftest import Answer, Server, hang_up, ok, packed, status
from imports.fetchers.tests.worlds import source
from imports.fetchers.ways import MirrorFolder
from imports.upstream import HttpsFile, TaxiiCollection

FILE = HttpsFile("https://raw.githubusercontent.com/acme/cti/master/acme/bundle.json")
ACME = replace(source(FILE), taxii=TaxiiCollection("x-acme--1", "Acme rules", FILE))
HURRIED = replace(TAXII_LIMITS, connect=2, read=0.5, backoff=0.001, retry_after=0.05)
TYPE = {"2.0": "application/vnd.oasis.taxii+json; version=2.0", "2.1": "application/taxii+json;version=2.1"}
STIX_20 = "application/vnd.oasis.stix+json; version=2.0"
THREE = [
    {"type": "tool", "id": f"tool--{n}", "modified": "2026-01-01T00:00:00.000Z", "name": f"Tool {n}"} for n in "123"
]
ROOT = "/api/"
COLLECTION = f"{ROOT}collections/x-acme--1/"


def answered(value: Any, media_type: str = TYPE["2.1"], **headers: str) -> Answer:
    return ok(value if isinstance(value, bytes) else json.dumps(value).encode(), Content_Type=media_type, **headers)


def only_for(media_type: str, value: Any) -> Answer:
    """As a server that speaks one version: 406 for everybody who asks for another."""

    def _answer(request) -> None:
        wanted = request.headers["Accept"] == media_type
        (answered(value, media_type) if wanted else status(406, b"Not Acceptable"))(request)

    return _answer


def collections(**more: Any) -> dict[str, Any]:
    mine = {"id": "x-acme--1", "title": "Acme rules", "can_read": True, "can_write": False} | more
    return {"collections": [{**mine, "id": "x-acme--2", "title": "Other"}, mine]}


def entries(objects: Iterable[dict[str, Any]] = THREE) -> dict[str, Any]:
    return {
        "objects": [
            {"id": each["id"], "date_added": "2026-02-02T00:00:00Z", "version": each["modified"]} for each in objects
        ]
    }


@pytest.fixture
def taxii(server: Server) -> Server:
    """A 2.1 server that answers rightly; tests change an answer."""
    server.answers |= {
        f"{ROOT}collections/": [only_for(TYPE["2.1"], collections())],
        f"{COLLECTION}manifest/": [only_for(TYPE["2.1"], entries())],
        f"{COLLECTION}objects/": [only_for(TYPE["2.1"], {"objects": THREE})],
    }
    return server


def asked(
    server: Server, version: str = "2.1", *, seconds: float = 5, known: dict[str, str] | None = None, limits=HURRIED
):
    url = f"{server.url}{ROOT}"
    loader = Downloader(mirror_route(url), limits, lambda *told: None, "Aegis", tls_context())
    return taxii_snapshot(TaxiiServer(version, url, seconds), ACME, loader, known or {})


def content(snapshot: Snapshot) -> list[str]:
    [file] = snapshot.files()
    assert file.path == "acme/cti/master/acme/bundle.json"
    bundle = json.loads(file.data)
    assert bundle["type"] == "bundle"
    return [each["id"] for each in bundle["objects"]]


def test_collection_becomes_the_file_that_it_stands_for(taxii: Server) -> None:
    assert content(asked(taxii)) == ["tool--1", "tool--2", "tool--3"]
    assert taxii.paths() == [f"{ROOT}collections/", f"{COLLECTION}manifest/", f"{COLLECTION}objects/"]


def test_unchanged_manifest_spares_the_objects(taxii: Server) -> None:
    first = asked(taxii)
    taxii.asked.clear()
    assert asked(taxii, known=dict(first.validators)) == NotModified(first.origin, first.validators)
    assert f"{COLLECTION}objects/" not in taxii.paths()
    changed = [{**THREE[0], "modified": "2026-03-03T00:00:00.000Z"}, *THREE[1:]]
    taxii.answers[f"{COLLECTION}manifest/"] = [answered(entries(changed))]
    assert isinstance(asked(taxii, known=dict(first.validators)), Snapshot)


def test_pages_are_joined_and_an_object_on_two_pages_comes_once(taxii: Server) -> None:
    taxii.answers[f"{COLLECTION}objects/"] = [answered({"objects": THREE[:2], "more": True, "next": "a b&c"})]
    taxii.answers[f"{COLLECTION}objects/?next=a+b%26c&limit=2"] = [answered({"objects": THREE[1:]})]
    assert content(asked(taxii)) == ["tool--1", "tool--2", "tool--3"]


def test_collection_is_found_by_its_title_where_its_id_is_another(taxii: Server) -> None:
    taxii.answers[f"{ROOT}collections/"] = [answered(collections(id="95ecc380"))]
    for name in ("manifest/", "objects/"):
        taxii.answers[f"{ROOT}collections/95ecc380/{name}"] = taxii.answers.pop(f"{COLLECTION}{name}")
    assert content(asked(taxii)) == ["tool--1", "tool--2", "tool--3"]


def test_answers_may_be_packed(taxii: Server) -> None:
    body = packed(json.dumps({"objects": THREE}).encode())
    taxii.answers[f"{COLLECTION}objects/"] = [answered(body, Content_Encoding="gzip")]
    assert content(asked(taxii)) == ["tool--1", "tool--2", "tool--3"]


def test_version_2_0_is_asked_without_a_range(server: Server) -> None:
    manifest = {"objects": [{"id": each["id"], "date_added": "x", "versions": [each["modified"]]} for each in THREE]}
    server.answers |= {
        f"{ROOT}collections/": [only_for(TYPE["2.0"], collections())],
        f"{COLLECTION}manifest/": [only_for(TYPE["2.0"], manifest)],
        f"{COLLECTION}objects/": [only_for(STIX_20, {"type": "bundle", "spec_version": "2.0", "objects": THREE})],
    }
    assert content(asked(server, "2.0")) == ["tool--1", "tool--2", "tool--3"]
    assert all("Range" not in headers for _, headers in server.asked)


def test_version_2_1_of_a_2_0_server_is_refused(server: Server) -> None:
    server.answers[f"{ROOT}collections/"] = [only_for(TYPE["2.0"], collections())]
    with pytest.raises(FetchError, match="the server answered 406"):
        asked(server)


WRONG: dict[str, tuple[str, Callable[[], Answer], str]] = {
    "406": ("objects/", lambda: status(406), "answered 406"),
    "401": ("manifest/", lambda: status(401), "answered 401"),
    "429": ("objects/", lambda: status(429, Retry_After="3600"), r"answered 429 \(tried 3 times\)"),
    "503": ("manifest/", lambda: status(503), r"answered 503 \(tried 3 times\)"),
    "404": ("manifest/", lambda: status(404), "does not exist"),
    "html": ("objects/", lambda: answered(b"<html>blocked</html>", "text/html"), "answered text/html instead of"),
    "html that says json": ("objects/", lambda: answered(b"<html>"), "is not a JSON object"),
    "plain json": (
        "objects/",
        lambda: answered({"objects": THREE}, "application/json"),
        "answered application/json instead",
    ),
    "a list": ("objects/", lambda: answered(b"[]"), "is not a JSON object"),
    "cut json": ("objects/", lambda: answered(b'{"objects": [{"id"'), "is not a JSON object"),
    "deep json": ("objects/", lambda: answered(b'{"objects": [' + b"[" * 9_000), "is not a JSON object|cannot be read"),
    "objects no list": ("objects/", lambda: answered({"objects": {"id": "x"}}), "`objects` cannot be read"),
    "object no id": ("objects/", lambda: answered({"objects": [{"type": "tool"}]}), "has no readable id"),
    "entry no id": ("manifest/", lambda: answered({"objects": [7]}), "an entry of the manifest cannot be read"),
    "one missing": (
        "objects/",
        lambda: answered({"objects": THREE[:2]}),
        "1 of the 3 objects of its manifest did not come",
    ),
    "empty": ("objects/", lambda: answered({}), "the collection is empty"),
    "more of nothing": ("objects/", lambda: answered({"more": True}), "says that there is more, and gives nothing"),
    "bomb": ("objects/", lambda: answered(packed(bytes(30_000_000)), Content_Encoding="gzip"), "100 times its size"),
    "hang up": ("objects/", lambda: hang_up, r"the connection broke .*tried 3 times"),
    "elsewhere": ("objects/", lambda: status(302, Location="http://169.254.169.254/"), "another host"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_answer_ends_the_way_with_its_reason(taxii: Server, case: str) -> None:
    name, answer, says = WRONG[case]
    taxii.answers[f"{COLLECTION}{name}"] = [answer()]
    with pytest.raises(FetchError, match=says):
        asked(taxii)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"collections": []}, "holds no collection “Acme rules”; it holds none"),
        ({}, "it holds none"),
        ({"collections": [{"title": "x"}]}, "does not answer as a TAXII server"),
        ({"collections": ["x"]}, "does not answer as a TAXII server"),
        ({"collections": 7}, "does not answer as a TAXII server"),
        (collections(can_read=False), "does not allow reading"),
        (collections(title=None), "does not answer as a TAXII server"),
    ],
    ids=["none", "nothing", "no-id", "text", "number", "unreadable", "no-title"],
)
def test_collections_that_are_not_as_the_protocol_says_end_the_way(taxii: Server, value: Any, says: str) -> None:
    taxii.answers[f"{ROOT}collections/"] = [answered(value)]
    with pytest.raises(FetchError, match=says):
        asked(taxii)


def test_endless_pages_end(taxii: Server) -> None:
    endless = answered({"objects": THREE, "more": True, "next": "x"})
    taxii.answers |= {f"{COLLECTION}objects/": [endless], f"{COLLECTION}objects/?next=x&limit=3": [endless]}
    with pytest.raises(FetchError, match=r"more than 1,000 pages|more than 3 seconds"):
        asked(taxii, seconds=3)


def slowly(seconds: float, answer: Answer) -> Answer:
    def _answer(request) -> None:
        time.sleep(seconds)
        answer(request)

    return _answer


def test_all_requests_together_have_one_time_limit(taxii: Server) -> None:
    taxii.answers = {path: [slowly(0.3, answer) for answer in answers] for path, answers in taxii.answers.items()}
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"took longer than|takes more than 0.5 seconds"):
        asked(taxii, seconds=0.5)
    assert time.monotonic() - start < 2


def test_server_that_hangs_is_left_within_its_time(taxii: Server) -> None:
    taxii.answers[f"{COLLECTION}objects/"] = [slowly(5, hang_up)]
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"took longer than|Read timed out"):
        asked(taxii, seconds=1)
    assert time.monotonic() - start < 2


def test_collection_past_the_size_limit_is_not_read_on(taxii: Server) -> None:
    with pytest.raises(FetchError, match="larger than"):
        asked(taxii, limits=replace(HURRIED, decoded=400))


@pytest.fixture
def github(monkeypatch, tmp_path):
    """What stands for GitHub: a mirror of this machine behind the network's way."""
    place = tmp_path / FILE.url.removeprefix("https://")
    place.parent.mkdir(parents=True)
    place.write_text('{"type": "bundle", "objects": []}')
    monkeypatch.setattr(imports.fetchers, "_way", lambda *args, **kwargs: MirrorFolder(tmp_path, LIMITS))
    return place


def test_github_serves_when_taxii_does_not_and_the_origin_says_why(taxii: Server, github) -> None:
    taxii.answers[f"{COLLECTION}objects/"] = [answered({"objects": THREE[1:]})]
    url = f"{taxii.url}{ROOT}"
    snapshot = fetch(ACME, taxii=[TaxiiServer("2.1", url), TaxiiServer("2.0", url)])
    first, second, third = snapshot.origin.split("; ")
    assert first.startswith("mirror ")
    assert second == (
        f"TAXII 2.1 {url} did not serve: {url}: 1 of the 3 objects of its manifest did not come, for example tool--1."
    )
    assert third.startswith(f"TAXII 2.0 {url} did not serve: {url}collections/: the server answered 406")


def test_failure_of_every_way_names_every_reason(taxii: Server, github) -> None:
    github.unlink()
    taxii.answers[f"{ROOT}collections/"] = [status(406)]
    with pytest.raises(FetchError, match=r"The mirror has neither .*TAXII 2.1 .* did not serve: .* answered 406"):
        fetch(ACME, taxii=[TaxiiServer("2.1", f"{taxii.url}{ROOT}")])


def test_source_without_a_collection_asks_no_taxii_server(taxii: Server, github) -> None:
    assert isinstance(fetch(source(FILE), taxii=[TaxiiServer("2.1", f"{taxii.url}{ROOT}")]), Snapshot)
    assert taxii.asked == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_public_server_must_lead_to_the_public_internet(address: str, monkeypatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: [(2, 1, 6, "", (address, 443))])
    route = taxii_route("https://attack-taxii.mitre.org/api/v21/", ())
    with pytest.raises(FetchError, match="not on the public internet"):
        route("https://attack-taxii.mitre.org/api/v21/")


def test_own_server_is_asked_where_it_stands_and_nowhere_else() -> None:
    route = taxii_route("http://taxii.internal:8080/api/", ())
    assert route("http://taxii.internal:8080/x") == Endpoint("http", "taxii.internal", 8080, "/x", ("taxii.internal",))
    with pytest.raises(FetchError, match="another host"):
        route("http://taxii.internal:8081/x")
