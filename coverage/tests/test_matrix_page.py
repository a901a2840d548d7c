"""The page of the matrix: what it asks the database, what it prints, and the address that holds its state."""

import csv
import io
import re
from statistics import median
from time import process_time

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from aegis.accounts.models import User
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from aegis.lib.exports import words
from catalog.models import (
    Analytic,
    AnalyticLogSource,
    DataComponent,
    DetectionStrategy,
    DetectionStrategyTechnique,
    Technique,
)
from catalog.tests.factories import (
    SEEN,
    make_release,
    make_rule,
    make_tactic,
    make_technique,
    make_template,
    provenance,
    resolved,
)
from compliance.tests.factories import make_control
from coverage.figures.claim_counts import family_numbers
from coverage.figures.summary import coverage_summary
from coverage.matrix.facts import MatrixFacts, figures
from coverage.models import Campaign, Test
from coverage.services.status import drift
from coverage.tests.factories import make_campaign, make_test
from coverage.tests.many_tests import plant
from intel.tests.factories import make_actor, make_use

QUERIES = 6
QUERIES_OF_THE_SHELL = 3
"""Session, user, and what the shell asks of the library."""
CELL = re.compile(r'<a class="(cell[^"]*)" href="([^"]*)" title="([^"]*)"')


@pytest.fixture
def viewer(client, db):
    """A client in which a viewer is logged in."""
    client.force_login(User.objects.create_user("vera"))
    return client


@pytest.fixture
def catalogue(db):
    """Two tactics in an order of their own; T1059 with two sub-techniques, T1053 in both tactics, one that is unknown."""
    make_release("18.1")
    make_tactic("persistence", position=1)
    make_tactic("execution", position=0)
    make_technique("T1059", name="Script Interpreter", platforms=["Windows", "Linux"])
    make_technique("T1059.001", name="Blue Shell")
    make_technique("T1059.004", name="Tidy/Neat Shell", platforms=["Linux"])
    make_technique("T1053", name="Booked Job", tactics=("execution", "persistence"))
    make_technique("T1600", name="Quiet & Thing", tactics=("persistence",))
    make_rule("T1059", "T1059.001")
    make_rule("T1059.001", "T1053", source="elastic")
    make_template("T1059.004")
    actor = make_actor("T1059.001", mitre_id="G0016", name="Quiet Owl")
    make_use(actor, "T1059.001", campaign="C0001")
    make_actor("T1600", mitre_id="G0007", name="Loud Bear")


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def facts_of(response) -> set[str]:
    return {facts for _, _, facts in CELL.findall(body(response))}


def test_cells_print_figures_and_lead_to_their_techniques(viewer, catalogue):
    page = body(viewer.get("/matrix"))
    assert (
        '<a class="cell" href="/techniques/T1059" title="T1059 · 2 rules · 1 template · 1 actor · not tested">'
        '<span class="t">Script Interpreter</span><span class="v" aria-hidden="true"><b class="v-c1">2</b><i>1</i>'
        '<i class="v-none">–</i></span></a>'
    ) in page
    assert 'title="T1600 · 0 rules · 0 templates · 1 actor · nothing known"' in page
    assert "Quiet &amp; Thing" in page
    assert "Tidy/<wbr>Neat Shell" in page


def test_columns_follow_the_release_and_say_what_is_claimed(viewer, catalogue):
    page = body(viewer.get("/matrix"))
    assert re.findall(r'data-tactic="([^"]+)"', page) == ["execution", "persistence"]
    assert re.findall(r"claimed <b>(\d+)</b> of (\d+)", page) == [("3", "4"), ("1", "2")]
    assert "enterprise-attack 18.1" in page


def test_page_claims_what_the_summary_claims_and_proves_nothing(viewer, catalogue):
    assert coverage_summary().whole.claimed == 3
    page = " ".join(re.sub(r"<[^>]+>", "", body(viewer.get("/matrix"))).split())
    assert "3 of 5 claimed; none proven: no test recorded yet." in page


