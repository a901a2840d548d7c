"""The answer to what nobody caught: a fault of ours, or a database that does not answer or lacks what we need."""

import sys
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error

from aegis.lib.problems import RETRY_SECONDS, Behind, Unavailable, problem_page, said_of
from aegis.lib.upgrades import BEHIND, WHAT_TO_DO

SILENT: Final = {
    "heading": "The database does not answer",
    "text": "It may be starting again: load this page once more in a few seconds. What was saved before is safe; what you just "
    "sent was perhaps not saved.",
}
UPGRADED: Final = {
    "heading": "The upgrade is not complete",
    "text": f"{BEHIND} What was saved is safe. Somebody who runs the server has to act: {WHAT_TO_DO}",
}


def fault(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After where the database is away, full, too busy or behind this version, else 500: Django's handler500,
    called while the exception is handled. It asks no database.
    """
    said = said_of(sys.exc_info()[1])
    if not isinstance(said, Unavailable):
        return server_error(request)
    if request.path.startswith("/api/"):
        answer: HttpResponse = problem_page(said.status_code, said.default_detail)
    else:
        told = UPGRADED if isinstance(said, Behind) else SILENT
        answer = HttpResponse(loader.render_to_string("503.html", told), status=said.status_code)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
