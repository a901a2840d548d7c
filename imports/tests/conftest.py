"""Fixtures of the import tests."""

from pathlib import Path

import pytest

from imports.tests.small_world import SmallWorld


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    """An empty mirror."""
    return SmallWorld(tmp_path / "mirror")


@pytest.fixture
def snapshots_folder(tmp_path, settings) -> None:
    """Snapshots are kept in a folder of this test."""
    entry = settings.STORAGES["snapshots"]
    settings.STORAGES = settings.STORAGES | {"snapshots": entry | {"OPTIONS": {"location": tmp_path / "snapshots"}}}
