"""The real upstreams of the mirror: read whole, the same whichever way they come."""

import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from imports.fetchers import fetch
from imports.fetchers.tests.worlds import source
from imports.upstream import GitHubArchive, HttpsFile

ARCHIVES = [
    (GitHubArchive("SigmaHQ/sigma", "master"), ("rules*/**/*.yml",), 3780),
    (GitHubArchive("elastic/detection-rules", "main"), ("rules/**/*.toml", "rules_building_block/**/*.toml"), 2192),
    (GitHubArchive("redcanaryco/atomic-red-team", "master"), ("atomics/T*/T*.yaml",), 341),
    (GitHubArchive("mitre/stockpile", "master"), ("data/abilities/**/*.yml",), 209),
]
ATTACK = HttpsFile("https://raw.githubusercontent.com/mitre/cti/master/enterprise-attack/enterprise-attack.json")


@pytest.mark.parametrize(("archive", "files", "count"), ARCHIVES, ids=lambda value: getattr(value, "repository", ""))
def test_every_rule_file_is_there_as_python_reads_it(mirror, archive, files, count):
    snapshot = fetch(source(archive, files=files), mirror=str(mirror))
    assert snapshot.issues == ()
    assert len(snapshot.pieces) == count
    place = mirror / archive.url.removeprefix("https://")
    with tarfile.open(place) as tar:
        top = tar.getnames()[0].partition("/")[0]
        assert snapshot.version == tar.pax_headers["comment"]
        expected = {info.name.removeprefix(f"{top}/"): tar.extractfile(info).read() for info in tar if info.isreg()}
    assert all(file.data == expected[file.path] for file in snapshot.files())


def test_bundle_is_whole_and_the_same_over_http_and_from_disk(mirror):
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
            """Tests are silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(mirror))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        by_http = fetch(source(ATTACK), mirror=f"http://127.0.0.1:{server.server_address[1]}")
        again = fetch(
            source(ATTACK),
            mirror=f"http://127.0.0.1:{server.server_address[1]}",
            validators=by_http.validators,
        )
        server.shutdown()
    on_disk = fetch(source(ATTACK), mirror=str(mirror))
    assert by_http.digest == on_disk.digest
    assert [len(file.data) for file in on_disk.files()] == [45_126_961]
    assert type(again).__name__ == "NotModified"
