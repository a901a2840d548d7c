"""`manage.py import_source`: every option, what it prints where, and how it ends."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import DetectionRule
from imports.models import DataSource, ImportRun
from imports.registry import SOURCES
from imports.services import request_import
from imports.tests.sample_world import SAMPLES
from imports.tests.small_world import SmallWorld, rule_id

pytestmark = pytest.mark.django_db
DOCUMENTED = [
    "source",
    "status",
    "version",
    "created",
    "updated",
    "unchanged",
    "withdrawn",
    "skipped",
    "unresolved",
    "issues",
    "seconds",
]


def printed(*slugs: str, **options: object) -> str:
    """What the command prints into a pipe."""
    out = StringIO()
    call_command("import_source", *slugs, stdout=out, **options)
    return out.getvalue()


def reports(*slugs: str, **options: object) -> list[dict]:
    """The JSON lines that the command ends with, one for each source."""
    return [json.loads(line) for line in printed(*slugs, json=True, **options).splitlines()]


def failed(*slugs: str, **options: object) -> str:
    """What the command prints when it ends with status 1."""
    out = StringIO()
    with pytest.raises(SystemExit) as ending:
        call_command("import_source", *slugs, stdout=out, **options)
    assert ending.value.code == 1
    return out.getvalue()


def test_json_says_what_the_contract_says_one_line_for_each_source(world: SmallWorld):
    world.rule("first", "T1059")
    world.rule("second")
    world.write("sigma", "rules/broken.yml", "title: [")
    (report,) = reports("sigma", mirror=str(world.folder))
    assert [key for key in report if key != "restored"] == DOCUMENTED
    assert (report["source"], report["status"]) == ("sigma", "succeeded")
    assert (report["created"], report["skipped"], report["unresolved"]) == (2, 1, 1)
    (issue,) = report["issues"]
    assert list(issue) == ["path", "message"]
    assert issue["path"] == "rules/broken.yml"
    assert report["seconds"] >= 0


def test_json_stands_alone_on_standard_output(world: SmallWorld, capsys):
    world.rule("first", "T1059")
    call_command("import_source", "sigma", mirror=str(world.folder), json=True)
    captured = capsys.readouterr()
    assert [json.loads(line)["source"] for line in captured.out.splitlines()] == ["sigma"]
    assert captured.err.startswith("sigma          succeeded in ")


def test_all_imports_every_source_in_order():
    found = reports(all=True, mirror=str(SAMPLES))
    assert [report["source"] for report in found] == [source.slug for source in SOURCES]
    assert {report["status"] for report in found} == {"succeeded"}
    assert set(DataSource.objects.filter(enabled=True).values_list("is_sample", flat=True)) == {True}
    assert set(DataSource.objects.filter(enabled=False).values_list("slug", "is_sample")) == {
        ("mappings-explorer", False)
    }


def test_second_import_of_the_same_finds_nothing_new_unless_forced(world: SmallWorld):
    world.rule("first", "T1059")
    mirror = str(world.folder)
    assert reports("sigma", mirror=mirror)[0]["status"] == "succeeded"
    again = reports("sigma", mirror=mirror)[0]
    assert (again["status"], again["created"], again["unchanged"]) == ("not_modified", 0, 1)
    forced = reports("sigma", mirror=mirror, force=True)[0]
    assert (forced["status"], forced["created"], forced["unchanged"]) == ("succeeded", 0, 1)


def test_preview_counts_and_writes_nothing(world: SmallWorld):
    world.rule("first", "T1059")
    output = printed("sigma", mirror=str(world.folder), dry_run=True)
    assert "Preview: nothing was written" in output
    assert DetectionRule.objects.count() == 0
    run = ImportRun.objects.get()
    assert (run.dry_run, run.created, run.changes.count()) == (True, 1, 1)


def test_one_source_can_be_read_from_a_local_checkout(world: SmallWorld):
    world.rule("first", "T1059")
    (report,) = reports("sigma", local=str(world.place("sigma")))
    assert (report["status"], report["created"]) == ("succeeded", 1)


def test_mirror_is_taken_from_the_settings_unless_one_is_named(world: SmallWorld, settings):
    settings.AEGIS_MIRROR = str(world.folder)
    world.rule("first", "T1059")
    assert reports("sigma")[0]["created"] == 1


@pytest.mark.parametrize(
    ("slugs", "options", "complaint"),
    [
        ([], {}, "name a source or say --all"),
        (["sigma", "nothing"], {}, "unknown source nothing: choose from attack, threat-actors"),
        (["sigma", "elastic"], {"local": "archive.tar.gz"}, "--from is the input of one source"),
        ([], {"all": True, "local": "archive.tar.gz"}, "--from is the input of one source"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(slugs, options, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("import_source", *slugs, **options)
    assert ImportRun.objects.count() == 0


def test_failure_ends_with_1_tells_why_and_lets_the_others_run(world: SmallWorld):
    world.rule("first", "T1059")
    output = failed("d3fend", "sigma", mirror=str(world.folder))
    assert "d3fend: " in output
    assert DetectionRule.objects.count() == 1
    (d3fend, sigma) = [
        json.loads(line) for line in failed("d3fend", "sigma", mirror=str(world.folder), json=True).splitlines()
    ]
    assert (d3fend["status"], sigma["status"]) == ("failed", "not_modified")
    assert d3fend["issues"][0]["path"] == ""
    assert d3fend["issues"][0]["message"]


def test_source_that_is_busy_counts_as_failed_and_does_not_stop_the_others(world: SmallWorld):
    world.rule("first", "T1059")
    request_import("lolbas")
    output = failed("lolbas", "sigma", mirror=str(world.folder))
    assert "lolbas is being imported already" in output
    assert DetectionRule.objects.count() == 1
    (lolbas,) = [json.loads(line) for line in failed("lolbas", mirror=str(world.folder), json=True).splitlines()]
    assert [key for key in lolbas if key != "restored"] == DOCUMENTED
    assert (lolbas["status"], lolbas["created"], lolbas["version"]) == ("failed", 0, "")
    assert "lolbas is being imported already" in lolbas["issues"][0]["message"]


def test_table_in_a_pipe_is_whole_plain_and_without_bars(world: SmallWorld):
    world.rule("first", "T1059")
    lines = printed("sigma", mirror=str(world.folder)).splitlines()
    assert lines[0].startswith("sigma          succeeded in ")
    head = next(line for line in lines if "unresolved" in line)
    assert [part.strip() for part in head.strip("┃").split("┃")] == [
        "source",
        "status",
        "version",
        *("created", "updated", "unchanged", "withdrawn", "restored", "skipped", "unresolved", "issues", "seconds"),
    ]
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "…" not in text
    assert "━ 1/1" not in text
    assert max(map(len, lines)) <= 160


def test_issues_are_printed_with_file_and_line_and_not_without_end(world: SmallWorld):
    world.rules(480)  # of a smaller source, so many would fail the run
    for number in range(25):
        world.write("sigma", f"rules/broken_{number:02}.yml", "title: a\nid: [")
    lines = printed("sigma", mirror=str(world.folder)).splitlines()
    told = [line for line in lines if line.startswith("sigma: rules/broken_")]
    assert len(told) == 20
    assert all(line.startswith(f"sigma: rules/broken_{number:02}.yml:") for number, line in enumerate(told))
    assert lines[-1] == "sigma: and 5 more issues, see the run's page"


class Terminal(StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_narrow_terminal_gets_words_in_place_of_a_squeezed_table(world: SmallWorld, narrow: Terminal):
    world.rule("first", "T1059")
    world.rule("second")
    call_command("import_source", "sigma", mirror=str(world.folder), stdout=narrow)
    last = narrow.getvalue().splitlines()[-1]
    assert "sigma: succeeded " in last
    assert last.endswith(", 2 created, 1 skipped, 1 unresolved")


def test_bar_in_a_terminal_is_drawn_over_itself(world: SmallWorld, narrow: Terminal):
    world.rule("first", "T1059")
    call_command("import_source", "sigma", mirror=str(world.folder), stdout=narrow)
    output = narrow.getvalue()
    assert "━" in output
    assert "\r\x1b[2K" in output
    assert "\x1b[2K\n" not in output


def imported(world: SmallWorld, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit status of `import_source sigma` on a mirror, and what it printed."""
    capsys.readouterr()
    status = 0
    try:
        call_command("import_source", "sigma", "--mirror", str(world.folder), *arguments)
    except SystemExit as end:
        status = int(str(end.code))
    return status, capsys.readouterr().out


