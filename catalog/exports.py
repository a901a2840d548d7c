"""How a list leaves Aegis: `?export=csv` or `?export=xlsx` on its page gives all its rows, as filtered and ordered there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from aegis.audit.recording import Subject, record
from aegis.lib.exports import Table, as_csv, as_xlsx
from catalog.models import AttackRelease

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
APART: Final = {"export", "page"}
"""Parameters that choose no rows."""


def exported(request: HttpRequest, table: Table, rows: Iterable[Any]) -> HttpResponseBase | None:
    """The file that the address asks for, None if it asks for none. That it was taken is recorded before its first byte."""
    kind = request.GET.get("export", "")
    if kind not in {"csv", "xlsx"}:
        return None
    asked = {name: values for name, values in request.GET.lists() if name not in APART and any(values)}
    record(request.user, "list.exported", Subject("list", table.name), after={"format": kind, "filters": asked})
    name = f"aegis-{table.name}-{timezone.now():%Y-%m-%d}.{kind}"
    if kind == "csv":
        response = StreamingHttpResponse(as_csv(table, rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
    file = as_xlsx(table, rows, _about(request, table))
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


def _about(request: HttpRequest, table: Table) -> dict[str, str]:
    filters = [
        f"{name}: {', '.join(values)}" for name, values in request.GET.lists() if name not in APART and any(values)
    ]
    return {
        "List": table.name,
        "Filters": "; ".join(filters) or "none",
        "Taken at": timezone.now().isoformat(timespec="seconds"),
        "ATT&CK release": str(AttackRelease.objects.current().first() or "none imported"),
        "Taken by": request.user.get_username(),
    }
