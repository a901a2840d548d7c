"""Whether a bundle may be imported now: not when a newer one was before it. The audit trail is the memory."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from aegis.accounts.models import User
from aegis.audit.models import AuditLog
from aegis.audit.recording import Subject, record
from imports.bundles.reading import Bundle
from imports.fetchers import FetchError

ACTION = "bundle.accepted"


def require_newer(bundle: Bundle) -> None:
    """Raises FetchError for a bundle that was made before the last accepted one."""
    last = AuditLog.objects.filter(action=ACTION).order_by("-id").first()
    if last is None:
        return
    made_at = datetime.fromisoformat(last.after["made_at"])
    if bundle.contents.made_at < made_at:
        raise FetchError(
            f"{bundle.name} is older than the last one that was imported ({last.object_label}): it would bring back old data."
            " If that is wanted, allow it (--allow-rollback, `allow_older` in the API, or the box below the file)."
        )


@transaction.atomic
def accept(bundle: Bundle, by: User | None = None) -> None:
    """Remember that the bundle is imported from here on."""
    after = {
        "made_at": bundle.contents.made_at.isoformat(),
        "made_by": bundle.contents.made_by,
        "signed_by": bundle.signed_by,
        "sources": {each.source: each.version or each.digest[:12] for each in bundle.contents.snapshots},
    }
    record(by, ACTION, Subject("imports.bundle", bundle.fingerprint[:16], bundle.name[:255]), after=after)
