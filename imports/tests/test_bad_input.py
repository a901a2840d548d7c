"""Hostile and broken input, through the whole engine: the file is named and skipped, or the run ends; nothing else is lost."""

import gzip
import io
import shutil
import tarfile
from pathlib import Path

import pytest

from catalog.models import DetectionRule, Technique
from imports.digest import catalog_digest
from imports.registry import OPTIONAL, SOURCES
from imports.tests.sample_world import SAMPLES
from imports.tests.small_world import RULE, SmallWorld, rule_id
from imports.tests.stix_world import link, technique

pytestmark = pytest.mark.django_db

GOOD = RULE.format(title="Good", id=rule_id("good"), tags="    - attack.t1059", level="high")
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD_RULES = {
    "not-yaml": "title: [unclosed\n",
    "no-title": GOOD.replace("title: Good\n", "").replace(rule_id("good"), rule_id("bad")),
    "unknown-severity": GOOD.replace("level: high", "level: apocalyptic").replace(rule_id("good"), rule_id("bad")),
    "deep": "title: " + "[" * 25_000 + "]" * 25_000,
    "alias-bomb": LAUGHS + GOOD,
    "merge-bomb": "base: &base {a: 1}\n" + GOOD + "more: {<<: [*base, *base]}\n",
    "python-tag": GOOD.replace("title: Good", "title: !!python/object/apply:os.getcwd []"),
    "nul": GOOD.replace("title: Good", 'title: "NUL \\0"').replace(rule_id("good"), rule_id("bad")),
    "surrogate": GOOD.replace("title: Good", 'title: "half \\uD800"').replace(rule_id("good"), rule_id("bad")),
    "a-list": "- just\n- a list\n",
    "empty": "",
    "html": "<!doctype html><title>404</title>",
    "wrong-types": GOOD.replace("title: Good", "title: [a, b]"),
}


@pytest.mark.parametrize("name", BAD_RULES)
def test_bad_file_is_named_and_costs_nothing_else(world: SmallWorld, name: str) -> None:
    world.write("sigma", "rules/good.yml", GOOD)
    world.write("sigma", f"rules/{name}.yml", BAD_RULES[name])
    run = world.run("sigma")
    assert (run.status, run.created) == ("succeeded", 1)
    assert {issue.path for issue in run.issues.all()} == {f"rules/{name}.yml"}
    assert all(len(issue.message) > 10 for issue in run.issues.all())
    assert DetectionRule.objects.get().name == "Good"


def test_file_that_is_not_utf_8_is_named(world: SmallWorld) -> None:
    world.write("sigma", "rules/good.yml", GOOD)
    world.write("sigma", "rules/latin.yml", GOOD.replace("Good", "Größe").encode("latin-1"))
    run = world.run("sigma")
    assert (run.status, run.created) == ("succeeded", 1)
    assert [issue.path for issue in run.issues.all()] == ["rules/latin.yml"]


@pytest.mark.parametrize(("good", "bad", "status"), [(20, 10, "succeeded"), (20, 11, "failed"), (247, 13, "succeeded")])
def test_run_fails_where_more_than_a_twentieth_of_the_files_cannot_be_read(
    world: SmallWorld, good: int, bad: int, status: str
) -> None:
    world.rule("standing", "T1059")
    world.run("sigma")
    before = catalog_digest()
    world.rules(good, "T1105")
    for number in range(bad):
        world.write("sigma", f"rules/bad-{number:02}.yml", "title: [unclosed\n")
    run = world.run("sigma")
    assert run.status == status
    if status == "failed":
        assert f"{bad} of {good + bad + 1} files cannot be read" in run.error
        assert "rules/bad-00.yml: " in run.error
        assert catalog_digest() == before
    else:
        assert (run.created, run.issue_count) == (good, bad)


