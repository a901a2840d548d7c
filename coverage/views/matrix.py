"""The matrix page: a picture of all tactics and techniques, and the same as a table."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import render_page
from coverage.matrix import choices as matrix_choices
from coverage.matrix.assembly import assemble
from coverage.matrix.facts import MatrixFacts
from coverage.matrix.overlay_rows import VIEW
from coverage.matrix.query import MOST_OVERLAYS, MatrixQuery


@require_action("coverage.read")
@require_safe
def matrix_page(request: HttpRequest) -> HttpResponse:
    """The matrix, narrowed and marked as the address says; to htmx, what is below the filter bar."""
    query = MatrixQuery.of(request.GET)
    facts = MatrixFacts.now(query, cast(User, request.user))
    context = {
        "adders": matrix_choices.adders(facts, query),
        "as_of": timezone.now(),
        "matrix": assemble(facts, query),
        "most_overlays": MOST_OVERLAYS,
        "query": query,
        "release": facts.release,
        "selects": matrix_choices.selects(facts, query),
        # Where all techniques have their pages: one look-up instead of one for each of 900 cells.
        "techniques": reverse("coverage:technique", args=["T"]).removesuffix("T"),
        "views": [offer for offer in facts.offers if offer.kind == VIEW],
        "ways_to_open": matrix_choices.ways_to_open(query),
    }
    return render_page(request, "coverage/matrix.html", context, partial="matrix")
