"""The list of actors, and the page of one."""

import pytest

from aegis.accounts.tests.factories import make_user
from catalog.models import AttackCampaign, Software
from catalog.tests.factories import SEEN, make_rule, make_tactic, make_technique, provenance
from intel.models import ThreatActor, ThreatActorSoftware
from intel.tests.factories import make_actor, make_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(client, django_assert_max_num_queries):
    """The HTML of a page as a viewer gets it, made with at most `queries` queries."""
    client.force_login(make_user())

    def show(path: str, *, queries: int = 15, **query: str) -> str:
        with django_assert_max_num_queries(queries):
            answer = client.get(path, query)
        assert answer.status_code == 200
        return answer.content.decode()

    return show


@pytest.fixture
def campaign() -> AttackCampaign:
    return AttackCampaign.objects.create(
        mitre_id="C0024",
        stix_id="campaign--24",
        name="Winter Compromise",
        url="https://example.org/campaigns/C0024",
        first_seen="2019-08-01T05:00:00Z",
        last_seen="2021-01-01T06:00:00Z",
        **provenance("attack"),
    )


@pytest.fixture
def actor(campaign):
    """An actor with two techniques of its own, one through a campaign, and one that nobody knows; a rule names one of them."""
    make_tactic("reconnaissance")
    make_technique("T1059", name="Interpreter", tactics=["execution"])
    make_technique("T1053", name="Scheduled Task", tactics=["execution", "persistence"])
    make_technique("T1589", name="Identities", tactics=["reconnaissance"])
    make_rule("T1053")
    make_rule("T1053", status="deprecated")
    actor = make_actor(
        "T1059",
        "T1053",
        "T9999",
        mitre_id="G0016",
        name="Cold Bear",
        aliases=["Cold Bear", "The Cousins"],
        country="Ruritania",
        motivation="espionage",
        target_sectors=["government", "energy"],
        attributions=[
            {"field": "country", "value": "Ruritania", "sentence": "Attributed to Ruritania."},
            {"field": "sector", "value": "energy", "sentence": "They target energy and government."},
            {"field": "sector", "value": "government", "sentence": "They target energy and government."},
        ],
    )
    make_use(actor, "T1589", campaign="C0024", text="During the compromise it **gathered** names.")
    make_use(actor, "T1059", campaign="C0024")
    return actor


def test_list_counts_what_an_actor_uses_and_how_much_of_it_itself(shown, actor):
    html = shown("/actors")
    assert '<td class="r" data-l="Techniques:">3<span class="sub">2 itself</span></td>' in html
    assert "Ruritania" in html
    assert "The Cousins" in html
    assert "Cold Bear, The Cousins" not in html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Adder", "Cold Bear"]),
        ({"country": "Ruritania"}, ["Cold Bear"]),
        ({"motivation": "espionage"}, ["Cold Bear"]),
        ({"sector": "energy"}, ["Cold Bear"]),
        ({"technique": "T1589"}, ["Cold Bear"]),
        ({"search": "cousins"}, ["Cold Bear"]),
        ({"ordering": "-techniques"}, ["Cold Bear", "Adder"]),
        ({"revoked": "true"}, ["Adder", "Cold Bear", "Old Bear"]),
        ({"withdrawn": "true"}, ["Gone"]),
    ],
)
def test_list_filters_and_sorts(shown, actor, query, expected):
    make_actor("T1059", name="Adder")
    make_actor(name="Old Bear", revoked=True)
    make_actor(name="Gone", withdrawn_at=SEEN)
    html = shown("/actors", **query)
    found = [one for one in ("Adder", "Cold Bear", "Old Bear", "Gone") if f">{one}</a>" in html]
    if query == {"revoked": "true"}:
        found = [one for one in found if one == "Old Bear"]
        expected = ["Old Bear"]
    assert sorted(found, key=lambda one: html.index(f">{one}</a>")) == expected


def test_page_says_how_many_techniques_a_rule_names_and_which_none_does(shown, actor):
    html = shown("/actors/G0016")
    assert "1 of 3 <small>named by a rule</small>" in html
    assert "Plan a campaign" not in html
    assert "<dt>Proven</dt><dd>0 of 3 <small>by a validated test</small></dd>" in html
    assert "<dt>No rule</dt><dd>2</dd>" in html
    assert '<a href="/rules?technique=T1053">1</a>' in html
    assert html.count("No rule</span>") == 2


def test_techniques_stand_by_tactic_in_the_releases_order_gaps_first(shown, actor):
    html = shown("/actors/G0016")
    table = html[html.index('id="techniques"') :]
    places = [
        table.index(word)
        for word in (">Reconnaissance ", ">Identities<", ">Execution ", ">Interpreter<", ">Scheduled Task<")
    ]
    assert places == sorted(places)
    assert "also Persistence" in table


