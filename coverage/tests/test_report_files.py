"""Reports as documents, and their annex: the figures of the page, texts that make nothing happen, and a row on the record."""

import csv
import io
import re
import runpy
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from docx import Document
from lxml import html

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from coverage.models import Campaign, CoverageSnapshot, Evidence, TestInvolvement
from coverage.reports import docx as report_docx
from coverage.reports.campaign import campaign_report
from coverage.reports.context import campaign_words
from coverage.reports.docx import SHIPPED, TemplateFault, filled, plain
from coverage.services.campaigns import duplicate_as_retest
from coverage.services.snapshots import take_snapshot
from coverage.tests.factories import make_campaign, make_test
from coverage.tests.test_reports import make_world

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "{{ 1234*1234 }}{% for x in y %}<w:p>&amp;\x0b\ud800 {_{ 8*8 }_}"
SHOWN = "{{ 1234*1234 }}{% for x in y %}<w:p>&amp;\ufffd\ufffd {{ 8*8 }}"
"""The same as a document prints it; docxtpl takes `{_{` for masked braces."""


@pytest.fixture
def campaign(client, db):
    """A campaign with an outcome of each kind, evidence and a retest; the visitor is a viewer."""
    make_world()
    rita, bea = make_user(Role.RED_TECH, username="rita"), make_user(Role.BLUE_LEAD, username="bea")
    campaign = make_campaign(by=make_user(Role.RED_LEAD, username="lead"), name="Autumn", goal="First.\nSecond.")
    for number, outcome in enumerate(("missed", "alerted", "logged", "prevented"), start=1):
        test = make_test(f"T900{number}", state="validated", outcome=outcome, by=rita, lead=bea, campaign=campaign)
        TestInvolvement.objects.get_or_create(test=test, user=rita, kind="executed")
        Evidence.objects.create(
            test=test,
            side="red",
            original_name=f"{number}.log",
            key=str(number),
            size=1,
            sha256=f"{number}" * 64,
            uploaded_by=rita,
        )
    make_test("T9004", by=rita, campaign=campaign)
    duplicate_as_retest(by=campaign.created_by, campaign=campaign)
    CoverageSnapshot.objects.filter(day=CoverageSnapshot.objects.latest("day").day).delete()
    take_snapshot()
    client.force_login(make_user(username="vera"))
    return campaign


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def rows_of_page(content: bytes) -> list[list[str]]:
    tables = html.fromstring(content).xpath("//table[contains(@class, 'report-table')]")
    return [
        [squeezed(cell.text_content()) for cell in row.xpath("th|td")]
        for table in tables
        for row in table.xpath(".//tr")
    ]


def rows_of_document(content: bytes) -> list[list[str]]:
    tables = Document(io.BytesIO(content)).tables
    return [[squeezed(cell.text) for cell in row.cells] for table in tables for row in table.rows]