def test_table_says_what_the_picture_says(viewer, catalogue):
    pictured = {tuple(facts.split(" · ")[:4]) for facts in facts_of(viewer.get("/matrix?actor=G0016"))}
    page = body(viewer.get("/matrix?view=table&actor=G0016"))
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", page)]
    told = {
        (
            row[0],
            *(
                f"{figure} {word}" + "s" * (figure != "1")
                for figure, word in zip(row[3:6], ("rule", "template", "actor"), strict=True)
            ),
        )
        for row in rows
    }
    assert told == pictured
    assert {row[0]: row[7] for row in rows if "zero" not in row[7]} == {
        "T1059": "a sub-technique is marked",
        "T1059.001": "used by Quiet Owl",
    }


def test_ids_are_printed_on_demand(viewer, catalogue):
    assert '<span class="id">' not in body(viewer.get("/matrix"))
    assert '<span class="t"><span class="id">T1059.001</span>Blue Shell</span>' in body(viewer.get("/matrix?ids=1"))


def test_revoked_deprecated_and_withdrawn_techniques_leave_the_matrix(viewer, catalogue):
    make_technique("T1901", revoked=True)
    make_technique("T1902", deprecated=True)
    make_technique("T1903", withdrawn_at=SEEN)
    make_rule("T1901", "T1902", "T1903")
    ids = {facts.split(" · ")[0] for facts in facts_of(viewer.get("/matrix"))}
    assert ids == {"T1059", "T1059.001", "T1059.004", "T1053", "T1600"}


def test_withdrawn_and_deprecated_rules_and_revoked_actors_do_not_count(viewer, catalogue):
    make_rule("T1600", withdrawn_at=SEEN)
    make_rule("T1600", status="deprecated")
    make_template("T1600", withdrawn_at=SEEN)
    make_actor("T1600", revoked=True)
    assert "T1600 · 0 rules · 0 templates · 1 actor · nothing known" in facts_of(viewer.get("/matrix"))


@pytest.mark.parametrize(
    "query", ["", "?subs=all&ids=1", "?view=table", "?actor=G0016&source=sigma&platform=Linux&search=t"]
)
def test_page_asks_the_same_few_queries_whatever_it_shows(viewer, catalogue, query, django_assert_max_num_queries):
    for number in range(30):
        make_technique(f"T15{number:02}")
        make_rule(f"T15{number:02}", "T1059")
        make_actor(f"T15{number:02}")
    vera = User.objects.get()
    with django_assert_max_num_queries(QUERIES):
        MatrixFacts.now(user=vera)
    with django_assert_max_num_queries(QUERIES + QUERIES_OF_THE_SHELL):
        viewer.get(f"/matrix{query}")


def test_filters_stand_in_the_bar_as_the_address_has_them(viewer, catalogue):
    page = body(viewer.get("/matrix?search=shell&platform=Linux&source=elastic&sort=rules&subs=all"))
    assert 'name="search" value="shell"' in page
    assert re.findall(r'<option value="([^"]+)" selected>', page) == ["Linux", "elastic", "rules"]
    assert '<input class="vh" type="radio" name="subs" value="all" checked>' in page


def test_value_that_is_not_on_offer_still_shows_in_the_bar(viewer, catalogue):
    page = body(viewer.get("/matrix?platform=Toaster"))
    assert '<option value="Toaster" selected>Toaster</option>' in page
    assert "No technique matches these filters" in page


def test_marked_actors_can_be_added_and_taken_away(viewer, catalogue):
    page = body(viewer.get("/matrix?actor=G0016&actor=G9999&sort=rules"))
    assert '<input type="hidden" name="actor" value="G0016">' in page
    assert 'href="?actor=G9999&amp;sort=rules" title="Take it away"' in page
    assert 'href="?actor=G0016&amp;sort=rules" title="Take it away"' in page
    assert page.count("No active actor of this id uses a technique") == 1
    assert '<option value="G0007">Loud Bear</option>' in page
    assert '<option value="G0016">' not in page


def test_family_opens_by_a_link_without_a_script(viewer, catalogue):
    closed = body(viewer.get("/matrix?sort=rules"))
    assert '<a class="cell-more" href="?sort=rules&amp;open=T1059~execution" aria-expanded="false"' in closed
    assert '<ol class="subs" hidden>' in closed
    opened = body(viewer.get("/matrix?sort=rules&open=T1059"))
    assert 'href="?sort=rules" aria-expanded="true" aria-label="2 sub-techniques of Script Interpreter"' in opened
    assert '<ol class="subs">' in opened


