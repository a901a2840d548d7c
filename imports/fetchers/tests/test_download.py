"""How one address is fetched: retries, redirects, limits, conditional requests, and TLS to a pinned address."""

import json
import socket
import threading
import time
from dataclasses import replace
from email.utils import formatdate

import pytest

from imports.fetchers import LIMITS, FetchError, Missing, NotModified, fetch
from imports.fetchers.addresses import Endpoint, mirror_route
from imports.fetchers.download import Downloader, tls_context
from imports.fetchers.tests.conftest import hang_up, ok, packed, status, then_hang_up
from imports.fetchers.tests.worlds import BUNDLE, COMMIT, WANTED, rules, source

HURRIED = replace(LIMITS, backoff=0.001, retry_after=0.05, connect=2, read=2, total=10)
PLACE = "/codeload.github.com/acme/rules/tar.gz/refs/heads/main"
BUNDLE_PLACE = "/raw.githubusercontent.com/acme/bundle/main/data/bundle.json"
JSON = json.dumps({"type": "bundle"}).encode()


def silent(url: str, done: int, total: int | None) -> None:
    """Nobody watches."""


@pytest.fixture
def get(server):
    """Fetches a path of the server; gives the bytes, or None for not modified."""

    def _get(path: str = "/x", validator: str = "", limits=HURRIED, progress=silent) -> bytes | None:
        loader = Downloader(mirror_route(server.url), limits, progress, "Aegis/1.2", tls_context())
        download = loader.get(server.url + path, validator)
        if download is None:
            return None
        with download.raw as raw:
            return raw.read()

    return _get


def fetched(server, *parts, limits=HURRIED, **more):
    return fetch(source(*parts), mirror=server.url, limits=limits, **more)


def test_mirror_site_gives_the_same_as_the_archive_from_disk(server, tmp_path):
    server.answers[PLACE] = [ok(rules())]
    (tmp_path / "acme.tar.gz").write_bytes(rules())
    snapshot = fetched(server)
    assert {file.path: file.data for file in snapshot.files()} == WANTED
    assert snapshot.version == COMMIT
    assert snapshot.origin == f"mirror {server.url}"
    assert snapshot.digest == fetch(source(), local=str(tmp_path / "acme.tar.gz")).digest


def test_request_says_who_asks_and_wants_the_bytes_as_they_are(get, server):
    server.answers["/x"] = [ok(b"abc", Set_Cookie="a=b")]
    assert [get(), get()] == [b"abc", b"abc"]
    for _, headers in server.asked:
        assert headers["User-Agent"] == "Aegis/1.2"
        assert headers["Accept-Encoding"] == "identity"
        assert headers["Host"] == f"127.0.0.1:{server.port}"
        assert headers.keys().isdisjoint({"Cookie", "Authorization", "If-None-Match", "If-Modified-Since"})


