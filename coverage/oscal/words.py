"""Ids, texts and times as OSCAL's data types ask for them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from django.conf import settings

NAMESPACE: Final = UUID("b3c5a1f4-3b7e-5f0e-9a52-6f7a3a1c9d10")
"""Of all identifiers that Aegis gives; an installation derives its own from it."""
OURS: Final = "urn:aegis:oscal"
"""The namespace of properties that OSCAL does not define."""
MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>^~&])")
NOWHERE: Final = frozenset({"127.0.0.1", "localhost", "::1", None})
"""Hosts of AEGIS_URL that do not say where the site is."""
NOT_IN_TOKENS: Final = re.compile(r"[^\w.\-]")


def site() -> str:
    """Where the site is, as AEGIS_URL says; empty while that names this machine alone."""
    return "" if urlsplit(settings.AEGIS_URL).hostname in NOWHERE else str(settings.AEGIS_URL)


def identifier(installation: UUID, *key: object) -> str:
    """The UUID, version 5, of a thing by its stable key: the same in each export of one installation, another elsewhere."""
    return str(uuid5(installation, "\x1f".join(map(str, key))))


def installation(seed: str) -> UUID:
    """What the identifiers of one installation are derived from."""
    return uuid5(NAMESPACE, seed)


def control_token(framework: str, control_id: str) -> str:
    """The id of a control as an OSCAL token: for NIST SP 800-53 that of NIST's own catalogue, `AC-2(1)` as `ac-2.1`."""
    if framework.startswith("nist-800-53"):
        return token(control_id.lower().replace("(", ".").replace(")", ""))
    return token(control_id)


def token(text: str) -> str:
    """A text as an OSCAL token; two texts never become one: where characters are replaced, a digest follows."""
    kept = text if text[:1].isalpha() else f"_{text}"
    clean = NOT_IN_TOKENS.sub("_", kept)
    return clean if clean == kept else f"{clean}_{sha256(text.encode()).hexdigest()[:8]}"


def line(text: str) -> str:
    """A text in one line, without spaces around it, as names and values have to be."""
    return " ".join(text.split())


def markup(text: str) -> str:
    """A text that people typed, in one line, to stand in Markdown as it is; a dash where there is none."""
    return MARKUP.sub(r"\\\1", line(text)) or "-"


def moment(at: datetime) -> str:
    """A time in UTC with its zone."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def prop(name: str, value: str) -> dict[str, Any]:
    """A property of ours."""
    return {"name": name, "ns": OURS, "value": line(value) or "-"}
