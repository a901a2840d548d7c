"""Tests that a lead validated without a recorded outcome: good for the status, and told apart wherever tests are counted."""

import csv
import re
from importlib import import_module

import pytest
from django.apps import apps

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_release, make_tactic, make_technique
from coverage.matrix.facts import Proof
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


@pytest.mark.parametrize(
    ("proof", "look"),
    [
        (Proof("validated", met=1, total=1, validated=1), "v-validated"),
        (Proof("validated", met=1, total=2, attested=1, validated=2), "v-validated"),
        (Proof("validated", total=1, attested=1, validated=1), "v-attested"),
        (Proof("partial", total=2, attested=1, validated=1), "v-attested"),
        (Proof("partial", total=2, attested=1, validated=2), "v-partial"),
        (Proof("partial"), "v-partial"),
        (Proof("validated"), "v-attested"),
        (Proof("validated", proven_below=True), "v-validated"),
        (Proof("validated", total=1, attested=1, validated=1, proven_below=True), "v-validated"),
        (Proof("not_covered", gap=True, total=1, validated=1), "v-gap"),
        (Proof("in_progress", total=1), "v-progress"),
    ],
    ids=[
        *("met", "met and attested", "attested", "attested and open", "attested and missed"),
        *("some below", "attested below", "proven below", "attested above proven", "missed", "open"),
    ],
)
def test_what_is_only_attested_never_looks_proven(proof, look):
    assert proof.look == look


def world_of_attested():
    """T1053 is proven, T1059 only attested; T1070 has only a sub-technique that is, T1071 one that is proven."""
    make_release()
    make_tactic("execution")
    for mitre_id in ("T1053", "T1059", "T1070", "T1070.001", "T1071", "T1071.001"):
        make_technique(mitre_id, tactics=["execution"])
    for mitre_id in ("T1053", "T1071.001"):
        make_test(mitre_id, state="validated", outcome="prevented")
    for mitre_id in ("T1059", "T1070.001"):
        make_test(mitre_id, state="validated")


def test_what_is_only_attested_has_a_look_of_its_own_on_the_matrix(viewer):
    world_of_attested()
    page = viewer.get("/matrix").content.decode()
    looks = dict(
        re.findall(
            r'<a class="cell[^"]*" href="[^"]*/(T[\d.]+)".*?<b class="(v-[a-z]+)">[\dsub/]+</b></span></a>', page
        )
    )
    assert looks == {
        "T1053": "v-validated",
        "T1059": "v-attested",
        "T1070": "v-attested",
        "T1070.001": "v-attested",
        "T1071": "v-validated",
        "T1071.001": "v-validated",
    }
    assert "validated by attestation only, 0 of 1 test met, 1 attested" in page
    assert '<i class="sw v-attested">0/1</i>Attested only' in page


def test_what_is_only_attested_has_its_own_colour_in_layer_and_picture(viewer):
    world_of_attested()
    layer = viewer.get("/matrix.json").json()
    colours = {entry["techniqueID"]: entry["color"] for entry in layer["techniques"]}
    assert (colours["T1053"], colours["T1059"], colours["T1070"]) == ("#0b7a6f", "#dbf0ed", "#dbf0ed")
    assert {"label": "Attested only", "color": "#dbf0ed"} in layer["legendItems"]
    picture = viewer.get("/matrix.svg").content.decode()
    assert ">Attested only</text>" in picture
    hollow = 'fill="#dbf0ed" stroke="#0b7a6f" stroke-dasharray="3 2"/>'
    assert picture.count(hollow) == 3  # T1059 and T1070, and the legend
