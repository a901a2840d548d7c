"""What a lead has before their eyes when they decide, and its hash: the decision holds for that, and for nothing else."""

import json
from hashlib import sha256
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from coverage.models import Test
from coverage.services.fields import FIELDS

FACT: Final = ("kind", "seen", "at", "tool", "note", "entered_by_id", "entered_at")


def shown_content(test: Test) -> dict[str, Any]:
    """All that is shown of a test, rows it points at by their natural keys. What an import may change is not in it."""
    return {
        "technique": test.technique_id,
        "template": [test.template.source, test.template.external_id] if test.template else None,
        **{name: getattr(test, name) for name in FIELDS},
        "detection_rules": sorted(test.detection_rules.values_list("source", "external_id")),
        "outcome": test.outcome,
        "outcomes": list(test.outcomes.order_by("pk").values_list(*FACT)),
        "evidence": sorted(test.evidence.values_list("sha256", "side", "original_name", "caption")),
        "created_by": test.created_by_id,
    }


def shown_hash(test: Test) -> str:
    """SHA-256 in hex over the canonical JSON of what is shown: sorted keys, no spaces, times in ISO 8601."""
    text = json.dumps(
        shown_content(test), cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return sha256(text.encode()).hexdigest()
