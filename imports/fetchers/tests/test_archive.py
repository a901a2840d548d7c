"""What an archive may be: the corpus C1 of broken and hostile ones, built in memory."""

import gzip
import io
import os
import struct
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.fetchers import LIMITS, FetchError, Limits, Snapshot, fetch
from imports.fetchers.snapshot import Store
from imports.fetchers.tests.worlds import COMMIT, RULES, TOP, WANTED, regular, rules, source, special, tar, tgz


@pytest.fixture
def read(tmp_path):
    """Reads an archive given as bytes, from a file."""

    def _read(data: bytes, limits: Limits = LIMITS, **more) -> Snapshot:
        file = tmp_path / "acme.tar.gz"
        file.write_bytes(data)
        found = fetch(source(**more), local=str(file), limits=limits)
        assert isinstance(found, Snapshot)
        return found

    return _read


def contents(snapshot: Snapshot) -> dict[str, bytes]:
    return {file.path: file.data for file in snapshot.files()}


def issues(snapshot: Snapshot) -> dict[str, str]:
    return {issue.path: issue.message for issue in snapshot.issues}


def test_archive_gives_the_wanted_files_and_the_commit(read):
    snapshot = read(rules())
    assert contents(snapshot) == WANTED
    assert snapshot.version == COMMIT
    assert snapshot.issues == ()


def test_files_may_be_read_twice_and_side_by_side(read):
    snapshot = read(rules())
    assert [one.data == two.data for one, two in zip(snapshot.files(), snapshot.files(), strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("comment", "top", "version"), [("", TOP, COMMIT), ("", "rules-main", ""), ("a remark", "rules", "")]
)
def test_commit_comes_from_the_folder_when_the_header_has_none(read, comment, top, version):
    assert read(tgz([regular(f"{top}/rules/a.yml", b"x")], comment=comment)).version == version


def test_same_files_have_the_same_digest_whatever_else_the_archive_holds(read):
    one = read(rules())
    other = read(
        tgz([regular("rules-x/rules/windows/b.yml", b"title: b\n"), regular("rules-x/rules/a.yml", b"title: a\n")])
    )
    assert one.digest == other.digest
    assert read(rules(RULES | {"rules/a.yml": b"title: changed\n"})).digest != one.digest


def test_select_narrows_the_matching_files(read):
    assert list(contents(read(rules(), select=lambda paths: paths[1:]))) == ["rules/windows/b.yml"]


def test_selected_file_that_cannot_be_used_lets_no_other_in_its_place(read):
    link = special(f"{TOP}/rules/z.yml", tarfile.SYMTYPE, "a.yml")
    found = read(rules(RULES, link), select=lambda paths: [max(paths), min(paths)])
    assert (list(contents(found)), [issue.path for issue in found.issues]) == (["rules/a.yml"], ["rules/z.yml"])
    with pytest.raises(FetchError, match="holds no usable file that matches"):
        read(rules(RULES, link), select=lambda paths: [max(paths)])


def test_file_that_cannot_be_used_is_no_matter_where_it_is_not_selected(read):
    link = special(f"{TOP}/rules/z.yml", tarfile.SYMTYPE, "a.yml")
    found = read(rules(RULES, link), select=lambda paths: [min(paths)], complete=True)
    assert (list(contents(found)), found.issues) == (["rules/a.yml"], ())


def test_none_is_taken_of_files_that_only_make_sense_together_when_one_cannot_be_used(read):
    link = special(f"{TOP}/rules/z.yml", tarfile.SYMTYPE, "a.yml")
    with pytest.raises(
        FetchError, match=r"rules/z.yml: a symbolic link, not a regular file: skipped. .* none was taken"
    ):
        read(rules(RULES, link), complete=True)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "is empty", id="a01"),
        pytest.param(b"<!DOCTYPE html><title>Rate limited</title>", "is a web page", id="a02"),
        pytest.param(b'{"message": "API rate limit exceeded"}', "is JSON, not a tar.gz", id="a03"),
        pytest.param(rules()[:-8] + b"\0\0\0\0" + rules()[-4:], "incorrect data check", id="a05-crc"),
        pytest.param(rules()[:-4] + b"\1\1\1\1", "incorrect length check", id="a06-isize"),
        pytest.param(rules() + b"garbage", "incorrect header check", id="a07-garbage-behind"),
        pytest.param(gzip.compress(rules()), "is gzip inside gzip", id="a08-gzip-in-gzip"),
        pytest.param(gzip.compress(bytes(30_000_000)), "100 times its size", id="a09-zeros"),
        pytest.param(gzip.compress(b"title: x\n" * 100), "not a readable tar archive", id="gzip-of-text"),
        pytest.param(gzip.compress(b""), "cut short", id="gzip-of-nothing"),
        pytest.param(tgz([]), "extended headers without a file", id="no-entry"),
        pytest.param(
            rules({"README.md": b"x"}), "holds no usable file that matches rules/**/*.yml", id="nothing-wanted"
        ),
        pytest.param(rules(top="sigma-main"), "not an archive of acme/rules", id="a23-wrong-repository"),
        pytest.param(
            gzip.compress(tar([regular(f"{TOP}/rules/a.yml", b"x")])[:1024]), "cut short", id="tar-without-end"
        ),
        pytest.param(
            gzip.compress(tar([regular(f"{TOP}/rules/a.yml", b"x")]) + b"\1"), "data behind its end", id="tar-and-more"
        ),
    ],
)
def test_what_is_no_complete_archive_is_refused_in_words(read, data, says):
    with pytest.raises(FetchError, match=says.replace("*", r"\*")) as refused:
        read(data)
    assert "acme.tar.gz" in str(refused.value)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99, 1])
