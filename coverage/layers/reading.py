"""ATT&CK Navigator layers as other tools write them: formats 4.0 to 4.5, by Navigator, DeTT&CT and others.

https://github.com/mitre-attack/attack-navigator/tree/master/layers/spec
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

DOMAINS: Final = {"enterprise-attack": "enterprise-attack", "mitre-enterprise": "enterprise-attack"}
OLDEST, NEWEST = (4, 0), (4, 5)
MOST_ENTRIES: Final = 50_000
LONGEST_NAME: Final = 255
LONGEST_TEXT: Final = 10_000
LONGEST_COMMENT: Final = 500
LONGEST_ID: Final = 64
UNSTORABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class NotALayer(ValueError):
    """The file cannot be taken as a layer; the message says why, and what to do."""


class RawVersions(msgspec.Struct):
    """The versions block."""

    layer: str | int | float = ""
    attack: str | int | float | None = None


class RawEntry(msgspec.Struct):
    """What we take of one entry."""

    techniqueID: str  # noqa: N815  a name of the format
    score: float | None = None
    color: str | None = None
    comment: str | None = None
    enabled: bool | None = None


class RawLayer(msgspec.Struct):
    """What we take of a layer; everything else is passed over."""

    name: str
    domain: str
    versions: RawVersions | None = None
    version: str | int | float | None = None
    description: str | None = None
    techniques: list[RawEntry] = []


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """What a layer says of one technique, by its published id. `marks` is whether the layer points it out."""

    published_id: str
    score: float | None = None
    comment: str = ""
    marks: bool = True


@dataclass(frozen=True, slots=True)
class ReadLayer:
    """A layer: each technique once, whatever tactics it names it in."""

    name: str
    description: str
    layer_version: str
    attack_version: str
    entries: tuple[ReadEntry, ...]


def read(data: bytes) -> ReadLayer:
    """The layer in a file. Raises NotALayer for what is none, or one of another domain or version."""
    raw = _decoded(data)
    version = _version(raw)
    _check_domain(raw.domain)
    if len(raw.techniques) > MOST_ENTRIES:
        raise NotALayer(f"The layer has {len(raw.techniques):,} entries; Aegis takes at most {MOST_ENTRIES:,}.")
    attack = raw.versions.attack if raw.versions else None
    return ReadLayer(
        name=clean(raw.name, LONGEST_NAME) or "Unnamed layer",
        description=clean(raw.description or "", LONGEST_TEXT),
        layer_version=version,
        attack_version=clean("" if attack is None else str(attack), 32),
        entries=_merged(raw.techniques),
    )


def clean(text: str, longest: int) -> str:
    """A text without characters that cannot be stored or shown, cut to measure."""
    kept = UNSTORABLE.sub("", text).strip()
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"


def _decoded(data: bytes) -> RawLayer:
    try:
        return msgspec.json.decode(_utf8(data), type=RawLayer)
    except msgspec.ValidationError as error:
        raise NotALayer(f"This is JSON, but no Navigator layer: {error}.") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise NotALayer(f"This is no JSON that can be read: {reason}.") from error


def _utf8(data: bytes) -> bytes:
    """The file in UTF-8: some libraries write layers in UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def _version(raw: RawLayer) -> str:
    """The version of the format. Raises NotALayer for one that we do not read."""
    said: Any = raw.versions.layer if raw.versions and raw.versions.layer else raw.version
    if said is None:
        raise NotALayer(
            "The layer does not say its format version (`versions.layer`): save it again in ATT&CK Navigator."
        )
    found = re.match(r"(\d{1,3})(?:\.(\d{1,3}))?", str(said), re.ASCII)
    version = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    if not OLDEST <= version <= NEWEST:
        raise NotALayer(
            f"The layer has format version {clean(str(said), 32)}; Aegis reads 4.0 to 4.5. "
            "Open it in the current ATT&CK Navigator and save it again."
        )
    return f"{version[0]}.{version[1]}"


def _check_domain(domain: str) -> None:
    if domain not in DOMAINS:
        raise NotALayer(f"The layer is about {clean(domain, 64) or 'no domain'}; Aegis holds enterprise-attack alone.")


def _merged(raw: list[RawEntry]) -> tuple[ReadEntry, ...]:
    """Each technique once, with its highest score. A layer that says nothing of any technique marks all that are enabled."""
    is_plain = not any(_speaks(entry) for entry in raw)
    merged: dict[str, ReadEntry] = {}
    for entry in raw:
        mitre_id = clean(entry.techniqueID, LONGEST_ID).upper()
        marks = entry.enabled is not False and (is_plain or _speaks(entry))
        read_one = ReadEntry(mitre_id, entry.score, clean(entry.comment or "", LONGEST_COMMENT), marks)
        merged[mitre_id] = _both(merged[mitre_id], read_one) if mitre_id in merged else read_one
    merged.pop("", None)
    return tuple(merged.values())


def _speaks(entry: RawEntry) -> bool:
    """Whether an entry says anything. Layers list techniques with a score of nought to say that there is nothing."""
    return bool(entry.score or entry.color or (entry.comment or "").strip())


def _both(first: ReadEntry, second: ReadEntry) -> ReadEntry:
    scores = [entry.score for entry in (first, second) if entry.score is not None]
    return ReadEntry(
        first.published_id,
        max(scores, default=None),
        first.comment or second.comment,
        first.marks or second.marks,
    )
