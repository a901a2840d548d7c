"""Layers that other tools wrote: what is read from them, and why the others are refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverage.layers.reading import NotALayer, ReadEntry, read

HEAD = {
    "name": "Mine",
    "domain": "enterprise-attack",
    "versions": {"attack": "17", "navigator": "5.1.0", "layer": "4.5"},
}
DETTECT = {
    "name": "Data sources",
    "versions": {"navigator": "4.8.1", "layer": "4.4"},
    "domain": "enterprise-attack",
    "description": "",
    "filters": {"platforms": ["Windows"]},
    "sorting": 0,
    "layout": {"layout": "flat", "showName": True, "showID": False},
    "hideDisabled": False,
    "techniques": [
        {
            "techniqueID": "T1059",
            "color": "#DBA127",
            "comment": "",
            "enabled": True,
            "metadata": [{"name": "Available", "value": "1"}, {"divider": True}],
            "score": 60.0,
        },
        {"techniqueID": "T1003", "score": 0},
    ],
    "gradient": {"colors": ["#ff6666", "#8ec843"], "minValue": 0, "maxValue": 100},
    "legendItems": [{"label": "1-25 %", "color": "#fff"}],
    "showTacticRowBackground": False,
    "metadata": [],
}


def layer(**changes) -> bytes:
    return json.dumps(HEAD | {"techniques": []} | changes).encode()


def test_layer_of_dettect_is_read():
    found = read(json.dumps(DETTECT).encode())
    assert (found.name, found.layer_version, found.attack_version) == ("Data sources", "4.4", "")
    assert found.entries == (ReadEntry("T1059", 60.0, "", marks=True), ReadEntry("T1003", 0.0, "", marks=False))


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.2", "4.3", "4.4", "4.5"])
def test_every_version_from_4_0_is_read(version):
    assert read(layer(versions={"layer": version})).layer_version == version
    assert read(layer(versions={"layer": float(version)})).layer_version == version


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(layer(domain="mobile-attack"), "The layer is about mobile-attack", id="mobile"),
        pytest.param(layer(domain="ics-attack"), "Aegis holds enterprise-attack alone", id="ics"),
        pytest.param(layer(versions={"layer": "3.0"}), "format version 3.0; Aegis reads 4.0 to 4.5", id="3.0"),
        pytest.param(layer(versions={"layer": "5.0"}), "format version 5.0", id="5.0"),
        pytest.param(layer(versions={"layer": "<b>"}), "format version <b>", id="no version"),
        pytest.param(layer(versions=None, version="2.1"), "format version 2.1", id="old field"),
        pytest.param(layer(versions=None), "does not say its format version", id="none"),
        pytest.param(layer(techniques=[{"techniqueID": 7}]), r"\$.techniques\[0\].techniqueID", id="wrong type"),
        pytest.param(layer(techniques={}), "Expected `array`", id="no list"),
        pytest.param(b"[]", "no Navigator layer", id="list"),
        pytest.param(b"", "no JSON", id="empty"),
        pytest.param(b'{"name": "x"', "no JSON", id="cut"),
        pytest.param(b"\xff\xfe\x00", "no JSON", id="half utf-16"),
        pytest.param(b'{"a":' * 100_000, "no JSON", id="deep"),
        pytest.param(b"\x00" * 100, "no JSON", id="nul"),
        pytest.param(layer(techniques=[{"techniqueID": "T1"}] * 50_001), "50,001 entries", id="too many"),
    ],
)
def test_what_is_no_layer_of_ours_is_refused_with_the_reason(data, reason):
    with pytest.raises(NotALayer, match=reason):
        read(data)


def test_technique_in_several_tactics_stands_once_with_its_highest_score():
    techniques = [
        {"techniqueID": "T1053", "tactic": "execution", "score": 1},
        {"techniqueID": "t1053", "tactic": "persistence", "score": 3, "comment": "seen"},
        {"techniqueID": "T1053", "tactic": "impact", "enabled": False},
    ]
    assert read(layer(techniques=techniques)).entries == (ReadEntry("T1053", 3.0, "seen"),)


def test_layer_that_only_lists_techniques_marks_those_that_are_enabled():
    techniques = [{"techniqueID": "T1"}, {"techniqueID": "T2", "enabled": False}]
    assert [entry.marks for entry in read(layer(techniques=techniques)).entries] == [True, False]


def test_layer_in_utf_16_or_with_a_mark_at_its_front_is_read():
    text = layer().decode()
    assert read(text.encode("utf-16")) == read(text.encode("utf-8-sig")) == read(text.encode())


def test_texts_are_cleaned_and_cut_to_measure():
    found = read(
        layer(name="a\x00b" + "x" * 300, techniques=[{"techniqueID": "T1", "comment": "\x1b[31m" + "y" * 600}])
    )
    assert (len(found.name), found.name[:3]) == (255, "abx")
    assert (len(found.entries[0].comment), found.entries[0].comment[:4]) == (500, "[31m")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["techniqueID", "score", "comment", "enabled", "layer", "color"]), inner)
        ),
    ),
    st.sampled_from(["techniques", "versions", "name", "domain", "description", "version"]),
)
def test_any_json_is_read_or_refused(value, field):
    with contextlib.suppress(NotALayer):
        assert all(len(entry.published_id) <= 64 for entry in read(layer(**{field: value})).entries)
