"""The list of templates, and the page of one."""

import pytest

from catalog.models import RuleSimulation, TemplateRuleLink
from catalog.tests.factories import SEEN, make_rule, make_technique, make_template

pytestmark = pytest.mark.django_db

COMMAND = "ping #{target} > #{out}\n"


@pytest.fixture
def template():
    """An atomic test with everything that one can have."""
    make_technique("T1059", name="Command and Scripting Interpreter")
    run = {
        "command": COMMAND,
        "cleanup": "rm PathToAtomicsFolder/#{out}",
        "elevation_required": True,
        "payloads": ["a.bin"],
    }
    return make_template(
        "T1059",
        name="Ping",
        description="It *pings*.",
        platforms=["Linux", "macOS"],
        executors=[
            {"platform": "Linux", "executor": "sh"} | run,
            {"platform": "macOS", "executor": "sh"} | run,
            {
                "platform": "Windows",
                "executor": "manual",
                "command": "Click.",
                "cleanup": "",
                "elevation_required": False,
            },
        ],
        input_arguments=[
            {"name": "target", "description": "Whom to ping", "type": "string", "default": "10.0.0.5"},
            {"name": "out", "description": "", "type": "path", "default": None},
        ],
        dependencies=[{"description": "ping must be there", "check": "which ping #{target}", "get": ""}],
        expected_detection="A process called ping",
        derived=["severity", "expected_detection"],
    )


def test_page_shows_each_command_as_published_and_filled_in(shown, template):
    html = shown(f"/templates/{template.pk}")
    assert '>ping <span class="arg" title="argument target">#{target}</span> &gt; ' in html
    assert '>ping <span class="arg" title="argument target">10.0.0.5</span> &gt; ' in html
    assert 'data-copy="&quot;ping #{target} \\u003E' not in html
    assert "&quot;ping #{target} &gt; #{out}\\n&quot;" in html
    assert "&quot;ping 10.0.0.5 &gt; #{out}\\n&quot;" in html


def test_page_says_which_arguments_have_no_default(shown, template):
    html = shown(f"/templates/{template.pk}")
    assert "Without a default: <code>out</code>. Write your own." in html
    assert "None: write your own" in html


def test_same_command_on_two_platforms_stands_there_once(shown, template):
    html = shown(f"/templates/{template.pk}")
    assert 'Linux and macOS · <span class="mono">sh</span>' in html
    assert 'Windows · <span class="mono">manual</span>' in html
    assert html.count("<h3>Command</h3>") == 2
    assert html.count("<h3>Cleanup</h3>") == 1
    assert html.count("Needs elevated rights") == 1
    assert "Upstream publishes no cleanup." in html


def test_page_explains_the_folder_of_the_atomic_tests_only_where_a_command_names_it(shown, template):
    assert "stands for the folder with the installed atomic tests" in shown(f"/templates/{template.pk}")
    assert "stands for the folder" not in shown(f"/templates/{make_template().pk}")


def test_page_marks_what_aegis_derived_and_only_that(shown, template):
    html = shown(f"/templates/{template.pk}")
    assert "derived by Aegis" in html
    assert "Derived by Aegis from executor and platform" in html
    published = shown(f"/templates/{make_template(expected_detection='Sysmon 1').pk}")
    assert "erived by Aegis" not in published


def test_page_shows_what_lolbas_says(shown):
    template = make_template(
        source="lolbas", usecase="Run code", category="AWL Bypass", privileges="User", operating_system="Windows 11"
    )
    html = shown(f"/templates/{template.pk}")
    for word in ("Run code", "AWL Bypass", "User", "Windows 11", "GPL-3.0"):
        assert word in html


def test_page_names_the_rules_that_should_see_it(shown, template):
    by_guid = make_rule("T1059", name="By GUID", source="elastic")
    make_rule("T1059", name="By file", file_name="seen.yml")
    RuleSimulation.objects.create(rule=by_guid, template_guid=template.external_id)
    TemplateRuleLink.objects.create(template=template, url="https://example.org/seen.yml", file_name="seen.yml")
    TemplateRuleLink.objects.create(template=template, url="https://example.org/gone.yml", file_name="gone.yml")
    html = shown(f"/templates/{template.pk}")
    assert ">By GUID</a>" in html
    assert ">By file</a>" in html
    assert '<a href="https://example.org/gone.yml" rel="noopener noreferrer nofollow">gone.yml</a>' in html


def test_page_of_a_withdrawn_template_answers_and_says_so(shown):
    html = shown(f"/templates/{make_template(withdrawn_at=SEEN).pk}")
    assert "Upstream stopped publishing this template by 2 Jan 2026" in html


def test_template_whose_technique_nobody_knows_says_so(shown):
    html = shown(f"/templates/{make_template('T1685').pk}")
    assert "Not in the ATT&amp;CK release that Aegis holds." in html
    assert 'T1685<span class="vh"> unresolved</span>?' in html


def test_list_shows_technique_platforms_executors_severity_and_source(shown, template):
    html = shown("/templates")
    assert (
        '<a class="chip chip--id" href="/techniques/T1059" title="Command and Scripting Interpreter">T1059</a>' in html
    )
    assert "Linux, macOS" in html
    assert "sh, manual" in html
    assert "Severity, derived" in html
    assert '<td title="Atomic Red Team">Atomic</td>' in html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Ping", "Trace"]),
        ({"technique": "T1059"}, ["Ping"]),
        ({"technique": "T1059", "subtechniques": "true"}, ["Ping", "Trace"]),
        ({"severity": "low"}, ["Trace"]),
        ({"platform": "macOS"}, ["Ping"]),
        ({"source": "caldera"}, ["Trace"]),
        ({"search": "pin"}, ["Ping"]),
        ({"ordering": "-name"}, ["Trace", "Ping"]),
        ({"ordering": "severity"}, ["Trace", "Ping"]),
        ({"withdrawn": "true"}, ["Gone"]),
    ],
)
def test_list_filters_and_sorts(shown, template, query, expected):
    make_technique("T1059.001")
    make_template("T1059.001", name="Trace", severity="low", source="caldera")
    make_template("T1059", name="Gone", withdrawn_at=SEEN)
    html = shown("/templates", **query)
    found = [one for one in ("Ping", "Trace", "Gone") if f">{one}</a>" in html]
    assert sorted(found, key=lambda one: html.index(f">{one}</a>")) == expected


def test_list_of_fifty_costs_no_more_queries(shown):
    for _ in range(55):
        make_template("T1059")
    assert "1–50 of 55" in shown("/templates", queries=10)
