"""What the words of a report mean, and where its figures come from: for the pages and the documents alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from aegis.audit.models import AuditHead
from aegis.lib.templatetags.aegis import short_version
from imports.models import DataSource

DEFINITIONS: Final = (
    ("Claimed", "A live detection rule names the technique. It says that something exists, never that it works."),
    ("Proven", "A validated test of the technique itself was seen at least as well as expected."),
    ("Proven gap", "Tests of it were validated, and each was seen less well than expected."),
    (
        "Outcome",
        "The best that the tools saw, from recorded facts: prevented, alerted, logged, missed; else not tested.",
    ),
    (
        "Time to detect",
        "From the start of a test until its first alert or prevention; the median where both are known.",
    ),
    (
        "Method",
        "One side carries out procedures, the other records what was seen. A lead who did neither decides (four eyes).",
    ),
    (
        "SHA-256",
        "Of what was shown to the one who decided, and of each file of evidence: what changed since is found out.",
    ),
)
"""Word -> its meaning."""


def sources_said(sources: Collection[DataSource]) -> str:
    """The sources with their versions; commits by their first eight digits."""
    return ", ".join(f"{one.label} {short_version(one.current_version)}" for one in sources) or "none imported"


def trail_said(head: AuditHead | None) -> str:
    """Where the audit trail stood."""
    return f"{head.size:,} rows, the last signed {head.mac}" if head else "its head is gone: run verify_audit"
