"""The catalogue in the API: every field by the owner's names, what lists show, and every filter."""

import pytest

from aegis.accounts.tests.factories import bearer
from catalog.models import Resolution, TemplateRuleLink
from catalog.models import TestTemplate as Template
from catalog.tests.factories import (
    SEEN,
    make_defence,
    make_release,
    make_rule,
    make_tactic,
    make_technique,
    make_template,
)
from intel.tests.factories import make_actor, make_use

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
STAMP = "2026-01-02T03:04:05Z"


@pytest.fixture
def api():
    return bearer()


def provenance_of(row):
    return {
        "source": row.source,
        "path": row.path,
        "version": "0123abc",
        "source_url": f"https://example.org/{row.source}/{row.path}",
        "license": row.upstream_license,
        "first_seen_at": STAMP,
        "changed_at": STAMP,
        "withdrawn_at": None,
    }


def shown(api, path, field, **query):
    """The values of a field of the rows that a list shows."""
    response = api.get(V1 + path, query)
    assert response.status_code == 200, response.json()
    return {row[field] for row in response.json()["results"]}


def test_a_technique_in_a_list(api):
    make_release("18.1")
    technique = make_technique("T1059.001", tactics=("execution", "persistence"), platforms=["Windows", "Office Suite"])
    (row,) = api.get(V1 + "techniques").json()["results"]
    assert row == {
        "mitre_id": "T1059.001",
        "name": "Technique T1059.001",
        "description": "What T1059.001 is about.",
        "tactic": "execution",
        "tactics": ["execution", "persistence"],
        "platforms": ["Windows", "Office Suite"],
        "is_subtechnique": True,
        "parent": "T1059",
        "url": "https://example.org/techniques/T1059.001",
        "object_version": "",
        "attack_version": "18.1",
        "revoked": False,
        "deprecated": False,
        "revoked_by": None,
        "status": "not_covered",
        "review_required": False,
        "proven": False,
        "proven_gap": False,
        "last_validated_at": None,
        "last_proven_at": None,
        **provenance_of(technique),
    }


def test_tactics_come_in_the_order_of_the_release(api):
    for shortname, position in (("impact", 3), ("execution", 1), ("discovery", 2)):
        make_tactic(shortname, mitre_id=f"TA{position}", position=position)
    make_tactic("old", mitre_id="TA9", position=0, deprecated=True)
    rows = api.get(V1 + "tactics").json()["results"]
    assert [row["shortname"] for row in rows] == ["execution", "discovery", "impact"]


@pytest.fixture
def techniques():
    make_technique("T1059", platforms=["Linux", "Windows"], name="Command Interpreter")
    make_technique("T1059.001", tactics=("execution", "stealth"))
    make_technique("T1086", revoked=True, revoked_by_id="T1059.001")
    make_technique("T1002", deprecated=True)
    make_technique("T1003", withdrawn_at=SEEN)
    make_technique("T1004", withdrawn_at=SEEN, revoked=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"T1059", "T1059.001"}),
        ({"revoked": "true"}, {"T1086"}),
        ({"revoked": "false"}, {"T1059", "T1059.001"}),
        ({"deprecated": "true"}, {"T1002"}),
        ({"withdrawn": "true"}, {"T1003", "T1004"}),
        ({"withdrawn": "true", "revoked": "true"}, {"T1004"}),
        ({"tactic": "stealth"}, {"T1059.001"}),
        ({"tactic": "nonsense"}, set()),
        ({"platform": "linux"}, {"T1059"}),
        ({"is_subtechnique": "true"}, {"T1059.001"}),
        ({"is_subtechnique": "0"}, {"T1059"}),
        ({"search": "command"}, {"T1059"}),
        ({"search": "T1059.0"}, {"T1059.001"}),
        ({"search": "%"}, set()),
        ({"actor": "g0016"}, {"T1059.001"}),
    ],
)
def test_techniques_that_a_filter_shows(api, techniques, query, expected):
    actor = make_actor("T1059.001", mitre_id="G0016")
    make_use(actor, "T1059.001", campaign="C0001")
    assert shown(api, "techniques", "mitre_id", **query) == expected


