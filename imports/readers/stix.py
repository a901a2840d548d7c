"""Reads a STIX 2.0 or 2.1 bundle of MITRE ATT&CK into small structs that hold only the fields Aegis uses.

The format is https://docs.oasis-open.org/cti/stix/v2.1/ plus the `x_mitre_` properties that
https://github.com/mitre-attack/attack-data-model describes. The bundle of Enterprise ATT&CK is 45 MB: objects stay raw
bytes until each is decoded, once, into the struct of its type.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any, ClassVar, TypeVar

import msgspec

from imports.upstream import Issue, ParseError


class ExternalReference(msgspec.Struct, frozen=True, gc=False):
    source_name: str = ""
    external_id: str | None = None
    url: str | None = None


class KillChainPhase(msgspec.Struct, frozen=True, gc=False):
    kill_chain_name: str
    phase_name: str


class LogSourceEntry(msgspec.Struct, frozen=True, gc=False):
    name: str
    channel: str | None = None
    x_mitre_data_component_ref: str | None = None


class MutableElement(msgspec.Struct, frozen=True, gc=False):
    field: str
    description: str | None = None


class StixObject(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="type"):
    """What every object may have. `null` reads as absent, a value of another JSON type refuses the object."""

    id: str
    modified: str | None = None
    revoked: bool | None = None
    x_mitre_deprecated: bool | None = None

    @property
    def is_active(self) -> bool:
        return not self.revoked and not self.x_mitre_deprecated


class Relationship(StixObject, frozen=True, gc=False, kw_only=True, tag="relationship"):
    relationship_type: str
    source_ref: str
    target_ref: str
    description: str | None = None


class Described(StixObject, frozen=True, gc=False, kw_only=True):
    """What every published ATT&CK object has beside a STIX id."""

    name: str
    description: str | None = None
    x_mitre_version: str | None = None
    external_references: list[ExternalReference] | None = None


class Collection(Described, frozen=True, gc=False, kw_only=True, tag="x-mitre-collection"):
    pass


class Matrix(Described, frozen=True, gc=False, kw_only=True, tag="x-mitre-matrix"):
    tactic_refs: list[str] | None = None


class Tactic(Described, frozen=True, gc=False, kw_only=True, tag="x-mitre-tactic"):
    x_mitre_shortname: str


class AttackPattern(Described, frozen=True, gc=False, kw_only=True, tag="attack-pattern"):
    kill_chain_phases: list[KillChainPhase] | None = None
    x_mitre_platforms: list[str] | None = None
    x_mitre_is_subtechnique: bool | None = None


class CourseOfAction(Described, frozen=True, gc=False, kw_only=True, tag="course-of-action"):
    pass


class Software(Described, frozen=True, gc=False, kw_only=True):
    kind: ClassVar[str]

    x_mitre_aliases: list[str] | None = None
    x_mitre_platforms: list[str] | None = None


class Malware(Software, frozen=True, gc=False, kw_only=True, tag="malware"):
    kind = "malware"


class Tool(Software, frozen=True, gc=False, kw_only=True, tag="tool"):
    kind = "tool"


class IntrusionSet(Described, frozen=True, gc=False, kw_only=True, tag="intrusion-set"):
    aliases: list[str] | None = None


class Campaign(Described, frozen=True, gc=False, kw_only=True, tag="campaign"):
    aliases: list[str] | None = None
    first_seen: str | None = None
    last_seen: str | None = None


class DetectionStrategy(Described, frozen=True, gc=False, kw_only=True, tag="x-mitre-detection-strategy"):
    x_mitre_analytic_refs: list[str] | None = None


class Analytic(Described, frozen=True, gc=False, kw_only=True, tag="x-mitre-analytic"):
    x_mitre_platforms: list[str] | None = None
    x_mitre_log_source_references: list[LogSourceEntry] | None = None
    x_mitre_mutable_elements: list[MutableElement] | None = None


class DataComponent(Described, frozen=True, gc=False, kw_only=True, tag="x-mitre-data-component"):
    x_mitre_log_sources: list[LogSourceEntry] | None = None


class _Envelope(msgspec.Struct, gc=False):
    """A bundle, or a page of a TAXII answer, which has no `type`."""

    objects: list[msgspec.Raw]
    type: str | None = None
    spec_version: str | None = None
    more: bool | None = None


class _Label(msgspec.Struct, gc=False):
    type: str | None = None
    id: str | None = None


JSON_TYPES = {
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
}
WRONG_TYPE = re.compile(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`(?: - at `\$\.?(.*)`)?")

Kind = TypeVar("Kind", bound=StixObject)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The newest version of every object of the wanted types by STIX id, sorted by it; what was refused is in `issues`.

    `newest` is the newest `modified` of all versions seen, None if no object carries a readable one. The collection object is
    left out: only some ways of publishing the same release have one.
    """

    objects: dict[str, StixObject]
    issues: list[Issue]
    newest: datetime | None

    def of(self, kind: type[Kind]) -> list[Kind]:
        """All objects of one type, sorted by STIX id."""
        return [found for found in self.objects.values() if isinstance(found, kind)]


def moment(text: str | None) -> datetime | None:
    """A STIX timestamp in UTC (one without a zone is taken as UTC), or None when it is no date of this century."""
    try:
        value = datetime.fromisoformat(text or "")
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return value if 2000 <= value.year < 2100 else None


