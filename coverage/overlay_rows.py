"""What the database knows of overlays: the techniques that the chosen ones mark, and what could be chosen. One query each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db.models import CharField, Count, F, FloatField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

from catalog.models import AnalyticLogSource, DataComponent, DetectionStrategyTechnique
from compliance.models import ComplianceControlMapping, ComplianceFramework
from coverage.claims import CONTROL_IN_FORCE
from coverage.matrix_query import MatrixQuery
from coverage.models import Campaign, Test

Rows = QuerySet[Any, Any]

LIVE_STRATEGY: Final = Q(strategy__withdrawn_at=None, strategy__analytics__withdrawn_at=None)
COMPONENT: Final = "strategy__analytics__log_sources__data_component"
OUTCOME: Final = "outcome"


class Laid(NamedTuple):
    """One technique that an overlay marks, with its number there (tests, controls, score) and words, where it has them."""

    kind: str
    key: str
    technique: str
    number: float | None = None
    words: str = ""


class Offer(NamedTuple):
    """Something that could be laid over the matrix, or, of the kind `view`, a saved address."""

    kind: str
    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of overlay: `laid` are the rows of these keys as (key, technique, number, words), `offers` (key, label)."""

    laid: Callable[[Sequence[str]], Rows]
    offers: Callable[[], Rows]


def text(expression: Any) -> Cast:
    """An expression as text, so that rows of all kinds fit one query."""
    return Cast(expression, TextField())


def component_key(prefix: str = "") -> Coalesce:
    """What a data component goes by: its ATT&CK id, or before release 18 its STIX id."""
    mitre_id = NullIf(text(f"{prefix}mitre_id"), Value("", TextField()))
    return Coalesce(mitre_id, text(f"{prefix}stix_id"), output_field=TextField())


def numbers(keys: Sequence[str]) -> list[int]:
    """Those of the keys that can be numbers of rows."""
    return [int(key) for key in keys if key.isascii() and key.isdecimal() and len(key) <= 18]


def _campaign_rows(keys: Sequence[str]) -> Rows:
    tests = Test.objects.live().filter(campaign__in=numbers(keys)).order_by()
    return tests.values(key=text("campaign_id"), mark=F("technique_id")).annotate(
        number=Cast(Count("pk"), FloatField()), words=Value("", TextField())
    )


def _component_rows(keys: Sequence[str]) -> Rows:
    named = Q(**{f"{COMPONENT}__mitre_id__in": keys}) | Q(**{f"{COMPONENT}__stix_id__in": keys})
    found = DetectionStrategyTechnique.objects.filter(LIVE_STRATEGY, named).exclude(technique=None).order_by()
    key = component_key(f"{COMPONENT}__")
    return found.values(key=key, mark=F("technique_id")).annotate(
        number=Cast(Count("pk"), FloatField()), words=Value("", TextField())
    )


def _framework_rows(keys: Sequence[str]) -> Rows:
    found = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, control__framework__slug__in=keys)
    return (
        found.exclude(technique=None)
        .order_by()
        .values(key=text("control__framework_id"), mark=F("technique_id"))
        .annotate(number=Cast(Count("control", distinct=True), FloatField()), words=Value("", TextField()))
    )


def _outcome_rows(keys: Sequence[str]) -> Rows:
    tests = Test.objects.live().filter(outcome__in=keys).order_by()
    return tests.values(key=text("outcome"), mark=F("technique_id")).annotate(
        number=Cast(Count("pk"), FloatField()), words=Value("", TextField())
    )


def _campaigns() -> Rows:
    return Campaign.objects.live().order_by().values(key=text("pk"), label=text("name"))


def _components() -> Rows:
    read = AnalyticLogSource.objects.order_by().values("data_component")
    key = component_key()
    return DataComponent.objects.active().filter(stix_id__in=read).order_by().values(key=key, label=text("name"))


def _frameworks() -> Rows:
    return (
        ComplianceFramework.objects.current()
        .order_by()
        .values(key=text("slug"), label=Concat(text("name"), Value(" "), text("version"), output_field=TextField()))
    )


KINDS: Final = {
    "campaign": Kind(_campaign_rows, _campaigns),
    "component": Kind(_component_rows, _components),
    "framework": Kind(_framework_rows, _frameworks),
}


def laid(query: MatrixQuery) -> list[Laid]:
    """The rows of the overlays and the outcome that a query chose; actors are elsewhere, with all their uses. One query."""
    parts = [(kind, KINDS[kind].laid(keys)) for kind in KINDS if (keys := _sound(query.keys(kind)))]
    if query.outcome:
        parts.append((OUTCOME, _outcome_rows([query.outcome])))
    rows = [
        part.annotate(kind=Value(kind, CharField())).values_list("kind", "key", "mark", "number", "words")
        for kind, part in parts
    ]
    if not rows:
        return []
    return [Laid(*row) for row in rows[0].union(*rows[1:], all=True)]


def offers() -> list[Offer]:
    """What could be laid over the matrix, but actors, by name. One query."""
    rows = [
        kind.offers().annotate(kind=Value(name, CharField())).values_list("kind", "key", "label")
        for name, kind in KINDS.items()
    ]
    found = (Offer(*row) for row in rows[0].union(*rows[1:], all=True))
    return sorted(found, key=lambda offer: (offer.kind, offer.label.casefold(), offer.key))


def _sound(keys: Sequence[str]) -> list[str]:
    """The keys that a database can look up."""
    return [key for key in keys if "\0" not in key]
