"""News from imports, for the floors above."""

from django.dispatch import Signal

import_finished = Signal()
"""Sent when a run has ended and is committed, with `run`."""
