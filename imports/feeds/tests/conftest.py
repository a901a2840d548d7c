"""The web server of the fetchers' tests, as a mirror of feeds."""

from imports.fetchers.tests.conftest import server

__all__ = ["server"]
