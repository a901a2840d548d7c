"""Pages of import runs: what a run did, change by change, and what it skipped."""

import pytest
from django.test import Client

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_defence, make_mitigation, make_rule, make_technique, make_template
from compliance.tests.factories import make_control
from imports.models import ImportChange, ImportRun
from imports.row_pages import kind_name, shown_changes
from imports.tests.factories import make_change, make_issue, make_run, make_source
from intel.tests.factories import make_actor

Kind = ImportChange.Kind
Status = ImportRun.Status
QUERIES_OF_THE_SHELL = 3
"""Session, user, and what the shell asks of the library."""
RULE = "catalog.detectionrule"


@pytest.fixture
def client(db: None) -> Client:
    """A browser in which a viewer is logged in."""
    browser = Client()
    browser.force_login(make_user())
    return browser


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_runs_are_listed_newest_first_with_filters(client):
    make_run(make_source("sigma"), requested_by=make_user(username="anna"))
    make_run(make_source("elastic"), status=Status.FAILED, error="no network")
    make_run(make_source("elastic"), dry_run=True)
    listed = [(run.source.slug, run.status, run.dry_run) for run in client.get("/runs").context["page"]]
    assert listed == [("elastic", "succeeded", True), ("elastic", "failed", False), ("sigma", "succeeded", False)]
    for query, expected in [("source=sigma", 1), ("status=failed", 1), ("dry_run=true", 1), ("source=elastic", 2)]:
        assert client.get(f"/runs?{query}").context["page"].paginator.count == expected
    page = text_of(client, "/runs")
    assert "by anna" in page
    assert "no network" in page


def test_search_for_changed_rows_is_typed_and_not_chosen(client):
    page = text_of(client, "/runs?touches=mimi")
    assert '<input type="search" name="touches" id="id_touches" value="mimi"' in page
    assert page.count('name="touches"') == 1


def test_list_without_runs_says_how_to_start(client):
    assert "python manage.py import_source --all" in text_of(client, "/runs")
    assert "No run matches these filters" in text_of(client, "/runs?status=failed")


def test_run_tells_what_it_read_and_who_asked_for_it(client):
    fields = {"origin": "https://example.org/archive", "version": "1.2.0", "digest": "ab" * 32, "skipped": 471}
    kinds = {"catalog.technique": {"created": 1, "updated": 2, "unchanged": 3, "withdrawn": 4, "restored": 5}}
    run = make_run(make_source("d3fend"), requested_by=make_user(username="anna"), kinds=kinds, **fields)
    page = text_of(client, f"/runs/{run.pk}")
    for told in ("https://example.org/archive", "1.2.0", "ab" * 32, "asked for by anna", "471 skipped"):
        assert told in page
    row = page[page.index("Technique</th>") :]
    assert [row.index(f'data-l="{name}">{number}<') for name, number in kinds["catalog.technique"].items()]
    assert 'data-l="upstream has">11<' in row


def test_preview_says_that_nothing_was_written_and_who_decides(client):
    run = make_run(make_source("sigma"), dry_run=True)
    page = text_of(client, f"/runs/{run.pk}")
    assert "Preview: nothing was written" in page
    assert "An admin decides." in page


def test_changes_can_be_filtered_by_kind_model_and_text(client):
    run = make_run(kinds={RULE: {}, "catalog.technique": {}})
    make_change(run, kind=Kind.CREATED, model=RULE, key="rule-1", name="Whoami", path="rules/whoami.yml")
    make_change(run, kind=Kind.UPDATED, model=RULE, key="rule-2", name="Curl", path="rules/curl.yml")
    make_change(run, kind=Kind.WITHDRAWN, model="catalog.technique", key="T1059", name="Scripting", changed={})
    make_change(make_run(), name="Of another run")

    def names(query: str) -> list[str]:
        return [change.row.name for change in client.get(f"/runs/{run.pk}{query}").context["changes"]]

    assert names("") == ["Whoami", "Curl", "Scripting"]
    assert names("?kind=updated") == ["Curl"]
    assert names(f"?model={RULE}") == ["Whoami", "Curl"]
    assert names("?search=T1059") == ["Scripting"]
    assert names("?search=curl.yml&kind=created") == []
    page = text_of(client, f"/runs/{run.pk}")
    assert f'<option value="{RULE}">detection rule</option>' in page
    assert "No change matches these filters" in text_of(client, f"/runs/{run.pk}?kind=restored")


def test_each_change_shows_its_fields_before_and_after(client):
    run = make_run()
    changed = {
        "content": ["title: a\nlevel: low\n", "title: a\nlevel: high\n"],
        "severity": ["low", "high"],
        "revoked_by_id": [None, "T1059"],
    }
    make_change(run, changed=changed)
    page = client.get(f"/runs/{run.pk}").content.decode()
    assert "<summary>3 fields: revoked_by, severity, content</summary>" in page
    assert "<dt>severity</dt><dd><del>low</del><ins>high</ins></dd>" in page
    assert "<dt>content</dt><dd>title: a\nlevel: <del>low</del><ins>high</ins>\n</dd>" in page
    assert "<dt>revoked_by</dt><dd><ins>T1059</ins></dd>" in page


