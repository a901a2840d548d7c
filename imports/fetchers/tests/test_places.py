"""Mirror folders, and what `--from` may name: archives, files, checkouts, folders of files."""

import gzip
import os
import tarfile

import pytest

from imports.fetchers import FetchError, Missing, fetch
from imports.fetchers.tests.worlds import ARCHIVE, BUNDLE, COMMIT, RULES, WANTED, rules, source, special

PLACE = "codeload.github.com/acme/rules/tar.gz/refs/heads/main"
BUNDLE_PATH = "acme/bundle/main/data/bundle.json"
JSON = b'{"type": "bundle"}'


def put(folder, path: str, data: bytes) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


@pytest.fixture
def checkout(tmp_path):
    """The made-up repository as a plain folder."""
    folder = tmp_path / "rules"
    for path, data in RULES.items():
        put(folder, path, data)
    return folder


def contents(snapshot) -> dict[str, bytes]:
    return {file.path: file.data for file in snapshot.files()}


def test_mirror_holds_an_archive_as_it_came_or_with_gz_or_as_a_folder(tmp_path, checkout):
    put(tmp_path / "one", PLACE, rules())
    put(tmp_path / "two", f"{PLACE}.gz", rules())
    put(tmp_path / "three", f"{PLACE}/x", b"")
    checkout.rename(tmp_path / "three" / PLACE / "all").rename(tmp_path / "moved")
    (tmp_path / "three" / PLACE / "x").unlink()
    (tmp_path / "moved").rename(tmp_path / "three" / PLACE)
    snapshots = [fetch(source(), mirror=str(tmp_path / name)) for name in ("one", "two", "three")]
    assert [contents(snapshot) for snapshot in snapshots] == [WANTED] * 3
    assert len({snapshot.digest for snapshot in snapshots}) == 1
    assert [snapshot.version for snapshot in snapshots] == [COMMIT, COMMIT, ""]
    assert snapshots[0].origin == f"mirror {tmp_path / 'one'}"
    assert snapshots[0].validators == {}


def test_mirror_holds_a_file_plain_or_gzipped(tmp_path):
    put(tmp_path / "one", f"raw.githubusercontent.com/{BUNDLE_PATH}", JSON)
    put(tmp_path / "two", f"raw.githubusercontent.com/{BUNDLE_PATH}.gz", gzip.compress(JSON))
    snapshots = [fetch(source(BUNDLE), mirror=str(tmp_path / name)) for name in ("one", "two")]
    assert [contents(snapshot) for snapshot in snapshots] == [{BUNDLE_PATH: JSON}] * 2
    assert snapshots[0].digest == snapshots[1].digest


def test_mirror_that_lacks_a_part_names_the_place_and_the_address(tmp_path):
    put(tmp_path, PLACE, rules())
    with pytest.raises(Missing) as missing:
        fetch(source(ARCHIVE, BUNDLE), mirror=str(tmp_path))
    assert f"{tmp_path}/raw.githubusercontent.com/{BUNDLE_PATH}" in str(missing.value)
    assert BUNDLE.url in str(missing.value)


def test_mirror_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Missing, match=r"is not a folder. Check --mirror or AEGIS_MIRROR"):
        fetch(source(), mirror=str(tmp_path / "gone"))


def test_mirror_place_that_is_no_regular_file_is_not_opened(tmp_path):
    (tmp_path / PLACE).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / PLACE)
    with pytest.raises(Missing, match="The mirror has neither"):
        fetch(source(), mirror=str(tmp_path))


@pytest.mark.parametrize("name", ["acme.tar.gz", "rules-main.tgz", "download"])
def test_from_takes_an_archive_of_any_name(tmp_path, name):
    put(tmp_path, name, rules())
    snapshot = fetch(source(), local=str(tmp_path / name), mirror="/nowhere")
    assert contents(snapshot) == WANTED
    assert snapshot.origin == f"--from {tmp_path / name}"


@pytest.mark.parametrize(("name", "data"), [("other.json", JSON), ("other.json.gz", gzip.compress(JSON, mtime=0))])
def test_from_takes_a_file_of_any_name(tmp_path, name, data):
    put(tmp_path, name, data)
    assert contents(fetch(source(BUNDLE), local=str(tmp_path / name))) == {BUNDLE_PATH: JSON}


def test_from_takes_a_checkout_with_the_digest_of_its_archive(tmp_path, checkout):
    put(tmp_path, "acme.tar.gz", rules())
    snapshot = fetch(source(), local=str(checkout))
    assert contents(snapshot) == WANTED
    assert snapshot.digest == fetch(source(), local=str(tmp_path / "acme.tar.gz")).digest


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"HEAD": COMMIT}, COMMIT),
        ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{COMMIT}\n"}, COMMIT),
        (
            {
                "HEAD": "ref: refs/heads/a/b",
                "packed-refs": f"# pack\n{'f' * 40} refs/heads/b\n{COMMIT} refs/heads/a/b\n",
            },
            COMMIT,
        ),
        ({"HEAD": "ref: refs/heads/main"}, ""),
        ({"HEAD": "ref: refs/../../secret", "../secret": COMMIT}, ""),
        ({"HEAD": "nonsense"}, ""),
        ({"HEAD": "\xff"}, ""),
    ],
)
def test_checkout_says_its_commit(checkout, files, version):
    for name, text in files.items():
        put(checkout / ".git", name, text.encode("latin-1"))
    assert fetch(source(), local=str(checkout)).version == version


