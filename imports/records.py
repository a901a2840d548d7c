"""What a parser may yield: one frozen dataclass for each kind of published thing.

Records hold plain values only (str, int, bool, tuples, dicts of these), in the upstream's own words and ids. They know no
database, no clock and no source: the engine adds provenance, resolves technique ids and compares them by content. An empty
string or tuple means that the upstream publishes nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of all records. Two records of one kind and one natural key are the same row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueUse:
    """One technique that somebody or something uses, mitigates or detects, with the text that says how."""

    published_id: str
    text: str = ""
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackReleaseRecord(Record):
    """The release that a bundle holds. `version` is "18.1"; `modified` the newest object's date, ISO 8601."""

    domain: str
    version: str
    modified: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackObject(Record):
    """What every ATT&CK object has. `object_version` is MITRE's version of this one object ("1.4")."""

    mitre_id: str
    stix_id: str
    name: str
    description: str = ""
    url: str = ""
    object_version: str = ""
    revoked: bool = False
    deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TacticRecord(AttackObject):
    """`position` counts the columns of the release's own matrix from 0."""

    shortname: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueRecord(AttackObject):
    """`tactics` are shortnames in upstream order; `parent` and `revoked_by` are ATT&CK ids or empty."""

    tactics: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    is_subtechnique: bool = False
    parent: str = ""
    revoked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationRecord(AttackObject):
    techniques: tuple[TechniqueUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareRecord(AttackObject):
    """`kind` is "malware" or "tool"."""

    kind: str
    aliases: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    revoked_by: str = ""
    techniques: tuple[TechniqueUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackCampaignRecord(AttackObject):
    """An intrusion campaign as ATT&CK publishes it. Dates are "YYYY-MM-DD"; `actors` and `software` are ATT&CK ids."""

    aliases: tuple[str, ...] = ()
    first_seen: str = ""
    last_seen: str = ""
    actors: tuple[str, ...] = ()
    software: tuple[str, ...] = ()
    techniques: tuple[TechniqueUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where an event can be read. `data_component` is a STIX id and is empty on a data component's own sources."""

    name: str
    channel: str = ""
    data_component: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionStrategyRecord(AttackObject):
    techniques: tuple[TechniqueUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticRecord(AttackObject):
    """`strategy` is its detection strategy's ATT&CK id; `mutable_elements` are {field, description}."""

    strategy: str = ""
    platforms: tuple[str, ...] = ()
    log_sources: tuple[LogSource, ...] = ()
    mutable_elements: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataComponentRecord(AttackObject):
    """Its natural key is the STIX id: before release 18 data components had no ATT&CK id."""

    log_sources: tuple[LogSource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueCrosswalkRecord(Record):
    """`old_id` in ATT&CK `old_version` is called `new_id` ("new_name") in `new_version`."""

    old_version: str
    new_version: str
    old_id: str
    new_id: str
    new_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """One way to run a template; a manual test has the executor "manual" and its steps as command."""

    platform: str
    executor: str
    command: str
    cleanup: str = ""
    elevation_required: bool = False
    payloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputArgument:
    """`default` is None when upstream gives null; numbers stay as upstream's text ("4444")."""

    name: str
    description: str = ""
    type: str = ""
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What must be there before a test can run."""

    description: str
    check: str = ""
    get: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestTemplateRecord(Record):
    """A reusable emulation. `published_id` is the technique as upstream wrote it, stripped of white space.

    `attack_commands` and `cleanup_commands` are the executors' texts one after the other, in order and without repeats.
    `derived` names the fields that Aegis worked out because upstream has none.
    `platforms` use ATT&CK's words where there is one ("Windows", "macOS", "Linux", "Containers", "IaaS", ...).
    `rule_links` are published URLs of detection rules that belong to it.
    """

    external_id: str
    name: str
    published_id: str
    description: str = ""
    platforms: tuple[str, ...] = ()
    executors: tuple[Executor, ...] = ()
    attack_commands: str = ""
    cleanup_commands: str = ""
    expected_detection: str = ""
    severity: str = ""
    derived: tuple[str, ...] = ()
    input_arguments: tuple[InputArgument, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    tactic: str = ""
    usecase: str = ""
    category: str = ""
    privileges: str = ""
    operating_system: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    rule_links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRuleRecord(Record):
    """A published detection rule.

    `techniques` are ids as published, upper-cased, in order, without repeats; `tactics` are ATT&CK shortnames.
    `severity` is informational, low, medium, high, critical or empty; `status` stable, test, experimental, production,
    deprecated, ... as published. `query` is the searchable logic byte for byte (Sigma: the `detection` section),
    `content` the whole upstream file. `simulations` are GUIDs of atomic tests that trigger the rule.
    `log_source` has the keys product, category, service (Sigma) or index, integration (Elastic), text values.
    """

    external_id: str
    name: str
    description: str = ""
    query: str = ""
    language: str = ""
    rule_type: str = ""
    severity: str = ""
    risk_score: int | None = None
    platforms: tuple[str, ...] = ()
    status: str = ""
    techniques: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    author: str = ""
    license: str = ""
    created: str = ""
    modified: str = ""
    tags: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    log_source: dict[str, str] = field(default_factory=dict)
    simulations: tuple[str, ...] = ()
    building_block: bool = False
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPath:
    """Why a defence counters a technique: it `defends` an artifact that the technique `attacks` (relations by name)."""

    defense_relation: str
    defense_artifact: str
    attack_relation: str
    attack_artifact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefenseMapping:
    published_id: str
    paths: tuple[ArtifactPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DefensiveTechniqueRecord(Record):
    """A D3FEND technique; `parent` is a D3FEND id or empty, `tactic` one of the seven ("Harden")."""

    d3fend_id: str
    iri: str
    name: str
    description: str = ""
    tactic: str = ""
    tactic_position: int = 0
    parent: str = ""
    synonyms: tuple[str, ...] = ()
    url: str = ""
    techniques: tuple[DefenseMapping, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A value that was read from prose, and the sentence that says it. `field` is country, motivation, sector or region."""

    field: str
    value: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatActorRecord(AttackObject):
    """`software` uses have a software id in `published_id`. `campaign` is filled where a use comes through a campaign."""

    aliases: tuple[str, ...] = ()
    country: str = ""
    motivation: str = ""
    target_sectors: tuple[str, ...] = ()
    target_regions: tuple[str, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    revoked_by: str = ""
    techniques: tuple[TechniqueUse, ...] = ()
    software: tuple[TechniqueUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceFrameworkRecord(Record):
    """`slug` is "nist-800-53-rev5"; `attack_version` the ATT&CK version of the mappings that are current for it."""

    slug: str
    name: str
    version: str
    attack_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlMapping:
    """`published_id` is an ATT&CK id or an attack-pattern STIX id, as published."""

    published_id: str
    mapping_type: str
    attack_version: str
    is_current: bool = False
    comments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredMapping(ControlMapping):
    """A mapping with what only some frameworks publish of it.

    `mapping_name` is the type's name where it has one, `score_category` "protect", "detect" or "respond", `score_value`
    "minimal", "partial" or "significant"; `references` are addresses.
    """

    mapping_name: str = ""
    score_category: str = ""
    score_value: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceControlRecord(Record):
    """`control_id` is normalised ("AC-2(1)"), `parent` likewise or empty; `category` is the family's name.

    `in_catalogue` is False for a control that only a set of mappings names.
    """

    framework: str
    control_id: str
    title: str
    description: str = ""
    category: str = ""
    parent: str = ""
    withdrawn: bool = False
    in_catalogue: bool = True
    mappings: tuple[ControlMapping, ...] = ()
