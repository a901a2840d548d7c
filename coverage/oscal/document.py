"""The document: assessment results in OSCAL 1.1.3, https://pages.nist.gov/OSCAL-Reference/models/v1.1.3/assessment-results/

A control is mapped to techniques: that says nothing of how it stands. For each of these techniques that our tests have tried
the document defines an objective of the control, "our tests of the technique meet what they expect", and has one finding:
satisfied where tests met it and none missed. A technique that nobody tried has no objective and no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.urls import reverse

from catalog.models import Technique
from coverage.models import Evidence, Test
from coverage.oscal.facts import Assessment, Objective, Result, Standing
from coverage.oscal.words import line, markup, moment, prop, site

VERSION: Final = "1.1.3"
ATTACK: Final = "https://attack.mitre.org"
ROLES: Final = {"tester": "Tester: ran the test and recorded it", "assessor": "Assessor: validated what it shows"}
LIMITS: Final = (
    "A finding tells what tests of one technique have shown, and nothing else: that a control is mapped to a technique is no "
    "finding, and a satisfied objective does not say that the control as a whole is met."
)

Object = dict[str, Any]


def document(facts: Assessment) -> Object:
    """The whole document; its long lists are iterators, read from the database while they are written out."""
    body = {
        "uuid": facts.own_uuid("document", facts.digest),
        "metadata": _metadata(facts),
        "import-ap": {
            "href": f"#{facts.own_uuid('plan')}",
            "remarks": "The plan is not kept in OSCAL: tests and campaigns are planned in Aegis.",
        },
        "local-definitions": {"objectives-and-methods": map(_objectives, facts.controls)},
        "results": [_result(facts)],
        "back-matter": {"resources": _resources(facts)},
    }
    return {"assessment-results": body}


def _metadata(facts: Assessment) -> Object:
    assessors = sorted({one.assessor for one in facts.results.values()})
    testers = sorted({one.tester for one in facts.results.values()})
    return {
        "title": markup(f"Tests of techniques that {facts.framework} is mapped to"),
        "last-modified": moment(facts.modified_at),
        "version": facts.digest[:12],
        "oscal-version": VERSION,
        "props": [prop("attack-release", facts.release or "none"), prop("framework", facts.framework.slug)],
        "roles": [{"id": name, "title": title} for name, title in ROLES.items()],
        "parties": [
            {"uuid": facts.uuid("party", pk), "type": "person", "name": line(user.get_username())}
            for pk, user in sorted(facts.users.items())
        ],
        "responsible-parties": [
            {"role-id": role, "party-uuids": [facts.uuid("party", pk) for pk in people]}
            for role, people in (("tester", testers), ("assessor", assessors))
        ],
        "remarks": LIMITS,
    }


def _objectives(objectives: list[Objective]) -> Object:
    """The objectives of one control."""
    control = objectives[0].control
    return {
        "control-id": objectives[0].control_token,
        "description": markup(str(control)),
        "parts": [
            {
                "id": one.token,
                "name": "assessment-objective",
                "title": markup(f"{one.technique} is met by the defence as tests expect"),
                "props": [{"name": "label", "value": line(control.control_id)}],
                "prose": f"Validated tests of {one.technique.mitre_id} meet what they expect, and none misses it.",
            }
            for one in objectives
        ],
    }


def _result(facts: Assessment) -> Object:
    results = facts.results.values()
    targets = sorted({one.target for one in results if one.target})
    missed = [one for one in facts.techniques if facts.standing[one.mitre_id].missed]
    items = ({"uuid": facts.uuid("target", name), "description": markup(name)} for name in targets)
    return {
        "uuid": facts.own_uuid("result"),
        "title": markup(f"What tests have shown for {facts.framework}"),
        "description": f"{len(results)} validated tests of {len(facts.techniques)} techniques. {LIMITS}",
        "start": moment(min(min(one.began, one.decided_at) for one in results)),
        "end": moment(max(one.decided_at for one in results)),
        **({"local-definitions": {"inventory-items": items}} if targets else {}),
        "reviewed-controls": _reviewed(facts),
        "observations": (_observation(facts, test, files) for test, files in facts.tests()),
        **({"risks": (_risk(facts, one) for one in missed)} if missed else {}),
        "findings": (_finding(facts, one) for one in facts.objectives),
        "remarks": f"{facts.attested} more validated tests recorded no outcome: they prove nothing and are left out.",
    }


def _reviewed(facts: Assessment) -> Object:
    return {
        "description": "Controls that are mapped to a technique which a validated test has tried.",
        "control-selections": [{"include-controls": ({"control-id": one[0].control_token} for one in facts.controls)}],
        "control-objective-selections": [
            {"include-objectives": ({"objective-id": one.token} for one in facts.objectives)}
        ],
    }


def _observation(facts: Assessment, test: Test, files: list[Evidence]) -> Object:
    result = facts.results[test.pk]
    found = {
        "uuid": result.uuid,
        "title": markup(test.name),
        "description": f"Test {test.pk} of {test.technique_id}: expected {test.expected_outcome}, found {test.outcome}.",
        "props": list(_facts_of(test, result)),
        "links": [{"href": site() + reverse("coverage:test-detail", args=[test.pk]), "rel": "reference"}],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "origins": [{"actors": [_actor(facts, "tester", result.tester), _actor(facts, "assessor", result.assessor)]}],
        "subjects": list(_subjects(facts, test, result)),
        "collected": moment(test.ended_at or test.started_at or result.decided_at),
    }
    if files:
        found["relevant-evidence"] = [_pointer(file) for file in files]
    return found


def _facts_of(test: Test, result: Result) -> Iterator[Object]:
    yield prop("test", str(test.pk))
    yield prop("technique", str(test.technique_id))
    yield prop("expected-outcome", test.expected_outcome)
    yield prop("outcome", test.outcome)
    yield prop("verdict", result.verdict.value)
    yield prop("decided-at", moment(result.decided_at))
    yield prop("decided-on-sha256", test.decided_on_hash)
    if test.campaign:
        yield prop("campaign", test.campaign.name)


def _subjects(facts: Assessment, test: Test, result: Result) -> Iterator[Object]:
    yield {"subject-uuid": facts.uuid("technique", test.technique_id), "type": "resource", "title": test.technique_id}
    if result.target:
        subject = {"subject-uuid": facts.uuid("target", result.target), "type": "inventory-item"}
        yield subject | {"title": markup(result.target)}


def _actor(facts: Assessment, role: str, user: int) -> Object:
    return {"type": "party", "actor-uuid": facts.uuid("party", user), "role-id": role}


def _pointer(file: Evidence) -> Object:
    side = f"{file.get_side_display()} evidence"
    return {"href": f"#{file.pk}", "description": f"{side}: {markup(file.caption or file.original_name)}"}


def _risk(facts: Assessment, technique: Technique) -> Object:
    missed = facts.standing[technique.mitre_id].missed
    return {
        "uuid": facts.uuid("risk", technique.mitre_id),
        "title": markup(f"{technique} was not seen as expected"),
        "description": f"On {len(missed)} validated tests the defence did less than it was expected to.",
        "statement": f"Whoever uses {technique.mitre_id} here may do so unnoticed.",
        "status": "open",
        "threat-ids": [{"system": ATTACK, "id": technique.url or f"{ATTACK}/techniques/{technique.mitre_id}"}],
        "related-observations": _related(missed),
    }


def _finding(facts: Assessment, objective: Objective) -> Object:
    standing, technique = facts.standing[objective.technique.mitre_id], objective.technique
    finding = {
        "uuid": facts.own_uuid("finding", objective.control_token, technique.mitre_id),
        "title": markup(f"{objective.control.control_id}: tests of {technique}"),
        "description": f"{len(standing.met)} validated tests met what they expected, {len(standing.missed)} missed it.",
        "target": {"type": "objective-id", "target-id": objective.token, "status": _status(standing)},
        "related-observations": _related(standing.results),
    }
    if standing.missed:
        finding["related-risks"] = [{"risk-uuid": facts.uuid("risk", technique.mitre_id)}]
    return finding


def _status(standing: Standing) -> Object:
    if standing.is_satisfied:
        return {"state": "satisfied", "reason": "pass"}
    if standing.met:
        return {
            "state": "not-satisfied",
            "reason": "other",
            "remarks": "Some tests met what they expected, others did not.",
        }
    return {"state": "not-satisfied", "reason": "fail"}


def _related(results: Any) -> list[Object]:
    return [{"observation-uuid": one.uuid} for one in results]


def _resources(facts: Assessment) -> Iterator[Object]:
    """The plan, the framework, the techniques, and each file of evidence with its SHA-256."""
    yield {
        "uuid": facts.own_uuid("plan"),
        "title": "Tests and campaigns in Aegis",
        "rlinks": [{"href": f"{site()}/campaigns"}],
    }
    yield {
        "uuid": facts.own_uuid("framework"),
        "title": markup(str(facts.framework)),
        "props": [{"name": "version", "value": line(facts.framework.version)}],
        "rlinks": [{"href": site() + reverse("compliance:framework-detail", args=[facts.framework.slug])}],
    }
    for technique in facts.techniques:
        address = technique.url or f"{ATTACK}/techniques/{technique.mitre_id}"
        uuid = facts.uuid("technique", technique.mitre_id)
        yield {"uuid": uuid, "title": markup(str(technique)), "rlinks": [{"href": address}]}
    for file in facts.evidence():
        yield _evidence(file)


def _evidence(file: Evidence) -> Object:
    return {
        "uuid": str(file.pk),
        "title": markup(file.original_name),
        "description": f"Evidence of test {file.test_id}, {file.size} bytes.",
        "props": [
            prop("file-name", file.original_name),
            prop("side", file.side),
            prop("uploaded-at", moment(file.uploaded_at)),
        ],
        "rlinks": [
            {
                "href": f"{site()}/api/v1/evidence/{file.pk}",
                "hashes": [{"algorithm": "SHA-256", "value": file.sha256}],
            }
        ],
    }
