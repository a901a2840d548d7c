"""What the database knows of overlays: the techniques that the chosen ones mark, and what could be chosen. One query each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db.models import CharField, Count, F, FloatField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

from aegis.accounts.models import User
from catalog.models import AnalyticLogSource, DataComponent, DetectionStrategyTechnique
from compliance.models import ComplianceControlMapping, ComplianceFramework
from coverage.figures.claims import CONTROL_IN_FORCE
from coverage.matrix.query import MatrixQuery
from coverage.models import Campaign, Layer, LayerTechnique, SavedView, Test

Rows = QuerySet[Any, Any]

LIVE_STRATEGY: Final = Q(strategy__withdrawn_at=None, strategy__analytics__withdrawn_at=None)
COMPONENT: Final = "strategy__analytics__log_sources__data_component"
OUTCOME: Final = "outcome"
VIEW: Final = "view"


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
    """One kind of overlay, as a user sees it: `laid` are the rows of these keys as (key, mark, number, words), `offers` (key,
    label)."""

    laid: Callable[[User, Sequence[str]], Rows]
    offers: Callable[[User], Rows]


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


def _campaign_rows(_user: User, keys: Sequence[str]) -> Rows:
    tests = Test.objects.live().filter(campaign__in=numbers(keys)).order_by()
    return tests.values(key=text("campaign_id"), mark=F("technique_id")).annotate(
        number=Cast(Count("pk"), FloatField()), words=Value("", TextField())
    )


def _component_rows(_user: User, keys: Sequence[str]) -> Rows:
    named = Q(**{f"{COMPONENT}__mitre_id__in": keys}) | Q(**{f"{COMPONENT}__stix_id__in": keys})
    found = DetectionStrategyTechnique.objects.filter(LIVE_STRATEGY, named).exclude(technique=None).order_by()
    key = component_key(f"{COMPONENT}__")
    return found.values(key=key, mark=F("technique_id")).annotate(
        number=Cast(Count("pk"), FloatField()), words=Value("", TextField())
    )


def _framework_rows(_user: User, keys: Sequence[str]) -> Rows:
    found = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, control__framework__slug__in=keys)
    return (
        found.exclude(technique=None)
        .order_by()
        .values(key=text("control__framework_id"), mark=F("technique_id"))
        .annotate(number=Cast(Count("control", distinct=True), FloatField()), words=Value("", TextField()))
    )


def _outcome_rows(outcome: str) -> Rows:
    tests = Test.objects.live().filter(outcome=outcome).order_by()
    return tests.values(key=text("outcome"), mark=F("technique_id")).annotate(
        number=Cast(Count("pk"), FloatField()), words=Value("", TextField())
    )


def _layer_rows(user: User, keys: Sequence[str]) -> Rows:
    layers = Layer.objects.visible_to(user).filter(pk__in=numbers(keys)).order_by().values("pk")
    found = LayerTechnique.objects.filter(layer__in=layers, marks=True).exclude(technique=None).order_by()
    return found.values(key=text("layer_id"), mark=F("technique_id"), number=F("score"), words=text("comment"))


def _layers(user: User) -> Rows:
    return Layer.objects.visible_to(user).order_by().values(key=text("pk"), label=text("name"))


def _views(user: User) -> Rows:
    return SavedView.objects.filter(user=user).order_by().values(key=text("query"), label=text("name"))


def _campaigns(_user: User) -> Rows:
    return Campaign.objects.live().order_by().values(key=text("pk"), label=text("name"))


def _components(_user: User) -> Rows:
    read = AnalyticLogSource.objects.order_by().values("data_component")
    key = component_key()
    return DataComponent.objects.active().filter(stix_id__in=read).order_by().values(key=key, label=text("name"))


def _frameworks(_user: User) -> Rows:
    return (
        ComplianceFramework.objects.shown()
        .order_by()
        .values(key=text("slug"), label=Concat(text("name"), Value(" "), text("version"), output_field=TextField()))
    )


KINDS: Final = {
    "campaign": Kind(_campaign_rows, _campaigns),
    "component": Kind(_component_rows, _components),
    "framework": Kind(_framework_rows, _frameworks),
    "layer": Kind(_layer_rows, _layers),
}


def laid(query: MatrixQuery, user: User) -> list[Laid]:
    """The rows of the overlays and the outcome that a query chose; actors are elsewhere, with all their uses. One query."""
    parts = [(kind, KINDS[kind].laid(user, keys)) for kind in KINDS if (keys := _sound(query.keys(kind)))]
    if query.outcome:
        parts.append((OUTCOME, _outcome_rows(query.outcome)))
    rows = [
        part.annotate(kind=Value(kind, CharField())).values_list("kind", "key", "mark", "number", "words")
        for kind, part in parts
    ]
    if not rows:
        return []
    return [Laid(*row) for row in rows[0].union(*rows[1:], all=True)]


def offers(user: User) -> list[Offer]:
    """What `user` could lay over the matrix but actors, and the views that they saved, by name. One query."""
    parts = {name: kind.offers(user) for name, kind in KINDS.items()} | {VIEW: _views(user)}
    rows = [
        part.annotate(kind=Value(name, CharField())).values_list("kind", "key", "label") for name, part in parts.items()
    ]
    found = (Offer(*row) for row in rows[0].union(*rows[1:], all=True))
    return sorted(found, key=lambda offer: (offer.kind, offer.label.casefold(), offer.key))


def _sound(keys: Sequence[str]) -> list[str]:
    """The keys that a database can look up."""
    return [key for key in keys if "\0" not in key]
