"""What upstream publishes under the id of a technique that somebody added here: the local one stays, and the run says so."""

from __future__ import annotations

from catalog.models import LocalTechnique
from imports.intake import Incoming
from imports.store import Plan, key_text
from imports.upstream import Issue


def left_out(plan: Plan) -> list[Issue]:
    """An issue for each row of a kind that was left out. One query where there is any."""
    if not plan.taken:
        return []
    rows = LocalTechnique.objects.select_related("technique", "added_by")
    added = {local.technique.mitre_id: _whose(local) for local in rows}
    return [
        Issue(message=_words(incoming, added.get(key_text(incoming.key), "")), path=incoming.path, lossless=True)
        for incoming in plan.taken
    ]


def _whose(local: LocalTechnique) -> str:
    return f" {local.technique.name!r}, added by {local.added_by} on {local.technique.first_seen_at:%Y-%m-%d}"


def _words(incoming: Incoming, whose: str) -> str:
    named = f"{key_text(incoming.key)} {incoming.values.get('name', '')}".strip()
    return (
        f"{named} was left out: its id belongs to the local technique{whose}, which stays as it is, with its tests. "
        "What else names the id means the local one"
    )
