"""Lists as CSV and XLSX: the rows of the list and no others, harmless in a spreadsheet, and on the record."""

import csv
import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from aegis.lib.exports import harmless, words
from catalog.tests.factories import make_defence, make_release, make_rule, make_tactic, make_technique, make_template
from compliance.tests.factories import make_control
from coverage.tests.factories import make_campaign, make_test
from imports.tests.factories import make_run
from intel.tests.factories import make_actor

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LISTS = {
    "catalog/defence_list.html": "/defences",
    "catalog/rule_list.html": "/rules?severity=high&ordering=-name",
    "catalog/template_list.html": "/templates?ordering=-name",
    "compliance/control_list.html": "/compliance",
    "coverage/campaign_list.html": "/campaigns",
    "coverage/gap_list.html": "/gaps?w_need=3",
    "coverage/technique_list.html": "/techniques?has_rules=true&ordering=-mitre_id",
    "coverage/test_list.html": "/tests?state=draft&ordering=name",
    "imports/run_list.html": "/runs",
    "imports/unresolved_list.html": "/sources/unresolved",
    "intel/actor_list.html": "/actors",
}
FORMULA = '=HYPERLINK("https://example.org")'


@pytest.fixture
def world(client):
    client.force_login(make_user(Role.VIEWER, username="vera"))
    make_release()
    make_tactic("execution")
    for number in range(1, 4):
        make_technique(f"T900{number}", tactics=["execution"], name=FORMULA)
        make_rule(f"T900{number}", name=f" {FORMULA}", severity="high" if number > 1 else "low")
        make_template(f"T900{number}", name=f"@{number}")
        make_test(f"T900{number}", name=f"+{number}")
        make_campaign(f"T900{number}", name=f"-{number}", goal=FORMULA)
        make_defence(f"T900{number}")
        make_control(f"T900{number}")
        make_actor(f"T900{number}")
        make_rule(f"T999{number}")
    make_run()


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


def test_every_list_that_offers_files_is_tried_here():
    offering = {
        str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*_list.html") if "export=True" in path.read_text()
    }
    assert offering == set(LISTS)


@pytest.mark.django_db
@pytest.mark.parametrize("path", LISTS.values())
def test_list_and_csv_and_xlsx_have_the_same_rows(client, world, path):
    page = client.get(path)
    lines = rows_of_csv(client, with_export(path, "csv"))
    sheet = book_of(client, with_export(path, "xlsx")).worksheets[0]
    assert page.context["page"].paginator.count == len(lines) - 1 > 0
    assert [[cell.value or "" for cell in row] for row in sheet.iter_rows()] == lines
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert f"{path.partition('?')[0]}?" in page.content.decode()
    assert [value for line in lines for value in line if value.lstrip().startswith(("=", "+", "-", "@"))] == []


@pytest.mark.django_db
def test_files_keep_the_filters_and_the_order_of_the_list(client, world):
    path = "/techniques?has_rules=true&ordering=-mitre_id&page=2"
    assert [line[0] for line in rows_of_csv(client, with_export(path, "csv"))] == ["Id", "T9003", "T9002", "T9001"]
    assert len(rows_of_csv(client, "/rules?severity=high&export=csv")) == 6


@pytest.mark.django_db
def test_a_workbook_says_what_it_is_and_the_trail_that_it_was_taken(client, world):
    book = book_of(client, "/rules?severity=high&export=xlsx")
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert (about["List"], about["Filters"], about["Taken by"]) == ("rules", "severity: high", "vera")
    assert about["ATT&CK release"] != "none imported"
    row = AuditLog.objects.filter(action="list.exported").first()
    assert (row.actor_name, row.object_id, row.after) == (
        "vera",
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
    with django_assert_max_num_queries(15):
        assert len(rows_of_csv(client, "/rules?export=csv")) == 37


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


def test_values_are_written_as_words():
    assert [words(value) for value in (None, True, False, 3, ["a", None, 2])] == ["", "yes", "no", "3", "a; ; 2"]
