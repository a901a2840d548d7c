"""Reading STIX bundles: good ones whole, bad objects one by one, broken files with a reason."""

import json

import pytest

from imports.readers.stix import AttackPattern, Relationship, moment, read_bundle
from imports.tests.stix_world import bundle, link, technique
from imports.upstream import ParseError

KINDS = (AttackPattern, Relationship)


def messages(*objects: object) -> list[str]:
    return [issue.message for issue in read_bundle(bundle(*objects).data, KINDS).issues]


def test_objects_of_the_wanted_types_are_read_and_others_passed_over():
    found = read_bundle(bundle({"type": "note", "id": "note--1"}, technique("T9001")).data, KINDS)
    assert list(found.objects) == ["attack-pattern--T9001"]
    assert found.issues == []
    assert found.of(AttackPattern)[0].name == "Name of T9001"


@pytest.mark.parametrize("fields", [{"spec_version": "2.1"}, {"spec_version": None}, {"type": None, "more": False}])
def test_both_stix_versions_and_the_taxii_envelope_are_accepted(fields):
    assert len(read_bundle(bundle(technique("T9001"), **fields).data, KINDS).objects) == 1


def test_a_byte_order_mark_is_ignored():
    assert len(read_bundle(b"\xef\xbb\xbf" + bundle(technique("T9001")).data, KINDS).objects) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a STIX bundle: Input data was truncated"),
        (b"[" * 100_000, "not a STIX bundle: expected an object, found a list"),
        (b'{"objects": [' + b"[" * 100_000, "not a STIX bundle: its JSON is nested too deeply"),
        (b'{"objects": [' + b'{"a":' * 100_000, "not a STIX bundle: its JSON is nested too deeply"),
        (b'{"objects": [{"x": NaN}]}', "not a STIX bundle: JSON is malformed: invalid character (byte 19)"),
        (
            b'{"objects": [{"a": "\\udc00"}]}',
            "not a STIX bundle: JSON is malformed: invalid utf-16 surrogate pair (byte 26)",
        ),
        (b'{"objects": []} {}', "not a STIX bundle: JSON is malformed: trailing characters (byte 17)"),
        (b'// a comment\n{"objects": []}', "not a STIX bundle: JSON is malformed: invalid character (byte 0)"),
        (b'{"objects": [{"id": "a"', "not a STIX bundle: Input data was truncated"),
        (b"{}", "not a STIX bundle: object missing required field `objects`"),
        (b'{"objects": null}', "not a STIX bundle: expected a list, found nothing at `objects`"),
        (b'{"objects": {}}', "not a STIX bundle: expected a list, found an object at `objects`"),
        (b"\n<!DOCTYPE html><html>", "found a web page (HTML or XML) instead of a STIX bundle; check the address"),
        ('{"objects": []}'.encode("utf-16"), "not UTF-8 text; STIX requires UTF-8"),
        (b'{"objects": [{"name": "caf\xe9"}]}', "not UTF-8 text; STIX requires UTF-8"),
        (b'{"type": "report", "objects": []}', "found a STIX object of type `report`, expected a bundle"),
        (b'{"spec_version": "3.0", "objects": []}', "STIX 3.0 is not supported; 2.0 and 2.1 are"),
        (
            b'{"more": true, "objects": []}',
            "this is one page of a longer TAXII answer (`more` is true), not the whole collection",
        ),
    ],
)
def test_a_broken_bundle_is_refused_with_its_reason(data, reason):
    with pytest.raises(ParseError) as refused:
        read_bundle(data, KINDS)
    assert refused.value.message == reason


