"""Tests that a lead validated without a recorded outcome: good for the status, and told apart wherever tests are counted."""

import csv
from importlib import import_module

import pytest
from django.apps import apps

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_release, make_tactic, make_technique
from coverage.models import TechniqueCoverage
from coverage.services.status import drift
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client):
    client.force_login(make_user())
    return client


def test_attested_tests_are_told_apart_from_those_that_met(viewer):
    make_release()
    make_tactic("execution")
    make_technique("T1053", tactics=["execution"])
    make_technique("T1059", tactics=["execution"])
    make_test("T1053", state="validated")
    make_test("T1053", state="validated", outcome="prevented")
    make_test("T1059", state="validated")
    lines = csv.DictReader(viewer.get("/matrix.csv").getvalue().decode().splitlines())
    names = ("Status", "Proven", "Tests met", "Tests attested", "Tests")
    assert {line["Technique"]: [line[name] for name in names] for line in lines} == {
        "T1053": ["validated", "yes", "1", "1", "2"],
        "T1059": ["validated", "no", "0", "1", "1"],
    }
    scores = {entry["techniqueID"]: entry["score"] for entry in viewer.get("/matrix.json").json()["techniques"]}
    assert scores == {"T1053": 50, "T1059": 0}
    assert "validated, 1 of 2 tests met, 1 attested" in viewer.get("/matrix").content.decode()
    assert "0 of 1</a> <small>met, 1 attested" in viewer.get("/techniques/T1059").content.decode()


def test_upgrade_parts_attested_tests_from_those_that_met():
    make_technique("T1001")
    make_test("T1001", state="validated")
    make_test("T1001", state="validated", outcome="prevented")
    TechniqueCoverage.objects.update(tests_met=2, tests_attested=0)
    upgrade = import_module("coverage.migrations.0009_attested")
    upgrade.part(apps, None)
    assert list(drift()) == []
    upgrade.join(apps, None)
    assert TechniqueCoverage.objects.get().tests_met == 2
