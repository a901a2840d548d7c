"""Made-up upstreams for the tests of this package: a source, and archives of it, good and broken."""

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from datetime import timedelta

from imports.upstream import Fetch, GitHubArchive, HttpsFile, Source

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOP = f"rules-{COMMIT}"
ARCHIVE = GitHubArchive("acme/rules", "main")
BUNDLE = HttpsFile("https://raw.githubusercontent.com/acme/bundle/main/data/bundle.json")
RULES = {"rules/a.yml": b"title: a\n", "rules/windows/b.yml": b"title: b\n", "README.md": b"about"}
WANTED = {"rules/a.yml": b"title: a\n", "rules/windows/b.yml": b"title: b\n"}


def source(*parts: Fetch, files: tuple[str, ...] = ("rules/**/*.yml",), **more) -> Source:
    """A source of these parts (the archive alone when none is given) whose parser is of no interest."""
    return Source(
        slug="acme",
        label="Acme rules",
        license="CC0-1.0",
        homepage="https://example.org",
        fetch=parts or (ARCHIVE,),
        parse=lambda file: iter(()),
        every=timedelta(days=1),
        files=files,
        **more,
    )


def regular(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file for `tar`."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """A link, folder, pipe or device for `tar`."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def tar(
    members: Iterable[tuple[tarfile.TarInfo, bytes]], *, comment: str = COMMIT, form: int = tarfile.PAX_FORMAT
) -> bytes:
    """An uncompressed tar archive, with the commit where `git archive` puts it."""
    out = io.BytesIO()
    headers = {"comment": comment} if comment and form == tarfile.PAX_FORMAT else {}
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=headers, errors="surrogateescape") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tgz(members: Iterable[tuple[tarfile.TarInfo, bytes]], *, comment: str = COMMIT) -> bytes:
    """The same, gzipped."""
    return gzip.compress(tar(members, comment=comment), mtime=0)


def rules(files: Mapping[str, bytes] = RULES, *more: tuple[tarfile.TarInfo, bytes], top: str = TOP) -> bytes:
    """A tar.gz as GitHub makes it: one top folder, then the files, then what the test adds."""
    folder = special(f"{top}/", tarfile.DIRTYPE)
    return tgz([folder, *(regular(f"{top}/{path}", data) for path, data in files.items()), *more])
