"""`manage.py demo`: from nothing to a catalogue, a login and a summary; with a mirror, and without any network."""

import socket
import sys
from typing import NoReturn

import pytest
from django.core.management import call_command

from aegis.accounts.models import User
from aegis.lib.processes import Group
from catalog.models import Technique
from compliance.models import ComplianceFramework
from imports.models import DataSource, ImportRun
from imports.registry import SOURCES
from imports.tests.sample_world import SAMPLES
from intel.models import FeedScan

# What it does in a database is to import all sources: test_import_source.py does so on both.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def nobody_there(*args: object, **kwargs: object) -> NoReturn:
    raise ConnectionRefusedError


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No upstream can be reached."""
    monkeypatch.setattr(socket, "create_connection", nobody_there)


def printed(capsys: pytest.CaptureFixture[str], **options: object) -> str:
    """What the demo prints."""
    call_command("demo", **options)
    return capsys.readouterr().out


def test_demo_imports_everything_makes_an_admin_and_sums_up(settings, capsys):
    settings.AEGIS_MIRROR = str(SAMPLES)
    output = printed(capsys, no_serve=True)
    assert f"Importing all sources from the mirror {SAMPLES} ..." in output
    assert ImportRun.objects.filter(status="succeeded").count() == len(SOURCES)
    assert f"{Technique.objects.active().count()} active techniques" in output
    assert "no test has been recorded yet" in output
    assert "Password (shown this once): " in output
    assert User.objects.active_admins().get().username == "admin"
    assert "Reading the feeds (at most 15 seconds) ..." in output
    assert "16 new items" in output
    assert "http://127.0.0.1" not in output


def test_mirror_without_feeds_is_not_asked_for_them(settings, tmp_path, capsys):
    for place in SAMPLES.iterdir():
        if place.name in {"codeload.github.com", "d3fend.mitre.org", "raw.githubusercontent.com"}:
            (tmp_path / place.name).symlink_to(place)
    settings.AEGIS_MIRROR = str(tmp_path)
    output = printed(capsys, no_serve=True)
    assert "The mirror holds no feed: there is no news yet." in output
    assert (FeedScan.objects.count(), ImportRun.objects.filter(status="succeeded").count()) == (0, len(SOURCES))


def test_second_demo_imports_nothing_and_makes_no_other_admin(settings, capsys):
    settings.AEGIS_MIRROR = str(SAMPLES)
    printed(capsys, no_serve=True)
    output = printed(capsys, no_serve=True)
    assert "Password" not in output
    assert User.objects.count() == 1
    assert ImportRun.objects.filter(status="not_modified").count() == len(SOURCES)


@pytest.mark.usefixtures("no_network")
def test_without_a_network_the_made_up_world_is_shown_and_marked(capsys):
    output = printed(capsys, no_serve=True)
    assert "No network: importing the made-up world in samples/. Set AEGIS_MIRROR for real data." in output
    assert set(DataSource.objects.values_list("is_sample", flat=True)) == {True}
    frameworks = ComplianceFramework.objects.filter(slug__startswith="sample-").values_list("slug", "switched_on")
    assert dict(frameworks) == {"sample-cloud": False, "sample-house-rules": False}
    assert not DataSource.objects.get(slug="mappings-explorer").enabled


@pytest.mark.usefixtures("no_network")
def test_without_a_network_real_data_are_left_alone(capsys):
    DataSource.objects.filter(slug="sigma").update(current_version="8eaafff1", is_sample=False)
    output = printed(capsys, no_serve=True)
    assert "No network: the catalogue stays as it was last imported." in output
    assert ImportRun.objects.count() == 0


def test_sources_that_fail_do_not_stop_the_demo(settings, capsys, tmp_path):
    settings.AEGIS_MIRROR = str(tmp_path)
    output = printed(capsys, no_serve=True)
    assert "Some sources could not be imported (see above); the others are there." in output
    assert "Password (shown this once): " in output


def test_demo_ends_as_the_site_with_its_worker_and_its_schedule(settings, capsys, monkeypatch, tmp_path):
    settings.AEGIS_MIRROR = str(tmp_path)
    started: list[dict[str, list[str]]] = []
    monkeypatch.setattr(Group, "run", lambda group: started.append(dict(group._programs)))
    output = printed(capsys, port=8123)
    assert "Aegis is at http://127.0.0.1:8123 (Ctrl+C stops it)" in output
    (programs,) = started
    assert list(programs) == ["web", "worker", "beat"]
    assert {command[0] for command in programs.values()} == {sys.executable}
    assert programs["web"][1:6] == ["-m", "gunicorn", "aegis.wsgi", "--bind", "127.0.0.1:8123"]
