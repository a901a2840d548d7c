"""Lists as CSV and XLSX: the rows of the list and no others, harmless in a spreadsheet, and on the record."""

import csv
import io
import re
import tracemalloc
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from openpyxl import load_workbook

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from aegis.lib.exports import Table, as_csv, as_xlsx, harmless, of_workbook, words
from catalog.tests.factories import make_defence, make_release, make_rule, make_tactic, make_technique, make_template
from compliance.tests.factories import make_control
from coverage.tests.factories import make_campaign, make_layer, make_test
from imports.tests.factories import make_change, make_issue, make_run
from intel.models import FeedScan
from intel.tests.factories import make_actor, make_feed, make_item

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LISTS = {
    "/actors": "actors",
    "/audit?action=user.login": "audit",
    "/campaigns": "campaigns",
    "/actors/compare?actor=G9001&actor=G9002": "compared",
    "/compliance": "controls",
    "/compliance/frameworks": "frameworks",
    "/compliance/frameworks/nist-800-53-rev5": "families",
    "/compliance/conflicts": "conflicts",
    "/defences": "defences",
    "/defences/gaps": "defence-gaps",
    "/feeds": "feeds",
    "/feeds/scans": "scans",
    "/gaps?w_need=3": "gaps",
    "/intel": "news",
    "/intel?ordering=-at": "news",
    "/layers": "layers",
    "/layers/{layer}": "layer",
    "/rules?severity=high&ordering=-name": "rules",
    "/runs": "runs",
    "/runs/changes": "changes",
    "/runs/{run}": "changes",
    "/runs/{run}/issues": "issues",
    "/sources/unresolved": "references",
    "/sources/sigma": "runs",
    "/techniques?has_rules=true&ordering=-mitre_id": "techniques",
    "/templates?ordering=-name": "templates",
    "/tests?state=draft&ordering=name": "tests",
    "/users?role=viewer": "users",
}
"""Address -> the name of the list."""

APART = {
    "coverage/report_list.html": "its links are the list of campaigns",
    "imports/bundle.html": "its runs stand in the list of runs",
}
"""Templates with pages of rows that are no list of their own."""

LISTS_OF_ROWS = {
    str(path.relative_to(TEMPLATES))
    for path in TEMPLATES.rglob("*/*.html")
    if re.search(
        '^{% include "shared/(pager|export).html"|{% include "shared/export.html" with count=[^p]',
        path.read_text(),
        re.MULTILINE,
    )
}
"""Templates of lists that have pages, or that offer files."""

WHOLE = re.compile(r"^(-?\d+)\.0$")
"""What a workbook leaves away of a whole number."""
RUN = ("=", "+", "-", "@")
FORMULA = '=HYPERLINK("https://example.org")'


@pytest.fixture
def world(client):
    by = make_user(Role.ADMIN, username="=ann")
    client.force_login(by)
    make_user(Role.VIEWER, username="@vera", email="vera@example.org")
    make_release()
    make_tactic("execution")
    run = make_run()
    for number in range(1, 4):
        make_technique(f"T900{number}", tactics=["execution"], name=FORMULA)
        make_rule(f"T900{number}", name=f" {FORMULA}", severity="high" if number > 1 else "low")
        make_template(f"T900{number}", name=f"@{number}")
        make_test(f"T900{number}", name=f"+{number}")
        make_campaign(f"T900{number}", name=f"-{number}", goal=FORMULA)
        make_defence(f"T900{number}")
        make_control(f"T900{number}")
        make_actor(f"T900{number}", mitre_id=f"G900{number}")
        make_rule(f"T999{number}")
        make_item(f"T900{number}", title=f"{FORMULA} {number}")
        make_change(run, name=FORMULA, changed={"severity": ["low", FORMULA]})
        make_issue(run, message=FORMULA)
        FeedScan.objects.create(trigger="manual", status="failed", is_active=False, error=FORMULA)
    make_test("T9001", state="validated", outcome="missed")
    make_technique("T9004", tactics=["execution"], name=FORMULA)
    make_defence("T9004", name=FORMULA)
    make_feed(name=FORMULA, url="https://example.org/feed.xml")
    layer = make_layer(by, *(f"T900{number}" for number in range(1, 4)))
    return {"layer": layer.pk, "run": run.pk}


def rows_of_csv(client, path: str) -> list[list[str]]:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(io.StringIO(text)))


def book_of(client, path: str):
    answer = client.get(path)
    assert answer.status_code == 200
    file = io.BytesIO(b"".join(answer.streaming_content))
    return load_workbook(file)


def with_export(path: str, kind: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}export={kind}"


def how_many(context) -> int:
    """The rows of a list: of all its pages, where it has some."""
    if "page" in context:
        return context["page"].paginator.count
    return len(next(context[name] for name in ("feeds", "rows", "all_rows") if name in context))


