"""A made-up catalogue: each function saves one row that is valid as it stands, and takes whatever a test wants otherwise.

References name techniques by published id. They resolve to the technique of that id if it exists, and stay unresolved if not.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from catalog.models import (
    AttackRelease,
    DefensiveTechnique,
    DefensiveTechniqueMapping,
    DetectionRule,
    DetectionRuleTechnique,
    Mitigation,
    MitigationTechnique,
    Resolution,
    Tactic,
    Technique,
    TechniqueTactic,
    TestTemplate,
)

SEEN: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_numbers = count(100_001)  # as many digits for every row: names and ids sort as they were made


def provenance(source: str, **fields: Any) -> dict[str, Any]:
    """The fields of `Sourced`, as if a run had just stored the row."""
    path = fields.pop("path", f"{source}/{next(_numbers)}.yml")
    standing = {
        "source": source,
        "path": path,
        "source_version": "0123abc",
        "source_url": f"https://example.org/{source}/{path}",
        "content_hash": f"{next(_numbers):064x}",
        "first_seen_at": SEEN,
        "changed_at": SEEN,
        "withdrawn_at": None,
    }
    return standing | fields


def resolved(published_id: str) -> dict[str, Any]:
    """The fields of `TechniqueReference` for a published id."""
    technique = Technique.objects.filter(mitre_id=published_id).first()
    resolution = Resolution.EXACT if technique else Resolution.UNRESOLVED
    return {"published_id": published_id, "technique": technique, "resolution": resolution}


def make_release(version: str = "18.1", **fields: Any) -> AttackRelease:
    """The ATT&CK release that the catalogue holds."""
    standing = {"domain": "enterprise-attack", "name": "Enterprise ATT&CK", "modified": "2025-11-13T00:00:00Z"}
    return AttackRelease.objects.create(**provenance("attack") | {"version": version} | standing | fields)


def make_tactic(shortname: str = "execution", **fields: Any) -> Tactic:
    """A tactic; it stands behind those that exist already."""
    number = Tactic.objects.count()
    standing = {
        "mitre_id": f"TA{number:04}",
        "stix_id": f"x-mitre-tactic--{number}",
        "name": shortname.replace("-", " ").title(),
        "description": f"The adversary is trying {shortname}.",
        "url": f"https://example.org/tactics/TA{number:04}",
        "position": number,
    }
    return Tactic.objects.create(shortname=shortname, **provenance("attack") | standing | fields)


def make_technique(mitre_id: str = "", *, tactics: Iterable[str] = ("execution",), **fields: Any) -> Technique:
    """An active technique in `tactics`, which are made if they are missing.

    An id like T1059.001 makes a sub-technique of T1059, which need not exist.
    """
    mitre_id = mitre_id or f"T{next(_numbers)}"
    parent, dot, _ = mitre_id.partition(".")
    standing = {
        "stix_id": f"attack-pattern--{mitre_id.lower()}",
        "name": f"Technique {mitre_id}",
        "description": f"What {mitre_id} is about.",
        "url": f"https://example.org/techniques/{mitre_id}",
        "platforms": ["Windows"],
        "is_subtechnique": bool(dot),
        "parent_id": parent if dot else None,
    }
    technique = Technique.objects.create(mitre_id=mitre_id, **provenance("attack") | standing | fields)
    for position, shortname in enumerate(tactics):
        tactic = Tactic.objects.filter(shortname=shortname).first() or make_tactic(shortname)
        TechniqueTactic.objects.create(technique=technique, tactic=tactic, position=position)
    return technique


def make_template(published_id: str = "T1059", **fields: Any) -> TestTemplate:
    """A test template for one technique."""
    number = next(_numbers)
    standing = {
        "external_id": f"template-{number}",
        "name": f"Template {number}",
        "description": "What the test does.",
        "platforms": ["Windows"],
        "executors": [
            {
                "platform": "Windows",
                "executor": "powershell",
                "command": "Get-Date",
                "cleanup": "",
                "elevation_required": False,
            }
        ],
        "attack_commands": "Get-Date",
        "severity": "medium",
    }
    origin = provenance(fields.pop("source", "atomic"))
    return TestTemplate.objects.create(**origin | resolved(published_id) | standing | fields)


def make_rule(*published_ids: str, **fields: Any) -> DetectionRule:
    """A live detection rule that names techniques; T1059 unless told otherwise, and none if `mapped` is False."""
    number = next(_numbers)
    named = published_ids or (("T1059",) if fields.get("mapped", True) else ())
    standing = {
        "external_id": f"rule-{number}",
        "name": f"Rule {number}",
        "file_name": f"rule_{number}.yml",
        "description": "What the rule sees.",
        "query": "selection: {Image: example.exe}",
        "content": "title: the whole file",
        "language": "sigma",
        "rule_type": "sigma",
        "severity": "high",
        "platforms": ["Windows"],
        "status": "stable",
        "mapped": bool(named),
        "author": "A. Author",
        "license": "DRL-1.1",
    }
    origin = provenance(fields.pop("source", "sigma"))
    rule = DetectionRule.objects.create(**origin | standing | fields)
    for position, published_id in enumerate(named):
        DetectionRuleTechnique.objects.create(rule=rule, position=position, **resolved(published_id))
    return rule


def make_defence(*published_ids: str, **fields: Any) -> DefensiveTechnique:
    """A D3FEND technique that counters techniques; T1059 unless told otherwise."""
    number = next(_numbers)
    standing = {
        "d3fend_id": f"D3-X{number}",
        "iri": f"https://example.org/d3fend#X{number}",
        "name": f"Defence {number}",
        "description": "What the defence does.",
        "tactic": "Harden",
        "url": f"https://example.org/d3fend/X{number}",
    }
    defence = DefensiveTechnique.objects.create(**provenance("d3fend") | standing | fields)
    for published_id in published_ids or ("T1059",):
        DefensiveTechniqueMapping.objects.create(defensive_technique=defence, **resolved(published_id))
    return defence


def make_mitigation(*published_ids: str, **fields: Any) -> Mitigation:
    """An ATT&CK mitigation of techniques; T1059 unless told otherwise."""
    number = next(_numbers)
    standing = {"mitre_id": f"M{number:04}", "stix_id": f"course-of-action--{number}", "name": f"Mitigation {number}"}
    mitigation = Mitigation.objects.create(**provenance("attack") | standing | fields)
    for published_id in published_ids or ("T1059",):
        MitigationTechnique.objects.create(mitigation=mitigation, **resolved(published_id))
    return mitigation
