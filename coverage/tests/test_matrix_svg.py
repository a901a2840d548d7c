"""The matrix as a picture: what stands in it, and that nothing in it runs."""

import re
from xml.etree import ElementTree

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique
from coverage.charts.svg import fitting, lines, width_of
from coverage.matrix.assembly import Assembly
from coverage.matrix.facts import Entry, MatrixFacts
from coverage.matrix.picture import picture
from coverage.matrix.query import MatrixQuery
from coverage.tests.matrix_world import TACTICS, TRIED

SVG = "{http://www.w3.org/2000/svg}"


def drawn(query: str = "", facts: MatrixFacts = TRIED) -> ElementTree.Element:
    return ElementTree.fromstring(picture(Assembly(facts, MatrixQuery.of(QueryDict(query)))))  # noqa: S314  our own


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_picture_says_release_day_and_figures():
    facts = MatrixFacts(
        release="enterprise-attack 18.1", tactics=TACTICS, techniques=TRIED.techniques, now_is=TRIED.now_is
    )
    assert (
        texts(drawn("", facts))[1]
        == "enterprise-attack 18.1   as of 1 Jun 2026, 00:00 UTC   0 of 5 claimed, none tested yet"
    )
    assert "3 of 5 techniques shown. 1 of 5 claimed, 2 proven, 3 tested" in texts(drawn("platform=Linux"))[1]


def test_sub_techniques_stand_in_it_when_they_are_open():
    assert "Blue Shell" not in texts(drawn())
    assert "Blue Shell" in texts(drawn("subs=all"))


def test_cells_tell_their_figures_and_overlays_their_letters():
    root = drawn("campaign=7&subs=all")
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert (
        "Booked Job: T2 · 1 rule · 0 templates · 0 actors · partial, 1 of 3 tests met · tried in Spring (2 tests)"
        in titles
    )
    assert "Spring: 1 marked, 1 claimed, 1 proven" in texts(root)
    assert texts(root).count("A") == 3


@given(st.text(max_size=30), st.text(max_size=30))
def test_picture_is_sound_whatever_names_there_are(name, tactic):
    facts = MatrixFacts(release=tactic, tactics=[("one", tactic)], techniques=[Entry("T1", name, tactics=("one",))])
    root = drawn("", facts)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "defs", "pattern", "path", "rect", "text", "g"
    }  # fmt: skip
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]


def test_picture_keeps_the_proportions_of_a_slide():
    techniques = [Entry(f"T{n}", f"Name {n}", tactics=("execution",)) for n in range(90)]
    root = drawn("", MatrixFacts(tactics=TACTICS, techniques=techniques))
    width, height = float(root.get("width")), float(root.get("height"))
    assert 1.2 < width / height < 2.2
    assert len([text for text in texts(root) if re.match(r"Name \d+$", text)]) == 90


@pytest.mark.parametrize("query", ["", "tactic=impact", "tactic=execution&subs=all"])
def test_the_legend_stays_inside_of_the_picture_and_below_the_cells(query):
    root = drawn(query)
    width, height = float(root.get("width")), float(root.get("height"))
    said = [element for element in root.iter(f"{SVG}text") if element.get("font-size") == "12"]
    legend = [element for element in said if element.get("font-weight") is None]
    assert [element.text for element in legend][:2] == ["Validated", "Partial"]
    assert "Attested only" in [element.text for element in legend]
    for element in legend:
        assert float(element.get("x")) + width_of(element.text, 12) <= width - 32
        assert height - 88 + 11 <= float(element.get("y")) <= height - 32


@given(st.text(max_size=60), st.floats(20, 300))
def test_texts_fit_or_are_cut(said, width):
    assert fitting(said, width, 11) in {said, "…"} or width_of(fitting(said, width, 11), 11) <= width
    assert len(lines(said, width, width / 2, 11)) <= 2


@pytest.mark.django_db
def test_page_links_the_picture_of_its_view(client, django_user_model):
    make_release("18.1")
    make_tactic("execution")
    make_technique("T1059", name="Script <b> & Interpreter")
    make_rule("T1059")
    client.force_login(django_user_model.objects.create_user("vera"))
    assert 'href="/matrix.svg?platform=Linux"' in client.get("/matrix?platform=Linux").content.decode()
    answer = client.get("/matrix.svg?subs=all")
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert 'filename="aegis-matrix-attack-18.1-' in answer["Content-Disposition"]
    assert "Script &lt;b&gt;" in answer.content.decode()
    assert b"<script" not in answer.content
    assert b"style" not in answer.content