@pytest.mark.parametrize("mitre_id", ["T1059", "T1086", "T1002", "T1003", "t1004"])
def test_a_technique_answers_by_its_id_whatever_became_of_it(api, techniques, mitre_id):
    assert api.get(f"{V1}techniques/{mitre_id}").json()["mitre_id"] == mitre_id.upper()
    assert api.get(V1 + "techniques/T1086").json()["revoked_by"] == "T1059.001"


def test_a_template_in_list_and_detail(api):
    make_technique("T1059.001")
    template = make_template("T1059.001", derived=["severity"], tags=["a tag"])
    TemplateRuleLink.objects.create(template=template, url="https://example.org/rule.yml", file_name="rule.yml")
    fields = {
        "id": template.pk,
        "external_id": template.external_id,
        "name": template.name,
        "description": "What the test does.",
        "mitre_technique_id": "T1059.001",
        "technique": "T1059.001",
        "resolution": "exact",
        "platforms": ["Windows"],
        "executors": template.executors,
        "attack_commands": "Get-Date",
        "cleanup_commands": "",
        "expected_detection": "",
        "severity": "medium",
        "derived": ["severity"],
        "input_arguments": [],
        "tactic": "",
        "usecase": "",
        **provenance_of(template),
    }
    assert api.get(V1 + "test-templates").json()["results"] == [fields]
    assert api.get(f"{V1}test-templates/{template.pk}").json() == fields | {
        "last_run": None,
        "category": "",
        "privileges": "",
        "operating_system": "",
        "dependencies": [],
        "tags": ["a tag"],
        "references": [],
        "rule_links": ["https://example.org/rule.yml"],
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"atomic", "caldera", "lolbas", "old id"}),
        ({"source": "caldera"}, {"caldera"}),
        ({"technique": "t1059"}, {"atomic"}),
        ({"technique": "T1059", "subtechniques": "true"}, {"atomic", "caldera", "old id"}),
        ({"technique": "T1086"}, {"old id"}),
        ({"tactic": "execution"}, {"atomic", "caldera", "old id", "lolbas"}),
        ({"tactic": "impact"}, {"lolbas"}),
        ({"platform": "macOS"}, {"lolbas"}),
        ({"severity": "low"}, {"lolbas"}),
        ({"search": "whoami"}, {"caldera"}),
        ({"withdrawn": "true"}, {"gone"}),
    ],
)
def test_templates_that_a_filter_shows(api, query, expected):
    for mitre_id in ("T1059", "T1059.001", "T1486"):
        make_technique(mitre_id, tactics=("impact", "execution") if mitre_id == "T1486" else ("execution",))
    make_template("T1059", name="atomic")
    make_template("T1059.001", name="caldera", source="caldera", attack_commands="whoami")
    make_template("T1486", name="lolbas", source="lolbas", platforms=["macOS"], severity="low")
    old = make_template("T1086", name="old id")
    Template.objects.filter(pk=old.pk).update(technique="T1059.001", resolution=Resolution.REVOKED_BY)
    make_template("T1059", name="gone", withdrawn_at=SEEN)
    assert shown(api, "test-templates", "name", **query) == expected


