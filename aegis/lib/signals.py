"""Signals of what every part of Aegis does. Who listens needs no more than this: a worker starts without workbooks."""

from django.dispatch import Signal

list_exported = Signal()
"""Sent before the first byte of a file, with `user`, `name` of the list, `kind` and `filters`; `sender` is the class Table."""
