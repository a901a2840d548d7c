"""Frameworks and controls in the API: every field by the owner's names, what the list shows, and every filter."""

import pytest

from aegis.accounts.tests.factories import bearer
from catalog.tests.factories import SEEN, make_technique
from compliance.tests.factories import make_control, make_framework, make_mapping

pytestmark = pytest.mark.django_db
CONTROLS = "/api/v1/compliance/controls"


@pytest.fixture
def api():
    return bearer()


def test_a_framework_has_its_own_version_beside_its_upstreams(api):
    framework = make_framework("rev5", version="Rev 5", source_version="0123abc")
    (row,) = api.get("/api/v1/compliance/frameworks").json()["results"]
    assert {name: row[name] for name in ("slug", "name", "version", "attack_version", "source_version")} == {
        "slug": "rev5",
        "name": "NIST SP 800-53",
        "version": "Rev 5",
        "attack_version": "16.1",
        "source_version": "0123abc",
    }
    assert row["source_url"] == framework.source_url


def test_a_control_shows_its_current_mappings_and_all_if_asked(api):
    make_technique("T1059")
    control = make_control("T1059", control_id="AC-2(1)", parent_control_id="AC-2")
    make_mapping(control, "T1999", attack_version="12.1", is_current=False)
    current = {
        "published_id": "T1059",
        "mitre_id": "T1059",
        "resolution": "exact",
        "mapping_type": "mitigates",
        "mapping_name": "",
        "score_category": "",
        "score_value": "",
        "defends": True,
        "attack_version": "16.1",
        "is_current": True,
        "comments": "",
        "references": [],
    }
    older = current | {
        "published_id": "T1999",
        "mitre_id": None,
        "resolution": "unresolved",
        "attack_version": "12.1",
        "is_current": False,
    }
    fields = {
        "id": control.pk,
        "framework": "nist-800-53-rev5",
        "framework_version": "Rev 5",
        "control_id": "AC-2(1)",
        "title": control.title,
        "description": "What the control asks for.",
        "category": "Access Control",
        "parent_control_id": "AC-2",
        "withdrawn": False,
        "mappings": [current],
        "source": "nist-800-53",
        "path": control.path,
        "version": "0123abc",
        "source_url": control.source_url,
        "license": "Apache-2.0",
        "first_seen_at": "2026-01-02T03:04:05Z",
        "changed_at": "2026-01-02T03:04:05Z",
        "withdrawn_at": None,
        "coverage": {
            "techniques": 1,
            "claimed": 0,
            "claimed_percent": 0.0,
            "proven": 0,
            "proven_percent": 0.0,
            "missed": 0,
            "proven_gaps": 0,
        },
    }
    assert api.get(CONTROLS).json()["results"] == [fields]
    detail = fields | {"last_run": None}
    assert api.get(f"{CONTROLS}/{control.pk}").json() == detail
    assert api.get(f"{CONTROLS}/{control.pk}", {"mappings": "all"}).json() == detail | {"mappings": [current, older]}
    assert list(api.get(f"{CONTROLS}/{control.pk}", {"mappings": "old"}).json()["errors"]) == ["mappings"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"AC-1", "SI-1"}),
        ({"withdrawn": "true"}, {"AC-9", "AC-8"}),
        ({"withdrawn": "false"}, {"AC-1", "SI-1"}),
        ({"framework": "rev4"}, {"SI-1"}),
        ({"category": "System Integrity"}, {"SI-1"}),
        ({"technique": "T1486"}, {"SI-1"}),
        ({"technique": "T1999"}, set()),
        ({"search": "ac-"}, {"AC-1"}),
    ],
)
def test_controls_that_a_filter_shows(api, query, expected):
    first = make_control(control_id="AC-1")
    make_mapping(first, "T1999", attack_version="12.1", is_current=False)
    make_control("T1486", control_id="SI-1", framework="rev4", category="System Integrity")
    make_control(control_id="AC-9", withdrawn=True)
    make_control(control_id="AC-8", withdrawn_at=SEEN)
    assert {row["control_id"] for row in api.get(CONTROLS, query).json()["results"]} == expected


def test_controls_come_in_the_order_of_their_numbers(api):
    for control_id, sort_key in (("AC-10", "AC-0010"), ("AC-2", "AC-0002"), ("AC-2(1)", "AC-0002(0001)")):
        make_control(control_id=control_id, sort_key=sort_key)
    rows = api.get(CONTROLS, {"ordering": "control_id"}).json()["results"]
    assert [row["control_id"] for row in rows] == ["AC-2", "AC-2(1)", "AC-10"]