def test_checkout_is_read_without_its_git_folder_and_without_following_links(checkout, tmp_path):
    put(checkout, ".git/rules/hidden.yml", b"x")
    put(tmp_path / "outside", "rules/secret.yml", b"secret")
    (checkout / "rules/link.yml").symlink_to(tmp_path / "outside/rules/secret.yml")
    (checkout / "rules/folder").symlink_to(tmp_path / "outside")
    (checkout / "rules/loop").symlink_to(checkout)
    (checkout / "rules/folder.yml").mkdir()
    os.mkfifo(checkout / "rules/pipe.yml")
    snapshot = fetch(source(files=("**/*.yml",)), local=str(checkout))
    assert contents(snapshot) == WANTED
    assert {issue.path: issue.message for issue in snapshot.issues} == {
        "rules/folder.yml": "a folder, not a regular file: skipped",
        "rules/link.yml": "a symbolic link, not a regular file: skipped",
        "rules/pipe.yml": "a pipe, not a regular file: skipped",
    }


def test_folder_and_archive_name_the_same_issues_with_the_same_digest(checkout, tmp_path):
    (checkout / "rules/link.yml").symlink_to("a.yml")
    link = special(f"rules-{COMMIT}/rules/link.yml", tarfile.SYMTYPE, "a.yml")
    put(tmp_path, "acme.tar.gz", rules(RULES, link))
    assert fetch(source(), local=str(checkout)).digest == fetch(source(), local=str(tmp_path / "acme.tar.gz")).digest


def test_folder_file_that_cannot_be_named_is_skipped(checkout):
    (checkout / "rules/a\nb.yml").write_bytes(b"x")
    (checkout / "rules/big.yml").write_bytes(bytes((2 << 20) + 1))
    snapshot = fetch(source(), local=str(checkout))
    assert contents(snapshot) == WANTED
    assert [issue.path for issue in snapshot.issues] == ["rules/a\\nb.yml", "rules/big.yml"]


def test_from_finds_the_file_of_an_address_in_a_checkout(tmp_path):
    put(tmp_path, "data/bundle.json.gz", gzip.compress(JSON))
    assert contents(fetch(source(BUNDLE), local=str(tmp_path))) == {BUNDLE_PATH: JSON}


@pytest.mark.parametrize(
    "layout",
    [
        {PLACE: rules(), f"raw.githubusercontent.com/{BUNDLE_PATH}": JSON},
        {"rules.tar.gz": rules(), "bundle.json": JSON},
        {"bundle.json.gz": gzip.compress(JSON), **{f"rules/{path}": data for path, data in RULES.items()}},
        {"bundle.json": JSON, **RULES},
    ],
    ids=["mirror", "by name", "folder by name", "all in one"],
)
def test_from_takes_several_parts_out_of_a_folder(tmp_path, layout):
    for path, data in layout.items():
        put(tmp_path / "all", path, data)
    snapshot = fetch(source(ARCHIVE, BUNDLE, files=("rules/*.yml", "rules/windows/*.yml")), local=str(tmp_path / "all"))
    assert contents(snapshot) == {**WANTED, BUNDLE_PATH: JSON}


def test_from_one_file_for_several_parts_says_what_is_needed(tmp_path):
    put(tmp_path, "bundle.json", JSON)
    with pytest.raises(FetchError, match=f"consists of several parts: give a folder that holds {PLACE}"):
        fetch(source(ARCHIVE, BUNDLE), local=str(tmp_path / "bundle.json"))


def test_from_what_is_not_there_says_so(tmp_path):
    with pytest.raises(Missing, match=r"does not exist. Check the path given with --from"):
        fetch(source(), local=str(tmp_path / "gone"))
    with pytest.raises(Missing, match=r"looked for .*bundle.json"):
        fetch(source(BUNDLE), local=str(tmp_path))
    with pytest.raises(FetchError, match=r"holds no usable file that matches rules/\*\*/\*.yml"):
        fetch(source(), local=str(tmp_path))


def test_from_a_file_that_may_not_be_read_says_which(tmp_path, monkeypatch):
    put(tmp_path, "acme.tar.gz", rules())

    def refuse(path, flags):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FetchError, match=r"acme.tar.gz: Permission denied"):
        fetch(source(), local=str(tmp_path / "acme.tar.gz"))
