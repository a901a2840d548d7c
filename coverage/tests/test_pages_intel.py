"""The inbox: marked, ranked, filtered and triaged, without a script, by those whose work it is."""

import pytest
from django.test import Client

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.tests.factories import make_technique
from coverage.models import TechniqueCoverage, Test
from intel.models import IntelItem
from intel.tests.factories import make_actor, make_feed, make_item

pytestmark = pytest.mark.django_db


def browser(role: Role = Role.BLUE_TECH, **fields: str) -> Client:
    client = Client()
    client.force_login(make_user(role, **fields))
    return client


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode().partition("<main")[2]


def titles(client: Client, query: str = "") -> list[str]:
    return [row.item.title for row in client.get(f"/intel{query}").context["rows"]]


def test_mentions_are_marked_and_markup_never_becomes_markup():
    make_technique("T1059.001", name="PowerShell")
    found = make_item(
        "T1059.001", title="<img src=x onerror=alert(1)> in the news", summary="<b>They</b> used T1059.001.", url=""
    )
    for address in ("/intel", f"/intel/{found.pk}"):
        page = shown(browser(), address)
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt; in the news" in page
        assert '<mark class="m m--technique" title="T1059.001: ATT&amp;CK id">T1059.001</mark>' in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", ""])
def test_only_web_addresses_become_links(url):
    found = make_item(url=url)
    page = shown(browser(), f"/intel/{found.pk}")
    assert "The article" not in page
    assert "javascript:" not in page


def test_the_inbox_says_why_an_item_matters():
    make_technique("T1059")
    make_actor("T1059", mitre_id="G9100", name="Paper Tiger")
    make_item("T1059", actors=("G9100",))
    page = shown(browser(Role.VIEWER), "/intel")
    assert "They used <mark" in page
    assert "T1059 is not covered, 1 actor uses it" in page
    assert "Paper Tiger" in page


def test_an_item_that_names_an_actor_alone_says_so():
    make_actor(mitre_id="G9100", name="Paper Tiger")
    make_item(actors=("G9100",))
    assert "It names Paper Tiger" in shown(browser(Role.VIEWER), "/intel")


def test_items_are_filtered_by_technique_actor_feed_state_and_words():
    make_technique("T1059.001")
    make_actor(mitre_id="G9100")
    make_item("T1059.001", title="Sub")
    make_item(actors=("G9100",), title="Actor")
    make_item(title="Elsewhere", feed=make_feed(name="Other"))
    make_item(title="Old", state="dismissed")
    client, other = browser(), IntelItem.objects.get(title="Elsewhere").feed_id
    assert titles(client, "?technique=t1059") == ["Sub"]
    assert titles(client, "?actor=G9100") == ["Actor"]
    assert titles(client, f"?feed={other}") == ["Elsewhere"]
    assert titles(client, "?state=dismissed") == ["Old"]
    assert titles(client, "?search=elsewh") == ["Elsewhere"]
    assert titles(client, "?search=T1059.001") == ["Sub"]
    assert len(titles(client, "?state=any")) == 4
    assert len(titles(client)) == 3


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("unassigned=true", {"Nobody’s"}),
        ("unassigned=false", {"Of Lena", "Of Maria"}),
        ("assigned_to=lena", {"Of Lena"}),
        ("", {"Nobody’s", "Of Lena", "Of Maria"}),
        ("unassigned=true&state=any", {"Nobody’s", "Nobody’s and done"}),
    ],
)
def test_what_nobody_has_is_found_alike_in_inbox_and_api(query, titles):
    client, reader = browser(), bearer(make_user())
    for name in ("lena", "maria"):
        make_item(title=f"Of {name.title()}", assigned_to=make_user(Role.RED_LEAD, username=name))
    make_item(title="Nobody’s")
    make_item(title="Nobody’s and done", state="dismissed")
    page = client.get(f"/intel?{query}")
    assert {row.item.title for row in page.context["rows"]} == titles
    assert {one["title"] for one in reader.get(f"/api/v1/intel-items?{query}").json()["results"]} == titles
    assert "Unassigned<select" in page.content.decode()


def test_the_inbox_costs_the_same_however_many_items_there_are(django_assert_max_num_queries):
    client = browser()
    make_technique("T1059")
    make_actor("T1059", mitre_id="G9100")
    for _ in range(40):
        make_item("T1059", actors=("G9100",))
    client.get("/intel")
    for address in ("/intel", "/intel?ordering=-at", f"/intel/{IntelItem.objects.first().pk}"):
        with django_assert_max_num_queries(18):
            client.get(address)


