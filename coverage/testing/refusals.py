"""Why something was not done to a test. The messages speak to the person who asked."""

from django.core.exceptions import PermissionDenied


class Conflict(Exception):
    """The request is right in itself, and does not fit how things stand."""


class IllegalMove(Conflict):
    """The state of the test allows no such move; the message names the state, the action, and what is possible instead."""


class StaleVersion(Conflict):
    """Somebody wrote since the caller looked; the message says who did what, and when."""


class NotAllowed(PermissionDenied):
    """The policy refuses; the message says why."""
