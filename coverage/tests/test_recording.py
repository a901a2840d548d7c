"""Writing tests: from scratch and from a template, field by field, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_rule, make_technique, make_template
from coverage.services.creation import create_test
from coverage.services.fields import FIELDS
from coverage.services.recording import Fact, edit_test, refill_commands, set_outcomes, set_rules
from coverage.testing.commands import NoSuchArgument, NoSuchExecutor, plan
from coverage.testing.refusals import NotAllowed
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EXECUTORS = [
    {
        "platform": "Windows",
        "executor": "powershell",
        "command": "Get #{what} -Twice #{what}",
        "cleanup": "Del #{what}",
    },
    {"platform": "Linux", "executor": "sh", "command": "get #{what} #{where}", "cleanup": ""},
    {"platform": "Linux", "executor": "bash", "command": "fetch #{where}", "cleanup": ""},
]
ARGUMENTS = [
    {"name": "what", "description": "", "type": "string", "default": "a thing"},
    {"name": "where", "description": "", "type": "path", "default": None},
]


@pytest.fixture
def template():
    make_technique("T1059")
    return make_template("T1059", name="Take a thing", executors=EXECUTORS, input_arguments=ARGUMENTS)


@pytest.fixture
def author():
    return make_user("red_tech")


def errors_of(refusal) -> dict[str, list[str]]:
    return refusal.value.message_dict


def test_template_fills_a_test_in_one_go(author, template):
    test = create_test(by=author, template=template)
    assert (test.technique_id, test.name, test.procedure) == ("T1059", "Take a thing", "What the test does.")
    assert (test.platform, test.executor) == ("Windows", "powershell")
    assert (test.commands, test.cleanup_commands) == ("Get a thing -Twice a thing", "Del a thing")
    assert (test.input_arguments, test.state, test.version) == ({"what": "a thing"}, "draft", 1)


def test_platform_executor_and_arguments_choose_what_is_filled_in(author, template):
    test = create_test(
        by=author, template=template, platform="Linux", input_arguments={"what": "gold"}, name="Take gold"
    )
    assert (test.name, test.executor, test.commands) == ("Take gold", "sh", "get gold #{where}")
    other = create_test(by=author, template=template, executor="bash", input_arguments={"where": "/srv"})
    assert (other.platform, other.commands) == ("Linux", "fetch /srv")
    assert other.input_arguments == {"what": "a thing", "where": "/srv"}


def test_commands_that_are_given_stand(author, template):
    assert create_test(by=author, template=template, commands="echo own").commands == "echo own"


def test_argument_or_executor_that_the_template_lacks_is_named(author, template):
    with pytest.raises(NoSuchArgument, match=r"no argument whatt\. It has what, where"):
        plan(template, arguments={"whatt": "x"})
    with pytest.raises(NoSuchExecutor, match="It has powershell on Windows, sh on Linux, bash on Linux"):
        plan(template, platform="macOS")
    with pytest.raises(ValidationError) as refusal:
        create_test(by=author, template=template, executor="cmd")
    assert list(errors_of(refusal)) == ["executor"]


def test_template_without_executors_gives_its_commands():
    make_technique("T1059")
    bare = make_template("T1059", executors=[], attack_commands="lol.exe", cleanup_commands="rm", platforms=["Windows"])
    assert (plan(bare).platform, plan(bare).commands, plan(bare).cleanup_commands) == ("Windows", "lol.exe", "rm")


def test_commands_are_filled_in_anew_for_another_platform(author, template):
    test = create_test(by=author, template=template)
    test = refill_commands(by=author, test=test, platform="Linux", arguments={"where": "/srv"})
    assert (test.executor, test.commands, test.cleanup_commands) == ("sh", "get a thing /srv", "")
    assert (test.name, test.version) == ("Take a thing", 2)


def test_test_without_template_has_nothing_to_fill_in(author):
    with pytest.raises(ValidationError, match="no template"):
        refill_commands(by=author, test=make_test(by=author))


def test_test_needs_a_technique_that_is_active(author):
    make_technique("T1059")
    old = make_technique("T1086", revoked=True, revoked_by_id="T1059")
    with pytest.raises(ValidationError, match="T1086 is not active in the current ATT&CK release: use T1059"):
        create_test(by=author, technique=old)
    with pytest.raises(ValidationError, match="Say which technique"):
        create_test(by=author)
    with pytest.raises(ValidationError, match="Say which technique"):
        create_test(by=author, template=make_template("T9999"))


@pytest.mark.parametrize("role", ["viewer", "red_lead", "blue_lead"])
def test_only_techs_and_admins_make_tests(role):
    with pytest.raises(NotAllowed):
        create_test(by=make_user(role), technique=make_technique("T1059"))


@pytest.mark.parametrize(
    "field",
    [
        "state",
        "version",
        "created_by",
        "decided_by",
        "outcome",
        "archived_at",
        "technique",
        "campaign",
        "id",
        "nonsense",
    ],
)
def test_field_that_nobody_writes_is_refused_by_name(author, field):
    test = make_test(by=author)
    with pytest.raises(ValidationError) as refusal:
        edit_test(by=author, test=test, changes={field: "x", "name": "New"})
    assert list(errors_of(refusal)) == [field]
    with pytest.raises(ValidationError) as refusal:
        create_test(
            by=author,
            technique=test.technique,
            **({field: "x"} if field not in {"technique", "campaign"} else {"x": 1}),
        )
    test.refresh_from_db()
    assert (test.name != "New", test.version) == (True, 1)


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in {"cleanup_done", "input_arguments"}])
@pytest.mark.parametrize("text", ["NUL \0", "half \ud800", "x" * 100_001], ids=["nul", "surrogate", "long"])
def test_text_that_cannot_be_stored_is_refused_by_field(field, text):
    admin = make_user("admin")
    test = make_test(by=admin)
    with pytest.raises(ValidationError) as refusal:
        edit_test(by=admin, test=test, changes={field: text})
    assert list(errors_of(refusal)) == [field]


@pytest.mark.parametrize(
    "value",
    [None, [], "text", {"a": 1}, {"a": None}, {"a": "\0"}, {"a": "x" * 100_001}, {f"{n}": "" for n in range(201)}],
)
def test_arguments_are_names_and_texts(author, value):
    with pytest.raises(ValidationError) as refusal:
        edit_test(by=author, test=make_test(by=author), changes={"input_arguments": value})
    assert list(errors_of(refusal)) == ["input_arguments"]


@pytest.mark.parametrize("name", ["", "  ", None])
def test_name_is_not_blank(author, name):
    with pytest.raises(ValidationError) as refusal:
        edit_test(by=author, test=make_test(by=author), changes={"name": name})
    assert list(errors_of(refusal)) == ["name"]


@pytest.mark.parametrize("field", ["ended_at", "detected_at"])
def test_nothing_happens_before_the_start(field):
    admin = make_user("admin")
    test = edit_test(by=admin, test=make_test(by=admin), changes={"started_at": START})
    with pytest.raises(ValidationError, match="before the start"):
        edit_test(by=admin, test=test, changes={field: START - timedelta(seconds=1)})
    test = edit_test(by=admin, test=test, changes={field: START})
    with pytest.raises(ValidationError, match="before the start"):
        edit_test(by=admin, test=test, changes={"started_at": START + timedelta(seconds=1)})


def test_time_without_a_zone_is_utc(author):
    test = edit_test(by=author, test=make_test(by=author), changes={"started_at": START.replace(tzinfo=None)})
    test.refresh_from_db()
    assert test.started_at == START


def test_fact_that_stands_keeps_who_entered_it_and_when(author):
    blue = make_user("blue_tech")
    alert = Fact(kind="alerted", at=START, tool="Sensor")
    test = set_outcomes(by=author, test=make_test(by=author), facts=[alert, Fact(kind="logged")])
    kept = test.outcomes.get(kind="alerted")
    test = set_outcomes(by=blue, test=test, facts=[Fact(kind="prevented", seen=False), alert])
    rows = {row.kind: row.entered_by for row in test.outcomes.all()}
    assert rows == {"alerted": author, "prevented": blue}
    assert test.outcomes.get(kind="alerted").entered_at == kept.entered_at


def test_same_fact_twice_is_two_facts(author):
    twice = [Fact(kind="logged"), Fact(kind="logged")]
    test = set_outcomes(by=author, test=make_test(by=author), facts=twice)
    version = test.version
    assert set_outcomes(by=author, test=test, facts=twice).version == version
    assert test.outcomes.count() == 2
    assert set_outcomes(by=author, test=test, facts=twice[:1]).outcomes.count() == 1


def test_bad_fact_is_told_by_its_place(author):
    facts = [
        Fact(kind="logged"),
        Fact(kind="guessed"),
        Fact(kind="logged", tool="x" * 129),
        Fact(kind="logged", seen=None),
    ]
    with pytest.raises(ValidationError) as refusal:
        set_outcomes(by=author, test=make_test(by=author), facts=facts)
    assert [message[:7] for message in errors_of(refusal)["outcomes"]] == ["2. kind", "3. tool", "4. seen"]
    with pytest.raises(ValidationError, match="At most 100"):
        set_outcomes(by=author, test=make_test(by=author), facts=[Fact(kind="logged")] * 101)


def test_rules_that_fired_are_a_set(author):
    test, rules = make_test(by=author), [make_rule("T1059"), make_rule("T1059")]
    test = set_rules(by=author, test=test, rules=[*rules, rules[0]])
    assert set(test.detection_rules.all()) == set(rules)
    version = test.version
    assert set_rules(by=author, test=test, rules=rules).version == version
    assert list(set_rules(by=author, test=test, rules=[]).detection_rules.all()) == []


def test_time_to_detect_is_from_the_start_to_the_first_alert(author):
    facts = [
        Fact(kind="logged", at=START + timedelta(seconds=5)),
        Fact(kind="alerted", at=START + timedelta(minutes=9)),
        Fact(kind="alerted", at=START + timedelta(minutes=4)),
        Fact(kind="prevented", seen=False, at=START + timedelta(minutes=1)),
    ]
    test = edit_test(by=author, test=make_test(by=author), changes={"started_at": START})
    assert test.time_to_detect is None
    test = set_outcomes(by=author, test=test, facts=facts)
    assert test.time_to_detect == timedelta(minutes=4)
    test = edit_test(by=author, test=test, changes={"detected_at": START + timedelta(minutes=2)})
    assert test.time_to_detect == timedelta(minutes=2)
