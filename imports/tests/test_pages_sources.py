"""Pages of the data sources: what each holds, how its last run went, and what to do next."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_release, make_rule, make_technique
from imports.life import DEAD_AFTER
from imports.models import DataSource, ImportRun
from imports.source_state import source_states
from imports.tests.factories import make_issue, make_run, make_source

Status = ImportRun.Status
QUERIES_OF_THE_SHELL = 3
"""Session, user, and what the shell asks of the library."""
COMMIT = "8eaafff1f2845a696050e05e72ba1140ee190698"


@pytest.fixture
def client(db: None) -> Client:
    """A browser in which a viewer is logged in."""
    browser = Client()
    browser.force_login(make_user())
    return browser


def words() -> dict[str, str]:
    return {state.row.slug: state.word for state in source_states()}


def test_every_source_is_listed_before_anything_was_synced(client):
    DataSource.objects.all().update(last_sync_at=None)
    page = client.get("/sources").content.decode()
    assert page.count("Never run") == 9
    assert "No worker is running." in page
    assert "No run yet" in page
    assert "Sample data" not in page


def test_state_follows_the_newest_run_that_was_no_preview(db):
    make_run(make_source("sigma"))
    make_run(make_source("sigma"), status=Status.FAILED, dry_run=True)
    make_run(make_source("elastic"), status=Status.NOT_MODIFIED)
    make_run(make_source("atomic"), status=Status.FAILED, error="no network")
    make_run(make_source("caldera"), status=Status.RUNNING, finished_at=None)
    make_run(make_source("lolbas", enabled=False))
    make_source("d3fend", enabled=False)
    found = words()
    assert (found["sigma"], found["elastic"], found["atomic"]) == ("succeeded", "not_modified", "failed")
    assert (found["caldera"], found["lolbas"], found["d3fend"]) == ("running", "disabled", "disabled")
    assert found["nist-800-53"] == "never"


def test_failed_source_comes_first_with_its_reason_and_the_way_out(client):
    make_run(make_source("d3fend"), finished_at=datetime(2026, 10, 20, 4, 0, tzinfo=UTC))
    make_run(make_source("d3fend"), status=Status.FAILED, error="d3fend.mitre.org answered 503 to four tries.")
    page = client.get("/sources").content.decode()
    first_row = page.index("The source d3fend")
    assert first_row < page.index("MITRE ATT&amp;CK Enterprise")
    assert "d3fend.mitre.org answered 503 to four tries." in page
    assert "what was imported by 20 Oct 2026 still stands" in " ".join(page.split())
    assert "<code>python manage.py import_source d3fend</code>" in page


def test_failed_source_that_never_succeeded_claims_no_rows(client):
    make_run(make_source("d3fend"), status=Status.FAILED, error="no network")
    assert "Nothing of this source has been imported yet." in client.get("/sources").content.decode()


def test_counts_of_the_last_run_link_to_where_they_are_explained(client):
    run = make_run(make_source("sigma", current_version=COMMIT), updated=2, skipped=471, unresolved=24, issue_count=7)
    page = client.get("/sources").content.decode()
    assert f'data-l="created"><a href="/runs/{run.pk}">3</a>' in page
    assert 'data-l="skipped">471<' in page
    assert 'data-l="unresolved"><a href="/sources/unresolved?source=sigma">24</a>' in page
    assert f'data-l="issues"><a href="/runs/{run.pk}/issues">7</a>' in page
    assert f'<a href="https://github.com/SigmaHQ/sigma/tree/{COMMIT}" rel="noopener noreferrer">8eaafff1</a>' in page


def test_issues_of_the_last_read_still_hold_when_upstream_did_not_change(client):
    run = make_run(make_source("sigma"), issue_count=1)
    make_issue(run, path="rules/broken.yml", line=3, message="a tab where YAML wants blanks")
    make_run(run.source, status=Status.NOT_MODIFIED)
    page = client.get("/sources").content.decode()
    assert f'<a href="/runs/{run.pk}/issues">1</a>' in page
    assert "a tab where YAML wants blanks" in page


@pytest.mark.parametrize(("age", "is_due"), [(timedelta(days=29), False), (timedelta(days=31), True)])
def test_source_is_due_when_its_cadence_has_passed_since_its_last_sync(client, age, is_due):
    make_run(make_source("sigma", counted_from=timezone.now() - age))
    page = client.get("/sources/sigma").content.decode()
    assert "every 30 days" in page
    assert ("due since" in page) is is_due


@pytest.mark.parametrize(
    ("silence", "told"), [(timedelta(0), "312 of 2068 files"), (DEAD_AFTER * 2, "Not heard of since")]
)
def test_run_under_way_shows_its_progress_until_it_falls_silent(client, silence, told):
    heard = timezone.now() - silence
    progress = {"step": "parse", "done": 312, "total": 2068, "heartbeat_at": heard, "finished_at": None}
    make_run(make_source("elastic"), status=Status.RUNNING, **progress)
    page = client.get("/sources").content.decode().replace("2,068", "2068")
    assert told in page


def test_sample_data_is_marked_as_such(client):
    make_source("sigma", is_sample=True)
    page = client.get("/sources").content.decode()
    assert page.count("Sample data") == 2  # the note of the page, and the source itself
    assert "Sample data" in client.get("/sources/sigma").content.decode()


def test_page_of_a_source_tells_what_is_fixed_about_it(client):
    kinds = {"catalog.detectionrule": {"created": 3, "updated": 2, "unchanged": 1, "withdrawn": 9, "restored": 4}}
    make_run(make_source("sigma"), kinds=kinds)
    page = client.get("/sources/sigma").content.decode()
    assert "https://codeload.github.com/SigmaHQ/sigma/tar.gz/refs/heads/master" in page
    assert "rules*/**/*.yml" in page
    assert '<th scope="row">Detection rule</th><td class="r">10</td>' in page
    assert "python manage.py import_source sigma" in page
    assert "Admins sync sources and say how often." in page


def test_page_of_a_source_lists_what_it_left_unresolved(client):
    make_source("sigma")
    make_rule("T1690")
    make_rule("T1690", source="elastic")
    page = client.get("/sources/sigma").content.decode()
    assert "T1690" in page
    assert "1 reference<" in page


def test_source_that_aegis_no_longer_imports_keeps_its_page(client):
    make_run(make_source("gone"))
    assert "This version of Aegis no longer imports it" in client.get("/sources/gone").content.decode()
    assert client.get("/sources").status_code == 200


def test_run_history_of_a_source_comes_in_pages_of_50(client):
    source = make_source("sigma")
    make_run(make_source("elastic"))
    ImportRun.objects.bulk_create(ImportRun(source=source, status=Status.SUCCEEDED) for _ in range(60))
    assert client.get("/sources/sigma").context["page"].paginator.count == 60
    assert len(client.get("/sources/sigma?page=2").context["page"]) == 10


def test_unknown_source_is_not_found(client):
    assert client.get("/sources/nothing").status_code == 404


@pytest.mark.parametrize("path", ["/sources", "/sources/sigma", "/sources/unresolved", "/sources/translated", "/runs"])
@pytest.mark.parametrize("role", Role)
def test_everyone_who_is_logged_in_may_look(db, role, path):
    make_run(make_source("sigma"))
    browser = Client()
    assert browser.get(path).status_code == 302
    browser.force_login(make_user(role))
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/sources", "/sources/sigma", "/sources/unresolved", "/sources/translated", "/runs"])
def test_pages_take_few_queries_whatever_there_is(client, django_assert_max_num_queries, path):
    make_release()
    make_technique("T1059")
    for slug in ("sigma", "elastic", "atomic", "d3fend"):
        for _ in range(3):
            make_issue(make_run(make_source(slug), requested_by=make_user()))
        make_rule("T1059", f"T16{len(slug)}", "T1690", source=slug)
    with django_assert_max_num_queries(QUERIES_OF_THE_SHELL + 10):
        assert client.get(path).status_code == 200
