"""Which model a record becomes: the natural key, the columns, and the rows that hang below it.

Columns are matched by name: a record's field goes to the model's field of the same name, an empty text to NULL where that is a
foreign key. What differs from that is said here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.db import models

from catalog.models import (
    Analytic,
    AnalyticLogSource,
    AttackCampaign,
    AttackCampaignTechnique,
    AttackRelease,
    DataComponent,
    DefensiveTechnique,
    DefensiveTechniqueMapping,
    DetectionRule,
    DetectionRuleTechnique,
    DetectionStrategy,
    DetectionStrategyTechnique,
    Mitigation,
    MitigationTechnique,
    RuleSimulation,
    Software,
    SoftwareTechnique,
    Sourced,
    Tactic,
    Technique,
    TechniqueCrosswalk,
    TechniqueReference,
    TechniqueTactic,
    TemplateRuleLink,
    TestTemplate,
)
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework
from imports import records
from imports.records import Record
from intel.models import ThreatActor, ThreatActorSoftware, ThreatActorTechnique

Key = TypeVar("Key")
Values = dict[str, Any]
RESOLVED = ("technique_id", "resolution")
"""Columns of a reference that follow from the catalogue's state, not from the record."""
SCORELESS: Values = {"mapping_name": "", "score_category": "", "score_value": "", "references": []}
"""What `ScoredMapping` has beyond `ControlMapping`."""


@dataclass(frozen=True, kw_only=True)
class Children:
    """Rows below an imported row that together are one field of its record. `rows` gives their columns."""

    model: type[models.Model]
    parent: str
    columns: tuple[str, ...]
    rows: Callable[[Any], Iterable[Values]]

    @property
    def is_reference(self) -> bool:
        """Whether the rows name techniques that have to be resolved."""
        return issubclass(self.model, TechniqueReference)

    def sort_key(self, values: Values) -> str:
        """A text by which rows of one parent have the same order everywhere."""
        return str([values[column] for column in self.columns])


@dataclass(frozen=True, kw_only=True)
class Target:
    """How records of one kind are kept. `key` are the columns of the natural key within one source.

    `ours` are columns that people decide: a new row starts with what is told of its record, and no import writes it again.
    """

    record: type[Record]
    model: type[Sourced]
    key: tuple[str, ...]
    children: dict[str, Children] = field(default_factory=dict)
    derive: Callable[[Any, str], Values] = lambda record, path: {}
    ours: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    per_source: bool = False

    @property
    def label(self) -> str:
        """The model's label, for example "catalog.technique"."""
        return self.model._meta.label_lower

    @property
    def unique_columns(self) -> list[str]:
        """The columns of the model's unique constraint that the key stands for."""
        return [*(["source"] if self.per_source else []), *self.key]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The content columns of the model: everything but its id, provenance, what is ours and what the resolver fills in."""
        provenance = {f.attname for f in Sourced._meta.fields} | {"id"} | set(RESOLVED) | self.ours.keys()
        return tuple(f.attname for f in self.model._meta.concrete_fields if f.attname not in provenance)

    @cached_property
    def _fields(self) -> dict[str, models.Field[Any, Any]]:
        return {f.attname: f for f in self.model._meta.concrete_fields}

    @cached_property
    def limits(self) -> dict[str, int]:
        """The longest text that each bounded column takes, in characters."""
        return {name: f.max_length for name, f in self._fields.items() if name in self.columns and f.max_length}

    def values(self, record: Record, path: str) -> Values:
        """The content columns of `record`, which came from the file `path`."""
        derived = self.derive(record, path)
        return {name: derived[name] if name in derived else self._value(record, name) for name in self.columns}

    def _value(self, record: Record, column: str) -> Any:
        model_field = self._fields[column]
        value = getattr(record, model_field.name)
        if isinstance(model_field, models.ForeignKey):
            return value or None
        if isinstance(model_field, models.JSONField):
            return as_json(value)
        return value

    def key_of(self, values: Values) -> tuple[Any, ...]:
        """The natural key among the columns of a row."""
        return tuple(values[name] for name in self.key)


def as_json(value: Any) -> Any:
    """The value as a JSON column gives it back: lists for tuples, dicts for dataclasses."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _longest_texts(uses: Iterable[records.TechniqueUse], key: Callable[[records.TechniqueUse], Key]) -> dict[Key, str]:
    """The text of each use by its key. A published pair may be repeated with other words: the longest stands for it."""
    best: dict[Key, str] = {}
    for use in uses:
        found = key(use)
        if found not in best or (len(use.text), use.text) > (len(best[found]), best[found]):
            best[found] = use.text
    return best


def _uses(uses: Iterable[records.TechniqueUse]) -> Iterable[Values]:
    best = _longest_texts(uses, lambda use: use.published_id)
    return ({"published_id": published_id, "text": text} for published_id, text in best.items())


def _technique_uses(model: type[models.Model], parent: str) -> Children:
    return Children(model=model, parent=parent, columns=("published_id", "text"), rows=_uses)


def _campaign_uses(key: str) -> Callable[[Iterable[records.TechniqueUse]], Iterable[Values]]:
    def rows(uses: Iterable[records.TechniqueUse]) -> Iterable[Values]:
        best = _longest_texts(uses, lambda use: (use.published_id, use.campaign))
        return ({key: pair[0], "campaign": pair[1], "text": text} for pair, text in best.items())

    return rows


def _file_name(path: str) -> str:
    return PurePosixPath(path).name