def test_proxy_and_login_of_the_environment_are_not_used(get, server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    for name, value in {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    server.answers["/x"] = [ok(b"abc")]
    assert get() == b"abc"
    assert "Authorization" not in server.asked[0][1]


def test_progress_tells_bytes_so_far_and_the_total(get, server):
    told = []
    server.answers["/x"] = [ok(bytes(200_000))]
    get(progress=lambda url, done, total: told.append((url, done, total)))
    assert told[-1] == (f"{server.url}/x", 200_000, 200_000)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


@pytest.mark.parametrize(
    "trouble",
    [status(500), status(502), status(503), status(429), status(403, Retry_After="1"), hang_up],
    ids=["500", "502", "503", "429", "403-with-retry-after", "hang-up"],
)
def test_passing_trouble_is_tried_again(get, server, trouble):
    server.answers["/x"] = [trouble, trouble, trouble, trouble, ok(b"at last")]
    assert get() == b"at last"
    assert len(server.asked) == 5


def test_lasting_trouble_ends_after_four_more_attempts(get, server):
    server.answers["/x"] = [status(503)]
    with pytest.raises(FetchError, match=r"/x: the server answered 503 \(tried 5 times\). Try again later"):
        get()
    assert len(server.asked) == 5


@pytest.mark.parametrize("answer", [status(403), status(403, Retry_After="0"), status(429)], ids=["403", "wait", "429"])
def test_a_refusal_names_what_the_server_answered(get, server, answer):
    server.answers["/x"] = [answer]
    with pytest.raises(FetchError) as refusal:
        get()
    assert f"answered {refusal.value.status} " in str(refusal.value)


@pytest.mark.parametrize("code", [204, 206, 304, 400, 401, 403, 418])
def test_refusal_is_final_and_named(get, server, code):
    server.answers["/x"] = [status(code)]
    with pytest.raises(FetchError, match=f"/x: the server answered {code} instead of the file"):
        get()
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [404, 410])
def test_address_that_is_gone_is_missing(get, server, code):
    server.answers["/x"] = [status(code)]
    with pytest.raises(Missing, match="does not exist"):
        get()


@pytest.mark.parametrize(
    "asked", ["1000000000", "9" * 400, "0", formatdate(4e9, usegmt=True), "soon", "-5", formatdate(0)]
)
def test_wait_that_a_server_asks_for_is_bounded(get, server, asked):
    server.answers["/x"] = [status(429, Retry_After=asked), ok(b"abc")]
    start = time.monotonic()
    assert get() == b"abc"
    assert time.monotonic() - start < 2


def test_body_shorter_than_announced_is_tried_again_then_refused(get, server):
    server.answers["/x"] = [then_hang_up(ok(b"abc", Content_Length="10"))]
    with pytest.raises(FetchError, match=r"the connection broke .*tried 5 times"):
        get()
    server.answers["/x"] = [server.answers["/x"][0], ok(b"whole")]
    assert get() == b"whole"


def test_archive_with_a_length_too_short_is_cut_and_refused(server):
    server.answers[PLACE] = [ok(rules(), Content_Length=str(len(rules()) - 5), Connection="close")]
    with pytest.raises(FetchError, match="is cut short"):
        fetched(server)


def chunked(*chunks: bytes, ended: bool = True):
    def _answer(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for chunk in chunks:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        request.wfile.write(b"0\r\n\r\n" if ended else b"ff\r\nab")
        request.close_connection = not ended

    return _answer


def test_chunked_body_is_read_whole_or_not_at_all(get, server):
    server.answers["/x"] = [chunked(b"ab", ended=False), chunked(b"ab", b"c" * 100_000)]
    assert get() == b"ab" + b"c" * 100_000
    server.answers["/x"] = [chunked(b"ab", ended=False)]
    with pytest.raises(FetchError, match="tried 5 times"):
        get()


@pytest.mark.parametrize(
    "answer", [ok(bytes(300_000)), chunked(bytes(150_000), bytes(150_000))], ids=["announced", "chunked"]
)
def test_download_ends_at_its_cap(get, server, answer):
    server.answers["/x"] = [answer]
    with pytest.raises(FetchError, match="larger than 200,000 bytes"):
        get(limits=replace(HURRIED, download=200_000))
    assert len(server.asked) == 1


def trickle(request):
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b"x")
        time.sleep(0.02)


def trickle_headers(request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for n in range(200):
        request.wfile.write(b"X-%d: y\r\n" % n)
        time.sleep(0.02)


@pytest.mark.parametrize("answer", [trickle, trickle_headers])
def test_whole_download_has_a_time_limit_however_it_trickles(get, server, answer):
    server.answers["/x"] = [answer]
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"took longer than 0.5 seconds"):
        get(limits=replace(HURRIED, total=0.5))
    assert time.monotonic() - start < 2


def test_server_that_says_nothing_is_given_up(get, server):
    release = threading.Event()
    server.answers["/x"] = [lambda request: release.wait(5)]
    with pytest.raises(FetchError, match="tried 2 times"):
        get(limits=replace(HURRIED, read=0.1, retries=1))
    release.set()


def test_no_server_at_all_is_said_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FetchError, match="Connection refused") as refused:
            fetch(source(), mirror=url, limits=HURRIED)
    assert "object at" not in str(refused.value)


@pytest.mark.parametrize(
    "noise", [b"\x00\xff\xfe garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500, b"SSH-2.0-x\r\n"]
)
def test_server_that_speaks_something_else_is_no_crash(get, server, noise):
    server.answers["/x"] = [then_hang_up(lambda request: request.wfile.write(noise))]
    with pytest.raises(FetchError, match="tried 5 times"):
        get()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_within_the_mirror_is_followed(get, server, code):
    server.answers |= {"/x": [status(code, Location="/y")], "/y": [ok(b"abc")]}
    assert get() == b"abc"
    assert server.paths() == ["/x", "/y"]


def test_redirects_are_followed_three_times(get, server):
    server.answers |= {f"/{n}": [status(302, Location=f"/{n + 1}")] for n in range(20)} | {"/3": [ok(b"abc")]}
    assert get("/0") == b"abc"
    server.answers["/3"] = [status(302, Location="/4")]
    with pytest.raises(FetchError, match="sends on more than 3 times"):
        get("/0")
    assert server.paths()[-1] == "/3"


def test_redirect_loop_ends(get, server):
    server.answers["/x"] = [status(302, Location="/x")]
    with pytest.raises(FetchError, match="sends on more than 3 times"):
        get()
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest", "file:///etc/passwd", "//[::1]/", "ftp://127.0.0.1/"]
)
def test_redirect_elsewhere_is_not_followed(get, server, location):
    server.answers["/x"] = [status(302, Location=location)]
    with pytest.raises(FetchError, match=r"another host|which is not fetched|not an address"):
        get()
    assert server.paths() == ["/x"]


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_packing_that_was_not_asked_for_is_refused(get, server, encoding):
    server.answers["/x"] = [ok(b"abc", Content_Encoding=encoding)]
    with pytest.raises(FetchError, match=f"packed as `{encoding}`"):
        get()


