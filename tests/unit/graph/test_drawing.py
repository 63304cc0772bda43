"""Histories as drawings; nodes stand as `name parents…`, children before parents."""

from __future__ import annotations

import random

import pytest

from casvault.graph.drawing import iter_drawn


def drawn(history: str) -> list[str]:
    """The lines of a drawing with the names beside the nodes."""
    lines = []
    for each in iter_drawn((name, parents) for name, *parents in map(str.split, history.strip().split(","))):
        lines += [f"{each.head} {each.node}", *each.links]
    return lines


def test_a_line() -> None:
    assert drawn("c b, b a, a") == ["* c", "* b", "* a"]


def test_a_fork_that_was_merged() -> None:
    assert drawn("m a b, b p, a p, p") == [
        "* m",
        "|\\",
        "| * b",
        "* | a",
        "|/",
        "* p",
    ]


def test_a_merge_of_a_parent_with_its_child_needs_no_second_node() -> None:
    assert drawn("m a p, a p, p") == [
        "* m",
        "|\\",
        "* | a",
        "|/",
        "* p",
    ]


def test_an_octopus_has_its_parents_in_their_order() -> None:
    assert drawn("o a b c, c p, b p, a p, p") == [
        "* o",
        "|\\",
        "|\\ \\",
        "| | * c",
        "| * | b",
        "| |/",
        "* | a",
        "|/",
        "* p",
    ]


def test_two_tips_and_what_they_come_from() -> None:
    assert drawn("x p, y p, p") == [
        "* x",
        "| * y",
        "|/",
        "* p",
    ]


def test_columns_right_of_a_merge_make_room() -> None:
    assert drawn("x m, y q, m a b, q a, b a, a") == [
        "* x",
        "| * y",
        "* | m",
        "|\\ \\",
        "| | * q",
        "| |/",
        "|/|",
        "| * b",
        "|/",
        "* a",
    ]


def test_columns_right_of_a_join_move_up() -> None:
    assert drawn("m a b, x p, n c d, a p")[2:] == [
        "| | * x",
        "| | | * n",
        "| | | |\\",
        "* | | | | a",
        "| |/ / /",
        "|/| | |",
    ]


def test_columns_right_of_a_root_move_up() -> None:
    assert drawn("x a, y b, a, b") == [
        "* x",
        "| * y",
        "* | a",
        " /",
        "* b",
    ]


def test_a_join_across_other_columns_is_drawn_level() -> None:
    assert drawn("a p, b q, c r, d p, p q, q r, r") == [
        "* a",
        "| * b",
        "| | * c",
        "| | | * d",
        "| |_|/",
        "|/| |",
        "* | | p",
        "|/ /",
        "* | q",
        "|/",
        "* r",
    ]


def test_a_join_across_one_column_bends_once() -> None:
    assert drawn("a p, b q, c p, q p, p") == [
        "* a",
        "| * b",
        "| | * c",
        "| |/",
        "|/|",
        "| * q",
        "|/",
        "* p",
    ]


def test_criss_cross_merges() -> None:
    """Two merges of the same two parents, each with the other one first."""
    assert drawn("m a b, n b a, a p, b p, p") == [
        "* m",
        "|\\",
        "| | * n",
        "| | |\\",
        "| |/ /",
        "| |/",
        "|/|",
        "* | a",
        "| * b",
        "|/",
        "* p",
    ]


def test_a_parent_that_is_awaited_next_door_gets_no_column_of_its_own() -> None:
    assert drawn("x p, m a b, y b, b p, a p, p")[:3] == ["* x", "| * m", "| |\\"]
    assert drawn("t m b, m a b, a p, b p, p") == [
        "* t",
        "|\\",
        "* | m",
        "|\\|",
        "* | a",
        "| * b",
        "|/",
        "* p",
    ]


def test_a_listing_that_was_cut_off_leaves_its_edges_open() -> None:
    *_, last = iter_drawn([("m", ["a", "b"])])
    assert (last.head, last.links, last.below) == ("*", ("|\\",), "| |")


def test_the_same_parent_twice_is_one_edge() -> None:
    assert drawn("m a a, a") == ["* m", "* a"]


@pytest.mark.parametrize("seed", range(60))
def test_every_edge_of_the_drawing_leads_to_a_parent_and_none_is_missing(seed: int) -> None:
    """The drawing is read again, sign by sign, by somebody who knows only how edges look."""
    chance = random.Random(seed)
    count = chance.randrange(2, 14)
    parents_of = {
        node: sorted(chance.sample(range(node), min(node, chance.choice((0, 1, 1, 1, 2, 2, 3)))), reverse=True)
        for node in range(count)
    }
    nodes = list(reversed(range(count)))
    assert read_again([(node, parents_of[node]) for node in nodes]) == {
        node: set(parents) for node, parents in parents_of.items()
    }


def read_again(nodes: list[tuple[int, list[int]]]) -> dict[int, set[int]]:
    """The parents of each node, found by following the edges of its drawing from line to line.

    `above` says for each place of the line above which nodes the edge at it comes from.
    """
    found: dict[int, set[int]] = {node: set() for node, _ in nodes}
    above: dict[int, set[int]] = {}
    for each in iter_drawn(nodes):
        at = each.head.index("*")
        assert {place for place, sign in enumerate(each.head) if sign != " "} == {*above, at}
        for child in above.pop(at, set()):
            found[child].add(each.node)
        if dict(nodes)[each.node]:
            above[at] = {each.node}
        crossing: dict[int, set[int]] = {}
        for line, following in zip(each.links, (*each.links[1:], ""), strict=False):
            above, crossing = follow(line, following, above, crossing)
        assert not crossing
        assert {place for place, sign in enumerate(each.below) if sign == "|"} == set(above)
    return found


def follow(
    line: str, following: str, above: dict[int, set[int]], crossing: dict[int, set[int]]
) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """Where the edges that stand at columns above a line come out below it, and which are about to cross a column."""
    below: dict[int, set[int]] = {}
    still: dict[int, set[int]] = {}
    for place, sign in enumerate(line):
        if sign == "|":
            below.setdefault(place, set()).update(above[place])
        elif sign == "\\":
            below.setdefault(place + 1, set()).update(above[place - 1])
        elif sign == "/":
            children = crossing[place] if place in crossing else above[place + 1]
            end = place - 1
            while line[end - 1 : end] == "_":
                end -= 2
            if following[end - 1 : end + 1] == "/|":
                still.setdefault(end - 1, set()).update(children)
            else:
                below.setdefault(end, set()).update(children)
    return below, still
