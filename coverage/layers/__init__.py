"""ATT&CK Navigator layers: read and written by pure code, which knows no database and no request."""
