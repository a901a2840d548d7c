"""Tests of fetching, over archives and servers made up here."""