def text_of(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    paragraphs = [
        *document.paragraphs,
        *document.sections[0].header.paragraphs,
        *document.sections[0].footer.paragraphs,
    ]
    return "\n".join([*(one.text for one in paragraphs), *(cell for row in rows_of_document(content) for cell in row)])


def test_executive_document_prints_the_tables_and_sentences_of_the_page(client, campaign):
    asked = "/reports/executive?actor=G9001"
    page, answer = client.get(asked), client.get(f"{asked}&export=docx")
    found, report, said = rows_of_document(answer.content), page.context["report"], text_of(answer.content)
    rows = rows_of_page(page.content)
    assert len(rows) > 12
    assert [row for row in rows if row not in found] == []
    for sentence in (report.lead, report.scope, report.gaps_said, report.tests.said, report.tests.annex_said):
        assert sentence in said
    for mark in report.tests.outcomes.drawn[0].marks:
        assert f"{mark.series.label} {mark.text}" in said
    assert answer["Content-Disposition"].startswith('attachment; filename="aegis-executive-')


def test_campaign_document_prints_the_tables_of_the_page(client, campaign):
    path = f"/campaigns/{campaign.pk}/report"
    page, answer = client.get(path), client.get(f"{path}?export=docx")
    found, said = rows_of_document(answer.content), text_of(answer.content)
    findings = [row for row in rows_of_page(page.content) if len(row) == 5 and "SHA-256" not in row]
    assert len(findings) == 6 + 4
    pressed = {"".join(row).replace(" ", "") for row in found}
    by_file = [row for row in findings if row[0].endswith(".log")]
    assert [row for row in findings if row not in by_file and "".join(row).replace(" ", "") not in pressed] == []
    assert [[f"{name} {digest}", test, by, size.replace("\xa0", " ")] for name, test, by, size, digest in by_file] == [
        row for row in found if ".log" in row[0]
    ]
    assert "executed by rita, submitted by rita, decided by bea on" in said
    assert "Prevented 1      Alerted 1      Logged 1      Missed 1      Not tested 1" in squeezed_bar(said)
    assert "Before: this campaign. Now: " in said


def squeezed_bar(said: str) -> str:
    return said.replace("\u25a0 ", "")


def test_nothing_in_a_text_is_evaluated_or_becomes_markup(campaign):
    report = campaign_report(campaign)
    words = campaign_words(report, "https://aegis.example.org")
    hostile = words | {
        "title": HOSTILE,
        "findings": [one | {"name": HOSTILE, "note": HOSTILE} for one in words["findings"]],
        "scope": [{"word": "Goal", "text": HOSTILE}],
    }
    said = text_of(filled("campaign", hostile))
    assert "1522756" not in said
    assert said.count(SHOWN) == 2 + 2 * len(words["findings"]) + 1


def test_a_test_named_in_template_language_is_printed_as_it_is_named(client, campaign):
    make_test("T9001", campaign=campaign, name="{{ 1234*1234 }} {% raw %}")
    said = text_of(client.get(f"/campaigns/{campaign.pk}/report?export=docx").content)
    assert "{{ 1234*1234 }} {% raw %}" in said


def test_the_same_report_is_the_same_bytes(campaign):
    first = campaign_report(campaign)
    again = replace(campaign_report(Campaign.objects.get(pk=campaign.pk)), printed_at=first.printed_at)
    made = [filled("campaign", campaign_words(one, "https://aegis.example.org")) for one in (first, again)]
    assert made[0] == made[1]


@pytest.mark.parametrize("kind", ["docx", "csv", "xlsx"])
def test_taking_a_report_is_on_the_record(client, campaign, kind):
    for path in (f"/campaigns/{campaign.pk}/report?", "/reports/executive?since=2026-01-01&"):
        answer = client.get(f"{path}export={kind}")
        assert b"".join(getattr(answer, "streaming_content", [answer.content if kind == "docx" else b""]))
    taken = AuditLog.objects.filter(action="report.exported").order_by("id")
    assert [(row.actor_name, row.object_type, row.object_id, row.after["format"]) for row in taken] == [
        ("vera", "coverage.campaign", str(campaign.pk), kind),
        ("vera", "report", "executive", kind),
    ]
    assert taken[1].after["filters"] == {"since": ["2026-01-01"]}


def test_annex_names_the_hash_of_each_decision_and_of_each_file(client, campaign, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        answer = client.get(f"/campaigns/{campaign.pk}/report?export=csv")
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    tests = {str(test.pk): test for test in campaign.tests.live().in_campaign_order()}
    assert [row["Test"] for row in rows] == list(tests)
    assert {row["Test"]: row["Decided on SHA-256"] for row in rows} == {
        pk: one.decided_on_hash for pk, one in tests.items()
    }
    assert [row["Evidence SHA-256"] for row in rows] == [*(f"{one}" * 64 + f" {one}.log" for one in range(1, 5)), ""]
    assert [(row["Executed by"], row["Decided by"], row["Met"]) for row in rows[:2]] == [
        ("rita", "bea", "no"),
        ("rita", "bea", "yes"),
    ]


def own_template(folder: Path, text: str) -> None:
    document = Document()
    document.add_paragraph(text)
    document.save(str(folder / "campaign.docx"))


def test_a_template_of_ones_own_is_used(client, campaign, settings, tmp_path):
    settings.REPORT_TEMPLATES = str(tmp_path)
    own_template(tmp_path, "Ours: {{ title }}, {{ findings|length }} tests")
    assert "Ours: Campaign report: Autumn, 5 tests" in text_of(
        client.get(f"/campaigns/{campaign.pk}/report?export=docx").content
    )
    assert client.get("/reports/executive?export=docx").status_code == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ titel }}", "'titel' is undefined"),
        ("{% if %}", "Expected an expression"),
        ("{{ title.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ findings.append(1) }}", "access to attribute 'append' of 'list' object is unsafe"),
        ("{{ 1 // 0 }}", "zero"),
    ],
    ids=["no such word", "no template", "class of a text", "change of a list", "division by zero"],
)
def test_a_template_at_fault_is_refused_in_words(settings, tmp_path, text, said):
    settings.REPORT_TEMPLATES = str(tmp_path)
    own_template(tmp_path, text)
    with pytest.raises(TemplateFault, match=re.escape(said)):
        filled("campaign", {"title": "A title", "findings": []})


def test_the_page_says_what_is_wrong_with_a_template(client, campaign, settings, tmp_path):
    settings.REPORT_TEMPLATES = str(tmp_path)
    own_template(tmp_path, "{{ titel }}")
    answer = client.get(f"/campaigns/{campaign.pk}/report?export=docx", follow=True)
    assert answer.redirect_chain == [(f"/campaigns/{campaign.pk}/report", 302)]
    (message,) = map(str, answer.context["messages"])
    assert message == "The template campaign.docx cannot be filled: 'titel' is undefined"
    assert not AuditLog.objects.filter(action="report.exported").exists()


def test_a_template_that_is_no_document_is_refused(settings, tmp_path):
    settings.REPORT_TEMPLATES = str(tmp_path)
    (tmp_path / "campaign.docx").write_bytes(b"no document")
    with pytest.raises(TemplateFault, match=r"campaign\.docx"):
        filled("campaign", {})


def test_a_document_is_filled_with_texts_only():
    assert plain({"a": ["x\r\ny", 1, None]}) == {"a": ["x\ny", 1, None]}
    with pytest.raises(TypeError):
        plain({"a": Campaign()})


def test_shipped_templates_are_what_their_script_makes(tmp_path):
    made = runpy.run_path(str(ROOT / "bin" / "make_report_templates.py"))
    for name in ("executive", "campaign"):
        with ZipFile(io.BytesIO(made["saved"](made[name]()))) as new, ZipFile(SHIPPED / f"{name}.docx") as shipped:
            assert {one: new.read(one) for one in new.namelist()} == {
                one: shipped.read(one) for one in shipped.namelist()
            }


def test_heads_of_tables_repeat_and_pages_are_numbered():
    for name in ("executive", "campaign"):
        with ZipFile(report_docx.SHIPPED / f"{name}.docx") as document:
            assert document.read("word/document.xml").count(b"<w:tblHeader") >= 3
            footer = b"".join(document.read(one) for one in document.namelist() if "footer" in one)
            assert b"PAGE" in footer
            assert b"NUMPAGES" in footer
