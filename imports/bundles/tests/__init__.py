"""Tests of bundles: the file itself, and the commands that write and import it."""