def test_preview_prints_what_would_change_field_by_field(world: SmallWorld, capsys) -> None:
    world.rules(2, "T1059")
    imported(world, capsys=capsys)
    world.rule("r000", "T1059", level="low")
    world.remove("sigma", "rules/r001.yml")
    status, printed = imported(world, "--dry-run", capsys=capsys)
    run = ImportRun.objects.latest("pk")
    changed = f"sigma: updated detection rule {rule_id('r000')} Rule r000: severity 'high' -> 'low'; content"
    assert status == 0
    assert changed in " ".join(printed.split())
    assert f"sigma: withdrawn detection rule {rule_id('r001')} Rule r001" in " ".join(printed.split())
    assert run.is_open


def test_held_run_exits_1_and_names_the_option_that_applies_it(world: SmallWorld, capsys) -> None:
    world.rules(20)
    imported(world, capsys=capsys)
    for place in range(1, 20):
        world.remove("sigma", f"rules/r{place:03}.yml")
    status, printed = imported(world, capsys=capsys)
    run = ImportRun.objects.latest("pk")
    assert (status, run.status) == (1, "held")
    printed = " ".join(printed.split())
    assert "sigma: held: It would withdraw 19 of 20 rows (95 %), more than 20% of the source." in printed
    assert f"Apply or discard run {run.pk} on its page, or import again with --accept-withdrawals." in printed
    status, _ = imported(world, "--accept-withdrawals", capsys=capsys)
    assert (status, ImportRun.objects.latest("pk").withdrawn) == (0, 19)


def test_older_version_takes_an_option_of_its_own(world: SmallWorld, capsys) -> None:
    file = world.place("sigma") / "rules/a.yml"
    world.rule("a")
    file.write_text(f"{file.read_text()}modified: 2026-03-01\n")
    imported(world, capsys=capsys)
    file.write_text(file.read_text().replace("2026-03-01", "2026-02-01"))
    status, printed = imported(world, capsys=capsys)
    assert (status, ImportRun.objects.latest("pk").status) == (1, "held")
    assert "import again with --allow-rollback." in " ".join(printed.split())
    assert imported(world, "--allow-rollback", capsys=capsys)[0] == 0


def test_undone_version_is_taken_again_by_force(world: SmallWorld, capsys) -> None:
    world.rule("a")
    imported(world, capsys=capsys)
    world.rule("a", level="low")
    imported(world, capsys=capsys)
    world.undo(ImportRun.objects.latest("pk"))
    status, printed = imported(world, "--json", capsys=capsys)
    (reason,) = json.loads(printed.splitlines()[-1])["reasons"]
    assert (status, reason.startswith("This very content was applied and undone")) == (1, True)
    assert imported(world, "--force", capsys=capsys)[0] == 0
