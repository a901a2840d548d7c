"""What of a value may be kept for ever: no secrets, nothing that a database cannot store, nothing without end."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

from aegis.lib.door_keys import without_secrets

REDACTED: Final = "[redacted]"
LONGEST: Final = 4000
DEEPEST: Final = 12

SECRET_WORDS: Final = frozenset({
    "authorization", "cookie", "credential", "credentials", "jwt", "key", "keys", "otp", "passphrase", "passwd",
    "password", "passwords", "pwd", "secret", "secrets", "session", "signature", "token", "tokens",
})  # fmt: skip
WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret: `password`, `apiKey`, `refresh_token`, `PASSWORD2`."""
    return any(word.lower() in SECRET_WORDS for word in WORDS.findall(name))


def clean_text(text: str, longest: int = LONGEST) -> str:
    """`text` as both databases can store it, and no longer than `longest`."""
    stored = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return stored if len(stored) <= longest else stored[: longest - 1] + "…"


def clean(value: Any, depth: int = 0) -> Any:
    """`value` as JSON without floats: fields with a secret's name are redacted, other objects become their text."""
    if value is None or isinstance(value, bool) or type(value) is int:
        return value
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {clean_text(str(name), 255): _field(str(name), item, depth) for name, item in value.items()}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [clean(item, depth + 1) for item in items]
    return clean_text(without_secrets(str(value)))


def _field(name: str, value: Any, depth: int) -> Any:
    return REDACTED if is_secret(name) and value else clean(value, depth + 1)
