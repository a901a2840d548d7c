"""Keeping the coverage of techniques what their tests say, in the transaction of the cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields

from django.db import transaction

from catalog.models import Technique
from coverage.models import TechniqueCoverage, Test, TestOutcome
from coverage.techniques.status import Coverage, Status, TestSays, coverage_of
from coverage.testing.outcomes import Outcome, Sighting, headline

COLUMNS = tuple(field.name for field in fields(Coverage))


@transaction.atomic
def refresh_status(techniques: Iterable[str]) -> dict[str, str]:
    """Recalculate these techniques and their parents. Returns the new status of each whose status changed, by ATT&CK id.

    Their rows are locked in the order of their ids before the tests are read, so that of two writers at once the second counts
    what the first one wrote.
    """
    family = _with_parents(techniques)
    TechniqueCoverage.objects.bulk_create(
        [TechniqueCoverage(technique_id=mitre_id) for mitre_id in family], ignore_conflicts=True
    )
    rows = list(
        TechniqueCoverage.objects.select_for_update().filter(technique__mitre_id__in=family).order_by("technique_id")
    )
    computed = computed_coverage(family)
    _save_what_differs(rows, computed)
    return {
        str(row.technique_id): computed[str(row.technique_id)].status.value
        for row in rows
        if computed[str(row.technique_id)].status != row.status
    }


def refresh_all() -> dict[str, str]:
    """Recalculate every technique that has a test or a row. Returns the new status of each whose status changed."""
    return refresh_status(_known())


def drift() -> Iterator[str]:
    """A line for each row that is not what the tests say: nothing, if all is well."""
    yield from _outcome_drift()
    known = _with_parents(_known())
    rows = {str(row.technique_id): _kept(row) for row in TechniqueCoverage.objects.all()}
    for mitre_id, wanted in sorted(computed_coverage(known).items()):
        kept = rows.get(mitre_id, Coverage())
        for name in COLUMNS:
            if (stands := getattr(kept, name)) != (should := getattr(wanted, name)):
                yield f"{mitre_id}: {name} is {stands}, and should be {should}"


def computed_coverage(techniques: Iterable[str]) -> dict[str, Coverage]:
    """The coverage of each of these techniques by its tests and its active sub-techniques: two queries."""
    wanted = list(techniques)
    below: dict[str, list[str]] = defaultdict(list)
    active = Technique.objects.active().filter(parent__in=wanted)
    for parent, mitre_id in active.order_by("mitre_id").values_list("parent_id", "mitre_id"):
        below[str(parent)].append(mitre_id)
    says = _tests_say([*wanted, *(mitre_id for group in below.values() for mitre_id in group)])
    return {
        mitre_id: coverage_of(says[mitre_id], [coverage_of(says[part]).status for part in below[mitre_id]])
        for mitre_id in wanted
    }


def _tests_say(techniques: Iterable[str]) -> Mapping[str, list[TestSays]]:
    says: dict[str, list[TestSays]] = defaultdict(list)
    tests = Test.objects.live().filter(technique__in=list(techniques)).order_by("pk")
    for test in tests.only("technique_id", "state", "outcome", "expected_outcome", "decided_at"):
        says[str(test.technique_id)].append(TestSays(test.verdict, test.decided_at))
    return says


def _known() -> set[str]:
    tested = Test.objects.order_by().values_list("technique_id", flat=True).distinct()
    return {*map(str, tested), *map(str, TechniqueCoverage.objects.values_list("technique_id", flat=True))}


def _with_parents(techniques: Iterable[str]) -> list[str]:
    """The techniques and those of their parents that the catalogue has, in the order of their ids."""
    own = set(techniques)
    parents = Technique.objects.filter(mitre_id__in=own, parent__isnull=False).values_list("parent_id", flat=True)
    present = Technique.objects.filter(mitre_id__in=own | {str(parent) for parent in parents})
    return sorted(present.values_list("mitre_id", flat=True))


def _kept(row: TechniqueCoverage) -> Coverage:
    values = {name: getattr(row, name) for name in COLUMNS}
    return Coverage(**{**values, "status": Status(row.status)})


def _save_what_differs(rows: Iterable[TechniqueCoverage], computed: Mapping[str, Coverage]) -> None:
    """One statement for all techniques that become the same: a campaign plans hundreds of them at once."""
    become: dict[Coverage, list[int]] = defaultdict(list)
    for row in rows:
        if _kept(row) != (wanted := computed[str(row.technique_id)]):
            become[wanted].append(row.pk)
    for wanted, pks in become.items():
        TechniqueCoverage.objects.filter(pk__in=pks).update(**asdict(wanted))


def _outcome_drift() -> Iterator[str]:
    facts: dict[int, list[tuple[Sighting, bool]]] = defaultdict(list)
    for test, kind, seen in TestOutcome.objects.order_by().values_list("test_id", "kind", "seen"):
        facts[test].append((Sighting(kind), seen))
    for pk, outcome in Test.objects.order_by("pk").values_list("pk", "outcome"):
        if (should := headline(facts[pk])) != Outcome(outcome):
            yield f"test {pk}: outcome is {outcome}, and should be {should}"
