"""My work: each person sees what waits for them, and the navigation counts the same."""

import pytest

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from coverage.models import TechniqueCoverage
from coverage.services.intel import assign_item, dismiss_item
from coverage.services.review import flag_for_review
from coverage.tests.factories import make_test
from intel.tests.factories import make_item

pytestmark = pytest.mark.django_db


def counted(response, label: str) -> int | None:
    return next(link.count for group in response.context["navigation"] for link in group.links if link.label == label)


def test_a_tech_finds_drafts_and_rejected_tests_that_they_had_a_hand_in(client):
    rita = make_user(Role.RED_TECH)
    client.force_login(rita)
    draft, rejected = make_test(by=rita), make_test(by=rita, state="rejected")
    make_test(by=rita, state="in_review")
    make_test()
    page = client.get("/work")
    assert [test.pk for test in page.context["finish"]] == [rejected.pk, draft.pk]
    assert (list(page.context["decide"]), list(page.context["review"])) == ([], [])
    assert "Waiting for your decision" not in page.content.decode()
    assert (counted(page, "My work"), counted(page, "Tests")) == (2, 4)


@pytest.mark.parametrize("role", [Role.RED_LEAD, Role.BLUE_LEAD, Role.ADMIN])
def test_a_lead_finds_what_others_handed_in_and_techniques_to_review(client, role):
    lead = make_user(role)
    client.force_login(lead)
    waiting = make_test("T9001", state="in_review")
    if role == Role.ADMIN:
        make_test("T9001", state="in_review", by=lead)
    flag_for_review(techniques=["T9001"], reason=TechniqueCoverage.Reason.AGE, text="Not validated for long.")
    page = client.get("/work")
    assert [test.pk for test in page.context["decide"]] == [waiting.pk]
    assert [row.technique_id for row in page.context["review"]] == ["T9001"]
    assert "Not validated for long." in page.content.decode()
    assert counted(page, "My work") == 2


def test_news_that_were_given_to_somebody_wait_for_them_until_they_decide(client):
    rita, lead = make_user(Role.RED_TECH), make_user(Role.BLUE_LEAD)
    item = make_item(title="A breach at a port")
    make_item(title="Nobody's")
    assign_item(by=lead, item=item, to=rita)
    client.force_login(rita)
    page = client.get("/work")
    assert [one.title for one in page.context["read"]] == ["A breach at a port"]
    assert (counted(page, "My work"), counted(page, "Intel")) == (1, 2)
    inbox = client.get("/intel", {"assigned_to": rita.username})
    assert [row.item.title for row in inbox.context["rows"]] == ["A breach at a port"]
    assert f'<option value="{rita.username}" selected>' in inbox.content.decode()
    dismiss_item(by=rita, item=item)
    page = client.get("/work")
    assert "News in your hands" not in page.content.decode()
    assert counted(page, "My work") == 0


def test_a_viewer_is_told_that_nothing_waits(client):
    client.force_login(make_user())
    make_test(state="in_review")
    page = client.get("/work")
    assert "Nothing waits for you" in page.content.decode()
    assert counted(page, "My work") == 0


def test_page_costs_the_same_whatever_waits(client, django_assert_max_num_queries):
    lead = make_user(Role.RED_LEAD)
    client.force_login(lead)
    for number in range(6):
        make_test(f"T900{number}", state="in_review")
    with django_assert_max_num_queries(8):
        client.get("/work")