def test_an_item_is_accepted_dismissed_and_opened_again_and_all_of_it_is_in_the_trail():
    client, found = browser(username="maria"), make_item()
    for word, state in [("accept", "accepted"), ("reopen", "new"), ("dismiss", "dismissed")]:
        answer = client.post(f"/intel/{found.pk}/{word}", {"next": "/intel?state=any"})
        assert answer.headers["Location"] == "/intel?state=any"
        found.refresh_from_db()
        assert found.state == state
    rows = AuditLog.objects.filter(action__startswith="intel.").order_by("id").values_list("action", "actor_name")
    assert list(rows) == [("intel.accepted", "maria"), ("intel.reopened", "maria"), ("intel.dismissed", "maria")]
    assert found.decided_by.username == "maria"


def test_ticked_items_are_decided_together_and_given_to_somebody():
    client, items = browser(), [make_item() for _ in range(3)]
    lena, viewer = make_user(Role.RED_LEAD, username="lena"), make_user(Role.VIEWER)
    ticked = [str(one.pk) for one in items[:2]]
    client.post("/intel/triage", {"items": ticked, "decision": "assign", "assigned_to": str(lena.pk)})
    client.post("/intel/triage", {"items": ticked, "decision": "assign", "assigned_to": str(viewer.pk)})
    assert list(IntelItem.objects.filter(assigned_to=lena).order_by("pk")) == items[:2]
    client.post("/intel/triage", {"items": [*ticked, "nonsense", "9999999"], "decision": "dismiss"})
    assert [one.state for one in IntelItem.objects.order_by("pk")] == ["dismissed", "dismissed", "new"]
    assert "Tick the items first" in client.post("/intel/triage", {"decision": "accept"}, follow=True).content.decode()


def drawn(client: Client, address: str) -> str:
    """When a page was drawn, as its form says."""
    return client.get(address).content.decode().partition('name="as_of" value="')[2].partition('"')[0]


def test_what_somebody_else_decided_meanwhile_stays_and_is_told():
    lena, maria = browser(username="lena"), browser(username="maria")
    first, second, third = (make_item() for _ in range(3))
    as_of = drawn(maria, "/intel")
    lena.post(f"/intel/{first.pk}/accept", {"as_of": drawn(lena, f"/intel/{first.pk}")})
    lena.post(f"/intel/{second.pk}/dismiss", {"as_of": as_of})
    ticked = [str(one.pk) for one in (first, second, third)]
    answer = maria.post("/intel/triage", {"items": ticked, "decision": "dismiss", "as_of": as_of}, follow=True)
    assert [one.state for one in IntelItem.objects.order_by("pk")] == ["accepted", "dismissed", "dismissed"]
    said = [str(message) for message in answer.context["messages"]]
    assert said == ["2 items are dismissed.", f"lena accepted “{first.title}” meanwhile: it stays so."]
    maria.post(f"/intel/{first.pk}/dismiss", {"as_of": as_of})
    assert IntelItem.objects.get(pk=first.pk).state == "accepted"
    maria.post(f"/intel/{first.pk}/dismiss", {"as_of": drawn(maria, f"/intel/{first.pk}")})
    assert IntelItem.objects.get(pk=first.pk).state == "dismissed"


@pytest.mark.parametrize("as_of", ["", "yesterday", "2026-99-99T00:00:00+00:00", "2026-01-01T00:00:00"])
def test_a_form_that_does_not_say_when_it_was_drawn_decides(as_of: str):
    lena, maria, found = browser(username="lena"), browser(username="maria"), make_item()
    lena.post(f"/intel/{found.pk}/accept")
    maria.post(f"/intel/{found.pk}/dismiss", {"as_of": as_of})
    assert IntelItem.objects.get().state == "dismissed"


def test_a_note_of_somebody_else_is_never_overwritten_unseen():
    lena, maria, found = browser(username="lena"), browser(username="maria"), make_item()
    lena.post(f"/intel/{found.pk}/note", {"note": "Ask the vendor.", "instead_of": ""})
    answer = maria.post(f"/intel/{found.pk}/note", {"note": "Ours is <old>.", "instead_of": ""})
    page = answer.content.decode()
    assert (answer.status_code, IntelItem.objects.get().note) == (409, "Ask the vendor.")
    assert "It reads now: “Ask the vendor.”" in page
    assert "Ours is &lt;old&gt;.</textarea>" in page
    maria.post(f"/intel/{found.pk}/note", {"note": "Both.", "instead_of": "Ask the vendor."})
    assert IntelItem.objects.get().note == "Both."