def _rule_link(url: str) -> Values:
    return {"url": url, "file_name": _file_name(urlsplit(url).path)}


def _control_sort_key(control_id: str) -> str:
    """A key by which "AC-2(10)" follows "AC-2(9)" and case parts nothing: numbers filled up to four digits."""
    cased = control_id if control_id.isupper() else control_id.casefold()
    return re.sub(r"\d+", lambda digits: digits[0].zfill(4), cased)


TARGETS: tuple[Target, ...] = (
    Target(record=records.AttackReleaseRecord, model=AttackRelease, key=("domain",)),
    Target(record=records.TacticRecord, model=Tactic, key=("mitre_id",)),
    Target(
        record=records.TechniqueRecord,
        model=Technique,
        key=("mitre_id",),
        children={
            "tactics": Children(
                model=TechniqueTactic,
                parent="technique",
                columns=("tactic_id", "position"),
                rows=lambda tactics: (
                    {"tactic_id": shortname, "position": position}
                    for position, shortname in enumerate(dict.fromkeys(tactics))
                ),
            )
        },
    ),
    Target(
        record=records.TechniqueCrosswalkRecord,
        model=TechniqueCrosswalk,
        key=("old_version", "new_version", "old_id"),
    ),
    Target(
        record=records.MitigationRecord,
        model=Mitigation,
        key=("mitre_id",),
        children={"techniques": _technique_uses(MitigationTechnique, "mitigation")},
    ),
    Target(
        record=records.SoftwareRecord,
        model=Software,
        key=("mitre_id",),
        children={"techniques": _technique_uses(SoftwareTechnique, "software")},
    ),
    Target(
        record=records.AttackCampaignRecord,
        model=AttackCampaign,
        key=("mitre_id",),
        children={"techniques": _technique_uses(AttackCampaignTechnique, "campaign")},
    ),
    Target(
        record=records.DetectionStrategyRecord,
        model=DetectionStrategy,
        key=("mitre_id",),
        children={"techniques": _technique_uses(DetectionStrategyTechnique, "strategy")},
    ),
    Target(
        record=records.AnalyticRecord,
        model=Analytic,
        key=("mitre_id",),
        children={
            "log_sources": Children(
                model=AnalyticLogSource,
                parent="analytic",
                columns=("name", "channel", "data_component_id"),
                rows=lambda sources: (
                    {"name": name, "channel": channel, "data_component_id": component or None}
                    for name, channel, component in dict.fromkeys(
                        (s.name, s.channel, s.data_component) for s in sources
                    )
                ),
            )
        },
    ),
    Target(record=records.DataComponentRecord, model=DataComponent, key=("stix_id",)),
    Target(
        record=records.TestTemplateRecord,
        model=TestTemplate,
        key=("external_id",),
        per_source=True,
        children={
            "rule_links": Children(
                model=TemplateRuleLink,
                parent="template",
                columns=("url", "file_name"),
                rows=lambda links: (_rule_link(url) for url in dict.fromkeys(links)),
            )
        },
    ),
    Target(
        record=records.DetectionRuleRecord,
        model=DetectionRule,
        key=("external_id",),
        per_source=True,
        derive=lambda record, path: {"mapped": bool(record.techniques), "file_name": _file_name(path)},
        children={
            "techniques": Children(
                model=DetectionRuleTechnique,
                parent="rule",
                columns=("published_id", "position"),
                rows=lambda ids: (
                    {"published_id": published_id, "position": position} for position, published_id in enumerate(ids)
                ),
            ),
            "simulations": Children(
                model=RuleSimulation,
                parent="rule",
                columns=("template_guid",),
                rows=lambda guids: ({"template_guid": guid} for guid in dict.fromkeys(guids)),
            ),
        },
    ),
    Target(
        record=records.DefensiveTechniqueRecord,
        model=DefensiveTechnique,
        key=("d3fend_id",),
        children={
            "techniques": Children(
                model=DefensiveTechniqueMapping,
                parent="defensive_technique",
                columns=("published_id", "paths"),
                rows=lambda mappings: ({"published_id": m.published_id, "paths": as_json(m.paths)} for m in mappings),
            )
        },
    ),
    Target(
        record=records.ThreatActorRecord,
        model=ThreatActor,
        key=("mitre_id",),
        children={
            "techniques": Children(
                model=ThreatActorTechnique,
                parent="actor",
                columns=("published_id", "campaign", "text"),
                rows=_campaign_uses("published_id"),
            ),
            "software": Children(
                model=ThreatActorSoftware,
                parent="actor",
                columns=("software_id", "campaign", "text"),
                rows=_campaign_uses("software_id"),
            ),
        },
    ),
    Target(
        record=records.ComplianceFrameworkRecord,
        model=ComplianceFramework,
        key=("slug",),
        ours={"switched_on": lambda record: record.slug.startswith("nist-800-53")},
    ),
    Target(
        record=records.ComplianceControlRecord,
        model=ComplianceControl,
        key=("framework_id", "control_id"),
        derive=lambda record, path: {
            "sort_key": _control_sort_key(record.control_id),
            "parent_control_id": record.parent,
        },
        children={
            "mappings": Children(
                model=ComplianceControlMapping,
                parent="control",
                columns=("published_id", "mapping_type", "attack_version", "is_current", "comments", *SCORELESS),
                rows=lambda mappings: (SCORELESS | msgspec.to_builtins(m) for m in mappings),
            )
        },
    ),
)
TARGET_OF = {target.record: target for target in TARGETS}
"""The target of each kind of record, in the order in which they are stored: techniques before what refers to them."""
