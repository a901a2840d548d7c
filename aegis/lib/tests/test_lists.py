"""What lists on pages share: their order, the filters that are drawn, the names of sources, one row by its key."""

import copy

import django_filters
import pytest
from django import forms
from django.db.models.functions import Lower
from django.http import Http404, QueryDict
from django.test import RequestFactory

from aegis.lib.filter_bar import drawn
from aegis.lib.filters import Listed, Offered, Search
from aegis.lib.ordering import ordered
from aegis.lib.rows import row_or_404
from aegis.lib.upstreams import upstream
from catalog.models import DetectionRule
from catalog.tests.factories import make_rule
from imports.registry import SOURCES

KEYS = {"name": Lower("name"), "risk": "risk_score"}


@pytest.fixture
def rules(db) -> None:
    make_rule(name="beta", risk_score=10)
    make_rule(name="Alpha", risk_score=None)
    make_rule(name="Gamma", risk_score=10)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("name", ["Alpha", "beta", "Gamma"]),
        ("-name", ["Gamma", "beta", "Alpha"]),
        ("-risk", ["Gamma", "beta", "Alpha"]),
        ("risk", ["Gamma", "beta", "Alpha"]),
    ],
)
def test_list_stands_in_the_order_asked_for_and_rows_without_the_value_last(rules, asked, expected):
    request = RequestFactory().get("/", {"ordering": asked})
    rows = ordered(request, DetectionRule.objects.order_by("-pk"), KEYS)
    assert [rule.name for rule in rows] == expected


@pytest.mark.parametrize("asked", ["", "-", "--name", "pk", "name,risk", "content", "\0"])
def test_list_keeps_its_own_order_when_asked_for_nonsense(rules, asked):
    request = RequestFactory().get("/", {"ordering": asked})
    rows = DetectionRule.objects.order_by("-pk")
    assert [rule.name for rule in ordered(request, rows, KEYS)] == ["Gamma", "Alpha", "beta"]


class Filter(django_filters.FilterSet):
    search = Search()
    source = Listed(choices=lambda: [("sigma", "Sigma")])
    status = Listed(choices=lambda: [("stable", "stable")])


def names_drawn(query: str) -> list[str]:
    filterset = drawn(Filter(QueryDict(query), DetectionRule.objects.none()), "search", "source")
    return [field.name for field in filterset.form.visible_fields()]


def test_filter_that_is_not_drawn_comes_back_when_it_narrows():
    assert names_drawn("") == ["search", "source"]
    assert names_drawn("status=") == ["search", "source"]
    assert names_drawn("status=stable") == ["search", "source", "status"]


def test_drawing_one_page_changes_no_other():
    names_drawn("")
    assert [field.name for field in Filter(QueryDict(""), DetectionRule.objects.none()).form.visible_fields()] == [
        "search",
        "source",
        "status",
    ]


def test_choices_are_asked_for_once_a_form_and_again_by_the_next():
    answers = iter([[("a", "A")], [("b", "B")]])
    widget = forms.Select(choices=Offered(lambda: next(answers), "Any"))
    first, second = copy.deepcopy(widget), copy.deepcopy(widget)
    assert list(first.choices) == list(first.choices) == [("", "Any"), ("a", "A")]
    assert list(second.choices) == [("", "Any"), ("b", "B")]


def test_every_source_is_introduced_with_its_label_and_licence():
    for source in SOURCES:
        assert upstream(source.slug).label == source.label
        assert upstream(source.slug).license == source.license
    assert upstream("sigma").name == "SigmaHQ"


def test_source_that_nobody_introduced_goes_by_its_slug():
    assert (upstream("own").name, upstream("own").license) == ("own", "")


@pytest.mark.parametrize("key", ["x", "", "\0", "rule\0"])
def test_key_that_finds_nothing_is_not_found(db, key):
    make_rule(external_id="rule")
    with pytest.raises(Http404):
        row_or_404(DetectionRule.objects.all(), external_id=key)


def test_key_finds_its_row(db):
    rule = make_rule(external_id="rule")
    assert row_or_404(DetectionRule.objects.all(), external_id="rule") == rule
