"""What browsers load is what this version of Aegis brings, also after an upgrade that nobody ran `collectstatic` for."""

import json
import os

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

from aegis.lib import static_files
from aegis.lib.static_files import collect_if_stale

NAMES = ("css/one.css", "js/two.js")


@pytest.fixture
def folders(tmp_path, settings, monkeypatch):
    """Where the files of a version are, and where browsers get theirs."""
    ours, theirs = tmp_path / "static", tmp_path / "staticfiles"
    for name in NAMES:
        (ours / name).parent.mkdir(parents=True)
        (ours / name).write_text(f"/* {name} */")
    settings.STATICFILES_DIRS = [ours]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = theirs
    backend = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    monkeypatch.setattr(static_files, "staticfiles_storage", ManifestStaticFilesStorage())
    return ours, theirs


def served(theirs, name):
    names = json.loads((theirs / "staticfiles.json").read_text())["paths"]
    return (theirs / names[name]).read_text()


def test_files_that_nobody_has_collected_are_there(folders):
    _, theirs = folders
    collect_if_stale()
    assert [served(theirs, name) for name in NAMES] == ["/* css/one.css */", "/* js/two.js */"]


def test_file_of_an_upgrade_replaces_a_younger_copy_and_leaves_what_is_not_ours(folders):
    ours, theirs = folders
    collect_if_stale()
    (theirs / "not-ours.txt").write_text("stays")
    (ours / "css/one.css").write_text("/* new */")
    os.utime(ours / "css/one.css", (0, 0))
    collect_if_stale()
    assert [served(theirs, name) for name in NAMES] == ["/* new */", "/* js/two.js */"]
    assert (theirs / "not-ours.txt").read_text() == "stays"


def test_nothing_is_written_where_all_is_up_to_date(folders, monkeypatch):
    collect_if_stale()
    monkeypatch.setattr(static_files, "call_command", None)  # calling it would raise
    collect_if_stale()
