"""Where every row of the catalogue comes from: said on its page, in the API and in the Django admin, whatever its kind."""

from html import escape, unescape

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from aegis.accounts.tests.factories import make_user
from catalog.models import DetectionRule, LocalTechnique, Sourced, Technique
from coverage.services.techniques import create_technique
from imports.models import ImportChange
from imports.tests.sample_world import SAMPLES

pytestmark = pytest.mark.django_db
KINDS = [model for model in apps.get_models() if issubclass(model, Sourced)]
DETAILS = {
    "technique": "techniques/{.mitre_id}",
    "testtemplate": "test-templates/{.pk}",
    "detectionrule": "detection-rules/{.pk}",
    "defensivetechnique": "defensive-techniques/{.d3fend_id}",
    "threatactor": "threat-actors/{.mitre_id}",
    "complianceframework": "compliance/frameworks/{.slug}",
    "compliancecontrol": "compliance/controls/{.pk}",
}
"""Kind -> its detail in the API. The others have none, and no page of their own."""
HISTORY = {"technique": "?tab=history"}


@pytest.fixture
def admins(db: None) -> Client:
    browser = Client()
    browser.force_login(make_user("admin", username="maria"))
    return browser


def facts(row) -> dict[str, str]:
    """What has to be said of a row: upstream file and its address, version, licence, and the run that changed it last."""
    change = ImportChange.objects.filter(model=row._meta.label_lower, run__source__slug=row.source).latest("pk")
    return {
        "path": row.path,
        "file": row.source_url,
        "version": row.source_version,
        "license": row.license if isinstance(row, DetectionRule) else row.upstream_license,
        "run": change.run.get_absolute_url(),
    }


def missing(page: str, told: dict[str, str]) -> list[str]:
    """Which of the facts a page does not show; what it cuts short stands in a title."""
    hrefs = {name: f'href="{escape(told[name])}"' for name in ("file", "run")}
    texts = {"path": escape(told["path"]), "license": told["license"], "version": told["version"]}
    return [name for name, text in (hrefs | texts).items() if text not in page and text not in unescape(page)]


def test_every_kind_says_where_it_comes_from(admins, subtests):
    call_command("import_source", all=True, mirror=str(SAMPLES), json=True)
    for model in KINDS:
        row = model._default_manager.filter(withdrawn_at=None).earliest("pk")
        told, kind = facts(row), row._meta.model_name
        with subtests.test(f"{kind} is told in full"):
            assert all(told.values()), told
        with subtests.test(f"{kind} in the admin"):
            page = admins.get(reverse(f"admin:{row._meta.app_label}_{kind}_change", args=[row.pk])).content.decode()
            assert missing(page, told) == []
        with subtests.test(f"{kind} on its page"):
            assert hasattr(row, "get_absolute_url") == (kind in DETAILS)
            if kind in DETAILS:
                page = admins.get(row.get_absolute_url() + HISTORY.get(kind, "")).content.decode()
                assert missing(page, told) == []
                assert "First seen" in page
        with subtests.test(f"{kind} in the API"):
            if kind in DETAILS:
                answer = admins.get(f"/api/v1/{DETAILS[kind].format(row)}", HTTP_ACCEPT="application/json").json()
                shown = (answer["path"], answer["source_url"], answer["license"], answer["last_run"]["url"])
                assert shown == (told["path"], told["file"], told["license"], told["run"])
                assert answer["first_seen_at"]
                assert told["version"] in {answer["version"], answer.get("source_version")}


def test_local_technique_says_who_added_it_and_names_no_upstream(admins):
    call_command("import_source", "attack", mirror=str(SAMPLES), json=True)
    user = make_user("admin", username="lena")
    row = create_technique(by=user, mitre_id="T9001", name="Local", tactics=["execution"])
    answer = admins.get("/api/v1/techniques/T9001", HTTP_ACCEPT="application/json").json()
    told = {
        name: answer[name] for name in ("source", "path", "version", "source_url", "license", "last_run", "added_by")
    }
    assert told == {
        "source": "local",
        "path": "",
        "version": "",
        "source_url": "",
        "license": "",
        "last_run": None,
        "added_by": "lena",
    }
    page = admins.get("/techniques/T9001?tab=history").content.decode()
    assert "Local: added here, by no upstream" in page
    assert "None: it is your own" in page
    for found in (Technique.objects.get(pk=row.pk), LocalTechnique.objects.get()):
        assert admins.get(reverse(f"admin:catalog_{found._meta.model_name}_change", args=[found.pk])).status_code == 200
