"""Tests planned together: forms, page, results."""
