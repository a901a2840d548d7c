"""Template tags: what they print, and that data in them stays data."""

import json

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.http import QueryDict
from django.template import Context, Template
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.query import QueryString
from aegis.lib.words import BADGES, SEVERITIES
from catalog.tests.factories import make_rule

EVIL = '"><script>alert(1)</script>'


def render(source: str, path: str = "/rules", **context) -> str:
    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    request.htmx = False
    return Template(source).render(Context({"request": request, **context})).strip()


def test_icon_is_a_glyph_of_the_sprite():
    assert render('{% icon "home" "s" %}') == (
        '<svg class="i i--s" viewBox="0 0 16 16" aria-hidden="true"><use href="/static/img/icons.svg#i-home"/></svg>'
    )


@pytest.mark.parametrize("status", BADGES)
def test_every_badge_has_a_word_and_a_glyph_or_a_pattern(status):
    shown = render("{% badge status %}", status=status)
    assert BADGES[status].label in shown
    assert "<svg" in shown or "badge--unknown" in shown or "badge--untested" in shown


def test_badge_of_an_unknown_word_shows_the_word():
    assert render("{% badge status %}", status="half_done") == (
        '<span class="badge badge--none badge--plain">Half done</span>'
    )


@pytest.mark.parametrize(("bars", "level"), list(enumerate(SEVERITIES)))
def test_severity_has_a_bar_more_for_every_step(bars, level):
    shown = render("{% severity level %}", level=level)
    assert shown.count('class="on"') == bars
    assert shown.count("<rect") == 4
    assert level.capitalize() in shown


def test_missing_severity_is_a_quiet_dash():
    assert render("{% severity level %}", level="") == '<span class="zero">–</span>'


def test_unresolved_id_says_so_to_the_ear_too():
    assert render('{% chip "T1685" "" "unresolved" "Not in 18.1" %}') == (
        '<span class="chip chip--id chip--unresolved" title="Not in 18.1">T1685<span class="vh"> unresolved</span>?</span>'
    )


@pytest.mark.parametrize(
    "source",
    [
        "{% chip evil %}",
        '{% chip "x" evil "id" %}',
        '{% chip "x" "" "id" evil %}',
        "{% badge evil %}",
        '{% badge "failed" evil %}',
        "{% severity evil %}",
        "{% icon evil %}",
        "{% sort_header evil evil evil %}",
        '<a href="{% query q=evil %}">',
        '{% include "shared/code.html" with label=evil text=evil %}',
        '{% include "shared/empty.html" with glyph="x" heading=evil text=evil href=evil action=evil %}',
    ],
)
def test_data_in_a_tag_stays_data(source):
    assert "<script" not in render(source, evil=EVIL)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ('{% query severity="high" %}', "?platform=Linux&amp;platform=macOS&amp;severity=high"),
        ("{% query platform=None %}", "?"),
        ('{% query platform="" %}', "?"),
        ("{% query page=3 %}", "?platform=Linux&amp;platform=macOS&amp;page=3"),
        ('{% query_without "platform" "Linux" %}', "?platform=macOS"),
        ('{% query_without "platform" %}', "?"),
        ('{% query_without "platform" "Windows" %}', "?platform=Linux&amp;platform=macOS"),
    ],
)
def test_query_changes_one_thing_and_starts_at_the_first_page(tag, expected):
    assert render(tag, path="/rules?platform=Linux&platform=macOS&page=2") == expected


@given(st.dictionaries(st.text(min_size=1), st.lists(st.text(min_size=1), min_size=1)), st.text(min_size=1))
def test_query_keeps_every_other_name_and_value(values, value):
    before = QueryDict(mutable=True)
    for name, several in values.items():
        before.setlist(name, several)
    after = QueryDict(QueryString(before).changed(chosen=value).removeprefix("?"))
    expected = {name: several for name, several in values.items() if name != "page"} | {"chosen": [value]}
    assert dict(after.lists()) == expected
    assert before.get("chosen") == (values["chosen"][-1] if "chosen" in values else None)


def test_sort_header_turns_round_at_the_second_click():
    head = '{% sort_header "name" "Rule" %}'
    assert 'href="?ordering=name"' in render(head)
    ascending = render(head, path="/rules?ordering=name")
    assert 'aria-sort="ascending"' in ascending
    assert 'href="?ordering=-name"' in ascending
    descending = render(head, path="/rules?ordering=-name")
    assert 'aria-sort="descending"' in descending
    assert 'href="?ordering=name"' in descending


def test_pager_links_the_neighbours_and_the_ends():
    page = Paginator(range(1000), 50).page(10)
    shown = render('{% include "shared/pager.html" with page=page %}', path="/rules?search=x&page=10", page=page)
    assert "451–500 of 1000" in shown.replace("1,000", "1000")
    links = [f'href="?search=x&amp;page={number}"' for number in (1, 9, 11, 20)]
    assert [link for link in links if link not in shown] == []
    assert shown.count("…") == 2


def test_pager_of_one_page_is_a_count_without_links():
    shown = render('{% include "shared/pager.html" with page=page %}', page=Paginator(range(3), 50).page(1))
    assert "1–3 of 3" in shown
    assert "<a" not in shown


class Filter(forms.Form):
    search = forms.CharField(required=False, label="Name or id")
    technique = forms.CharField(required=False, label="Technique")
    severity = forms.ChoiceField(required=False, choices=[("", "Any"), ("high", "High")])
    ordering = forms.ChoiceField(required=False, choices=[("name", "Name")])


def test_filter_bar_works_without_a_script_and_keeps_the_order():
    filterset = type("Filters", (), {"form": Filter({"search": EVIL, "severity": "high"})})()
    shown = render('{% include "shared/filters.html" %}', path="/rules?ordering=-name", filterset=filterset)
    assert '<form class="toolbar" method="get" action="/rules"' in shown
    assert "<script" not in shown
    assert '<option value="high" selected>High</option>' in shown
    assert '<input type="hidden" name="ordering" value="-name">' in shown
    assert shown.count('name="ordering"') == 1
    assert shown.count('type="search"') == 1
    assert '<input type="text" name="technique"' in shown


def test_filter_bar_says_what_is_wrong_with_a_filter():
    filterset = type("Filters", (), {"form": Filter({"severity": "enormous"})})()
    shown = render('{% include "shared/filters.html" %}', filterset=filterset)
    assert "enormous is not one of the available choices" in shown


@given(st.text())
def test_copy_button_carries_the_exact_text(text):
    attribute = render("{{ text|as_json }}", text=text)
    plain = attribute.replace("&quot;", '"').replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">")
    assert json.loads(plain.replace("&amp;", "&")) == text
    assert attribute.isascii()


@pytest.mark.parametrize(
    ("address", "is_link"),
    [("https://example.org/x", True), ("javascript:alert(1)", False), ("//example.org", False), ("", False)],
)
def test_provenance_links_to_web_addresses_only(db, address, is_link):
    row = make_rule(path="rules/x.yml", source_version="a" * 40, source_url=address)
    shown = render('{% include "shared/provenance.html" %}', row=row)
    assert ("<a " in shown) is is_link
    assert ">aaaaaaaa</dd>" in shown
