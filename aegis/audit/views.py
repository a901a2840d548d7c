"""The audit trail as a page, and as a file."""

from functools import partial
from typing import Any, Final, cast

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.audit.chain import canonical
from aegis.audit.filters import AuditLogFilter
from aegis.audit.models import AuditHead, AuditLog
from aegis.audit.recording import Subject, record
from aegis.audit.shown import shown_rows
from aegis.lib.exports import Table, as_csv
from aegis.lib.list_files import KINDS, csv_file, described, xlsx_file
from aegis.lib.pages import paginate, render_page


def _cell(name: str, row: AuditLog) -> Any:
    value = getattr(row, name)
    if isinstance(value, dict):
        return canonical(value) if value else ""
    return value.isoformat() if hasattr(value, "isoformat") else value


TABLE: Final = Table(
    "audit", {field.attname: partial(_cell, field.attname) for field in AuditLog._meta.concrete_fields}
)


@require_action("audit.read")
@require_safe
def log_list(request: HttpRequest) -> HttpResponseBase:
    """The audit trail, newest first; `?export=csv` and `?export=xlsx` give the rows that the filters choose."""
    if (kind := request.GET.get("export", "")) in KINDS:
        return _file(request, kind)
    filterset = AuditLogFilter(request.GET, AuditLog.objects.all())
    head = AuditHead.objects.filter(pk=1).first()
    page = paginate(request, filterset.qs)
    rows = shown_rows(cast(User, request.user), page)
    context = {"filterset": filterset, "page": page, "rows": rows, "head": head}
    return render_page(request, "audit/log_list.html", context, partial="list")


@require_action("audit.read")
@require_safe
def log_export(request: HttpRequest) -> HttpResponseBase:
    """The rows that the filters choose, as CSV, under an address of its own."""
    return _file(request, "csv")


def _file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The chosen rows, oldest first. That the file was taken is a row too, which it does not hold. Raises BadRequest."""
    filterset = AuditLogFilter(request.GET, AuditLog.objects.all())
    if not filterset.form.is_valid():
        raise BadRequest(f"These filters cannot be read: {', '.join(filterset.form.errors)}.")
    asked = {name: value for name, value in filterset.form.cleaned_data.items() if value}
    export = record(request.user, "audit.exported", Subject("audit.auditlog"), after={"format": kind, "filters": asked})
    rows = filterset.qs.filter(id__lt=export.id).order_by("id")
    name = f"aegis-audit-{export.at:%Y-%m-%d}.{kind}"
    return (
        csv_file(name, as_csv(TABLE, rows))
        if kind == "csv"
        else xlsx_file(name, TABLE, rows, described(request, TABLE))
    )