def test_archive_cut_short_is_refused(read, share):
    data = rules({f"rules/{n}.yml": os.urandom(2_000) for n in range(50)})
    cut = data[: int(len(data) * share)] if share < 1 else data[:-1]
    with pytest.raises(FetchError, match="is cut short"):
        read(cut)


def test_archive_in_several_gzip_streams_with_padding_is_whole(read):
    data = gzip.decompress(rules())
    assert contents(read(gzip.compress(data[:700]) + gzip.compress(data[700:]) + bytes(512))) == WANTED


def test_bomb_ends_at_the_decoded_cap(read):
    data = rules({"data/large.bin": os.urandom(3_000_000)})
    with pytest.raises(FetchError, match="unpacks to more than 2 MiB"):
        read(data, replace(LIMITS, decoded=2 * 1024 * 1024))


def zip_of(name: str, *, size: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"title: x\n")
    return out.getvalue().replace(struct.pack("<L", 9), struct.pack("<L", size)) if size else out.getvalue()


@pytest.mark.parametrize("data", [zip_of("rules/a.yml"), zip_of("rules/a.yml", size=4_000_000_000)], ids=["a13", "a11"])
def test_zip_archives_of_any_kind_are_not_opened(read, data):
    with pytest.raises(FetchError, match="is a zip archive"):
        read(data)


def test_entries_are_counted_to_the_limit_and_no_further(read):
    data = tgz([regular(f"{TOP}/{n}", b"") for n in range(60)])
    with pytest.raises(FetchError, match="more than 50 entries"):
        read(data, replace(LIMITS, entries=50))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (f"{TOP}/rules/../../etc/x.yml", "`..`"),
        (f"{TOP}/rules/./x.yml", "`.`"),
        (f"{TOP}/rules//x.yml", "empty"),
        (f"{TOP}/rules/..\\x.yml", "backslash"),
        (f"{TOP}/rules/a\nb.yml", "control"),
        (f"{TOP}/rules/a\x85b.yml", "control"),
        (f"{TOP}/rules/a\u202elmy.yml", "invisible"),
        (f"{TOP}/rules/\udcff.yml", "not UTF-8"),
        (f"{TOP}/rules/{'n' * 600}.yml", "longer than 512 bytes"),
        (f"{TOP}/rules/{'d/' * 25}x.yml", "deeper than 20 folders"),
        ("other/rules/x.yml", "outside the archive's folder"),
        ("/rules/x.yml", "outside the archive's folder"),
        ("../rules/x.yml", "outside the archive's folder"),
    ],
)
def test_member_with_a_name_that_escapes_or_hides_is_named_and_skipped(read, name, says):
    snapshot = read(rules(RULES, regular(name, b"title: x\n")))
    assert contents(snapshot) == WANTED
    [(path, message)] = issues(snapshot).items()
    assert says in message
    assert path.isprintable()
    assert len(path) <= 512


@pytest.mark.parametrize("name", ["../../etc/x", "/etc/x.yml", "C:\\x.yml", "..\\x.yml"])
def test_member_outside_everything_is_never_read(read, name):
    assert contents(read(rules(RULES, regular(name, b"title: x\n")))) == WANTED