def test_a_note_is_kept_and_shown():
    client, found = browser(), make_item()
    client.post(f"/intel/{found.pk}/note", {"note": "Ask the vendor.\r\nTwice."})
    assert "Ask the vendor." in shown(browser(Role.VIEWER), f"/intel/{found.pk}")
    assert IntelItem.objects.get().note == "Ask the vendor.\nTwice."
    client.post(f"/intel/{found.pk}/note", {"note": "x" * 5_000})
    assert IntelItem.objects.get().note == "Ask the vendor.\nTwice."


def test_a_test_begins_with_the_technique_and_the_reference():
    make_technique("T1059.001", name="PowerShell")
    client, found = browser(), make_item("T1059.001", title="A breach")
    address = f"/tests/new?technique=T1059.001&item={found.pk}"
    assert address.replace("&", "&amp;") in shown(client, f"/intel/{found.pk}")
    page = shown(client, address)
    assert 'value="T1059.001"' in page
    assert "A breach" in page
    client.post("/tests/new", {"technique": "T1059.001", "item": str(found.pk)})
    assert Test.objects.get().procedure == f"In the news: A breach\n{found.url}"
    assert client.get("/tests/new?item=9999999").status_code == 404


def test_a_review_is_raised_and_its_reason_leads_back():
    make_technique("T1059")
    client, found = browser(), make_item("T1059", title="A breach")
    client.post(f"/intel/{found.pk}/review", {"technique": "T1059"})
    assert TechniqueCoverage.objects.get(technique="T1059").review_required
    assert f'<a href="/intel/{found.pk}">In the news: A breach.</a>' in shown(client, "/techniques/T1059")
    client.post(f"/intel/{found.pk}/review", {"technique": "T1003"})
    assert TechniqueCoverage.objects.due_for_review().count() == 1


def test_viewers_read_and_touch_nothing():
    make_technique("T1059")
    client, found = browser(Role.VIEWER), make_item("T1059")
    page = shown(client, f"/intel/{found.pk}") + shown(client, "/intel")
    assert "formaction" not in page
    assert "<textarea" not in page
    assert "Raise review" not in page
    for act in ("accept", "dismiss", "reopen", "assign", "note", "review"):
        assert client.post(f"/intel/{found.pk}/{act}", {"technique": "T1059"}).status_code == 403, act
    assert client.post("/intel/triage", {"items": [found.pk], "decision": "accept"}).status_code == 403
    assert IntelItem.objects.get().state == "new"


def test_decisions_change_nothing_by_get_and_lead_nowhere_else():
    client, found = browser(), make_item()
    assert client.get(f"/intel/{found.pk}/accept").status_code == 405
    answer = client.post(f"/intel/{found.pk}/accept", {"next": "https://evil.example/"})
    assert answer.headers["Location"] == f"/intel/{found.pk}"
    assert (
        client.post(f"/intel/{found.pk}/accept", {"next": "//evil.example/"}).headers["Location"]
        == f"/intel/{found.pk}"
    )


def test_the_menu_counts_what_is_open():
    make_item()
    make_item(state="accepted")
    page = browser().get("/intel").content.decode().partition("<main")[0]
    entry = page.partition('href="/intel"')[2].partition("</a>")[0]
    assert ">1<" in entry


def test_the_page_of_a_technique_shows_the_news_that_name_it_or_its_sub_techniques():
    make_technique("T1059")
    make_technique("T1059.001")
    make_technique("T1003.001")
    make_item("T1003.001", "T1059.001", title="Sub", state="dismissed")
    make_item("T1059", confident=False, title="Perhaps")
    page = shown(browser(Role.VIEWER), "/techniques/T1059?tab=intel")
    assert "Sub" in page
    assert ">T1059.001</mark>" in page
    assert ">T1003.001</mark>" not in page
    assert "Perhaps" not in page
    make_technique("T1490")
    assert "No article that was read so far names it." in shown(browser(), "/techniques/T1490?tab=intel")


def test_the_page_of_an_actor_shows_the_news_that_name_it():
    make_actor(mitre_id="G9100")
    make_item(actors=("G9100",), title="A breach")
    assert "A breach" in shown(browser(Role.VIEWER), "/actors/G9100")


def test_a_review_that_is_asked_for_is_not_offered_again_until_somebody_reviewed():
    make_technique("T1059")
    client, found = browser(Role.BLUE_LEAD), make_item("T1059", title="A breach")
    path, asks = f"/intel/{found.pk}", "Asks for a review because of this."
    assert ("Raise review" in shown(client, path), asks in shown(client, path)) == (True, False)
    client.post(f"{path}/review", {"technique": "T1059"})
    assert ("Raise review" in shown(client, path), asks in shown(client, path)) == (False, True)
    client.post("/techniques/T1059/review")
    page = shown(client, path)
    assert ("Raise review" in page, asks in page) == (True, False)
    assert "Flagged for review because of this, and reviewed since." in page
