"""The catalogue in the API: one file per kind of row."""