def test_htmx_gets_what_is_below_the_bar_and_the_way_to_the_table(viewer, catalogue):
    part = body(viewer.get("/matrix?search=shell", headers={"HX-Request": "true"}))
    assert part.lstrip().startswith('<div class="mx-swap" id="matrix">')
    assert '<a class="btn" id="twin" href="?search=shell&amp;view=table" hx-swap-oob="true">' in part
    assert 'id="mx-form"' not in part
    whole = body(viewer.get("/matrix?search=shell"))
    assert whole.count('id="twin"') == 1
    assert "hx-swap-oob" not in whole


def test_empty_catalogue_says_what_to_do(viewer):
    page = body(viewer.get("/matrix"))
    assert "No techniques yet" in page
    assert f'href="{reverse("imports:source-list")}">Open data sources</a>' in page


@pytest.mark.parametrize(
    "query",
    [
        "?actor=&open=&closed=~&subs=%00&sort=-",
        "?search=" + "%F0%9F%A6%89" * 500,
        "?open=" + "&open=".join("abcdefgh" * 40),
        "?view=x&ids=0",
    ],
)
def test_nonsense_in_the_address_is_no_error(viewer, catalogue, query):
    assert viewer.get(f"/matrix{query}").status_code == 200


def test_name_and_actor_are_printed_as_text(viewer, catalogue):
    make_technique("T1700", name='<b>"bold"</b>/x', tactics=("execution",))
    make_actor("T1700", mitre_id="G0666", name='"><script>')
    page = body(viewer.get("/matrix?actor=G0666&ids=1"))
    assert "<script>" not in page.replace("</script>", "")[page.index("<main") :]
    assert "&lt;b&gt;&quot;bold&quot;&lt;/<wbr>b&gt;/<wbr>x" in page


def test_visitor_is_sent_to_the_login(client, db):
    response = client.get("/matrix")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login?next=/matrix")


def test_figures_agree_with_the_claims_of_the_database(catalogue):
    make_rule("T1059.001", "T1059.004", "T1600")
    counted = figures(MatrixFacts.now())
    for technique in Technique.objects.active():
        below = [] if technique.parent_id else technique.subtechniques.active()
        figure = counted[technique.mitre_id]
        assert {"rules": figure.rules, "templates": figure.templates, "actors": figure.actors} == family_numbers(
            [technique.mitre_id, *(one.mitre_id for one in below)]
        )


def test_matrix_of_700_techniques_is_small_and_quick(viewer, db):
    tactics = [f"tactic-{number}" for number in range(14)]
    for number in range(230):
        places = (tactics[number % 14], tactics[(number + 3) % 14]) if number % 4 == 0 else (tactics[number % 14],)
        make_technique(f"T{2000 + number}", tactics=places)
        for sub in range(2):
            make_technique(f"T{2000 + number}.{sub:03}", tactics=places)
        make_rule(f"T{2000 + number}", f"T{2000 + number}.000")
    page = body(viewer.get("/matrix?subs=all"))
    took = []
    for _ in range(5):
        before = process_time()
        viewer.get("/matrix?subs=all")
        took.append(process_time() - before)
    assert len(CELL.findall(page)) == 864
    assert len(page) < 400_000
    # Promised are 200 ms. A machine that is busy with other tests works slower, though only its own time is counted.
    assert median(took) < 0.5, took


def make_strategy(mitre_id: str) -> None:
    """A detection strategy for a technique with an analytic that reads Process Creation."""
    origin = provenance("attack")
    strategy = DetectionStrategy.objects.create(mitre_id="DET1", stix_id="det--1", name="Strategy", **origin)
    DetectionStrategyTechnique.objects.create(strategy=strategy, **resolved(mitre_id))
    component = DataComponent.objects.create(mitre_id="DC0032", stix_id="dc--1", name="Process Creation", **origin)
    analytic = Analytic.objects.create(mitre_id="AN1", stix_id="an--1", name="Analytic", strategy=strategy, **origin)
    AnalyticLogSource.objects.create(analytic=analytic, name="Log", data_component=component)


