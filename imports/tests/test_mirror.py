"""The whole real world: what the nine sources hold in August 2026, and the upgrade from May 2025."""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Count

from catalog.models import (
    Analytic,
    AttackCampaign,
    AttackRelease,
    DataComponent,
    DefensiveTechnique,
    DefensiveTechniqueMapping,
    DetectionRule,
    DetectionRuleTechnique,
    DetectionStrategy,
    Mitigation,
    RuleSimulation,
    Software,
    Tactic,
    Technique,
    TemplateRuleLink,
    TestTemplate,
)
from compliance.models import ComplianceControl, ComplianceControlMapping
from imports.decisions import request_apply, request_undo
from imports.digest import catalog_digest
from imports.holding import OLDER, WITHDRAWALS
from imports.life import this_process
from imports.models import ImportRun
from imports.registry import SOURCES
from imports.services import execute, request_import
from intel.models import ThreatActor, ThreatActorTechnique

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("mirror")]
ASKED = {"by": None, "trigger": "command", "worker": this_process()}
CHANGED = {"catalog.technique", "catalog.detectionrule", "intel.threatactor", "total"}
"""Tables that every year brings something new for."""


def import_all(mirror: Path, *, force: bool = False, allowed: Collection[str] = ()) -> dict[str, ImportRun]:
    runs = {
        source.slug: execute(request_import(source.slug, allowed=allowed), mirror=str(mirror), force=force)
        for source in SOURCES
    }
    assert {slug: run.error for slug, run in runs.items() if run.status not in ("succeeded", "not_modified")} == {}
    return runs


def import_others(mirror: Path, *, force: bool = False) -> ImportRun:
    """The optional source: upstream's archive of May 2025 in the mirror has no other framework yet."""
    return execute(request_import("mappings-explorer"), mirror=str(mirror), force=force)


@pytest.fixture(scope="module")
def world_of_2026(django_db_setup: None, django_db_blocker, mirror: Path) -> Iterator[dict[str, ImportRun]]:
    """The catalogue after one import of everything, kept for all tests of this file and emptied after them."""
    with django_db_blocker.unblock():
        yield import_all(mirror)
        call_command("flush", interactive=False, verbosity=0)


def test_issues_cost_no_row(world_of_2026: dict[str, ImportRun]) -> None:
    messages = {slug: [issue.message for issue in run.issues.all()] for slug, run in world_of_2026.items()}
    assert {slug: len(found) for slug, found in messages.items() if found} == {"nist-800-53": 4}
    assert all(
        found.startswith(("left out what upstream marks", "the catalogue of")) for found in messages["nist-800-53"]
    )


def test_attack_is_release_18_1_whole(world_of_2026: dict[str, ImportRun]) -> None:
    assert str(AttackRelease.objects.get()) == "enterprise-attack 18.1"
    assert (Technique.objects.count(), Technique.objects.active().count()) == (835, 691)
    assert Technique.objects.filter(revoked=True).exclude(revoked_by=None).count() == 132
    assert Technique.objects.filter(deprecated=True).count() == 12
    assert [tactic.shortname for tactic in Tactic.objects.all()] == [
        "reconnaissance",
        "resource-development",
        "initial-access",
        "execution",
        "persistence",
        "privilege-escalation",
        "defense-evasion",
        "credential-access",
        "discovery",
        "lateral-movement",
        "collection",
        "command-and-control",
        "exfiltration",
        "impact",
    ]
    kinds = (Mitigation, Software, AttackCampaign, DetectionStrategy, Analytic, DataComponent)
    assert [kind.objects.count() for kind in kinds] == [268, 787, 52, 691, 1739, 109]


def test_techniques_have_all_their_tactics(world_of_2026: dict[str, ImportRun]) -> None:
    numbers = Technique.objects.active().annotate(n=Count("technique_tactics")).values_list("n", flat=True)
    assert Counter(numbers) == {1: 537, 2: 117, 3: 32, 4: 5}
    assert Technique.objects.active().in_tactic("defense-evasion").count() == 215


