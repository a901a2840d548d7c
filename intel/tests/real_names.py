"""The whole vocabulary of the real release, read from the mirror: names and ids only."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from intel.mentions import OldId, Term, Vocabulary

RELEASE = "raw.githubusercontent.com/mitre/cti/master/enterprise-attack/enterprise-attack.json.gz"
KINDS = {"attack-pattern": "technique", "intrusion-set": "actor", "malware": "software", "tool": "software"}


def real_vocabulary(mirror: Path) -> Vocabulary:
    """What `intel.vocabulary` loads after an import of the release, without the crosswalk."""
    objects = json.loads(gzip.decompress((mirror / RELEASE).read_bytes()))["objects"]
    old = _old_ids(objects)
    return Vocabulary(real_terms(objects, old), old)


def real_terms(objects: list[dict], old: dict[str, OldId]) -> list[Term]:
    """Current terms, and the names of old techniques that no current one has."""
    tactics = {one["x_mitre_shortname"]: one["name"] for one in objects if one["type"] == "x-mitre-tactic"}
    terms = [
        Term(one["name"], "tactic", _id(one)) for one in objects if one["type"] == "x-mitre-tactic" and _active(one)
    ]
    for one in filter(_active, objects):
        terms += _terms_of(one, tactics)
    names = {term.text.casefold() for term in terms}
    former = (one for one in objects if one["type"] == "attack-pattern" and _id(one) in old)
    return terms + [Term(one["name"], "technique", _id(one)) for one in former if one["name"].casefold() not in names]


def _terms_of(one: dict, tactics: dict[str, str]) -> Iterator[Term]:
    kind = KINDS.get(one["type"])
    if kind is None:
        return
    phases = tuple(tactics[phase["phase_name"]] for phase in one.get("kill_chain_phases", ()))
    names = [one["name"], *one.get("aliases", ()), *one.get("x_mitre_aliases", ())]
    for name in dict.fromkeys(names):
        yield Term(name, kind, _id(one), phases if kind == "technique" else ())


def _old_ids(objects: list[dict]) -> dict[str, OldId]:
    known = {one["id"]: one for one in objects if one["type"] == "attack-pattern"}
    newer = {
        one["source_ref"]: one["target_ref"]
        for one in objects
        if one["type"] == "relationship" and one["relationship_type"] == "revoked-by" and one["source_ref"] in known
    }
    old = {}
    for stix_id in newer:
        end = stix_id
        while end in newer:
            end = newer[end]
        if _active(known[end]):
            old[_id(known[stix_id])] = OldId(_id(known[end]), "revoked-by")
    current = {_id(one) for one in known.values() if _active(one)}
    return {key: meaning for key, meaning in old.items() if key not in current}


def _active(one: dict) -> bool:
    return not one.get("revoked") and not one.get("x_mitre_deprecated")


def _id(one: dict) -> str:
    return next(
        ref["external_id"]
        for ref in one["external_references"]
        if ref["source_name"].startswith("mitre") and "external_id" in ref
    )
