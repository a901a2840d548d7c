"""The audit trail as a page, and as CSV."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.audit.chain import canonical
from aegis.audit.filters import AuditLogFilter
from aegis.audit.models import AuditHead, AuditLog
from aegis.audit.recording import Subject, record
from aegis.lib.csv_cells import csv_lines
from aegis.lib.pages import paginate, render_page

COLUMNS: Final = tuple(field.attname for field in AuditLog._meta.concrete_fields)


@require_action("audit.read")
@require_safe
def log_list(request: HttpRequest) -> HttpResponse:
    """The audit trail, newest first."""
    filterset = AuditLogFilter(request.GET, AuditLog.objects.all())
    head = AuditHead.objects.filter(pk=1).first()
    context = {"filterset": filterset, "page": paginate(request, filterset.qs), "head": head}
    return render_page(request, "audit/log_list.html", context, partial="list")


@require_action("audit.read")
@require_safe
def log_export(request: HttpRequest) -> StreamingHttpResponse:
    """The rows that the filters choose, oldest first, as CSV. That it was taken is a row too, which the file does not hold."""
    filterset = AuditLogFilter(request.GET, AuditLog.objects.all())
    if not filterset.form.is_valid():
        raise BadRequest(f"These filters cannot be read: {', '.join(filterset.form.errors)}.")
    asked = {name: value for name, value in filterset.form.cleaned_data.items() if value}
    export = record(
        request.user, "audit.exported", Subject("audit.auditlog"), after={"format": "csv", "filters": asked}
    )
    rows = filterset.qs.filter(id__lt=export.id).order_by("id")
    response = StreamingHttpResponse(csv_lines(_table(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="aegis-audit-{export.at:%Y-%m-%d}.csv"'
    return response


def _table(rows: QuerySet[AuditLog]) -> Iterator[Iterable[Any]]:
    yield COLUMNS
    for row in rows.iterator(chunk_size=2000):
        yield [_cell(getattr(row, name)) for name in COLUMNS]


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return canonical(value) if value else ""
    return value.isoformat() if hasattr(value, "isoformat") else value