def test_use_through_a_campaign_says_so(shown, actor):
    html = shown("/actors/G0016")
    assert "During the compromise it <strong>gathered</strong> names." in html
    assert html.count("C0024 Winter Compromise</a>") == 2
    assert "1 Aug 2019 to 1 Jan 2021" in html


def test_technique_that_no_release_knows_is_shown_as_such(shown, actor):
    html = shown("/actors/G0016")
    assert "Not active in the release that Aegis holds" in html
    assert 'T9999<span class="vh"> unresolved</span>?' in html


def test_each_attribution_stands_with_the_sentence_it_was_read_from(shown, actor):
    html = shown("/actors/G0016")
    assert "Read from the description" in html
    assert html.count("They target energy and government.") == 1
    assert '<q class="small muted">Attributed to Ruritania.</q>' in html


def test_page_lists_software(shown, actor):
    Software.objects.create(
        mitre_id="S0002",
        stix_id="tool--2",
        name="Mimidogz",
        kind="tool",
        url="https://example.org/S0002",
        **provenance("attack"),
    )
    ThreatActorSoftware.objects.create(actor=actor, software_id="S0002", campaign="C0024")
    ThreatActorSoftware.objects.create(actor=actor, software_id="S0002", campaign="C0025")
    html = shown("/actors/G0016")
    assert "<dt>Software</dt><dd>1</dd>" in html
    assert html.count("Mimidogz</a>") == 1
    assert "via C0024, C0025</span>" in html
    ThreatActorSoftware.objects.create(actor=actor, software_id="S0002")
    html = shown("/actors/G0016")
    assert "<dt>Software</dt><dd>1</dd>" in html
    assert '<a href="https://example.org/S0002" rel="noopener noreferrer nofollow">Mimidogz</a>' in html
    assert "also via C0024, C0025</span>" in html


def test_technique_that_attack_gave_up_counts_in_no_figure_of_its_actors(shown, actor):
    make_technique("T1998", name="Given up", tactics=["execution"], deprecated=True)
    make_use(actor, "T1998")
    html = shown("/actors/G0016")
    assert "<dt>Techniques</dt><dd>3</dd>" in html
    assert "1 of 3 <small>named by a rule</small>" in html
    assert "<dt>Proven</dt><dd>0 of 3 <small>by a validated test</small></dd>" in html
    assert "T1998" in html[html.index("Not active in the release") :]
    assert ThreatActor.objects.with_used().get(mitre_id="G0016").used == 3


def test_revoked_actor_leads_to_its_successor_and_back(shown, actor):
    make_actor(mitre_id="G0118", name="Old Bear", revoked=True, revoked_by=actor)
    assert 'Its successor is <a href="/actors/G0016">Cold Bear (G0016)</a>' in shown("/actors/G0118")
    assert '<a href="/actors/G0118">Old Bear</a>' in shown("/actors/G0016")


def test_actor_that_upstream_dropped_answers_and_says_so(shown):
    make_actor(mitre_id="G0777", withdrawn_at=SEEN)
    assert "Upstream stopped publishing this actor" in shown("/actors/G0777")


def test_page_of_an_actor_that_does_nothing_says_so(shown):
    actor = make_actor(mitre_id="G0778")
    actor.uses.all().delete()
    html = shown("/actors/g0778")
    assert "ATT&amp;CK names no technique" in html


def test_pages_cost_no_more_queries_however_much_there_is(shown, campaign):
    techniques = [make_technique(f"T1{number:03}").mitre_id for number in range(40)]
    actor = make_actor(*techniques, mitre_id="G0500")
    for technique in techniques:
        make_use(actor, technique, campaign="C0024")
    for _ in range(55):
        make_actor("T1000")
    assert "1–50 of 56" in shown("/actors", queries=14)
    assert shown("/actors/G0500", queries=15).count("via <a") == 40


@pytest.mark.parametrize("mitre_id", ["G9999", "x", "%00", "G0016%00", "G" + "9" * 3000, "a/b", "%E2%80%AE", "..%2f"])
def test_unknown_and_odd_ids_are_not_found(client, mitre_id):
    client.force_login(make_user())
    assert client.get(f"/actors/{mitre_id}").status_code == 404


@pytest.mark.parametrize("mitre_id", ["G 1", "G/1", "G\u202e1", "<b>"])
def test_actor_with_an_odd_id_breaks_neither_list_nor_page(shown, mitre_id):
    actor = make_actor(mitre_id=mitre_id.upper(), name="Odd one")
    assert "Odd one" in shown("/actors")
    assert "Odd one" in shown(actor.get_absolute_url())
