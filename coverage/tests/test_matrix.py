"""The matrix as it is put together from facts: columns, cells, figures, filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverage.matrix.facts import Entry, MatrixFacts, figures
from coverage.tests.matrix_world import FACTS, JOB, SCRIPT, SHELL, TACTICS, column, drawn, names, open_families, subs


def test_columns_stand_in_the_order_of_the_release_and_an_empty_one_stays():
    assert [(column.name, column.claimed, column.total) for column in drawn().columns] == [
        ("Execution", 3, 4),
        ("Discovery", 1, 2),
        ("Impact", 0, 0),
    ]


def test_claimed_bar_is_the_share_of_named_techniques():
    assert [column.claimed_share for column in drawn().columns] == ["75.00%", "50.00%", "0%"]


def test_technique_with_two_tactics_stands_in_both_with_the_same_figures():
    matrix = drawn()
    assert names(column(matrix, "Execution")) == ["Booked Job", "Script Interpreter"]
    assert names(column(matrix, "Discovery")) == ["Booked Job", "Quiet Thing"]
    assert column(matrix, "Execution").families[0].cell == column(matrix, "Discovery").families[0].cell


def test_rule_that_names_parent_and_sub_technique_counts_once_in_the_family():
    counted = figures(FACTS)
    assert {mitre_id: figure.rules for mitre_id, figure in counted.items()} == {
        "T1": 3,
        "T1.001": 3,
        "T1.002": 0,
        "T2": 1,
        "T3": 0,
    }


def test_family_counts_templates_and_actors_of_its_sub_techniques():
    counted = figures(FACTS)
    assert (counted["T1"].templates, counted["T1.001"].templates) == (3, 2)
    assert (counted["T1"].actors, counted["T1.001"].actors, counted["T1.002"].actors) == (2, 1, 1)


def test_parent_that_only_its_sub_techniques_claim_is_not_claimed_itself():
    facts = MatrixFacts(tactics=TACTICS, techniques=(SCRIPT, SHELL), rules=(("T1.001", {1}, "sigma"),))
    matrix = drawn(facts=facts)
    assert (matrix.claimed, matrix.total) == (1, 2)
    assert matrix.columns[0].families[0].cell.rules == "1"


def test_cell_tells_its_figures_in_words():
    cells = {cell.mitre_id: cell.facts for cell in drawn("view=table").rows}
    assert cells["T1"] == "T1 · 3 rules · 3 templates · 2 actors · not tested"
    assert cells["T2"] == "T2 · 1 rule · 3 templates · 0 actors · not tested"
    assert cells["T3"] == "T3 · 0 rules · 0 templates · 1 actor · nothing known"


@pytest.mark.parametrize(
    ("rules", "shade"),
    [(0, "v-c0"), (1, "v-c1"), (4, "v-c1"), (5, "v-c2"), (24, "v-c2"), (25, "v-c3"), (99, "v-c3"), (100, "v-c4")],
)
def test_shade_grows_with_the_number_of_rules(rules, shade):
    facts = MatrixFacts(tactics=TACTICS, techniques=(JOB,), rules=[("T2", range(rules), "sigma")], templates={"T2": 1})
    cell = drawn(facts=facts).columns[0].families[0].cell
    assert (cell.shade, cell.rules, cell.look) == (shade, str(rules), "cell")


def test_only_what_has_neither_rule_nor_template_is_unknown():
    looks = {cell.mitre_id: cell.look for cell in drawn("view=table").rows}
    assert looks == {
        "T1": "cell",
        "T1.001": "cell",
        "T1.002": "cell is-unknown",
        "T2": "cell",
        "T3": "cell is-unknown",
    }


def test_unknown_or_missing_tactic_gets_a_last_column():
    odd = Entry("T8", "Odd One", tactics=("baking", "execution", "knitting"))
    bare = Entry("T9", "Bare One")
    matrix = drawn(facts=MatrixFacts(tactics=TACTICS, techniques=(odd, bare, JOB)))
    assert [column.name for column in matrix.columns] == ["Execution", "Discovery", "Impact", "Other"]
    assert names(column(matrix, "Other")) == ["Bare One", "Odd One"]
    assert names(column(matrix, "Execution")) == ["Booked Job", "Odd One"]


def test_sub_technique_without_an_active_parent_stands_by_itself():
    matrix = drawn(facts=MatrixFacts(tactics=TACTICS, techniques=(SHELL, JOB)))
    assert names(column(matrix, "Execution")) == ["Blue Shell", "Booked Job"]


def test_sub_technique_stands_by_itself_where_its_parent_does_not_stand():
    lone = Entry("T1.003", "Lone Shell", "T1", tactics=("execution", "impact"))
    matrix = drawn(facts=MatrixFacts(tactics=TACTICS, techniques=(SCRIPT, lone)))
    assert names(column(matrix, "Execution")) == ["Script Interpreter"]
    assert subs(matrix) == ["Lone Shell"]
    assert names(column(matrix, "Impact")) == ["Lone Shell"]


def test_platform_hides_what_does_not_run_there_and_leaves_the_figures_of_the_column():
    matrix = drawn("platform=Linux")
    assert names(column(matrix, "Execution")) == ["Script Interpreter"]
    assert subs(matrix) == ["Tidy Bash"]
    assert (column(matrix, "Execution").claimed, column(matrix, "Execution").total) == (3, 4)
    assert (matrix.shown, matrix.total) == (3, 5)


@pytest.mark.parametrize("search", ["blue", "BLUE sh", "t1.001"])
def test_search_opens_the_family_of_what_it_finds_and_dims_the_parent(search):
    matrix = drawn(f"search={search}")
    (family,) = column(matrix, "Execution").families
    assert (family.cell.look, family.is_open, [cell.name for cell in family.subs]) == (
        "cell is-dim",
        True,
        ["Blue Shell"],
    )
    assert matrix.shown == 1


def test_search_for_a_parent_finds_its_sub_techniques_and_leaves_them_folded():
    matrix = drawn("search=script")
    (family,) = column(matrix, "Execution").families
    assert (family.cell.look, family.is_open, subs(matrix)) == ("cell", False, ["Blue Shell", "Tidy Bash"])


def test_tactic_leaves_one_column():
    matrix = drawn("tactic=discovery")
    assert ([column.name for column in matrix.columns], matrix.shown) == (["Discovery"], 2)


def test_values_that_nothing_knows_find_nothing():
    assert drawn("platform=Toaster").shown == 0
    assert drawn("tactic=baking").shown == 0
    assert drawn("source=rumour").claimed == 0


def test_source_counts_only_its_rules():
    matrix = drawn("source=elastic&view=table")
    assert {cell.mitre_id: cell.rules for cell in matrix.rows} == {
        "T1": "1",
        "T1.001": "1",
        "T1.002": "0",
        "T2": "0",
        "T3": "0",
    }
    assert matrix.claimed == 1


def test_actor_marks_what_it_uses_and_hides_nothing():
    cells = {cell.mitre_id: cell for cell in drawn("actor=g1&view=table").rows}
    assert {mitre_id: cell.look for mitre_id, cell in cells.items()} == {
        "T1": "cell is-used-below",
        "T1.001": "cell is-used",
        "T1.002": "cell is-unknown is-used",
        "T2": "cell",
        "T3": "cell is-unknown",
    }
    assert cells["T1"].facts.endswith(" · not tested · a sub-technique is marked")
    assert cells["T1.001"].facts.endswith(" · not tested · used by Bear")


def test_several_actors_are_marked_together_and_counted_once():
    matrix = drawn("actor=G2&actor=G1&actor=G1&view=table")
    assert matrix.marked == 4
    facts = MatrixFacts(tactics=TACTICS, techniques=(JOB,), uses=(("G2", "Owl", ("T2",)), ("G1", "Bear", ("T2",))))
    (cell,) = drawn("actor=G2&actor=G1&view=table", facts).rows
    assert (cell.said, cell.look) == ("used by Owl, Bear", "cell is-unknown is-used")


def test_most_rules_come_first_when_sorted_by_them_and_names_settle_ties():
    assert names(column(drawn(), "Execution")) == ["Booked Job", "Script Interpreter"]
    assert names(column(drawn("sort=rules"), "Execution")) == ["Script Interpreter", "Booked Job"]
    assert [cell.name for cell in drawn("sort=rules&view=table").rows] == [
        "Blue Shell",
        "Script Interpreter",
        "Booked Job",
        "Quiet Thing",
        "Tidy Bash",
    ]


@pytest.mark.parametrize(
    ("query", "families"),
    [
        ("", set()),
        ("subs=none", set()),
        ("subs=everything", set()),
        ("subs=all", {("execution", "T1"), ("discovery", "T5")}),
        ("subs=annotated", {("execution", "T1")}),
        ("open=T1", {("execution", "T1")}),
        ("open=T5~discovery&open=T1~discovery", {("discovery", "T5")}),
        ("subs=all&closed=T1~execution", {("discovery", "T5")}),
    ],
)
def test_families_open_as_the_address_says(query, families):
    techniques = (
        SCRIPT,
        SHELL,
        Entry("T5", "Five", tactics=("discovery",)),
        Entry("T5.001", "Six", "T5", (), ("discovery",)),
    )
    facts = MatrixFacts(tactics=TACTICS, techniques=techniques, templates={"T1.001": 1})
    assert open_families(query, facts) == families


@pytest.mark.parametrize(
    "query", ["", "subs=all", "open=T1", "search=shell", "subs=all&closed=T1~execution", "actor=G1&ids=1"]
)
def test_toggle_leads_to_the_same_view_with_that_family_turned_and_back(query):
    def family(query):
        return column(drawn(query), "Execution").families[-1]

    before, after = family(query), family(family(query).toggle.removeprefix("?"))
    assert (after.cell, after.is_open) == (before.cell, not before.is_open)
    assert family(after.toggle.removeprefix("?")).is_open == before.is_open


IDS = st.integers(0, 6)


@given(
    parents=st.dictionaries(st.integers(3, 6), st.integers(0, 2)),
    tactics=st.dictionaries(IDS, st.lists(st.sampled_from(["execution", "impact", "baking"]), max_size=3)),
    rules=st.lists(st.tuples(IDS, st.integers(0, 5)), max_size=30),
    query=st.sampled_from(["", "search=t3", "platform=Linux", "sort=rules", "source=sigma"]),
)
def test_picture_and_table_show_the_same_techniques_with_the_same_figures(parents, tactics, rules, query):
    techniques = [
        Entry(
            f"T{n}",
            f"Name {n}",
            f"T{parents[n]}" if n in parents else "",
            ("Linux",) * (n % 2),
            tuple(tactics.get(n, ())),
        )
        for n in range(7)
    ]
    facts = MatrixFacts(tactics=TACTICS, techniques=techniques, rules=[(f"T{n}", {rule}, "sigma") for n, rule in rules])
    picture, table = drawn(query, facts), drawn(f"{query}&view=table", facts)
    in_picture = {
        cell.mitre_id: cell
        for column in picture.columns
        for family in column.families
        for cell in (family.cell, *family.subs)
        if "is-dim" not in cell.look
    }
    assert in_picture == {cell.mitre_id: cell for cell in table.rows}
    assert picture.shown == table.shown == len(table.rows)