def test_a_rule_in_list_and_detail(api):
    make_technique("T1059")
    rule = make_rule("T1059", "T9999", log_source={"product": "windows"})
    fields = {
        "id": rule.pk,
        "external_id": rule.external_id,
        "name": rule.name,
        "description": "What the rule sees.",
        "query": "selection: {Image: example.exe}",
        "language": "sigma",
        "rule_type": "sigma",
        "severity": "high",
        "risk_score": None,
        "platforms": ["Windows"],
        "status": "stable",
        "mapped": True,
        "building_block": False,
        "techniques": [
            {"published_id": "T1059", "mitre_id": "T1059", "resolution": "exact"},
            {"published_id": "T9999", "mitre_id": None, "resolution": "unresolved"},
        ],
        "mitre_technique_id": "T1059",
        "tactics": [],
        "references": [],
        "author": "A. Author",
        **provenance_of(rule),
        "license": "DRL-1.1",
    }
    assert api.get(V1 + "detection-rules").json()["results"] == [fields]
    assert api.get(f"{V1}detection-rules/{rule.pk}").json() == fields | {
        "last_run": None,
        "file_name": rule.file_name,
        "created": "",
        "modified": "",
        "tags": [],
        "false_positives": [],
        "log_source": {"product": "windows"},
        "simulations": [],
        "content": "title: the whole file",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"sigma", "elastic"}),
        ({"mapped": "false"}, {"unmapped", "deprecated unmapped"}),
        ({"status": "deprecated"}, {"deprecated", "deprecated unmapped"}),
        ({"status": "deprecated", "mapped": "true"}, {"deprecated"}),
        ({"status": "stable"}, {"sigma"}),
        ({"withdrawn": "true"}, {"gone"}),
        ({"source": "elastic"}, {"elastic"}),
        ({"language": "eql"}, {"elastic"}),
        ({"building_block": "true"}, {"elastic"}),
        ({"severity": "critical"}, {"elastic"}),
        ({"technique": "T1059"}, {"sigma"}),
        ({"technique": "T1059", "subtechniques": "true"}, {"sigma", "elastic"}),
        ({"tactic": "execution"}, {"sigma", "elastic"}),
        ({"tactic": "stealth"}, {"elastic"}),
        ({"platform": "Linux"}, {"elastic"}),
        ({"search": "needle"}, {"elastic"}),
    ],
)
def test_rules_that_a_filter_shows(api, query, expected):
    make_technique("T1059")
    make_technique("T1059.001")
    make_rule("T1059", name="sigma")
    make_rule(
        "T1059.001",
        name="elastic",
        source="elastic",
        status="production",
        language="eql",
        building_block=True,
        severity="critical",
        tactics=["stealth"],
        platforms=["Linux"],
        query="process where needle",
    )
    make_rule(name="unmapped", mapped=False)
    make_rule(name="deprecated", status="deprecated")
    make_rule(name="deprecated unmapped", status="deprecated", mapped=False)
    make_rule(name="gone", withdrawn_at=SEEN)
    assert shown(api, "detection-rules", "name", **query) == expected


def test_a_severity_that_there_is_not_is_refused(api):
    for path in ("detection-rules", "test-templates"):
        assert list(api.get(V1 + path, {"severity": "severe"}).json()["errors"]) == ["severity"]


def test_a_defence_in_list_and_detail(api):
    make_technique("T1059")
    defence = make_defence("T1059", d3fend_id="D3-PSA")
    paths = [{"defense_relation": "analyzes", "defense_artifact": "Process"}]
    defence.mappings.update(paths=paths)
    reference = {"published_id": "T1059", "mitre_id": "T1059", "resolution": "exact"}
    fields = {
        "id": defence.pk,
        "d3fend_id": "D3-PSA",
        "name": defence.name,
        "description": "What the defence does.",
        "tactic": "Harden",
        "parent": None,
        "synonyms": [],
        "url": defence.url,
        "techniques": [reference],
        **provenance_of(defence),
    }
    assert api.get(V1 + "defensive-techniques").json()["results"] == [fields]
    detail = fields | {"techniques": [reference | {"paths": paths}], "last_run": None}
    assert api.get(f"{V1}defensive-techniques/{defence.pk}").json() == detail
    assert api.get(f"{V1}defensive-techniques/D3-PSA").json() == detail


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"D3-A", "D3-B"}),
        ({"tactic": "detect"}, {"D3-B"}),
        ({"technique": "T1486"}, {"D3-B"}),
        ({"search": "needle"}, {"D3-B"}),
        ({"withdrawn": "true"}, {"D3-C"}),
    ],
)
def test_defences_that_a_filter_shows(api, query, expected):
    make_defence(d3fend_id="D3-A")
    make_defence("T1059", "T1486", d3fend_id="D3-B", tactic="Detect", description="a needle")
    make_defence(d3fend_id="D3-C", withdrawn_at=SEEN)
    assert shown(api, "defensive-techniques", "d3fend_id", **query) == expected


def test_withdrawn_rows_answer_by_id(api):
    template, rule, defence = (make(withdrawn_at=SEEN) for make in (make_template, make_rule, make_defence))
    for path in (f"test-templates/{template.pk}", f"detection-rules/{rule.pk}", f"defensive-techniques/{defence.pk}"):
        assert api.get(V1 + path).json()["withdrawn_at"] == STAMP
