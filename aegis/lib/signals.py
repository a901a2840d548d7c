"""Signals of what every part of Aegis does. Who listens needs no more than this: a worker starts without workbooks."""

from django.dispatch import Signal

list_exported = Signal()
"""Sent before the first byte of a file, with `user`, `name` of the list, `kind` and `filters`; `sender` is the class Table."""

process_lost = Signal()
"""Sent in a worker's main process when the one that carried out a task died, with `task` (its name), its `args`, and `how`."""
