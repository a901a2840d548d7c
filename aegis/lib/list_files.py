"""How a list leaves Aegis: `?export=csv` or `?export=xlsx` on its page gives all its rows, as filtered and ordered there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from aegis.lib.exports import Table, as_csv, as_xlsx
from aegis.lib.signals import list_exported

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS: Final = frozenset({"csv", "xlsx"})
APART: Final = frozenset({"export", "page"})
"""Parameters that choose no rows."""


def nothing() -> Mapping[str, str]:
    """No more about a list than every list says."""
    return {}


def exported(
    request: HttpRequest, table: Table, rows: Iterable[Any], about: Callable[[], Mapping[str, str]] = nothing
) -> HttpResponseBase | None:
    """The file that the address asks for, None if it asks for none. That it was taken is told before its first byte.

    `about` is what the second sheet of a workbook says beside the list, its filters, who took it and when.
    """
    kind = request.GET.get("export", "")
    if kind not in KINDS:
        return None
    told(request, table, kind)
    name = f"aegis-{table.name}-{timezone.now():%Y-%m-%d}.{kind}"
    if kind == "csv":
        return csv_file(name, as_csv(table, rows))
    return xlsx_file(name, table, rows, {**described(request, table), **about()})


def told(request: HttpRequest, table: Table, kind: str) -> None:
    """Tell those who keep the books that the visitor takes a list."""
    list_exported.send(Table, user=request.user, name=table.name, kind=kind, filters=filters_of(request))


def csv_file(name: str, lines: Iterable[str]) -> StreamingHttpResponse:
    """Lines of CSV as a file that comes as it is made."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def xlsx_file(
    name: str,
    table: Table,
    rows: Iterable[Any],
    about: Mapping[str, str],
    more: Mapping[Table, Iterable[Any]] | None = None,
) -> FileResponse:
    """A workbook as a file, with a sheet more for each of `more`."""
    return FileResponse(as_xlsx(table, rows, about, more), as_attachment=True, filename=name, content_type=XLSX)


def filters_of(request: HttpRequest) -> dict[str, list[str]]:
    """What the query string chooses rows by."""
    return {name: values for name, values in request.GET.lists() if name not in APART and any(values)}


def described(request: HttpRequest, table: Table) -> dict[str, str]:
    """What every workbook says of itself."""
    filters = [f"{name}: {', '.join(values)}" for name, values in filters_of(request).items()]
    return {
        "List": table.name,
        "Filters": "; ".join(filters) or "none",
        "Taken at": timezone.now().isoformat(timespec="seconds"),
        "Taken by": request.user.get_username(),
    }
