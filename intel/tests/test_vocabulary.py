"""The vocabulary of the database: current names, old ids, built anew when the catalogue changes."""

import pytest
from django.utils import timezone

from catalog.models import Software, Technique, TechniqueCrosswalk
from catalog.tests.factories import make_tactic, make_technique, provenance
from intel.mentions import Vocabulary
from intel.tests.factories import make_actor
from intel.vocabulary import mark, vocabulary

pytestmark = pytest.mark.django_db


def found(text: str) -> list[tuple[str, str, str]]:
    return [(mention.key, mention.text, mention.reason) for mention in vocabulary().find(text)]


def make_software(mitre_id: str, name: str, *aliases: str) -> Software:
    return Software.objects.create(
        **provenance("attack"),
        mitre_id=mitre_id,
        stix_id=f"malware--{mitre_id}",
        name=name,
        aliases=[name, *aliases],
        kind=Software.Kind.MALWARE,
    )


def test_current_names_and_aliases_are_found():
    make_technique("T9558.003", name="Kerberoasting")
    make_actor("T9558.003", mitre_id="G9016", name="Snowy Heron", aliases=["Snowy Heron", "APT929"])
    make_software("S9002", "Quuxkatz", "Qktz2")
    assert found("APT929 went Kerberoasting with Quuxkatz.") == [
        ("G9016", "APT929", "distinct name"),
        ("T9558.003", "Kerberoasting", "distinct name"),
        ("S9002", "Quuxkatz", "distinct name"),
    ]


def test_old_ids_and_old_names_mean_the_current_technique():
    make_technique("T9566.002", name="Spearphishing Link")
    make_technique("T9192", name="Linkspearing", revoked=True, revoked_by_id="T9566.002")
    TechniqueCrosswalk.objects.create(
        **provenance("elastic"), old_version="18", new_version="19", old_id="T9566.002", new_id="T9685", new_name="Link"
    )
    assert found("T9192, T9685 and Linkspearing") == [
        ("T9566.002", "T9192", "old ATT&CK id T9192, now T9566.002 (revoked-by)"),
        ("T9566.002", "T9685", "old ATT&CK id T9685, now T9566.002 (crosswalk)"),
        ("T9566.002", "Linkspearing", "name beside T9566.002; name of T9192, now T9566.002 (revoked-by)"),
    ]


def test_withdrawn_and_deprecated_techniques_are_not_looked_for():
    make_technique("T9001", name="Quuxing", withdrawn_at=timezone.now())
    make_technique("T9002", name="Bazzing", deprecated=True)
    assert found("Quuxing T9001, Bazzing T9002") == []


def test_a_tactic_makes_plain_names_count():
    make_tactic("lateral-movement")
    make_technique("T9485", name="Data Destruction", tactics=("impact",))
    mentions = vocabulary().find("After Lateral Movement came data destruction.")
    assert [(one.key, one.confidence, one.reason) for one in mentions] == [
        ("T9485", 0.6, "near the tactic Lateral Movement")
    ]


def test_vocabulary_is_built_once_for_each_state_of_the_catalogue(django_assert_num_queries):
    make_technique("T9001", name="Quuxing")
    first: Vocabulary = vocabulary()
    with django_assert_num_queries(5):
        assert vocabulary() is first
    Technique.objects.update(name="Quuxation", changed_at=timezone.now())
    assert [mention.text for mention in vocabulary().find("Quuxing and Quuxation")] == ["Quuxation"]


def test_items_are_read_again_when_the_rules_change(monkeypatch: pytest.MonkeyPatch):
    before = mark()
    assert mark() == before
    monkeypatch.setattr("intel.vocabulary.RULES", "others")
    assert mark() != before
