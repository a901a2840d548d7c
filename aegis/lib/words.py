"""What states are called on a page: the word, the glyph beside it, and the look that it is drawn in."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Badge:
    """`look` is the class `badge--<look>`; `icon` names a glyph, empty where a pattern stands in its place."""

    look: str
    label: str
    icon: str = ""


BADGES: Final = {
    # Coverage of a technique
    "validated": Badge("validated", "Validated", "validated"),
    "partial": Badge("partial", "Partial", "partial"),
    "in_progress": Badge("progress", "In progress", "progress"),
    "not_covered": Badge("none", "Not covered", "none"),
    "proven_gap": Badge("gap", "Proven gap", "gap"),
    "unknown": Badge("unknown", "Nothing known"),
    "review_required": Badge("review", "Review required", "flag"),
    # Outcome of a test
    "prevented": Badge("prevented", "Prevented", "shieldok"),
    "alerted": Badge("alerted", "Alerted", "bell"),
    "logged": Badge("logged", "Logged", "log"),
    "missed": Badge("missed", "Missed", "miss"),
    "not_tested": Badge("untested", "Not tested"),
    # State of a test
    "draft": Badge("none", "Draft", "progress"),
    "in_review": Badge("running", "In review", "clock"),
    "rejected": Badge("failed", "Rejected", "x"),
    # Data sources and their runs
    "healthy": Badge("ok", "Healthy", "check"),
    "succeeded": Badge("ok", "Succeeded", "check"),
    "not_modified": Badge("none", "Not modified", "check"),
    "queued": Badge("running", "Queued", "clock"),
    "running": Badge("running", "Running", "sync"),
    "failed": Badge("failed", "Failed", "x"),
    "cancelled": Badge("none", "Cancelled", "x"),
    "abandoned": Badge("failed", "Abandoned", "x"),
    "held": Badge("warn", "Held", "alert"),
    "applied": Badge("ok", "Applied", "check"),
    "discarded": Badge("none", "Discarded", "none"),
    "superseded": Badge("none", "Superseded", "none"),
    "disabled": Badge("none", "Disabled", "none"),
    "never": Badge("none", "Never run", "none"),
    # What a run changed
    "created": Badge("ok", "Created", "plus"),
    "updated": Badge("running", "Updated", "sync"),
    "restored": Badge("ok", "Restored", "check"),
    "withdrawn": Badge("warn", "Withdrawn", "alert"),
    # What upstream says of a record, and whether there is one
    "local": Badge("none", "Local", "home"),
    "archived": Badge("warn", "Archived", "alert"),
    "deprecated": Badge("warn", "Deprecated", "alert"),
    "revoked": Badge("warn", "Revoked", "alert"),
    "unresolved": Badge("warn", "Unresolved", "alert"),
}

SEVERITIES: Final = ("informational", "low", "medium", "high", "critical")
"""From nothing to worst; the place of a word is the number of its bars."""

NOTES: Final = {
    "debug": ("info", "info"),
    "info": ("info", "info"),
    "success": ("good", "check"),
    "warning": ("warn", "alert"),
    "error": ("bad", "alert"),
}
"""Level of a message -> (look of the note, glyph)."""


def badge(status: str) -> Badge:
    """The badge of a status; of a word that has no badge of its own, a plain one that shows the word."""
    return BADGES.get(status) or Badge("none", status.replace("_", " ").replace("-", " ").capitalize())