@pytest.mark.django_db
def test_every_list_and_its_csv_and_its_xlsx_have_the_same_rows(client, world):
    tried: set[str] = set()
    for path, name in LISTS.items():
        address = path.format(**world)
        page = client.get(address)
        tried |= {template.name for template in page.templates}
        with CaptureQueriesContext(connection) as asked:
            lines = rows_of_csv(client, with_export(address, "csv"))
        book = book_of(client, with_export(address, "xlsx"))
        shown = how_many(page.context)
        assert (path, shown) == (path, len(lines) - 1)
        assert (path, shown > 0) == (path, True)
        told = [[WHOLE.sub(r"\1", value) for value in line] for line in lines]
        assert [[words(cell.value) for cell in row] for row in book.worksheets[0].iter_rows()] == told, path
        cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}, path
        assert f'href="{escape(with_export(address, "csv"))}"' in page.content.decode(), path
        assert [value for line in lines for value in line if value.lstrip().startswith(RUN)] == [], path
        assert (path, len(asked) <= 20) == (path, True)
        taken = AuditLog.objects.filter(action__in=("list.exported", "audit.exported")).order_by("-id")[:2]
        assert [(row.object_id or "audit", row.after["format"]) for row in taken] == [(name, "xlsx"), (name, "csv")]
    assert LISTS_OF_ROWS - tried <= set(APART)


@pytest.mark.django_db
def test_files_keep_the_filters_and_the_order_of_the_list(client, world):
    path = "/techniques?has_rules=true&ordering=-mitre_id&page=2"
    assert [line[0] for line in rows_of_csv(client, with_export(path, "csv"))] == ["Id", "T9003", "T9002", "T9001"]
    assert len(rows_of_csv(client, "/rules?severity=high&export=csv")) == 6


@pytest.mark.django_db
def test_a_workbook_says_what_it_is_and_the_trail_that_it_was_taken(client, world):
    book = book_of(client, "/rules?severity=high&export=xlsx")
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert (about["List"], about["Filters"], about["Taken by"]) == ("rules", "severity: high", "'=ann")
    assert about["ATT&CK release"] != "none imported"
    row = AuditLog.objects.filter(action="list.exported").first()
    assert (row.actor_name, row.object_id, row.after) == (
        "=ann",
        "rules",
        {"format": "xlsx", "filters": {"severity": ["high"]}},
    )


@pytest.mark.django_db
def test_an_unknown_format_shows_the_list(client, world):
    assert client.get("/rules?export=pdf")["Content-Type"].startswith("text/html")
    assert not AuditLog.objects.filter(action="list.exported").exists()


@pytest.mark.django_db
def test_a_long_list_costs_no_more_queries_than_a_short_one(client, world, django_assert_max_num_queries):
    for number in range(30):
        make_rule("T9001", name=f"Rule {number}")
        make_item("T9001")
    with django_assert_max_num_queries(15):
        assert len(rows_of_csv(client, "/rules?export=csv")) == 37
    with django_assert_max_num_queries(20):
        assert len(rows_of_csv(client, "/intel?export=csv")) == 34


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "'  @SUM(A1)"),
        ("\uff1d1", "'\uff1d1"),
        ("\x0b\x00", "\ufffd\ufffd"),
        ("plain", "plain"),
        ("x" * 40_000, "x" * 32_767),
    ],
    ids=["formula", "after spaces", "full width", "control characters", "plain", "too long"],
)
def test_cells_of_a_workbook_run_nothing_and_break_nothing(text, cell):
    assert harmless(text) == cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (3, 3),
        (-2.5, -2.5),
        (0, 0),
        (True, "yes"),
        (None, ""),
        ("3", "3"),
        (10**15, "1000000000000000"),
        (float("nan"), "nan"),
        (float("-inf"), "'-inf"),
    ],
    ids=str,
)
def test_numbers_are_numbers_in_a_workbook(value, cell):
    assert (of_workbook(value), type(of_workbook(value))) == (cell, type(cell))


def test_number_below_nought_is_no_formula_in_a_csv():
    table = Table("numbers", {"Number": lambda number: number})
    assert list(as_csv(table, [-5.5, -3])) == ['"Number"\r\n', '"-5.5"\r\n', '"-3"\r\n']


def test_values_are_written_as_words():
    assert [words(value) for value in (None, True, False, 3, ["a", None, 2])] == ["", "yes", "no", "3", "a; ; 2"]


@pytest.mark.parametrize(("write", "many"), [("csv", 20_000), ("xlsx", 4_000)])
def test_ten_times_as_many_rows_take_no_more_memory(write, many):
    table = Table("numbers", {"Number": lambda number: number, "Text": lambda number: f"{number} " * 20})
    peaks = []
    for rows in (many // 10, many):
        tracemalloc.start()
        if write == "csv":
            assert sum(1 for _ in as_csv(table, iter(range(rows)))) == rows + 1
        else:
            as_xlsx(table, iter(range(rows)), {}).close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000
