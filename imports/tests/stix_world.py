"""STIX objects of our own writing, for tests that need a bundle."""

from __future__ import annotations

import json
from typing import Any

from imports.upstream import SourceFile

MODIFIED = "2025-10-20T10:00:00.000Z"


def stix(kind: str, mitre_id: str, **fields: Any) -> dict[str, Any]:
    """One object. Its STIX id is the type and the ATT&CK id, so that relationships are easy to write."""
    published = {
        "type": kind,
        "id": f"{kind}--{mitre_id}",
        "modified": MODIFIED,
        "name": f"Name of {mitre_id}",
        "external_references": [
            {
                "source_name": "mitre-attack",
                "external_id": mitre_id,
                "url": f"https://attack.mitre.org/x/{mitre_id}",
            }
        ],
    }
    return published | fields


def technique(mitre_id: str, **fields: Any) -> dict[str, Any]:
    return stix("attack-pattern", mitre_id, **{"x_mitre_is_subtechnique": "." in mitre_id} | fields)


def group(mitre_id: str, **fields: Any) -> dict[str, Any]:
    return stix("intrusion-set", mitre_id, **fields)


def link(kind: str, source: dict[str, Any], target: dict[str, Any], text: str = "", **fields: Any) -> dict[str, Any]:
    published = {
        "type": "relationship",
        "id": f"relationship--{kind}-{source['id']}-{target['id']}",
        "modified": MODIFIED,
        "relationship_type": kind,
        "source_ref": source["id"],
        "target_ref": target["id"],
        "description": text,
    }
    return published | fields


def bundle(*objects: Any, **fields: Any) -> SourceFile:
    content = {"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": list(objects)} | fields
    return SourceFile("mitre/cti/master/enterprise-attack/enterprise-attack.json", json.dumps(content).encode())
