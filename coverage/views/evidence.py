"""Downloads of evidence: for people who are logged in, and by a ticket of the API."""

from typing import cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import public, require_action
from aegis.accounts.models import User
from coverage.evidence import vault
from coverage.evidence.downloads import attachment, bucket_link, holder_of, signs_links
from coverage.models import Evidence
from coverage.services.evidence import note_download


@require_action("test.read")
@require_safe
def evidence_download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The file, or the way to the bucket that has it."""
    return taken(get_object_or_404(Evidence, pk=pk), cast(User, request.user))


@public
@require_safe
def evidence_ticket(request: HttpRequest, pk: UUID, ticket: str) -> HttpResponseBase:
    """The file, for whoever holds a ticket for it that is less than a minute old."""
    holder = holder_of(ticket, pk)
    if holder is None:
        raise Http404("This link is not good, or not any more: ask for a new one.")
    return taken(get_object_or_404(Evidence, pk=pk), holder)


def taken(evidence: Evidence, user: User) -> HttpResponseBase:
    """The answer with the file, noted in the audit trail before the first byte leaves. Raises Http404."""
    try:
        answer = HttpResponseRedirect(bucket_link(evidence)) if signs_links() else attachment(evidence)
    except FileNotFoundError as error:
        raise Http404("The file of this evidence is gone: `manage.py verify_evidence` lists all such.") from error
    except vault.Unavailable as error:
        return HttpResponse(str(error), status=503, content_type="text/plain", headers={"Retry-After": "30"})
    note_download(by=user, evidence=evidence)
    return answer
