"""Technique ids that the current release calls otherwise, or not at all: how often upstreams use them, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from django.apps import apps
from django.db.models import CharField, Count, F, Model, QuerySet, Value, Window
from django.db.models.functions import Cast, RowNumber

from catalog.models import Resolution, TechniqueReference
from catalog.resolution import reference_models
from imports.services import SOURCE_OF

TRANSLATED: Final = (Resolution.CROSSWALK, Resolution.REVOKED_BY)
NOT_EXACT: Final = (Resolution.UNRESOLVED, *TRANSLATED)
EXAMPLES: Final = 3


class Use(NamedTuple):
    """How many rows of one kind and one source name an id."""

    published_id: str
    technique: str | None
    resolution: str
    source: str
    kind: str
    number: int

    @property
    def source_label(self) -> str:
        """What the source is called."""
        return source_label(self.source)

    @property
    def kind_name(self) -> str:
        """What so many of the rows that hold the references are called."""
        meta = owner_of_kind(self.kind)._meta
        return str(meta.verbose_name if self.number == 1 else meta.verbose_name_plural)


class Example(NamedTuple):
    """One row that names an id. `url` is empty where rows of its kind have no page."""

    source: str
    name: str
    url: str


class Share(NamedTuple):
    """What one source has of the ids that did not resolve."""

    source: str
    label: str
    ids: int
    references: int


@dataclass
class PublishedId:
    """An id as published, what it means now (None: nothing), and who uses it."""

    published_id: str
    technique: str | None
    resolution: str
    uses: list[Use] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @property
    def number(self) -> int:
        """References in all."""
        return sum(use.number for use in self.uses)


def published_ids(*, source: str = "", search: str = "") -> list[PublishedId]:
    """Every id of a current row that is not in the current release as it is, most used first: one query."""
    found: dict[tuple[str, str], PublishedId] = {}
    for use in _uses(source, search):
        key = (use.published_id, use.resolution)
        found.setdefault(key, PublishedId(use.published_id, use.technique, use.resolution)).uses.append(use)
    return sorted(found.values(), key=lambda one: (-one.number, one.published_id))


def add_examples(ids: Iterable[PublishedId], source: str = "") -> None:
    """Give each id at most `EXAMPLES` rows that name it, of as many sources as there are: one query."""
    wanted = {one.published_id: one for one in ids}
    for _rank, published_id, slug, kind, pk, key, name in sorted(_examples(list(wanted), source)):
        if len(wanted[published_id].examples) < EXAMPLES:
            wanted[published_id].examples.append(Example(slug, name, _page(owner_of_kind(kind), pk, key)))


def owner_of_kind(label: str) -> type[Model]:
    """The model of the imported rows whose references are of the model called `label`."""
    return cast(type[TechniqueReference], apps.get_model(label)).owner_model()


def source_label(slug: str) -> str:
    """What a source is called; one that is no longer known goes by its slug."""
    return SOURCE_OF[slug].label if slug in SOURCE_OF else slug


def by_source(ids: Iterable[PublishedId]) -> list[Share]:
    """What each source has of the unresolved ones among `ids`, most references first."""
    names: dict[str, set[str]] = defaultdict(set)
    numbers: dict[str, int] = defaultdict(int)
    for use in (use for one in ids if one.technique is None for use in one.uses):
        names[use.source].add(use.published_id)
        numbers[use.source] += use.number
    shares = (Share(slug, source_label(slug), len(names[slug]), number) for slug, number in numbers.items())
    return sorted(shares, key=lambda share: -share.references)


def _uses(source: str, search: str) -> Iterator[Use]:
    columns = ("published_id", "technique_id", "resolution", "of", "kind")
    first, *others = (
        rows.values(*columns).annotate(number=Count("pk")).values_list(*columns, "number")
        for rows in (_rows(model, source, search) for model in reference_models())
    )
    return (Use(*row) for row in first.union(*others, all=True))


def _rows(model: type[TechniqueReference], source: str, search: str) -> QuerySet[Any, Any]:
    rows: Any = model._default_manager.filter(resolution__in=NOT_EXACT, **{model.owner("withdrawn_at"): None})
    if source:
        rows = rows.filter(**{model.owner("source"): source})
    if search:
        rows = rows.filter(published_id__icontains=search)
    kind = Value(model._meta.label_lower, CharField())
    counted: QuerySet[Any, Any] = rows.order_by().annotate(of=F(model.owner("source")), kind=kind)
    return counted


def _examples(ids: list[str], source: str) -> QuerySet[Any, Any]:
    first, *others = (_ranked(model, ids, source) for model in reference_models())
    examples: QuerySet[Any, Any] = first.union(*others, all=True)
    return examples


def _ranked(model: type[TechniqueReference], ids: list[str], source: str) -> Any:
    fields = {one.name for one in model.owner_model()._meta.get_fields()}
    key = model.owner(next(name for name in ("mitre_id", "d3fend_id", "id") if name in fields))
    name = model.owner("name" if "name" in fields else "title")
    rows = _rows(model, source, "").filter(published_id__in=ids)
    rank = Window(RowNumber(), partition_by=[F("published_id"), F("of")], order_by=model.owner("pk"))
    ranked = rows.annotate(
        owner_pk=F(model.owner("pk")), key=Cast(key, CharField()), title=Cast(name, CharField()), rank=rank
    ).filter(rank__lte=EXAMPLES)
    return ranked.values_list("rank", "published_id", "of", "kind", "owner_pk", "key", "title")


def _page(model: type[Model], pk: int, key: str) -> str:
    if not hasattr(model, "get_absolute_url"):
        return ""
    names = {one.name for one in model._meta.concrete_fields} & {"mitre_id", "d3fend_id"}
    return str(model(pk=pk, **dict.fromkeys(names, key)).get_absolute_url())  # type: ignore[attr-defined]  # asked above
