"""The answer to what nobody caught: a fault of ours, or a database that does not answer."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error

from aegis.lib.outages import OUTAGES
from aegis.lib.problems import RETRY_SECONDS, Unavailable, problem_page


def fault(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After where the database is away, full or too busy, else 500: Django's handler500, called while the
    exception is handled. It asks no database.
    """
    if not isinstance(sys.exc_info()[1], OUTAGES):
        return server_error(request)
    if request.path.startswith("/api/"):
        answer: HttpResponse = problem_page(Unavailable.status_code, Unavailable.default_detail)
    else:
        answer = HttpResponse(loader.render_to_string("503.html"), status=Unavailable.status_code)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
