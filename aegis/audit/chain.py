"""The chain: what is signed, and with which key. Pure, but for the keys, which come from the settings.

A row's MAC is HMAC-SHA256(key, MAC of the row before + the row as canonical JSON): sorted keys, no blanks, UTF-8, no floats.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from django.conf import settings

GENESIS: Final = "0" * 64
"""What stands for the MAC before the first row."""

SIGNED: Final = (
    "id",
    "at",
    "actor_id",
    "actor_name",
    "actor_role",
    "ip",
    "request_id",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "before",
    "after",
    "note",
    "key_id",
)
"""The columns that a row's MAC covers beside `prev_mac`."""

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, and the name under which rows refer to it: the first digits of a hash of it."""

    id: str
    secret: bytes

    @classmethod
    def of(cls, text: str) -> "Key":
        """The key that a setting spells."""
        secret = text.encode()
        return cls(sha256(b"aegis audit key\n" + secret).hexdigest()[:16], secret)

    def mac_of(self, prev_mac: str, row: Mapping[str, Any]) -> str:
        """The MAC of a row (its columns `SIGNED`, `at` as ISO 8601), in hex.

        Raises ValueError or TypeError for what has no canonical form, RecursionError for what is nested too deep.
        """
        facts = {name: row[name] for name in SIGNED}
        return self._digest(prev_mac + canonical(facts))

    def signature_of(self, size: int, mac: str) -> str:
        """What makes a head: it cannot be moved back by somebody without the key, who knows the MACs of all rows."""
        return self._digest(f"head\n{size}\n{mac}")

    def _digest(self, text: str) -> str:
        return hmac.digest(self.secret, text.encode(), "sha256").hex()


def canonical(value: Any) -> str:
    """The one way to write `value` as JSON."""
    return _ENCODER.encode(value)


def signing_key() -> Key:
    """The key that new rows are signed with."""
    return Key.of(settings.AUDIT_HMAC_KEY)


def known_keys() -> dict[str, Key]:
    """All keys that rows may have been signed with, by id."""
    keys = [signing_key(), *map(Key.of, settings.AUDIT_HMAC_OLD_KEYS)]
    return {key.id: key for key in keys}


def same(one: str, other: str) -> bool:
    """Whether two MACs are equal, in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
