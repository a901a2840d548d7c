"""Metrics are for those who hold the token, and tell what stands in the database."""

import pytest
from django.test import Client

from aegis import metrics
from coverage.tests.factories import make_test
from imports.models import ImportRun
from imports.tests.factories import make_run, make_source

PATH = "/health/metrics"
SOUND_TOKEN = "made-up-token-of-this-test-0123456789"


@pytest.fixture
def token(settings) -> dict[str, str]:
    settings.METRICS_TOKEN = SOUND_TOKEN
    metrics.standing.__init__()
    return {"HTTP_AUTHORIZATION": f"Bearer {SOUND_TOKEN}"}


def test_metrics_are_told_to_holders_of_the_token_only(db, token):
    assert Client().get(PATH).status_code == 401
    assert Client().get(PATH, HTTP_AUTHORIZATION="Bearer wrong").status_code == 401
    assert Client().get(PATH, **token).status_code == 200
    assert Client().post(PATH, **token).status_code == 405


def test_metrics_are_told_under_an_address_too(db, token):
    assert Client().get(PATH, HTTP_HOST="10.1.2.3:8000", **token).status_code == 200


def test_there_are_no_metrics_without_a_token(db):
    assert Client().get(PATH).status_code == 404


def test_figures_are_those_of_the_database(db, token):
    source = make_source("sigma", enabled=True)
    make_run(source, status=ImportRun.Status.SUCCEEDED)
    make_run(source, status=ImportRun.Status.FAILED)
    make_test()
    told = Client().get(PATH, **token).content.decode().splitlines()
    assert 'aegis_import_runs{source="sigma",status="failed"} 1.0' in told
    assert 'aegis_source_enabled{source="sigma"} 1.0' in told
    assert 'aegis_tests{state="draft"} 1.0' in told
    assert "aegis_worker_up 0.0" in told


def test_requests_are_counted(db, token):
    def answered() -> float:
        lines = Client().get(PATH, **token).content.decode().splitlines()
        found = [line for line in lines if line.startswith("django_http_responses_before_middlewares_total ")]
        return float(found[0].split()[1])

    before = answered()
    Client().get("/health")
    assert answered() == before + 2


def test_many_servers_that_ask_cost_no_more_than_one(db, token, django_assert_num_queries):
    Client().get(PATH, **token)
    with django_assert_num_queries(0):
        Client().get(PATH, **token)