def test_actors_have_their_uses(world_of_2026: dict[str, ImportRun]) -> None:
    assert (ThreatActor.objects.count(), ThreatActor.objects.active().count()) == (187, 172)
    assert ThreatActorTechnique.objects.filter(campaign="").count() == 4362
    pairs = ThreatActorTechnique.objects.values("actor", "published_id").distinct().count()
    assert pairs == 4640
    assert sum(len(aliases) for aliases in ThreatActor.objects.active().values_list("aliases", flat=True)) == 570
    countries = dict(ThreatActor.objects.values_list("name", "country"))
    assert {
        name: countries[name] for name in ("APT37", "Gamaredon Group", "Transparent Tribe", "Sidewinder", "FIN7")
    } == {
        "APT37": "North Korea",
        "Gamaredon Group": "Russia",
        "Transparent Tribe": "Pakistan",
        "Sidewinder": "India",
        "FIN7": "",
    }


def test_templates_are_all_there(world_of_2026: dict[str, ImportRun]) -> None:
    assert dict(TestTemplate.objects.values_list("source").annotate(n=Count("pk")).order_by()) == {
        "atomic": 1819,
        "caldera": 209,
        "lolbas": 477,
    }
    executors = TestTemplate.objects.filter(source="caldera").values_list("executors", flat=True)
    assert sum(len(found) for found in executors) == 354
    assert TestTemplate.objects.filter(source="atomic", cleanup_commands="").count() == 804


def test_rules_are_all_there_and_the_unmapped_stay_out_of_lists(world_of_2026: dict[str, ImportRun]) -> None:
    def count(source: str) -> tuple[int, int, int]:
        rules = DetectionRule.objects.filter(source=source)
        return rules.count(), rules.live().count(), rules.listed().count()

    assert (count("sigma"), count("elastic")) == ((3780, 3780, 3309), (2192, 2068, 1983))
    assert (world_of_2026["sigma"].skipped, world_of_2026["elastic"].skipped) == (471, 85)
    assert DetectionRuleTechnique.objects.filter(rule__source="sigma").count() == 4509
    silent = DetectionRule.objects.live().filter(source="elastic", query="")
    assert (silent.count(), set(silent.values_list("rule_type", flat=True))) == (106, {"machine_learning"})


def test_rules_and_templates_are_linked_where_upstream_says_so(world_of_2026: dict[str, ImportRun]) -> None:
    guids = set(TestTemplate.objects.filter(source="atomic").values_list("external_id", flat=True))
    simulated = set(RuleSimulation.objects.values_list("template_guid", flat=True))
    assert RuleSimulation.objects.values("rule").distinct().count() == 65
    assert simulated <= guids
    files = set(DetectionRule.objects.values_list("file_name", flat=True))
    links = TemplateRuleLink.objects.values("file_name").distinct().values_list("file_name", flat=True)
    assert len(set(links) & files) > len(set(links)) * 0.7


def test_defences_counter_their_techniques(world_of_2026: dict[str, ImportRun]) -> None:
    assert dict(DefensiveTechnique.objects.values_list("tactic").annotate(n=Count("pk")).order_by()) == {
        "Model": 27,
        "Harden": 47,
        "Detect": 79,
        "Isolate": 53,
        "Deceive": 11,
        "Evict": 19,
        "Restore": 12,
    }
    assert DefensiveTechniqueMapping.objects.count() == 3005
    spawn = DefensiveTechnique.objects.get(d3fend_id="D3-PSA")
    assert spawn.mappings.values("published_id").distinct().count() == 35


def test_controls_and_their_mapping_sets(world_of_2026: dict[str, ImportRun]) -> None:
    catalogued = ComplianceControl.objects.filter(in_catalogue=True)
    assert dict(catalogued.values_list("framework").annotate(n=Count("pk")).order_by()) == {
        "nist-800-53-rev4": 922,
        "nist-800-53-rev5": 1189,
    }
    sets = ComplianceControlMapping.objects.values_list("control__framework", "attack_version", "is_current")
    assert {tuple(row[:3]): row[3] for row in sets.annotate(n=Count("pk")).order_by()} == {
        ("nist-800-53-rev4", "12.1", False): 4863,
        ("nist-800-53-rev4", "14.1", True): 4971,
        ("nist-800-53-rev5", "12.1", False): 4929,
        ("nist-800-53-rev5", "16.1", True): 5264,
    }
    assert ComplianceControl.objects.filter(withdrawn=True).count() == 96 + 179