def test_a_character_that_spans_two_steps_of_the_utf8_check_is_fine():
    padding = "x" * ((1 << 20) - 2)
    content = json.dumps({"a": padding + "äöü€" * 4, "objects": []}, ensure_ascii=False).encode()
    assert read_bundle(content, KINDS).objects == {}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"revoked": "false"}, "expected true or false, found text at `revoked`"),
        ({"x_mitre_deprecated": 0}, "expected true or false, found a number at `x_mitre_deprecated`"),
        ({"x_mitre_is_subtechnique": "false"}, "expected true or false, found text at `x_mitre_is_subtechnique`"),
        ({"x_mitre_platforms": "Windows"}, "expected a list, found text at `x_mitre_platforms`"),
        ({"name": ["a"]}, "expected text, found a list at `name`"),
        ({"name": None}, "expected text, found nothing at `name`"),
        ({"kill_chain_phases": [{}]}, "object missing required field `kill_chain_name` - at `kill_chain_phases[0]`"),
    ],
)
def test_a_bad_object_is_one_issue_that_names_it_and_costs_nothing_else(fields, reason):
    found = read_bundle(bundle(technique("T9001", **fields), technique("T9002")).data, KINDS)
    assert list(found.objects) == ["attack-pattern--T9002"]
    assert [issue.message for issue in found.issues] == [f"attack-pattern attack-pattern--T9001 was skipped: {reason}"]


@pytest.mark.parametrize("broken", [5, None, "text", [], {"id": "x--1"}, {"type": 5}])
def test_something_that_is_no_stix_object_is_an_issue(broken):
    found = messages(technique("T9001"), broken)
    assert len(found) == 1
    assert "was skipped" in found[0]


def test_null_and_absent_are_the_same():
    found = read_bundle(bundle(technique("T9001", description=None, x_mitre_platforms=None)).data, KINDS)
    assert found.issues == []
    assert found.of(AttackPattern)[0].x_mitre_platforms is None


def test_huge_and_infinite_numbers_in_fields_nobody_reads_do_no_harm():
    data = bundle(technique("T9001", x_other="@")).data
    for number in (b"1e999", b"9" * 5000):
        assert len(read_bundle(data.replace(b'"@"', number), KINDS).objects) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_versions_the_newest_wins(order):
    versions = [
        technique("T9001", modified="2025-01-01T00:00:00Z", name="older"),
        technique("T9001", modified="2025-01-01T05:00:00+14:00", name="oldest"),
        technique("T9001", modified="2025-06-01T00:00:00.000Z", name="newest"),
    ]
    found = read_bundle(bundle(*versions[::order]).data, KINDS)
    assert [one.name for one in found.of(AttackPattern)] == ["newest"]
    assert found.issues == []


def test_two_different_versions_of_one_moment_are_an_issue_and_the_choice_does_not_depend_on_order():
    one, other = technique("T9001", name="one"), technique("T9001", name="other")
    there, back = (read_bundle(bundle(*pair).data, KINDS) for pair in ((one, other), (other, one)))
    assert there == back
    assert [issue.message for issue in there.issues] == [
        "attack-pattern--T9001: two versions with the same `modified` differ; one was kept"
    ]


def test_the_same_object_twice_is_no_issue():
    assert messages(technique("T9001"), technique("T9001")) == []


@pytest.mark.parametrize(
    "date", ["0000-01-01T00:00:00Z", "yesterday", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
)
def test_an_unusable_date_is_an_issue_and_does_not_decide_the_release(date):
    found = read_bundle(bundle(technique("T9001", modified=date), technique("T9002")).data, KINDS)
    assert len(found.objects) == 2
    assert found.newest == moment("2025-10-20T10:00:00.000Z")
    assert [issue.message for issue in found.issues] == [
        f"attack-pattern--T9001: `modified` is not a usable date: {date!r}"
    ]


def test_a_date_without_a_zone_is_utc():
    assert moment("2025-10-20T10:00:00") == moment("2025-10-20T10:00:00Z") == moment("2025-10-21T00:00:00+14:00")


def test_a_relationship_without_an_end_is_an_issue():
    broken = link("uses", technique("T9001"), technique("T9002"))
    del broken["target_ref"]
    assert messages(broken) == [f"relationship {broken['id']} was skipped: object missing required field `target_ref`"]