def test_upstream_text_in_a_difference_is_text(client):
    run = make_run()
    make_change(run, name="<script>alert(1)</script>", changed={"name": ["<b>", "<script>alert(1)</script>"]})
    page = client.get(f"/runs/{run.pk}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_every_kind_of_row_that_has_a_page_is_linked_to_it(client, django_assert_num_queries):
    run = make_run(make_source("nist-800-53"))
    source = {"source": "nist-800-53"}
    technique = make_technique("T1059", **source)
    rule, template = make_rule(external_id="rule one", **source), make_template(external_id="t-1", **source)
    defence, actor, control = make_defence(**source), make_actor(**source), make_control(control_id="AC-2(1)")
    make_rule(external_id="rule two", source="sigma")
    rows = [
        ("catalog.technique", "T1059", technique),
        (RULE, "rule one", rule),
        ("catalog.testtemplate", "t-1", template),
        ("catalog.defensivetechnique", defence.d3fend_id, defence),
        ("intel.threatactor", actor.mitre_id, actor),
        ("compliance.compliancecontrol", "nist-800-53-rev5 AC-2(1)", control),
    ]
    linked = [make_change(run, model=model, key=key) for model, key, _ in rows]
    lost = [
        (RULE, "rule two"),
        (RULE, "of no source"),
        ("catalog.mitigation", make_mitigation().mitre_id),
        ("no.model", "x"),
    ]
    unlinked = [make_change(run, model=model, key=key) for model, key in lost]
    with django_assert_num_queries(len(rows)):
        shown = shown_changes(run, [*linked, *unlinked])
    assert [change.url for change in shown] == [row.get_absolute_url() for *_, row in rows] + [""] * len(lost)


def test_changes_of_a_kind_that_no_longer_exists_are_still_told(client):
    run = make_run()
    make_change(run, model="catalog.forgotten", name="An old row")
    assert kind_name("catalog.forgotten") == "catalog.forgotten"
    assert "An old row" in text_of(client, f"/runs/{run.pk}")


def test_run_that_changed_nothing_says_so(client):
    run = make_run(status=Status.NOT_MODIFIED, unchanged=3780)
    page = text_of(client, f"/runs/{run.pk}")
    assert "Upstream has not changed since the last import" in page
    assert "3,780 rows stand as they were" in page
    assert "This run created, updated and withdrew nothing." in page


def test_issues_name_file_line_and_reason(client):
    run = make_run(issue_count=8)
    for number in range(8):
        make_issue(run, path=f"rules/{number}.yml", line=number + 1, message=f"reason {number}")
    page = text_of(client, f"/runs/{run.pk}")
    assert "rules/5.yml:6" in page
    assert "rules/6.yml:7" not in page
    assert f'<a href="/runs/{run.pk}/issues">All 8 issues</a>' in page
    assert "rules/7.yml:8" in text_of(client, f"/runs/{run.pk}/issues")
    assert "reason 7" in text_of(client, f"/runs/{run.pk}/issues")


def test_run_without_issues_has_an_empty_page_of_them(client):
    assert "Every file of this run could be read." in text_of(client, f"/runs/{make_run().pk}/issues")


@pytest.mark.parametrize("pk", [0, 404, 10**30])
@pytest.mark.parametrize("page", ["", "/issues"])
def test_run_that_does_not_exist_is_not_found(client, pk, page):
    assert client.get(f"/runs/{pk}{page}").status_code == 404


@pytest.mark.parametrize("query", ["?page=nonsense", "?page=99", "?kind=nonsense", "?model=%00", "?search=%00"])
def test_odd_query_strings_break_nothing(client, query):
    run = make_run()
    make_change(run)
    assert client.get(f"/runs/{run.pk}{query}").status_code == 200


def test_htmx_gets_the_list_alone(client):
    run = make_run()
    make_change(run)
    for path in (f"/runs/{run.pk}", "/runs", f"/runs/{run.pk}/issues", "/sources/sigma", "/sources/unresolved"):
        page = client.get(path, headers={"HX-Request": "true"}).content.decode()
        assert page.lstrip().startswith('<div id="list"')


def test_pages_of_runs_take_few_queries_whatever_they_hold(client, django_assert_max_num_queries):
    run = make_run(make_source("sigma"), requested_by=make_user(), kinds={RULE: {}})
    for number in range(60):
        make_rule(external_id=f"rule-{number}")
        make_change(run, model=RULE, key=f"rule-{number}")
        make_issue(run)
    with django_assert_max_num_queries(QUERIES_OF_THE_SHELL + 8):
        client.get(f"/runs/{run.pk}")
    with django_assert_max_num_queries(QUERIES_OF_THE_SHELL + 3):
        client.get(f"/runs/{run.pk}/issues")
