"""What was acknowledged is there, once, whatever becomes of the process that said so: `bin/kill_web.py` in small."""

import os
from urllib.parse import urlsplit

import pytest
from django.db import connection

from coverage.models import Test
from coverage.services.creation import create_test
from coverage.tests.kill_web import Report, clients, compare, kill_and_compare
from coverage.tests.killed_server import serving

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.long,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="what a killed process leaves to a server is the hard part"
    ),
]
SEED = 7


@pytest.fixture
def server(tmp_path):
    database = urlsplit(os.environ["AEGIS_TEST_DATABASE_URL"])
    url = database._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with serving({"DATABASE_URL": url}, tmp_path, size=2) as running:
        yield running


@pytest.fixture
def at_work(server):
    yield (found := clients(server, 4, SEED))
    for client in found:
        client.line.close()


def test_what_was_acknowledged_is_there_once_though_its_process_was_killed(server, at_work):
    report = kill_and_compare(server, at_work, requests=150, every=1.0, seed=SEED, kills=3)
    assert report.wrong == {}
    assert report.figures["workers killed"] >= 3
    assert report.figures["writes acknowledged"] >= 150
    damage(at_work)
    after = Report()
    compare(after, at_work)
    lost, doubled = (
        after.wrong[name] for name in ("acknowledged and lost", "doubled, or there though nobody was told")
    )
    assert [fault.partition(": ")[2] for fault in lost] == ["target are not what was acknowledged"]
    assert len(doubled) == 2


def damage(at_work):
    """What the comparison has to find: a field that is another one, and a test that nobody was told of."""
    work = at_work[0].ledger.works[0]
    Test.objects.filter(pk=work.pk).update(target="another host")
    standing = Test.objects.select_related("technique", "created_by").get(pk=work.pk)
    create_test(by=standing.created_by, technique=standing.technique, name="Unheard of")
