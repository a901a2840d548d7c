"""MITRE CTI threat actors: groups, aliases, and what they use directly and through campaigns."""

import gzip
from pathlib import Path

import pytest

from imports.records import TechniqueUse, ThreatActorRecord
from imports.sources import threat_actors
from imports.tests.stix_world import bundle, group, link, stix, technique
from imports.upstream import Issue, ParseError, SourceFile

REAL_BUNDLE = "raw.githubusercontent.com/mitre/cti/master/enterprise-attack/enterprise-attack.json.gz"


def actors(*objects: object) -> dict[str, ThreatActorRecord]:
    found = list(threat_actors.parse(bundle(*objects)))
    assert not [one for one in found if isinstance(one, Issue)]
    return {one.mitre_id: one for one in found if isinstance(one, ThreatActorRecord)}


def real_actors(folder: Path) -> dict[str, ThreatActorRecord]:
    data = gzip.decompress((folder / REAL_BUNDLE).read_bytes())
    found = list(threat_actors.parse(SourceFile("enterprise-attack.json", data)))
    assert not [one for one in found if isinstance(one, Issue)]
    return {one.mitre_id: one for one in found if isinstance(one, ThreatActorRecord)}


@pytest.fixture(scope="module")
def newest(mirror) -> dict[str, ThreatActorRecord]:
    return real_actors(mirror)


def test_a_use_through_a_campaign_stands_beside_the_direct_one_and_says_so():
    actor, campaign, one = group("G9001"), stix("campaign", "C9001"), technique("T9001")
    tool = stix("tool", "S9001")
    found = actors(
        *(actor, campaign, one, tool, link("attributed-to", campaign, actor)),
        *(
            link("uses", campaign, one, "in the attic"),
            link("uses", actor, one, "always"),
            link("uses", campaign, tool),
        ),
    )
    assert found["G9001"].techniques == (
        TechniqueUse(published_id="T9001", text="always"),
        TechniqueUse(published_id="T9001", text="in the attic", campaign="C9001"),
    )
    assert found["G9001"].software == (TechniqueUse(published_id="S9001", campaign="C9001"),)


def test_a_revoked_campaign_and_a_withdrawn_attribution_pass_nothing_on():
    actor, one = group("G9001"), technique("T9001")
    gone, kept = stix("campaign", "C9001", revoked=True), stix("campaign", "C9002")
    found = actors(
        *(actor, one, gone, kept, link("uses", gone, one), link("uses", kept, one)),
        *(link("attributed-to", gone, actor), link("attributed-to", kept, actor, revoked=True)),
    )
    assert found["G9001"].techniques == ()


def test_aliases_are_kept_in_order_without_repeats():
    found = actors(
        group("G9001", name="Velvet Badger", aliases=["Velvet Badger", "LYNX$", "b@33", "LYNX$", " "]),
        group("G9002", aliases=None),
    )
    assert found["G9001"].aliases == ("Velvet Badger", "LYNX$", "b@33")
    assert found["G9002"].aliases == ()


def test_a_revoked_group_names_its_successor():
    old, new = group("G9001", revoked=True, description=None), group("G9002")
    assert actors(old, new, link("revoked-by", old, new))["G9001"].revoked_by == "G9002"


def test_a_bundle_without_groups_is_refused_rather_than_withdrawing_all():
    with pytest.raises(ParseError, match="holds no threat actor"):
        list(threat_actors.parse(bundle(technique("T9001"))))


def test_the_real_groups_and_their_techniques(newest):
    active = [one for one in newest.values() if not one.revoked and not one.deprecated]
    assert (len(newest), len(active)) == (187, 172)
    assert sum(use.campaign == "" for one in newest.values() for use in one.techniques) == 4362
    pairs = {(one.mitre_id, use.published_id) for one in newest.values() for use in one.techniques}
    assert len(pairs) == 4640
    assert len({mitre_id for mitre_id, _ in pairs}) == 169
    assert sum(len(one.aliases) for one in active) == 570
    assert all(use.text for one in newest.values() for use in one.techniques)
    assert (newest["G0057"].revoked_by, newest["G0074"].revoked_by) == ("G0049", "G0035")
    assert {use.campaign for use in newest["G0088"].techniques} == {"C0030", "C0032"}


def test_the_real_countries_fall_into_none_of_the_traps(newest):
    expected = {
        "G0067": "North Korea",
        "G1052": "North Korea",
        "G0047": "Russia",
        "G0134": "Pakistan",
        "G0121": "India",
        "G1017": "China",
        "G0050": "Vietnam",
        "G0012": "South Korea",
        "G1041": "Turkey",
        "G1005": "Lebanon",
        "G1008": "Pakistan",
        "G1028": "",
        "G0095": "",
        "G0046": "",
        "G0020": "",
        "G1004": "",
        "G0040": "",
        "G0043": "",
        "G0029": "",
        "G0038": "",
        "G1035": "",
    }
    assert {mitre_id: newest[mitre_id].country for mitre_id in expected} == expected
    active = [one for one in newest.values() if not one.revoked and not one.deprecated]
    assert sum(bool(one.country) for one in active) == 91


def test_every_real_value_comes_with_its_sentence(newest):
    for one in newest.values():
        said = {(attribution.field, attribution.value) for attribution in one.attributions}
        shown = {("country", one.country)} if one.country else set()
        shown |= {("motivation", value) for value in one.motivation.split(", ") if value}
        shown |= {("sector", value) for value in one.target_sectors}
        shown |= {("region", value) for value in one.target_regions}
        assert said == shown
        assert all(attribution.sentence for attribution in one.attributions)


def test_the_real_groups_of_may_2025(mirror_2025):
    found = real_actors(mirror_2025)
    active = [one for one in found.values() if not one.revoked and not one.deprecated]
    assert (len(found), len(active)) == (181, 166)
    assert sum(use.campaign == "" for one in found.values() for use in one.techniques) == 4046
    assert (found["G0067"].country, found["G0047"].country, found["G0046"].country) == ("North Korea", "Russia", "")
