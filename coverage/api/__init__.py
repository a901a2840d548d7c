"""Techniques, tests, evidence, campaigns and figures in the API: one file per kind of row."""