def read_bundle(data: bytes, kinds: tuple[type[StixObject], ...]) -> Bundle:
    """Decode the objects of `kinds` in a bundle and skip all other types.

    An object that cannot be read is one Issue that names its type, id and field. Raises ParseError when the bytes are
    no UTF-8, no JSON, no bundle, or only one page of a longer answer.
    """
    raws = _raw_objects(data)
    decoder: msgspec.json.Decoder[StixObject] = msgspec.json.Decoder(_any_of(kinds))
    tags = {str(kind.__struct_config__.tag) for kind in kinds}
    versions: dict[str, list[StixObject]] = {}
    issues: list[Issue] = []
    for index, raw in enumerate(raws):
        found = _decode(raw, decoder, tags, index)
        if isinstance(found, Issue):
            issues.append(found)
        elif found is not None:
            versions.setdefault(found.id, []).append(found)
    return _newest_versions(versions, issues)


def _any_of(kinds: tuple[type[StixObject], ...]) -> Any:
    """The union type that msgspec tells apart by `type`."""
    return reduce(or_, kinds)


def _raw_objects(data: bytes) -> list[msgspec.Raw]:
    _require_utf8(data)
    body = memoryview(data)[len(codecs.BOM_UTF8) :] if data.startswith(codecs.BOM_UTF8) else data
    if bytes(body[:200]).lstrip().startswith(b"<"):
        raise ParseError("found a web page (HTML or XML) instead of a STIX bundle; check the address")
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except RecursionError as error:
        raise ParseError("not a STIX bundle: its JSON is nested too deeply") from error
    except msgspec.MsgspecError as error:
        raise ParseError(f"not a STIX bundle: {_plain(error)}") from error
    _require_whole_bundle(envelope)
    return envelope.objects


def _require_whole_bundle(envelope: _Envelope) -> None:
    if envelope.type not in (None, "bundle"):
        raise ParseError(f"found a STIX object of type `{envelope.type[:60]}`, expected a bundle")
    if envelope.spec_version not in (None, "2.0", "2.1"):
        raise ParseError(f"STIX {envelope.spec_version[:20]} is not supported; 2.0 and 2.1 are")
    if envelope.more:
        raise ParseError("this is one page of a longer TAXII answer (`more` is true), not the whole collection")


def _require_utf8(data: bytes, step: int = 1 << 20) -> None:
    """Check in steps: the whole bundle as one str would take up to four times its size."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), step):
            decoder.decode(data[start : start + step])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8 text; STIX requires UTF-8") from error


def _decode(
    raw: msgspec.Raw, decoder: msgspec.json.Decoder[StixObject], tags: set[str], index: int
) -> StixObject | Issue | None:
    """The object, None for a type that nobody asked for, or the Issue that says why it cannot be read."""
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        label = _label(raw)
        if label.type and label.type not in tags:
            return None
        name = label.id or f"number {index + 1} of the bundle"
        return Issue(message=f"{(label.type or 'object')[:60]} {name[:100]} was skipped: {_plain(error)}")


def _label(raw: msgspec.Raw) -> _Label:
    try:
        return msgspec.json.decode(raw, type=_Label)
    except msgspec.MsgspecError:
        return _Label()


def _plain(error: msgspec.MsgspecError) -> str:
    """msgspec's reason in our words: "expected true or false, found text at `revoked`"."""
    wrong = WRONG_TYPE.fullmatch(str(error))
    if wrong is None:
        reason = str(error).replace("$.", "")
        return reason[:1].lower() + reason[1:] if reason.startswith(("Expected", "Object", "Invalid")) else reason
    expected, found, place = wrong.groups()
    return f"expected {JSON_TYPES.get(expected, expected)}, found {JSON_TYPES.get(found, found)}" + (
        f" at `{place}`" if place else ""
    )


def _newest_versions(versions: dict[str, list[StixObject]], issues: list[Issue]) -> Bundle:
    objects: dict[str, StixObject] = {}
    newest: datetime | None = None
    for stix_id in sorted(versions):
        dated = [(moment(version.modified), version) for version in versions[stix_id]]
        issues += _unreadable_dates(dated)
        latest = max((date for date, _ in dated if date), default=None)
        rivals = [version for date, version in dated if date == latest]
        # Two versions of one moment: the choice must not depend on which came first in the file.
        objects[stix_id] = max(rivals, key=msgspec.json.encode) if len(rivals) > 1 else rivals[0]
        if any(version != objects[stix_id] for version in rivals):
            issues.append(Issue(message=f"{stix_id}: two versions with the same `modified` differ; one was kept"))
        if not isinstance(objects[stix_id], Collection):
            newest = max(filter(None, (newest, latest)), default=None)
    return Bundle(objects, sorted(issues, key=lambda issue: issue.message), newest)


def _unreadable_dates(dated: Iterable[tuple[datetime | None, StixObject]]) -> list[Issue]:
    return [
        Issue(message=f"{version.id}: `modified` is not a usable date: {version.modified[:40]!r}")
        for date, version in dated
        if date is None and version.modified
    ]


def struct_type(found: StixObject) -> str:
    """The STIX type name of an object, e.g. "attack-pattern"."""
    config: Any = found.__struct_config__
    return str(config.tag)