def test_ids_of_the_next_release_find_their_technique_by_the_crosswalk(world_of_2026: dict[str, ImportRun]) -> None:
    def meaning(published_id: str) -> tuple[str | None, str]:
        reference = DetectionRuleTechnique.objects.filter(published_id=published_id).first()
        return (reference.technique_id, reference.resolution) if reference else (None, "absent")

    assert meaning("T1685") == ("T1562.001", "crosswalk")
    assert meaning("T1685.001") == ("T1562.002", "crosswalk")
    assert meaning("T1547.011") == ("T1647", "revoked-by")
    assert meaning("T1059.001") == ("T1059.001", "exact")
    old = ComplianceControlMapping.objects.filter(technique="T1574.001", resolution="revoked-by", attack_version="16.1")
    assert set(old.values_list("published_id", flat=True)) == {"T1574.002"}


@pytest.mark.one_database  # the same comparisons again; the small world of test_engine.py is imported again on both
def test_importing_everything_again_changes_nothing(world_of_2026: dict[str, ImportRun], mirror: Path) -> None:
    before = catalog_digest()
    for run in import_all(mirror, force=True).values():
        assert (run.created, run.updated, run.withdrawn, run.restored) == (0, 0, 0, 0)
    assert catalog_digest() == before


@pytest.mark.parametrize("slug", ["attack", "sigma", "d3fend"])
def test_real_version_of_2025_after_that_of_2026_is_held_as_older(
    world_of_2026: dict[str, ImportRun], slug: str, mirror_2025: Path
) -> None:
    held = execute(request_import(slug), mirror=str(mirror_2025))
    assert (held.status, "older" in [reason["code"] for reason in held.reasons]) == ("held", True)


@pytest.mark.one_database  # a minute, for the same statements; test_decisions.py undoes a small world on both
def test_upgrade_from_2025_is_applied_as_shown_ends_where_a_fresh_import_does_and_is_undone(
    world_of_2026: dict[str, ImportRun], mirror: Path, mirror_2025: Path
) -> None:
    others = import_others(mirror)
    assert (others.status, others.created, others.unresolved) == ("succeeded", 9 + 1041, 0)
    fresh = catalog_digest()
    import_all(mirror_2025, allowed=[OLDER, WITHDRAWALS])
    old = catalog_digest()
    assert {label for label in fresh if fresh[label] != old[label]} >= CHANGED
    assert "holds no usable file" in import_others(mirror_2025).error
    assert str(AttackRelease.objects.get()) == "enterprise-attack 17.1"
    applied = [applied_as_shown(mirror, source.slug) for source in SOURCES]
    assert catalog_digest() == fresh
    assert import_others(mirror, force=True).statistics()["unchanged"] == 9 + 1041
    assert catalog_digest() == fresh
    sigma = next(run for run in applied if run.source.slug == "sigma")
    assert (sigma.restored > 0, sigma.withdrawn > 0) == (True, True)
    for run in reversed(applied):
        undo = execute(request_undo(run, **ASKED), mirror="/nowhere")
        assert (undo.status, undo.error) == ("succeeded", "")
    assert catalog_digest() == old


def applied_as_shown(mirror: Path, slug: str) -> ImportRun:
    """A run that changes what its preview has shown, for which it asks nobody."""
    shown = execute(request_import(slug, dry_run=True), mirror=str(mirror))
    assert (shown.status, shown.reasons) == ("succeeded", [])
    run = execute(request_apply(shown, **ASKED), mirror="/nowhere")
    assert (run.status, run.error, run.statistics()) == ("succeeded", "", shown.statistics())
    return run
