"""News from imports, for the floors above."""

from django.dispatch import Signal

import_finished = Signal()
"""Sent when a run has ended and is committed, with `run`."""

catalogue_stored = Signal()
"""Sent inside the transaction that stored an import, before it ends, with `run` and the engine's `outcome`; by a preview
and by a run that will be held too, whose transaction is taken back afterwards.

What is derived from the catalogue is brought into step here: if a receiver fails, the import is taken back with it. A
receiver returns what it moved, {name: list of dicts}, or None: that becomes `ImportRun.effects`.
"""

intel_stored = Signal()
"""Sent when the items of a scan are stored, inside a transaction, with `scan` and `items` (ids of new and changed ones).

A receiver that flags techniques says on the scan how many (`flagged`, `held_back`); the caller saves it."""
