"""`Idempotency-Key`: what a program sends again, because it heard no answer, is made once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from aegis.accounts.models import KeptAnswer, User
from aegis.accounts.repeats import repeatable
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.models import Technique
from catalog.tests.factories import make_release, make_technique
from coverage.models import Campaign, Test
from coverage.tests.factories import make_campaign
from intel.models import Feed

pytestmark = pytest.mark.django_db
TESTS = "/api/v1/tests"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
CREATIONS = {
    "tests": ("red_tech", "tests", {"technique": "T1059", "name": "Ask"}),
    "campaigns": ("red_lead", "campaigns", {"name": "What we do", "techniques": ["T1059"]}),
    "tests of a campaign": ("red_lead", "campaigns/{id}/tests", {"techniques": ["T1059"]}),
    "retests": ("red_lead", "campaigns/{id}/retest", {}),
    "techniques": ("admin", "techniques", {"mitre_id": "T9901", "name": "Our own", "tactics": ["execution"]}),
    "feeds": ("admin", "feeds", {"name": "Advisories", "url": "https://www.cisa.gov/ics.xml"}),
}
HOLDS_A_SECRET = {"users_create", "users_link"}
"""Their answers hold a link to set a password, which is kept nowhere."""


def post(client, body, key=KEY, path=TESTS):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, body, format="json", headers=headers)


def rows():
    """How many there are of whatever the API makes, and of what is recorded."""
    return [model.objects.count() for model in (Test, Campaign, Technique, Feed, AuditLog)]


@pytest.fixture
def tech():
    make_technique("T1059")
    return bearer(make_user("red_tech", username="maria"))


@pytest.mark.parametrize(("role", "path", "body"), CREATIONS.values(), ids=CREATIONS)
def test_what_is_sent_again_with_its_key_is_made_once_and_answered_alike(role, path, body):
    make_release()
    path = f"/api/v1/{path.format(id=make_campaign('T1059').pk)}"
    client, before = bearer(make_user(role)), rows()
    first = post(client, body, path=path)
    made = rows()
    second = post(client, body, path=f"{path}/")
    assert made != before
    assert rows() == made
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers.get("ETag") == first.headers.get("ETag")
    assert ("Idempotency-Replayed" in first.headers, second["Idempotency-Replayed"]) == (False, "true")


def test_every_creation_in_json_takes_a_key_and_says_so():
    without, with_key = set(), 0
    for methods in bearer().get("/api/v1/schema").json()["paths"].values():
        operation = methods.get("post", {"responses": {}})
        if "201" not in operation["responses"] or "multipart/form-data" in str(operation.get("requestBody")):
            continue
        if "Idempotency-Key" in [one["name"] for one in operation.get("parameters", ())]:
            with_key += "Idempotency-Replayed" in operation["responses"]["201"]["headers"]
        else:
            without.add(operation["operationId"])
    assert (without, with_key) == (HOLDS_A_SECRET, len(CREATIONS))


def test_without_a_key_each_request_makes_its_own(tech):
    body = {"technique": "T1059", "name": "Ask"}
    answers = [post(tech, body, key=None) for _ in range(2)]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert KeptAnswer.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TESTS, {"technique": "T1059", "name": "Ask twice"}),
        (TESTS, {"technique": "T1059"}),
        ("/api/v1/campaigns", {"technique": "T1059", "name": "Ask"}),
    ],
    ids=["another name", "a field less", "another address"],
)
def test_a_key_with_another_request_is_refused_and_nothing_is_made(tech, path, body):
    post(tech, {"technique": "T1059", "name": "Ask"})
    before = rows()
    refused = post(tech, body, path=path)
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")
    assert refused.json()["detail"].endswith("send a new key for a new request, or the first request as it was.")
    assert rows() == before


def test_the_order_of_the_fields_makes_no_other_request(tech):
    first = post(tech, {"technique": "T1059", "name": "Ask"})
    assert post(tech, {"name": "Ask", "technique": "T1059"}).content == first.content


def test_a_key_may_stand_in_quotes_as_the_draft_has_it(tech):
    body = {"technique": "T1059", "name": "Ask"}
    assert post(tech, body, f'"{KEY}"').content == post(tech, body, KEY).content
    assert Test.objects.count() == 1


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "a\tb", "a\x00b", "a\x7fb", "schlüssel"])
def test_what_cannot_be_a_key_is_refused(tech, key):
    refused = post(tech, {"technique": "T1059"}, key)
    assert refused.status_code == 400
    assert refused.json()["errors"] == {
        "Idempotency-Key": ["Write 1 to 255 printable ASCII characters, such as a UUID."]
    }
    assert Test.objects.count() == KeptAnswer.objects.count() == 0


def test_the_longest_key_is_one(tech):
    body = {"technique": "T1059"}
    assert post(tech, body, "k" * 255).content == post(tech, body, "k" * 255).content


def test_everybody_has_keys_of_their_own(tech):
    body = {"technique": "T1059", "name": "Ask"}
    answers = [post(client, body) for client in (tech, bearer(make_user("blue_tech")))]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Test.objects.count() == 2


def test_a_refusal_is_not_kept(tech):
    assert post(tech, {"technique": "T9998"}).status_code == 400
    assert post(tech, {"technique": "T1059"}).status_code == 201


def test_who_lost_the_right_is_refused_before_any_answer_comes_again(tech):
    body = {"technique": "T1059", "name": "Ask"}
    post(tech, body)
    User.objects.filter(username="maria").update(role="red_lead")
    refused = post(tech, body)
    assert (refused.status_code, refused.json()["detail"]) == (403, "Your role does not allow this (test.create).")
    assert AuditLog.objects.first().action == "access.denied"


def test_an_answer_that_cannot_be_kept_undoes_what_it_tells(tech, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("the database went away")

    monkeypatch.setattr(KeptAnswer, "save", away)
    before = rows()
    assert post(tech, {"technique": "T1059"}).status_code == 503
    assert rows() == before


def test_an_answer_comes_again_for_a_day(tech):
    body = {"technique": "T1059", "name": "Ask"}
    first = post(tech, body).json()["id"]
    age(timedelta(hours=23, minutes=59))
    assert post(tech, body).json()["id"] == first
    age(timedelta(hours=24))
    assert post(tech, {"technique": "T1059", "name": "Another"}).json()["id"] != first


def age(by):
    KeptAnswer.objects.update(kept_at=timezone.now() - by)


@pytest.mark.parametrize("action", ["test.edit", "no.such"])
def test_an_action_that_asks_something_of_an_object_cannot_be_repeated(action):
    with pytest.raises(ValueError, match="by role alone"):
        repeatable(action)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_makes_it_and_all_are_answered_alike():
    make_technique("T1059")
    user, body, number = make_user("red_tech"), {"technique": "T1059", "name": "Ask"}, 6
    clients, start = [bearer(user) for _ in range(number)], Barrier(number)

    def send(client):
        try:
            start.wait(timeout=60)
            return [post(client, body, str(turn)) for turn in range(5)]
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        answers = list(zip(*pool.map(send, clients), strict=True))
    for alike in answers:
        assert {answer.status_code for answer in alike} == {201}
        assert len({answer.content for answer in alike}) == 1
        assert sum("Idempotency-Replayed" in answer.headers for answer in alike) == number - 1
    assert Test.objects.count() == AuditLog.objects.filter(action="test.created").count() == 5