def test_every_kind_of_overlay_marks_what_the_database_knows(viewer, catalogue):
    campaign = make_campaign("T1053", "T1059.004", name="Spring")
    make_control("T1600")
    make_strategy("T1059.001")
    page = body(viewer.get(f"/matrix?actor=G0016&campaign={campaign.pk}&component=DC0032&framework=nist-800-53-rev5"))
    facts = {facts.split(" · ")[0]: facts for _, _, facts in CELL.findall(page)}
    assert facts["T1053"].endswith("tried in Spring (1 test)")
    assert facts["T1059.001"].endswith("used by Quiet Owl · seen in Process Creation")
    assert facts["T1600"].endswith("(1 control)")
    assert '<span class="o" aria-hidden="true"><i class="o-a">A</i><i class="o-c">C</i></span>' in page
    assert '<i class="o-a is-below">A</i><i class="o-b is-below">B</i><i class="o-c is-below">C</i>' in page


def test_outcome_leaves_techniques_with_such_a_test(viewer, catalogue):
    make_test("T1053", outcome="missed")
    assert '1</b> of <b class="num">5</b> techniques shown' in body(viewer.get("/matrix?outcome=missed"))


def test_five_overlays_take_no_more_than_ten_queries(viewer, catalogue, django_assert_max_num_queries):
    campaign = make_campaign("T1053")
    with django_assert_max_num_queries(10):
        viewer.get(
            f"/matrix?actor=G0016&actor=G0007&campaign={campaign.pk}&component=DC0032&framework=nist&outcome=missed"
        )


def test_csv_has_the_techniques_that_the_filters_leave(viewer, catalogue):
    answer = viewer.get("/matrix.csv?platform=Linux&actor=G0016")
    lines = list(csv.reader(answer.getvalue().decode().splitlines()))
    assert lines[0][:3] == ["Technique", "Name", "Parent"]
    assert [line[0] for line in lines[1:]] == ["T1059", "T1059.004"]
    assert dict(zip(*lines[:2], strict=True))["Rules"] == "2"
    assert "aegis-matrix-attack-18.1-" in answer["Content-Disposition"]


def test_workbook_has_the_rows_of_the_csv_and_both_are_on_the_record(viewer, catalogue):
    lines = list(csv.reader(viewer.get("/matrix.csv?platform=Linux&actor=G0016").getvalue().decode().splitlines()))
    file = io.BytesIO(b"".join(viewer.get("/matrix.xlsx?platform=Linux&actor=G0016").streaming_content))
    book = load_workbook(file)
    assert [[words(cell.value) for cell in row] for row in book["Matrix"].iter_rows()] == lines
    assert {row[0].value: row[1].value for row in book["About"].iter_rows()}[
        "Filters"
    ] == "platform: Linux; actor: G0016"
    viewer.get("/matrix.json")
    viewer.get("/matrix.svg")
    taken = AuditLog.objects.filter(action="list.exported", object_id="matrix").order_by("id")
    assert [row.after["format"] for row in taken] == ["csv", "xlsx", "layer", "svg"]


def test_selected_techniques_become_a_file_or_the_plan_of_a_campaign(client, catalogue):
    client.force_login(make_user("red_lead"))
    chosen = {"technique": ["T1600", "T1053", "T1053"]}
    lines = list(csv.reader(client.post("/matrix.csv", chosen).getvalue().decode().splitlines()))
    assert [line[0] for line in lines[1:]] == ["T1053", "T1600"]
    form = body(client.post("/campaigns/new", chosen))
    assert "T1600 T1053</" in form or 'value="T1600 T1053"' in form
    assert Campaign.objects.count() == 0


def test_boxes_stand_in_a_form_without_a_script(viewer, catalogue):
    page = body(viewer.get("/matrix?sort=rules"))
    assert '<form class="mx-frame" id="mx-pick" method="post" action="/matrix.csv?sort=rules"' in page
    assert '<input type="checkbox" name="technique" value="T1059.001" aria-label="Select T1059.001">' in page
    assert "Plan a campaign" not in page[page.index('id="mx-pick"') :]


def test_planted_tests_are_what_the_services_would_have_made_of_them(catalogue):
    plant(60)
    assert Test.objects.count() == 60
    assert list(drift()) == []