@pytest.mark.parametrize(
    ("kind", "target", "says"),
    [
        (tarfile.SYMTYPE, "a.yml", "a symbolic link"),
        (tarfile.SYMTYPE, "/etc/passwd", "a symbolic link"),
        (tarfile.SYMTYPE, "x.yml", "a symbolic link"),
        (tarfile.LNKTYPE, "../../etc/passwd", "a hard link"),
        (tarfile.FIFOTYPE, "", "a pipe"),
        (tarfile.CHRTYPE, "", "a device"),
        (tarfile.BLKTYPE, "", "a device"),
        (tarfile.DIRTYPE, "", "a folder"),
        (tarfile.CONTTYPE, "", "an entry of an unknown kind"),
    ],
)
def test_member_that_is_no_regular_file_is_named_and_skipped(read, kind, target, says):
    snapshot = read(rules(RULES, special(f"{TOP}/rules/x.yml", kind, target)))
    assert contents(snapshot) == WANTED
    assert issues(snapshot) == {"rules/x.yml": f"{says}, not a regular file: skipped"}


@pytest.mark.parametrize("times", [2, 3])
def test_members_of_one_name_are_all_skipped_and_named(read, times):
    twins = [regular(f"{TOP}/rules/twin.yml", b"title: %d\n" % n) for n in range(times)]
    snapshot = read(rules(RULES, *twins))
    assert contents(snapshot) == WANTED
    assert issues(snapshot) == {"rules/twin.yml": "two entries of this name: neither is used"}


def test_names_that_differ_in_case_are_two_files(read):
    assert "rules/A.yml" in contents(read(rules(RULES | {"rules/A.yml": b"title: A\n"})))


def test_new_issue_changes_the_digest(read):
    assert read(rules(RULES, special(f"{TOP}/rules/x.yml", tarfile.SYMTYPE))).digest != read(rules()).digest


@pytest.mark.parametrize(
    ("suffix", "limit"), [("yml", 2 << 20), ("toml", 1 << 20), ("json", 96 << 20), ("txt", 2 << 20)]
)
def test_members_have_a_size_limit_by_kind(suffix, limit):
    assert LIMITS.of(f"rules/x.{suffix}") == LIMITS.of(f"rules/x.{suffix.upper()}") == limit


def test_member_over_its_limit_is_named_and_skipped(read):
    snapshot = read(rules(RULES | {"rules/big.yml": os.urandom((2 << 20) + 1)}))
    assert contents(snapshot) == WANTED
    assert issues(snapshot) == {
        "rules/big.yml": "2,097,153 bytes, more than the 2 MiB that such a file may have: skipped"
    }


def header(name: str, size: bytes, kind: bytes = b"0") -> bytes:
    """One ustar header with a size field of our own, and a good checksum."""
    block = bytearray(512)
    block[: len(name)] = name.encode()
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[257:265] = b"ustar\00000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_sparse_members_of_both_kinds_are_skipped(read):
    old = bytearray(header(f"{TOP}/rules/old.yml", b"%011o" % 5, b"S"))
    old[482] = 1
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    new = regular(f"{TOP}/rules/new.yml", b"1\n0\n3\nabc")
    new[0].pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99999999999"}
    body = tar([regular(f"{TOP}/rules/a.yml", b"a"), new])[: -10240 % 512 or None]
    end = len(body.rstrip(b"\0")) + -len(body.rstrip(b"\0")) % 512
    snapshot = read(gzip.compress(body[:end] + bytes(old) + bytes(512) + b"12345".ljust(512, b"\0") + bytes(1024)))
    assert contents(snapshot) == {"rules/a.yml": b"a"}
    assert issues(snapshot) == {f"rules/{n}.yml": "a sparse file, not a regular file: skipped" for n in ("new", "old")}


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (b"\xff" * 12, "not a number"),
        (b"-0000000001", "not a number"),
        (b"\x80" + b"\0" * 3 + b"\xff" * 8, "cut short"),
        (b"77777777777", "cut short"),
    ],
)
def test_size_that_lies_ends_in_words(read, size, says):
    with pytest.raises(FetchError, match=says):
        read(gzip.compress(header(f"{TOP}/x", size) + bytes(2048)))


def pax(record: bytes) -> bytes:
    return header("x", b"%011o" % len(record), b"x") + record + bytes(-len(record) % 512)


