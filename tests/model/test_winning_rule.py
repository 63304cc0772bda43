"""The winning rule in every interleaving of small worlds, and proof that the checker would notice a wrong one.

`make test` visits the small worlds; the larger ones carry the marker `torture`.
"""

from __future__ import annotations

import pytest

from casvault.refs import winning
from tests.model import mutants
from tests.model.world import Actor, Dropper, Reader, Rule, World, Writer, WrongRuleError

RULE = Rule(winning.commit, winning.find_tip, winning.drop_old)

SMALL: dict[str, tuple[list[Actor], int]] = {
    "one after the other": ([Writer("a", 2), Writer("b", 2), Dropper("dropper", keep=2, at_once=True)], 0),
    "lost answers": ([Writer("a"), Writer("b"), Dropper("dropper", keep=2, at_once=True)], 1),
    "two misfortunes": ([Writer("a"), Writer("b", at_once=True), Dropper("dropper", keep=2, at_once=True)], 2),
    "three writers": ([Writer("a"), Writer("b"), Writer("c"), Dropper("dropper", keep=2, at_once=True)], 0),
    "a sleeper and two droppers": ([Writer("a"), Writer("b", 4, at_once=True), Dropper("x"), Dropper("y")], 0),
    "a sleeper, keeping three": ([Writer("a"), Writer("b", 5, at_once=True), Dropper("x", 2, keep=3)], 0),
    "a late request": ([Writer("a"), Writer("b", 4, at_once=True), Dropper("dropper", keep=2, at_once=True)], 1),
    "a loser that gives up": ([Writer("a", gives_up=True), Writer("b", 2), Dropper("dropper", keep=2)], 1),
    "a reader": ([Reader("r"), Writer("a"), Writer("b", 3, at_once=True), Dropper("dropper", at_once=True)], 0),
}

LARGE: dict[str, tuple[list[Actor], int]] = {
    "two writers in two transactions": ([Writer("a", 2), Writer("b", 2), Dropper("dropper", 2, keep=2)], 1),
    "two writers in three transactions": ([Writer("a", 3), Writer("b", 3), Dropper("dropper", 2, at_once=True)], 0),
    "three writers, lost answers": ([Writer("a"), Writer("b"), Writer("c"), Dropper("dropper", at_once=True)], 1),
    "two sleepers": ([Writer("a"), Writer("b"), Writer("c", 4, at_once=True), Dropper("dropper", at_once=True)], 0),
    "a reader, late requests": (
        [Reader("r"), Writer("a"), Writer("b", 3, at_once=True), Dropper("dropper", at_once=True)],
        2,
    ),
    "many misfortunes": ([Writer("a"), Writer("b", 4, at_once=True), Dropper("dropper", 2, at_once=True)], 3),
    "a sleeper that gives up": (
        [Writer("a", gives_up=True), Writer("b", 4, at_once=True), Dropper("x"), Dropper("y")],
        1,
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_rule_holds_in_every_interleaving(name: str) -> None:
    actors, misfortunes = SMALL[name]
    assert World(RULE, actors, misfortunes).explore() > 100


@pytest.mark.torture
@pytest.mark.parametrize("name", LARGE)
def test_the_rule_holds_in_every_interleaving_of_larger_worlds(name: str) -> None:
    actors, misfortunes = LARGE[name]
    assert World(RULE, actors, misfortunes).explore() > 10_000


def test_joined_spots_visit_what_separate_ones_do() -> None:
    """The checker compares variables, not histories: joining must neither hide a fault nor make one up."""
    actors = [Writer("a"), Writer("b")]
    joined = World(RULE, actors, 1).explore()
    assert 100 < joined <= World(RULE, actors, 1, exact=True).explore()


LOST_OR_DOUBLED = ("→ the chain has lost an operation", "→ a transaction stands twice")


def found(rule: Rule, actors: list[Actor], misfortunes: int = 0) -> str:
    """The last line of the schedule that shows the rule wrong."""
    with pytest.raises(WrongRuleError) as caught:
        World(rule, actors, misfortunes).explore()
    return str(caught.value).splitlines()[-1]


def sleeper(transactions: int) -> list[Actor]:
    """One writer that sleeps while another one makes its transactions and the dropper follows."""
    return [Writer("a"), Writer("b", transactions, at_once=True), Dropper("dropper", keep=2, at_once=True)]


def test_the_highest_wins_doubles_work() -> None:
    rule = RULE._replace(commit=mutants.highest_wins)
    assert found(rule, [Writer("a"), Writer("b")]) == "→ a transaction stands twice"


def test_a_loser_that_removes_its_record_doubles_or_loses_work() -> None:
    rule = RULE._replace(commit=mutants.loser_removes)
    assert found(rule, sleeper(4)) in LOST_OR_DOUBLED


def test_created_means_won_loses_work() -> None:
    """A sleeper creates number 1 once more, after the dropper."""
    rule = RULE._replace(commit=mutants.created_wins)
    assert found(rule, sleeper(3)) == "→ a1/1 at 1 is not in the chain"


def test_the_record_before_stands_loses_work() -> None:
    """The record on which a sleeper built is dropped, and comes back because its creation was sent twice."""
    actors = [Writer("a", 2), Writer("b", 3, at_once=True), Dropper("dropper", at_once=True)]
    rule = RULE._replace(commit=mutants.predecessor_wins)
    assert found(rule, actors, 1) == "→ a2/1 at 2 is not in the chain"


def test_taking_a_lost_answer_as_lost_work_doubles_it() -> None:
    rule = RULE._replace(commit=mutants.unclear_is_lost)
    assert found(rule, [Writer("a")], 1) == "→ a transaction stands twice"


def test_planning_anew_while_a_creation_is_on_its_way_tells_a_lie() -> None:
    rule = RULE._replace(commit=mutants.replans_while_undecided)
    assert found(rule, [Writer("a", gives_up=True)], 1) == "→ a1 stands although its writer was told that it lost"


def test_a_tip_that_is_not_looked_at_twice_may_be_a_sleepers() -> None:
    """Between the listing and the reading, the record was dropped and a sleeper created another one in its place."""
    rule = RULE._replace(find_tip=mutants.trusting_find_tip)
    assert found(rule, [Reader("r"), *sleeper(3)]) == "→ a1/1 at 1 is not in the chain"


def test_a_dropper_that_spares_nothing_loses_work() -> None:
    rule = RULE._replace(drop_old=mutants.greedy_drop_old)
    assert found(rule, [Writer("a"), Dropper("dropper")]) == "→ the chain has lost an operation"


def test_a_writer_that_waits_for_itself_is_found() -> None:
    """Progress: alone and without misfortunes, every actor comes to an end."""
    rule = RULE._replace(commit=mutants.waits_for_ever)
    assert found(rule, [Writer("a")]) == "→ a does not come to an end"
