"""Lists about techniques as files: as every list, and their workbooks say in which ATT&CK release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from aegis.lib import list_files
from aegis.lib.exports import Table
from catalog.models import AttackRelease


def exported(request: HttpRequest, table: Table, rows: Iterable[Any]) -> HttpResponseBase | None:
    """The file that the address asks for, None if it asks for none."""
    return list_files.exported(request, table, rows, _release)


def _release() -> Mapping[str, str]:
    return {"ATT&CK release": str(AttackRelease.objects.current().first() or "none imported")}