@pytest.mark.parametrize(
    "record",
    [b"8 size=-1\n", b"99999 path=x\n", b"0 a=b\n", b"path=x\n", b"9 path=x ", b"9" * 5_000, b"13 size=1e999\n"],
)
def test_broken_extended_header_ends_in_words(read, record):
    with pytest.raises(FetchError, match="not a readable tar archive"):
        read(gzip.compress(pax(record) + header(f"{TOP}/x", b"0") + bytes(1024)))


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_extended_header_of_100_megabytes_is_not_read(read, kind):
    with pytest.raises(FetchError, match="an extended header of 104,857,600 bytes"):
        read(gzip.compress(header("x", b"%011o" % (100 << 20), kind) + bytes(4096)))


def test_chain_of_long_names_ends_in_words(read):
    with pytest.raises(FetchError, match="extended headers without a file"):
        read(gzip.compress((header("x", b"%011o" % 4, b"L") + b"name".ljust(512, b"\0")) * 5_000 + bytes(1024)))


def test_damaged_header_in_the_middle_is_not_taken_for_the_end(read):
    data = bytearray(
        tar([regular(f"{TOP}/rules/{n}.yml", b"x") for n in range(3)], form=tarfile.USTAR_FORMAT, comment="")
    )
    data[1024 + 5] ^= 1
    with pytest.raises(FetchError, match="the header at byte 1,024 is wrong"):
        read(gzip.compress(bytes(data)))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_are_read_in_every_format(read, form):
    deep = "rules/" + "folder/" * 12 + "é" * 20 + ".yml"
    data = tar([regular(f"{TOP}/{deep}", b"deep"), regular(f"./{TOP}/rules/short.yml", b"short")], form=form)
    assert contents(read(gzip.compress(data))) == {deep: b"deep", "rules/short.yml": b"short"}


NAMES = st.text(st.sampled_from("ab./é\\\n"), min_size=1, max_size=120)


@given(members=st.dictionaries(NAMES, st.binary(max_size=1_500), max_size=5), form=st.sampled_from([0, 1, 2]))
def test_every_archive_that_python_writes_is_read_as_python_reads_it(tmp_path_factory, members, form):
    named = {f"{TOP}/rules/good.yml": b"good", **{f"{TOP}/{name}.yml": data for name, data in members.items()}}
    try:
        data = tar([regular(name, data) for name, data in named.items()], form=form)
    except ValueError:  # the name does not fit into a ustar header
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = {info.name: archive.extractfile(info).read() for info in archive if info.isreg()}
    file = tmp_path_factory.mktemp("tar") / "acme.tar.gz"
    file.write_bytes(gzip.compress(data, 1))
    snapshot = fetch(source(files=("**",)), local=str(file))
    found = contents(snapshot)
    assert found["rules/good.yml"] == b"good"
    assert {f"{TOP}/{path}": data for path, data in found.items()}.items() <= expected.items()
    assert len(found) + len(snapshot.issues) == len(expected)


@st.composite
def spoiled(draw) -> bytes:
    """A good archive with a few bytes changed, cut, repeated or dropped, inside the gzip or outside."""
    inside = draw(st.booleans())
    data = bytearray(gzip.decompress(rules()) if inside else rules())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 600))
        data[at : at + length] = draw(st.binary(max_size=40)) if draw(st.booleans()) else data[at : at + length] * 2
    return gzip.compress(bytes(data), 1) if inside else bytes(data)


@given(data=spoiled())
def test_spoiled_archive_gives_files_or_a_fetch_error(tmp_path_factory, data):
    file = tmp_path_factory.getbasetemp() / "spoiled.tar.gz"
    file.write_bytes(data)
    try:
        snapshot = fetch(source(), local=str(file))
    except FetchError:
        return
    assert contents(snapshot).keys() == {piece.path for piece in snapshot.pieces}


def test_reading_leaves_no_file_anywhere(tmp_path, monkeypatch):
    scratch, place = tmp_path / "scratch", tmp_path / "acme.tar.gz"
    scratch.mkdir()
    place.write_bytes(rules())
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.chdir(scratch)
    snapshot = fetch(source(), local=str(place))
    assert contents(snapshot) == WANTED
    assert list(scratch.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_store_closes_with_its_last_holder():
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # Path.iterdir would hold one open itself
    store = Store()
    piece = store.write("x", [b"ab", b"", b"c"])
    assert store.read(piece) == b"abc"
    assert (piece.size, zlib.crc32(store.read(piece))) == (3, zlib.crc32(b"abc"))
    del store
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
