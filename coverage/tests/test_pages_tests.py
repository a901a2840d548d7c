"""The pages of tests: who gets which buttons and words, what is refused and how, and what a page costs."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_rule, make_technique, make_template
from coverage.models import Test
from coverage.services.recording import Fact, edit_test, set_outcomes
from coverage.tests.factories import make_campaign, make_test

pytestmark = pytest.mark.django_db

XSS = "<script>alert(1)</script>"


@pytest.fixture
def red(client):
    user = make_user(Role.RED_TECH, username="rita")
    client.force_login(user)
    return user


def page(client, test) -> str:
    return client.get(f"/tests/{test.pk}").content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def form_of(client, test, half: str) -> dict[str, object]:
    """What a browser would send for a half of the page as it stands."""
    context = client.get(f"/tests/{test.pk}").context
    forms = (
        [context["red"]] if half == "red" else [context["blue"], *context["facts"], context["facts"].management_form]
    )
    sent = {field.html_name: "" if field.value() is None else field.value() for form in forms for field in form}
    sent = {name: value for name, value in sent.items() if value is not False}
    return sent | {"version": test.version}


def test_list_shows_each_state_as_a_tab_with_its_number(client, red):
    make_test(state="draft")
    make_test(state="in_review")
    make_test(state="validated", outcome="alerted")
    answer = client.get("/tests")
    assert [(tab.label, tab.number) for tab in answer.context["states"]] == [
        ("All", 3),
        ("Draft", 1),
        ("In review", 1),
        ("Validated", 1),
        ("Rejected", 0),
    ]
    chosen = client.get("/tests?state=validated")
    assert [test.outcome for test in chosen.context["page"].object_list] == ["alerted"]
    assert [tab.number for tab in chosen.context["states"]] == [3, 1, 1, 1, 0]


def test_list_finds_what_one_had_a_hand_in(client, red):
    own = make_test(by=red)
    make_test()
    assert [test.pk for test in client.get("/tests?mine=true").context["page"].object_list] == [own.pk]
    assert client.get("/tests?mine=false").context["page"].paginator.count == 1


def test_list_finds_the_tests_of_a_campaign_and_nothing_for_nonsense(client, red):
    campaign = make_campaign("T9001", "T9002")
    make_test()
    assert client.get(f"/tests?campaign={campaign.pk}").context["page"].paginator.count == 2
    assert client.get("/tests?campaign=-1").context["page"].paginator.count == 0


def test_list_costs_the_same_whatever_it_holds(client, red, django_assert_max_num_queries):
    for _ in range(12):
        make_test()
    with django_assert_max_num_queries(10):
        client.get("/tests")


def test_page_costs_the_same_whatever_it_holds(client, red, django_assert_max_num_queries):
    template = make_template("T9001")
    campaign = make_campaign("T9001", "T9001", by=make_user(Role.RED_LEAD))
    test = make_test("T9001", by=red, template=template, outcome="alerted")
    Test.objects.filter(pk=test.pk).update(campaign=campaign)
    for _ in range(8):
        make_rule("T9001")
    with django_assert_max_num_queries(18):
        assert client.get(f"/tests/{test.pk}").status_code == 200


@pytest.mark.parametrize(
    ("role", "state", "forms"),
    [
        (Role.RED_TECH, "draft", {"red"}),
        (Role.BLUE_TECH, "draft", {"blue"}),
        (Role.ADMIN, "draft", {"red", "blue", "submit", "archive", "evidence"}),
        (Role.ADMIN, "in_review", {"validate", "reject", "archive"}),
        (Role.RED_LEAD, "in_review", {"validate", "reject", "archive"}),
        (Role.RED_LEAD, "draft", {"archive"}),
        (Role.VIEWER, "draft", set()),
        (Role.VIEWER, "in_review", set()),
        (Role.ADMIN, "validated", {"archive"}),
    ],
)
def test_page_offers_exactly_what_would_succeed(client, role, state, forms):
    test = make_test(state=state)
    client.force_login(make_user(role))
    found = set(re.findall(rf'action="/tests/{test.pk}/(\w+)"', page(client, test)))
    assert found == forms


def test_four_eyes_are_said_in_words_to_an_admin_who_made_the_test(client):
    admin = make_user(Role.ADMIN)
    client.force_login(admin)
    test = make_test(state="in_review", outcome="alerted", by=admin)
    html = page(client, test)
    assert "Four eyes: you created and assessed this test, so somebody else has to decide on it." in words(html)
    assert f"/tests/{test.pk}/validate" not in html
    refused = client.post(f"/tests/{test.pk}/validate", {"version": test.version})
    assert refused.status_code == 403
    assert "Four eyes: you had a hand in this test" in refused.content.decode()
    test.refresh_from_db()
    assert test.state == "in_review"


def test_red_half_is_saved_with_its_times_in_utc(client, red):
    test = make_test(by=red, commands="whoami\nhostname\n")
    sent = form_of(client, test, "red") | {
        "commands": "whoami\r\nhostname\r\n",
        "target": "WKS-1",
        "started_at": "2026-03-04 14:02:11",
        "red_result": "succeeded",
        "cleanup_done": "on",
    }
    answer = client.post(f"/tests/{test.pk}/red", sent)
    assert (answer.status_code, answer["Location"]) == (302, f"/tests/{test.pk}")
    test.refresh_from_db()
    assert (test.target, test.red_result, test.cleanup_done) == ("WKS-1", "succeeded", True)
    assert test.started_at.isoformat() == "2026-03-04T14:02:11+00:00"
    assert test.commands == "whoami\nhostname\n"
    assert test.version == 2


def test_saving_a_half_untouched_writes_nothing(client):
    admin = make_user(Role.ADMIN)
    client.force_login(admin)
    test = make_test(by=admin, outcome="alerted", commands="whoami")
    for half in ("red", "blue"):
        assert client.post(f"/tests/{test.pk}/{half}", form_of(client, test, half)).status_code == 302
    assert Test.objects.get(pk=test.pk).version == test.version


def test_blue_half_saves_facts_rules_and_notes_at_once(client, red):
    test = make_test("T9001", by=red)
    rule = make_rule("T9001")
    sent = form_of(client, test, "blue") | {
        "facts-0-seen": "no",
        "facts-1-seen": "yes",
        "facts-1-at": "2026-03-04 14:03:02",
        "facts-1-tool": "Sensor",
        "rules": [rule.pk],
        "blue_notes": "Seen at once.",
    }
    assert client.post(f"/tests/{test.pk}/blue", sent).status_code == 302
    test.refresh_from_db()
    assert [(fact.kind, fact.seen, fact.tool) for fact in test.outcomes.all()] == [
        ("prevented", False, ""),
        ("alerted", True, "Sensor"),
    ]
    assert (test.outcome, test.blue_notes, list(test.detection_rules.all())) == ("alerted", "Seen at once.", [rule])


def test_several_facts_of_one_kind_survive_saving_another(client, red):
    test = make_test(by=red)
    test = set_outcomes(by=red, test=test, facts=[Fact(kind="logged", tool="A"), Fact(kind="logged", tool="B")])
    sent = form_of(client, test, "blue") | {"facts-0-seen": "yes"}
    client.post(f"/tests/{test.pk}/blue", sent)
    kept = sorted((fact.kind, fact.tool) for fact in test.outcomes.all())
    assert kept == [("logged", "A"), ("logged", "B"), ("prevented", "")]


def test_a_conflict_names_who_wrote_and_keeps_what_was_typed(client, red):
    test = make_test(by=red)
    sent = form_of(client, test, "red") | {"target": "MINE", "platform": "typed too"}
    other = make_user(Role.RED_TECH, username="otto")
    edit_test(by=other, test=test, changes={"target": "THEIRS"})
    answer = client.post(f"/tests/{test.pk}/red", sent)
    said = words(answer.content.decode())
    assert answer.status_code == 409
    assert "otto edited it at" in said
    assert "Target THEIRS" in said
    assert 'value="MINE"' in answer.content.decode()
    assert 'value="typed too"' in answer.content.decode()
    assert Test.objects.get(pk=test.pk).target == "THEIRS"


def test_an_illegal_move_is_a_conflict_with_the_reason(client, red):
    test = make_test(by=red, state="in_review")
    answer = client.post(f"/tests/{test.pk}/submit", {"version": test.version})
    assert answer.status_code == 409
    assert "Cannot submit a test that is in review" in answer.content.decode()


@pytest.mark.parametrize(
    ("half", "wrong", "said"),
    [
        ("red", {"started_at": "yesterday"}, "Write a time as 2026-01-31 14:02:11, in UTC."),
        ("red", {"started_at": "2026-03-04 10:00:00", "ended_at": "2026-03-04 09:00:00"}, "This is before the start"),
        ("red", {"name": ""}, "This field is required."),
        ("blue", {"facts-0-tool": "Sensor"}, "Say whether it was seen."),
        ("blue", {"facts-3-seen": "yes"}, "Say what was seen"),
        ("blue", {"rules": ["999999"]}, "One of the rules does not exist."),
    ],
)
def test_bad_input_is_refused_with_words_and_nothing_is_written(client, red, half, wrong, said):
    test = make_test(by=red)
    answer = client.post(f"/tests/{test.pk}/{half}", form_of(client, test, half) | wrong)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert Test.objects.get(pk=test.pk).version == 1


def test_a_rejection_needs_a_reason_and_the_tester_reads_it(client, red):
    test = make_test(by=red, state="in_review")
    client.force_login(make_user(Role.BLUE_LEAD, username="bea"))
    assert client.post(f"/tests/{test.pk}/reject", {"version": test.version, "note": " "}).status_code == 400
    assert client.post(f"/tests/{test.pk}/reject", {"version": test.version, "note": "No logs."}).status_code == 302
    client.force_login(red)
    assert "bea rejected it: No logs." in words(page(client, test))


def test_a_viewer_may_look_and_do_nothing(client):
    client.force_login(make_user())
    test = make_test(state="in_review")
    assert client.get(f"/tests/{test.pk}").status_code == 200
    for name in ("red", "blue", "submit", "validate", "reject", "archive", "evidence"):
        assert client.post(f"/tests/{test.pk}/{name}", {"version": 1}).status_code == 403, name
    assert client.get("/tests/new").status_code == 403


def test_evidence_of_several_files_is_listed_with_its_hash(client, red):
    test = make_test(by=red)
    files = [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile(f"{XSS}.txt", b"two")]
    sent = {"side": "red", "caption": "Console", "files": files}
    assert client.post(f"/tests/{test.pk}/evidence", sent).status_code == 302
    html = page(client, test)
    assert html.count("Console") == 2
    assert "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" in html
    assert XSS not in html


def test_a_body_longer_than_any_file_is_refused_unread(client, red, settings):
    settings.EVIDENCE_MAX_BYTES = 1024 * 1024
    test = make_test(by=red)
    path, too_long = f"/tests/{test.pk}/evidence", {"CONTENT_LENGTH": str(3 * 1024 * 1024)}
    answer = client.post(path, **too_long)
    assert (answer.status_code, "An upload may have 1 MB in all" in answer.content.decode()) == (413, True)
    part = client.post(path, headers={"HX-Request": "true"}, **too_long)
    assert part.content.decode() == "An upload may have 1 MB in all: send several files one by one."
    client.logout()
    assert client.post("/accounts/login", **too_long).status_code == 413


def test_a_refused_file_is_told_in_plain_words_to_the_script_of_the_page(client, red, settings):
    settings.EVIDENCE_MAX_FILES = 0
    test = make_test(by=red)
    sent = {"side": "red", "files": [SimpleUploadedFile("a.txt", b"one")]}
    answer = client.post(f"/tests/{test.pk}/evidence", sent, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["Content-Type"]) == (413, "text/plain")
    assert answer.content.decode() == "A test has at most 0 files of evidence."


def test_evidence_without_a_file_or_a_side_is_refused(client, red):
    test = make_test(by=red)
    assert client.post(f"/tests/{test.pk}/evidence", {"side": "red"}).status_code == 400
    file = SimpleUploadedFile("a.txt", b"one")
    assert client.post(f"/tests/{test.pk}/evidence", {"side": "green", "files": [file]}).status_code == 400
    assert test.evidence.count() == 0


def test_names_and_notes_of_people_stay_text(client, red):
    test = make_test(by=red, name=XSS, commands=XSS, target=XSS, blue_notes=XSS)
    assert XSS not in page(client, test)
    assert XSS not in client.get("/tests").content.decode()


def test_one_click_makes_a_test_from_a_template(client, red):
    make_technique("T9001")
    template = make_template("T9001", name="Run it", attack_commands="whoami", executors=[])
    answer = client.post("/tests/new", {"template": template.pk})
    test = Test.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/tests/{test.pk}")
    assert (test.name, test.commands, test.technique_id, test.created_by) == ("Run it", "whoami", "T9001", red)


def test_the_executor_of_a_template_can_be_chosen(client, red):
    ways = [
        {"platform": "Windows", "executor": "cmd", "command": "a"},
        {"platform": "Linux", "executor": "sh", "command": "b"},
    ]
    make_technique("T9001")
    template = make_template("T9001", executors=ways)
    client.post("/tests/new", {"template": template.pk, "way": "1"})
    test = Test.objects.get()
    assert (test.platform, test.executor, test.commands) == ("Linux", "sh", "b")


def test_a_test_for_a_technique_needs_one_that_exists(client, red):
    make_technique("T9001", name="Something")
    assert 'value="T9001"' in client.get("/tests/new?technique=T9001").content.decode()
    assert "Something" in words(client.get("/tests/new?technique=T9001").content.decode())
    refused = client.post("/tests/new", {"technique": "T1"})
    assert (refused.status_code, Test.objects.count()) == (400, 0)
    assert "No technique has the id T1." in refused.content.decode()
    assert client.post("/tests/new", {"technique": "t9001"}).status_code == 302
    assert Test.objects.get().name == "Something"


def test_navigation_leads_to_the_tests(client, red):
    assert f'href="{reverse("coverage:test-list")}"' in client.get("/tests").content.decode()


@pytest.mark.parametrize(("role", "offered"), [(Role.BLUE_TECH, True), (Role.RED_LEAD, False), (Role.VIEWER, False)])
def test_templates_and_techniques_offer_a_test_to_those_who_may_create_one(client, role, offered):
    make_technique("T9001")
    template = make_template("T9001")
    client.force_login(make_user(role))
    for path in (template.get_absolute_url(), "/techniques/T9001"):
        assert ('action="/tests/new"' in client.get(path).content.decode()) is offered, path


def test_template_with_a_number_above_a_thousand_starts_a_test(client):
    technique = make_technique("T9001")
    template = make_template(technique.mitre_id, pk=1234)
    client.force_login(make_user("red_tech"))
    page = client.get(f"/templates/{template.pk}").content.decode()
    assert 'name="template" value="1234"' in page
    answer = client.post("/tests/new", {"template": "1234"})
    assert (answer.status_code, Test.objects.get().template_id) == (302, 1234)


ARGUMENTS = [
    {"name": "word", "description": "What to say", "type": "string", "default": "hello"},
    {"name": "host", "description": "", "type": "string", "default": None},
]
WAYS = [
    {"platform": "Windows", "executor": "cmd", "command": "echo #{word} #{host}", "cleanup": "del #{word}"},
    {"platform": "Linux", "executor": "sh", "command": "printf #{word}"},
]


@pytest.fixture
def with_arguments():
    make_technique("T9001")
    return make_template("T9001", executors=WAYS, input_arguments=ARGUMENTS)


def test_the_arguments_of_a_template_are_typed_in_the_form(client, red, with_arguments):
    shown = client.get(f"/tests/new?template={with_arguments.pk}").content.decode()
    assert ("echo hello #{host}" in shown, 'value="hello"' in shown, "What to say" in shown) == (True, True, True)
    sent = {"template": with_arguments.pk, "way": "0", "argument-0": "hi there", "argument-1": "srv"}
    live = client.get("/tests/new", sent, headers={"HX-Request": "true"}).content.decode()
    assert "echo hi there srv" in live
    client.post("/tests/new", sent)
    test = Test.objects.get()
    assert (test.commands, test.cleanup_commands) == ("echo hi there srv", "del hi there")
    assert test.input_arguments == {"word": "hi there", "host": "srv"}


def test_commands_are_filled_in_anew_with_other_arguments(client, red, with_arguments):
    client.post("/tests/new", {"template": with_arguments.pk})
    test = Test.objects.get()
    assert test.commands == "echo hello #{host}"
    sent = {"version": test.version, "way": "1", "argument-0": "bye", "argument-1": ""}
    assert client.post(f"/tests/{test.pk}/refill", sent).status_code == 302
    test.refresh_from_db()
    assert (test.platform, test.executor, test.commands) == ("Linux", "sh", "printf bye")
    html = page(client, test)
    assert 'value="bye"' in html
    assert client.post(f"/tests/{test.pk}/refill", sent).status_code == 409
    other = make_test(by=red)
    assert client.post(f"/tests/{other.pk}/refill", {"version": 1}).status_code == 400
