"""The matrix as files. Each takes the address of a view of the page, and the techniques that a form selected on it."""

from operator import itemgetter
from typing import Final, cast

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.csv_cells import csv_lines
from aegis.lib.exports import Table
from aegis.lib.list_files import csv_file, described, told, xlsx_file
from coverage.layers.export import layer_of
from coverage.layers.writing import written
from coverage.matrix.assembly import Assembly
from coverage.matrix.facts import MatrixFacts
from coverage.matrix.picture import picture
from coverage.matrix.query import MatrixQuery
from coverage.matrix.rows import HEAD, rows

TABLE: Final = Table("matrix", {name: itemgetter(place) for place, name in enumerate(HEAD)})


@require_action("coverage.read")
@require_http_methods(["GET", "HEAD", "POST"])
def matrix_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The techniques that the filters leave, one a line."""
    drawn = asked(request)
    told(request, TABLE, "csv")
    return csv_file(file_name(drawn.facts, "csv"), csv_lines([HEAD, *rows(drawn)]))


@require_action("coverage.read")
@require_http_methods(["GET", "HEAD", "POST"])
def matrix_xlsx(request: HttpRequest) -> FileResponse:
    """The same as a workbook."""
    drawn = asked(request)
    told(request, TABLE, "xlsx")
    about = {**described(request, TABLE), "ATT&CK release": drawn.facts.release or "none imported"}
    return xlsx_file(file_name(drawn.facts, "xlsx"), TABLE, rows(drawn), about)


@require_action("coverage.read")
@require_http_methods(["GET", "HEAD", "POST"])
def matrix_layer(request: HttpRequest) -> HttpResponse:
    """The view as a layer for ATT&CK Navigator: every technique, those that the filters leave out disabled."""
    drawn = asked(request)
    told(request, TABLE, "layer")
    response = HttpResponse(written(layer_of(drawn)), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{file_name(drawn.facts, "json")}"'
    return response


@require_action("coverage.read")
@require_http_methods(["GET", "HEAD", "POST"])
def matrix_svg(request: HttpRequest) -> HttpResponse:
    """The view as a picture for slides."""
    drawn = asked(request)
    told(request, TABLE, "svg")
    response = HttpResponse(picture(drawn), content_type="image/svg+xml; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{file_name(drawn.facts, "svg")}"'
    return response


def asked(request: HttpRequest) -> Assembly:
    """The view of the matrix that a request is about."""
    query = MatrixQuery.of(request.GET, request.POST)
    return Assembly(MatrixFacts.now(query, cast(User, request.user)), query)


def file_name(facts: MatrixFacts, suffix: str) -> str:
    """What a file is called: it tells the release and the day."""
    release = facts.release.rpartition(" ")[2] or "none"
    kept = "".join(character for character in release if character.isalnum() or character in ".-")
    return f"aegis-matrix-attack-{kept}-{timezone.now():%Y-%m-%d}.{suffix}"
