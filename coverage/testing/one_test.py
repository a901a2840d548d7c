"""What the page of one test shows beside its two forms: rules that should fire, the events in order, its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet

from aegis.accounts.models import User
from catalog.links import rules_that_see
from catalog.models import DetectionRule
from coverage.evidence.room import room_of
from coverage.models import Evidence, Test
from coverage.services.halves import mark_of
from coverage.testing.forms import BLUE_FIELDS, RED_FIELDS, BlueForm, RedForm, fact_forms
from coverage.testing.next_step import standing
from coverage.testing.offers import offered
from coverage.testing.outcomes import Outcome, Sighting, met
from coverage.testing.template_choices import refill_form
from coverage.testing.workflow import State

MOST_RULES: Final = 100
"""Rules of the technique that the page offers beside those that upstreams link."""


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """A rule that could have fired; `linked` if an upstream names it for this very template."""

    rule: DetectionRule
    linked: bool
    fired: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of the test; `gap` is the time since the event before it."""

    side: str
    at: datetime
    label: str
    note: str = ""
    is_key: bool = False
    gap: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The place of the test in its campaign, counted from one, and the ids of the tests beside it."""

    place: int
    total: int
    previous: int | None
    next: int | None


def whole(tests: QuerySet[Test]) -> QuerySet[Test]:
    """Tests with everything that their page and the policy ask."""
    people = ("created_by", "updated_by", "submitted_by", "decided_by")
    related = tests.select_related("technique", "template", "campaign", *people)
    return related.with_involvement().prefetch_related("outcomes", "detection_rules")  # type: ignore[attr-defined,no-any-return]


def shown(test: Test, user: User, data: Any = None, half: str = "") -> dict[str, Any]:
    """The context of the page; `data` is what somebody typed into `half` (red or blue) and could not save."""
    offers = offered(user, test)
    rules = rule_choices(test)
    typed = data if data is not None and half == "blue" else None
    fired = [str(choice.rule.pk) for choice in rules if choice.fired]
    return {
        "test": test,
        "offers": offers,
        "words": standing(user, test, offers),
        "red": RedForm.of(test, data if half == "red" else None),
        "blue": BlueForm.of(test, data if half == "blue" else None),
        "refill": refill_form(
            test.template, platform=test.platform, executor=test.executor, values=test.input_arguments
        ),
        "facts": fact_forms(test, data if half == "blue" else None),
        "linked_rules": [choice for choice in rules if choice.linked or choice.fired],
        "other_rules": [choice for choice in rules if not (choice.linked or choice.fired)],
        "ticked": set(typed.getlist("rules") if typed is not None else fired),
        "facts_seen": typed.get("facts-seen", "") if typed is not None else mark_of(test),
        "rules_seen": typed.get("rules-seen", "") if typed is not None else ",".join(fired),
        "events": events(test),
        "evidence": evidence_by_side(test),
        "evidence_limit": settings.EVIDENCE_MAX_BYTES,
        "room": room_of(user) if "evidence.add" in offers else None,
        "is_met": met(Outcome(test.outcome), Sighting(test.expected_outcome)),
        "neighbours": neighbours(test),
        "is_decided": test.state in (State.VALIDATED, State.REJECTED),
    }


def differences(test: Test, data: Any, half: str) -> list[tuple[str, str]]:
    """What the test says now where somebody typed something else, as (label of the field, value)."""
    form = (RedForm if half == "red" else BlueForm).of(test, data)
    names = [name for name in (RED_FIELDS if half == "red" else BLUE_FIELDS) if name in form.changed_data]
    return [(str(form[name].label), _plain(form[name].initial)) for name in names]


def rule_choices(test: Test) -> list[RuleChoice]:
    """Rules that could see the test: those that upstreams link to its template, those ticked, others of the technique."""
    fired = {rule.pk: rule for rule in test.detection_rules.all()}
    links = rules_that_see(test.template) if test.template else []
    linked = {link.rule.pk: link.rule for link in links if link.rule}
    of_technique = (
        DetectionRule.objects.live()
        .without_texts()
        .filter(references_to_techniques__technique=test.technique_id)
        .order_by("name", "pk")
        .distinct()[:MOST_RULES]
    )
    rules = {**linked, **fired, **{rule.pk: rule for rule in of_technique}}
    return [RuleChoice(rule, pk in linked, pk in fired) for pk, rule in rules.items()]


def events(test: Test) -> list[Event]:
    """What happened, in the order of the events, with the time between them."""
    found = sorted(_moments(test), key=lambda event: (event.at, event.side != "red"))
    return [
        *found[:1],
        *(
            Event(later.side, later.at, later.label, later.note, later.is_key, _gap(earlier, later))
            for earlier, later in pairwise(found)
        ),
    ]


def evidence_by_side(test: Test) -> dict[str, list[Evidence]]:
    """The files of each side, oldest first: one query."""
    rows = list(test.evidence.select_related("uploaded_by"))
    return {side: [row for row in rows if row.side == side] for side in Evidence.Side.values}


def neighbours(test: Test) -> Neighbours | None:
    """The tests before and after it in its campaign; None if it has none, or was put away."""
    if test.campaign is None or test.is_archived:
        return None
    order = list(test.campaign.tests.live().in_campaign_order().values_list("pk", flat=True))
    place = order.index(test.pk)
    before = order[place - 1] if place else None
    return Neighbours(place + 1, len(order), before, next(iter(order[place + 1 :]), None))


def _moments(test: Test) -> Iterator[Event]:
    if test.started_at:
        yield Event("red", test.started_at, "Started", test.executor)
    if test.ended_at:
        yield Event("red", test.ended_at, "Ended", test.get_red_result_display())
    first = test.first_seen_at
    for fact in _seen(test.outcomes.all()):
        yield Event("blue", fact.at, fact.get_kind_display(), fact.tool, is_key=fact.at == first)
    if test.detected_at and not any(fact.at == test.detected_at for fact in _seen(test.outcomes.all())):
        yield Event("blue", test.detected_at, "Detected", is_key=True)


def _seen(facts: Iterable[Any]) -> list[Any]:
    return [fact for fact in facts if fact.seen and fact.at]


def _gap(earlier: Event, later: Event) -> timedelta | None:
    gap = later.at - earlier.at
    return gap if gap >= timedelta(seconds=1) else None


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = str(value).strip()
    return (text[:77] + "…" if len(text) > 78 else text) if text and value is not None else "empty"
