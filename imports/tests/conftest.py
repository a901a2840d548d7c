"""Fixtures of the import tests."""

from pathlib import Path

import pytest

from imports.tests.small_world import SmallWorld


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    """An empty mirror."""
    return SmallWorld(tmp_path / "mirror")
