"""Switching frameworks on and off: whether anybody sees them, and whether they count."""

from __future__ import annotations

from django.db import transaction

from compliance.models import ComplianceFramework


@transaction.atomic
def switch(framework: ComplianceFramework, *, on: bool) -> ComplianceFramework:
    """The framework, switched as an admin wants it; a change is on record (`framework.switched_on`, `.switched_off`)."""
    row: ComplianceFramework = ComplianceFramework.objects.select_for_update().get(pk=framework.pk)
    row.switched_on = on
    row.save(update_fields=["switched_on"])
    return row
