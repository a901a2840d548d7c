"""Every line that is logged during an import names its run, and the request that asked for it."""

import json
import logging
from io import StringIO

import pytest

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.log_lines import JsonLine
from aegis.audit.models import AuditLog
from imports import snapshots
from imports.models import DataSource, ImportRun
from imports.services import execute
from imports.tests.small_world import SmallWorld

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("snapshots_folder")]


@pytest.fixture
def lines():
    """What a server would log, as it is logged: call it for the events so far."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_lines_of_an_import_by_api_name_the_run_and_the_request(world: SmallWorld, lines) -> None:
    world.rule("a", "T1059")
    DataSource.objects.update_or_create(slug="sigma", defaults={"label": "Sigma"})
    answer = bearer(make_user("admin")).post("/api/v1/data-sources/sigma/sync")
    run = ImportRun.objects.get(pk=answer.json()["id"])
    before = len(lines())
    assert run.request_id == answer["X-Request-ID"]
    execute(run, mirror=str(world.folder))  # as a worker does, outside of the request
    told = lines()[before:]
    assert [(line["run"], line["request"]) for line in told] == [(str(run.pk), run.request_id)] * len(told)
    assert [line["message"].split(" in ")[0] for line in told] == [
        "Import of sigma begins",
        "Import of sigma: succeeded",
    ]
    assert AuditLog.objects.get(action="import.succeeded").request_id == run.request_id


def test_lines_of_other_threads_of_an_import_name_the_run_too(world: SmallWorld, lines, tmp_path) -> None:
    world.rule("a", "T1059")
    first = world.run("sigma")
    kept = tmp_path / "snapshots" / "sigma" / first.digest
    kept.write_bytes(b"damaged")
    run = world.run("sigma", force=True)
    [damaged] = [line for line in lines() if line["logger"] == snapshots.__name__]
    assert (damaged["run"], "request" in damaged) == (str(run.pk), False)


def test_failed_import_is_a_warning_with_its_reason(world: SmallWorld, lines) -> None:
    run = world.run("sigma")
    last = lines()[-1]
    assert (last["level"], last["run"]) == ("WARNING", str(run.pk))
    assert run.error in last["message"]
