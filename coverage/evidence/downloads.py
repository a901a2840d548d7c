"""How evidence leaves Aegis: links that live for a minute, and answers that no browser shows or runs."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.http import FileResponse
from django.urls import reverse
from django.utils.http import content_disposition_header

from aegis.accounts.models import User
from aegis.accounts.policy import allows
from coverage.evidence import vault
from coverage.models import Evidence

TICKETS: Final = "coverage.evidence.downloads.ticket"
UNKNOWN_TYPE: Final = "application/octet-stream"
HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def signs_links() -> bool:
    """Whether the storage hands its objects out itself, by signed links: a bucket does, a folder does not."""
    return bool(getattr(vault.storage(), "querystring_auth", False))


def bucket_link(evidence: Evidence) -> str:
    """A link into the bucket, good for `vault.LINK_SECONDS`: always an attachment of unknown type. Raises Unavailable."""
    store: Any = vault.storage()
    signed = {
        "ResponseContentDisposition": content_disposition_header(True, evidence.original_name) or "attachment",
        "ResponseContentType": UNKNOWN_TYPE,
    }
    try:
        return str(store.url(evidence.key, parameters=signed, expire=vault.LINK_SECONDS))
    except Exception as error:
        raise vault.Unavailable(f"The evidence storage gives no link: {type(error).__name__}") from error


def ticket_path(evidence: Evidence, user: User) -> str:
    """The path of a download for this user and this file alone, good for `vault.LINK_SECONDS` without a login."""
    ticket = signing.dumps({"evidence": str(evidence.pk), "user": user.pk}, salt=TICKETS)
    return reverse("coverage:evidence-ticket", args=[evidence.pk, ticket])


def holder_of(ticket: str, evidence: UUID) -> User | None:
    """The user for whom the ticket was made, if it is for this file, still good, and they may still read."""
    try:
        facts = signing.loads(ticket, salt=TICKETS, max_age=vault.LINK_SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=facts["user"]).first()
    return user if facts["evidence"] == str(evidence) and allows(user, "test.read") else None


def attachment(evidence: Evidence) -> FileResponse:
    """The file as it was uploaded, in pieces, to be saved and never shown. Raises FileNotFoundError, Unavailable."""
    try:
        file = vault.storage().open(evidence.key)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise vault.Unavailable(f"The evidence storage does not answer: {type(error).__name__}") from error
    return FileResponse(
        file, as_attachment=True, filename=evidence.original_name, content_type=UNKNOWN_TYPE, headers=HEADERS
    )
