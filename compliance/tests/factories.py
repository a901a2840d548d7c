"""Made-up frameworks and controls."""

from itertools import count
from typing import Any

from catalog.tests.factories import provenance, resolved
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework

_numbers = count(100_001)  # as many digits for every row: names and ids sort as they were made


def make_framework(slug: str = "nist-800-53-rev5", **fields: Any) -> ComplianceFramework:
    """A framework whose current mappings speak ATT&CK 16.1."""
    standing = {"name": "NIST SP 800-53", "version": "Rev 5", "attack_version": "16.1"}
    return ComplianceFramework.objects.create(slug=slug, **provenance("nist-800-53") | standing | fields)


def make_control(*published_ids: str, **fields: Any) -> ComplianceControl:
    """A control in force with current mappings; T1059 unless told otherwise. Its framework is made if it is missing."""
    number = next(_numbers)
    framework = fields.pop("framework", "nist-800-53-rev5")
    if not ComplianceFramework.objects.filter(slug=framework).exists():
        make_framework(framework)
    standing = {
        "control_id": f"XX-{number}",
        "sort_key": f"XX-{number:04}",
        "title": f"Control {number}",
        "description": "What the control asks for.",
        "category": "Access Control",
    }
    control = ComplianceControl.objects.create(framework_id=framework, **provenance("nist-800-53") | standing | fields)
    for published_id in published_ids or ("T1059",):
        make_mapping(control, published_id)
    return control


def make_mapping(control: ComplianceControl, published_id: str, **fields: Any) -> ComplianceControlMapping:
    """A current mapping of a control to a technique."""
    standing = {"mapping_type": "mitigates", "attack_version": "16.1", "is_current": True}
    return ComplianceControlMapping.objects.create(control=control, **resolved(published_id) | standing | fields)
