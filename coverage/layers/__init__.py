"""ATT&CK Navigator layers: read and written by pure code (`reading`, `writing`), made of a view, and listed."""
