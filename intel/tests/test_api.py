"""Threat actors in the API: every field by the owner's names, what the list shows, and every filter."""

import pytest

from aegis.accounts.tests.factories import bearer
from catalog.tests.factories import SEEN, make_technique
from intel.tests.factories import make_actor, make_use

pytestmark = pytest.mark.django_db
ACTORS = "/api/v1/threat-actors"


@pytest.fixture
def api():
    return bearer()


def test_an_actor_in_list_and_detail(api):
    make_technique("T1059")
    attributions = [{"field": "country", "value": "Ruritania", "sentence": "It is attributed to Ruritania."}]
    actor = make_actor("T1059", mitre_id="G0016", country="Ruritania", attributions=attributions)
    make_use(actor, "T1059", campaign="C0001", text="In a campaign.")
    uses = [
        {"published_id": "T1059", "mitre_id": "T1059", "resolution": "exact", "campaign": campaign}
        for campaign in ("", "C0001")
    ]
    fields = {
        "mitre_id": "G0016",
        "name": actor.name,
        "aliases": actor.aliases,
        "description": "Who they are said to be.",
        "country": "Ruritania",
        "motivation": "",
        "target_sectors": [],
        "target_regions": [],
        "techniques": uses,
        "url": actor.url,
        "revoked": False,
        "deprecated": False,
        "revoked_by": None,
        "source": "threat-actors",
        "path": actor.path,
        "version": "0123abc",
        "source_url": actor.source_url,
        "license": "ATT&CK Terms of Use",
        "first_seen_at": "2026-01-02T03:04:05Z",
        "changed_at": "2026-01-02T03:04:05Z",
        "withdrawn_at": None,
        "coverage": {
            "techniques": 1,
            "claimed": 0,
            "claimed_percent": 0.0,
            "proven": 0,
            "proven_percent": 0.0,
            "missed": 0,
            "proven_gaps": 0,
        },
    }
    assert api.get(ACTORS).json()["results"] == [fields]
    told = [
        use | {"text": text}
        for use, text in zip(uses, [f"{actor.name} has used T1059.", "In a campaign."], strict=True)
    ]
    assert api.get(f"{ACTORS}/G0016").json() == fields | {
        "techniques": told,
        "attributions": attributions,
        "last_run": None,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"G0001", "G0002"}),
        ({"revoked": "true"}, {"G0003"}),
        ({"deprecated": "true"}, {"G0004"}),
        ({"withdrawn": "true"}, {"G0005"}),
        ({"technique": "T1486"}, {"G0002"}),
        ({"country": "Ruritania"}, {"G0002"}),
        ({"motivation": "espionage"}, {"G0002"}),
        ({"sector": "Finance"}, {"G0002"}),
        ({"search": "second name"}, {"G0002"}),
        ({"search": "g0001"}, {"G0001"}),
    ],
)
def test_actors_that_a_filter_shows(api, query, expected):
    make_actor(mitre_id="G0001")
    second = make_actor(
        mitre_id="G0002",
        country="Ruritania",
        motivation="espionage",
        target_sectors=["finance"],
        aliases=["Second Name"],
    )
    make_use(second, "T1486", campaign="C0001")
    make_actor(mitre_id="G0003", revoked=True)
    make_actor(mitre_id="G0004", deprecated=True)
    make_actor(mitre_id="G0005", withdrawn_at=SEEN)
    assert {row["mitre_id"] for row in api.get(ACTORS, query).json()["results"]} == expected


def test_an_actor_answers_by_its_id_whatever_became_of_it(api):
    make_actor(mitre_id="G0003", revoked=True, revoked_by_id="G0016")
    make_actor(mitre_id="G0005", withdrawn_at=SEEN)
    assert api.get(f"{ACTORS}/G0003").json()["revoked_by"] == "G0016"
    assert api.get(f"{ACTORS}/G0005").status_code == 200