def test_file_may_come_gzipped_by_the_server(server):
    server.answers[BUNDLE_PLACE] = [ok(packed(JSON), Content_Encoding="gzip")]
    assert [file.data for file in fetched(server, BUNDLE).files()] == [JSON]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>limit</html>", "a web page"),
        (b"\xef\xbb\xbf \n<!doctype html>", "a web page"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"oops", "is not JSON"),
        (packed(packed(JSON)), "gzip inside gzip"),
        (packed(JSON)[:-3], "is cut short"),
        (packed(b"{" + bytes(30_000_000)), "100 times its size"),
    ],
)
def test_what_is_not_the_file_is_refused_before_it_is_parsed(server, body, says):
    server.answers[BUNDLE_PLACE] = [ok(body)]
    with pytest.raises(FetchError, match=says):
        fetched(server, BUNDLE)


def test_single_file_over_its_limit_is_refused(server):
    server.answers[BUNDLE_PLACE] = [ok(b"[" + b"1," * 1_000)]
    with pytest.raises(FetchError, match="larger than 1,500 bytes"):
        fetched(server, BUNDLE, limits=replace(HURRIED, member={".json": 1_500}))


def test_mirror_site_may_hold_the_file_gzipped(server):
    server.answers[f"{BUNDLE_PLACE}.gz"] = [ok(packed(JSON))]
    snapshot = fetched(server, BUNDLE)
    assert [(file.path, file.data) for file in snapshot.files()] == [("acme/bundle/main/data/bundle.json", JSON)]


def test_mirror_site_that_lacks_a_part_names_the_place(server):
    server.answers[PLACE] = [ok(rules())]
    with pytest.raises(Missing, match=f"neither {server.url}{BUNDLE_PLACE} nor .*gz") as missing:
        fetch(source(*source().fetch, BUNDLE), mirror=f"{server.url}/", limits=HURRIED)
    assert BUNDLE.url in str(missing.value)


@pytest.mark.parametrize(
    ("answered", "asked"),
    [
        ({"ETag": '"v1"'}, "If-None-Match"),
        ({"ETag": 'W/"v1"'}, "If-None-Match"),
        ({"Last_Modified": formatdate(0)}, "If-Modified-Since"),
    ],
)
def test_remembered_validator_is_asked_with(server, answered, asked):
    server.answers[PLACE] = [ok(rules(), **answered), status(304)]
    snapshot = fetched(server)
    [value] = answered.values()
    assert snapshot.validators == {server.url + PLACE: value}
    again = fetched(server, validators=snapshot.validators)
    assert again == NotModified(f"mirror {server.url}", snapshot.validators)
    assert server.asked[-1][1][asked] == value


def test_source_of_several_parts_is_fetched_whole_when_one_changed(server):
    parts = (*source().fetch, BUNDLE)
    server.answers[PLACE] = [ok(rules(), ETag='"a"'), status(304), ok(rules(), ETag='"a"')]
    server.answers[BUNDLE_PLACE] = [ok(JSON, ETag='"b1"'), ok(b"[]", ETag='"b2"')]
    first = fetched(server, *parts)
    second = fetched(server, *parts, validators=first.validators)
    assert [file.path for file in second.files()] == [*WANTED, "acme/bundle/main/data/bundle.json"]
    assert sorted(second.validators.values()) == ['"a"', '"b2"']
    assert second.digest != first.digest
    assert "If-None-Match" not in server.asked[-1][1]


def test_source_of_several_parts_is_not_modified_only_when_none_is(server):
    parts = (*source().fetch, BUNDLE)
    server.answers |= {PLACE: [ok(rules(), ETag='"a"'), status(304)], BUNDLE_PLACE: [ok(JSON, ETag='"b"'), status(304)]}
    first = fetched(server, *parts)
    assert isinstance(fetched(server, *parts, validators=first.validators), NotModified)


@pytest.mark.parametrize("tag", ["x" * 300, '"a\tb"', '"é"'])
def test_validator_that_cannot_be_sent_again_is_not_remembered(server, tag):
    server.answers[PLACE] = [ok(rules(), ETag=tag)]
    assert fetched(server).validators == {}


def test_next_attempt_tries_the_next_address(server):
    server.answers["/x"] = [ok(b"abc")]
    route = lambda url: Endpoint("http", "127.0.0.1", server.port, "/x", ("127.0.0.2", "127.0.0.1"))  # noqa: E731
    download = Downloader(route, HURRIED, silent, "Aegis", tls_context()).get("http://127.0.0.1/x")
    assert download is not None
    with download.raw as raw:
        assert raw.read() == b"abc"


def test_content_decides_and_not_its_label(server):
    server.answers[PLACE] = [ok(rules(), Content_Type="text/html")]
    assert {file.path: file.data for file in fetched(server).files()} == WANTED
