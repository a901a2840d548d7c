"""The two backlogs that face each other, and what lies between them: every active technique is in exactly one place.

`place` decides for one technique in memory, `placed` for all of a query: a test holds them to each other.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, TextChoices, Value, When

from coverage.figures.claims import CLAIM
from coverage.figures.standing import Known, Standing


class Backlog(TextChoices):
    """Where a technique stands, by its own rules, templates and live tests."""

    UNKNOWN = "unknown", "Nothing known"
    UNDETECTED = "undetected", "Attacks we cannot detect"
    IN_TEST = "in_test", "In test"
    PROVEN = "proven", "Proven"
    UNTESTED = "untested", "Detections nobody tested"


def place(technique: Known, *, rule: bool, template: bool) -> Backlog:
    """Where a technique with or without a live rule and a template stands."""
    if technique.proven:
        return Backlog.PROVEN
    if technique.gap or (not rule and (template or technique.tests)):
        return Backlog.UNDETECTED
    if technique.tests:
        return Backlog.IN_TEST
    return Backlog.UNTESTED if rule else Backlog.UNKNOWN


def places(standing: Standing) -> dict[str, Backlog]:
    """Where each active technique stands, by ATT&CK id."""
    rules, templates = standing.claims["rules"], standing.claims["templates"]
    return {
        mitre_id: place(technique, rule=mitre_id in rules, template=mitre_id in templates)
        for mitre_id, technique in standing.techniques.items()
    }


def backlog_numbers(standing: Standing) -> dict[str, int]:
    """How many techniques stand where; nought too."""
    counted = Counter(places(standing).values())
    return {backlog.value: counted[backlog] for backlog in Backlog}


def placed() -> Case:
    """Where the techniques of a query stand, as an expression."""
    rule, template = _named("rules"), _named("templates")
    tests = Q(coverage__tests_total__gt=0)
    return Case(
        When(coverage__proven=True, then=Value(Backlog.PROVEN.value)),
        When(Q(coverage__proven_gap=True) | (~rule & (template | tests)), then=Value(Backlog.UNDETECTED.value)),
        When(tests, then=Value(Backlog.IN_TEST.value)),
        When(rule, then=Value(Backlog.UNTESTED.value)),
        default=Value(Backlog.UNKNOWN.value),
        output_field=CharField(),
    )


def _named(claim: str) -> Any:
    return Q(Exists(CLAIM[claim].references().filter(technique=OuterRef("mitre_id"))))