def archive_of(**members: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(f"sigma-0123456789abcdef0123456789abcdef01234567/rules/{name}.yml")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def put_archive(world: SmallWorld, content: bytes) -> Path:
    place = world.place("sigma")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def test_archive_is_read_with_its_commit(world: SmallWorld) -> None:
    put_archive(world, archive_of(good=GOOD))
    run = world.run("sigma")
    assert (run.status, run.version, run.created) == ("succeeded", "0123456789abcdef0123456789abcdef01234567", 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>rate limited</html>",
        b'{"message": "not found"}',
        b"\x1f\x8b" + bytes(200),
        archive_of(good=GOOD)[:-20],
        archive_of(good=GOOD)[: len(archive_of(good=GOOD)) // 2],
        gzip.compress(b"no archive inside"),
    ],
    ids=["empty", "html", "json", "garbage", "cut-trailer", "cut-in-half", "no-tar"],
)
def test_unreadable_archive_fails_the_run_and_keeps_the_catalogue(world: SmallWorld, content: bytes) -> None:
    put_archive(world, archive_of(good=GOOD))
    world.run("sigma")
    put_archive(world, content)
    run = world.run("sigma")
    assert run.status == "failed"
    assert "SigmaHQ/sigma" in run.error
    assert [rule.name for rule in DetectionRule.objects.current()] == ["Good"]


def test_archive_without_a_single_rule_withdraws_nothing(world: SmallWorld) -> None:
    put_archive(world, archive_of(good=GOOD))
    world.run("sigma")
    put_archive(world, archive_of())
    assert world.run("sigma").status == "failed"
    assert DetectionRule.objects.current().count() == 1


def test_circle_of_subtechniques_is_named_and_both_stay(world: SmallWorld) -> None:
    first, second = technique("T9001.001"), technique("T9001.002")
    world.attack(
        technique("T9001"),
        first,
        second,
        link("subtechnique-of", first, second),
        link("subtechnique-of", second, first),
    )
    run = world.run("attack")
    assert run.status == "succeeded"
    assert run.issue_count > 0
    assert dict(Technique.objects.values_list("mitre_id", "parent")) == {
        "T9001": None,
        "T9001.001": None,
        "T9001.002": None,
    }


def test_technique_with_a_broken_object_beside_it_is_kept(world: SmallWorld) -> None:
    world.attack(technique("T9001"), technique("T9002"))
    world.run("attack")
    world.attack(technique("T9001"), technique("T9002", name=["not", "a", "name"]))
    run = world.run("attack")
    assert (run.status, run.withdrawn) == ("succeeded", 0)
    assert run.issue_count == 1
    assert Technique.objects.active().count() == 2


def test_every_source_that_selects_editions_says_what_they_are_editions_of() -> None:
    selecting = {source.slug: source for source in (*SOURCES, *OPTIONAL) if source.select}
    frameworks = [("nist_800_53", 16), ("nist_800_53", 9), ("kev", 16), ("kev", 9)]
    paths = [f"mappings/{name}/attack-{attack}.1/{name}-rev5/enterprise/set.json" for name, attack in frameworks]
    for source in selecting.values():
        assert source.select is not None
        (newest,) = source.select(paths)
        older = [path for path in paths if path != newest and source.edition_of(path) == source.edition_of(newest)]
        assert len(older) == 1, source.slug
    assert sorted(selecting) == ["mappings-explorer", "nist-800-53"]


def test_newest_set_that_is_no_file_fails_the_run_of_joined_files_and_takes_no_older(world: SmallWorld) -> None:
    shutil.copytree(SAMPLES, world.folder, dirs_exist_ok=True)
    assert world.run("nist-800-53").status == "succeeded"
    newest = (
        world.place("nist-800-53", part=4)
        / "mappings/nist_800_53/attack-99.1/nist_800_53-rev5/enterprise/nist_800_53-rev5_attack-99.1-enterprise.json"
    )
    newest.parent.mkdir(parents=True)
    newest.symlink_to("/etc/passwd")
    run = world.run("nist-800-53")
    assert run.status == "failed"
    assert "attack-99.1-enterprise.json: a symbolic link, not a regular file: skipped." in run.error
    assert run.error.endswith("only make sense together, so that none was taken.")
