"""Each rule of tree nodes, broken once: in the bytes, in the values, between a fork and its child, at the root."""

from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import MalformedError
from casvault.limits import MAX_NAME, MAX_SIZE
from casvault.objects import FILE, FOREIGN, LINK, TREE, Child, Entry, Fork, Leaf, canonical, decode_node, encode_node
from casvault.objects.tree import MAX_LEVEL, check_child, check_root
from tests.support.objects import entries_between, entry, names_cut_at, numbered_id

ID = numbered_id(1)
PLAIN = next(names_cut_at(-1))
CUT, CUT_LATER = sorted(name for name, _ in zip(names_cut_at(0), range(2), strict=False))
CUT_ABOVE = next(names_cut_at(1))
MANY = [list(item) for item in entries_between(b"a", 70)]


def _leaf(*items: Any) -> list[Any]:
    return [0, list(items)]


def _fork(*items: Any, level: int = 1) -> list[Any]:
    return [level, list(items)]


SHAPES: dict[str, tuple[list[Any], str]] = {
    "no_items": ([0], "not [level, items]"),
    "three_parts": ([0, [], 0], "not [level, items]"),
    "level_is_bytes": ([b"", []], "not [level, items]"),
    "items_are_bytes": ([0, b""], "not [level, items]"),
    "level_negative": ([-1, []], f"level -1 is not between 0 and {MAX_LEVEL}"),
    "level_above_the_highest": ([MAX_LEVEL + 1, []], f"level {MAX_LEVEL + 1} is not between 0 and {MAX_LEVEL}"),
    "item_is_no_array": (_leaf(b"a"), "an item is not [name, integer, size, id]"),
    "item_of_three": (_leaf([b"a", FILE, 1]), "an item is not [name, integer, size, id]"),
    "name_is_nil": (_leaf([None, FILE, 1, ID]), "an item is not [name, integer, size, id]"),
    "mode_is_bytes": (_leaf([b"a", b"", 1, ID]), "an item is not [name, integer, size, id]"),
    "size_is_nil": (_leaf([b"a", FILE, None, ID]), "an item is not [name, integer, size, id]"),
    "id_is_integer": (_leaf([b"a", FILE, 1, 1]), "an item is not [name, integer, size, id]"),
    "id_short": (_leaf([b"a", FILE, 1, ID[:20]]), "the id of b'a' has 20 bytes, not 32"),
    "id_long": (_leaf([b"a", FILE, 1, ID + b"\0"]), "the id of b'a' has 33 bytes, not 32"),
    "name_is_text": (_leaf(["a", FILE, 1, ID]), "a text string at byte 4"),
    "mode_is_boolean": (_leaf([b"a", True, 1, ID]), "a boolean at byte 7"),
    "size_is_float": (_leaf([b"a", FILE, 1.0, ID]), "a float at byte 10"),
    "item_is_map": (_leaf({}), "a map at byte 3"),
}

NAMES = {
    "empty": (b"", "an empty name"),
    "dot": (b".", "the name '.'"),
    "dots": (b"..", "the name '..'"),
    "slash": (b"a/b", "a slash in the name b'a/b'"),
    "only_a_slash": (b"/", "a slash in the name b'/'"),
    "nul": (b"a\0b", "a NUL in the name b'a\\x00b'"),
    "long": (b"a" * (MAX_NAME + 1), f"a name of {MAX_NAME + 1} bytes, more than {MAX_NAME}"),
}

LEAVES: dict[str, tuple[list[Any], str]] = {
    "name_twice": (_leaf([b"a", FILE, 1, ID], [b"a", FILE, 2, ID]), "b'a': the name stands twice"),
    "names_unsorted": (_leaf([b"b", FILE, 1, ID], [b"a", FILE, 1, ID]), "b'a': out of order, behind b'b'"),
    "names_sorted_as_git_does": (
        _leaf([b"a.b", FILE, 1, ID], [b"a", TREE, 1, ID]),
        "b'a': out of order, behind b'a.b'",
    ),
    "mode_unknown": (_leaf([b"a", 0o100600, 1, ID]), "b'a' has the unknown mode 100600"),
    "mode_negative": (_leaf([b"a", -1, 1, ID]), "b'a' has the unknown mode -1"),
    "size_negative": (_leaf([b"a", FILE, -1, ID]), "the size -1 of b'a' is out of range"),
    "size_large": (_leaf([b"a", FILE, MAX_SIZE + 1, ID]), f"the size {MAX_SIZE + 1} of b'a' is out of range"),
    "sizes_overflow": (
        _leaf([b"a", FILE, MAX_SIZE, ID], [b"b", FILE, 1, ID]),
        "the sizes add up to more than 2^63 - 1",
    ),
    "foreign_link_with_size": (_leaf([b"a", FOREIGN, 1, ID]), "the foreign link b'a' has a size"),
    "large_leaf_goes_on_behind_a_boundary": (
        _leaf([CUT, FILE, 1, ID], *MANY),
        f"a node of level 0 goes on behind the boundary {CUT!r}",
    ),
}

FORKS: dict[str, tuple[list[Any], str]] = {
    "no_children": (_fork(), "a fork without children"),
    "child_without_entries": (_fork([CUT, 0, 1, ID]), "a child without entries"),
    "child_of_negative_length": (_fork([CUT, -1, 1, ID]), "a child without entries"),
    "child_ends_at_no_boundary": (
        _fork([PLAIN, 1, 1, ID], [b"z", 1, 1, ID]),
        f"a node of level 0 ends at {PLAIN!r}, which is no boundary",
    ),
    "child_of_level_one_ends_at_a_lower_boundary": (
        _fork([CUT, 40, 1, ID], [b"z", 1, 1, ID], level=2),
        f"a node of level 1 ends at {CUT!r}, which is no boundary",
    ),
    "goes_on_behind_a_boundary": (
        _fork([CUT_ABOVE, 40, 1, ID], [b"z", 1, 1, ID]),
        f"a node of level 1 goes on behind the boundary {CUT_ABOVE!r}",
    ),
    "children_unsorted": (
        _fork([CUT_LATER, 1, 1, ID], [CUT, 1, 1, ID], [b"z", 1, 1, ID]),
        f"{CUT!r}: out of order, behind {CUT_LATER!r}",
    ),
    "child_twice": (_fork([CUT, 1, 1, ID], [CUT, 1, 1, ID]), f"{CUT!r}: the name stands twice"),
    "size_negative": (_fork([CUT, 1, -1, ID]), f"the size -1 of {CUT!r} is out of range"),
    "sizes_overflow": (
        _fork([CUT, 1, MAX_SIZE, ID], [b"z", 1, 1, ID]),
        "the sizes add up to more than 2^63 - 1",
    ),
}


def _refused(value: list[Any]) -> str:
    with pytest.raises(MalformedError) as caught:
        decode_node(canonical.encode(value))
    return str(caught.value)


@pytest.mark.parametrize(("value", "message"), SHAPES.values(), ids=SHAPES.keys())
def test_decode_node_wrong_shape(value: list[Any], message: str) -> None:
    assert f"tree: {message}" == _refused(value)


@pytest.mark.parametrize(("name", "message"), NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("others", [0, 3])
def test_decode_node_bad_name(name: bytes, message: str, others: int) -> None:
    items = sorted([[name, FILE, 1, ID], *MANY[:others]])
    assert f"tree: {message}" == _refused(_leaf(*items))
    assert f"tree: {message}" == _refused(_fork([name, 1, 1, ID]))


@pytest.mark.parametrize(("value", "message"), [*LEAVES.values(), *FORKS.values()])
def test_decode_node_broken_rule(value: list[Any], message: str) -> None:
    assert f"tree: {message}" == _refused(value)


@pytest.mark.parametrize(("value", "message"), LEAVES.values(), ids=LEAVES.keys())
def test_encode_node_refuses_what_decoding_does(value: list[Any], message: str) -> None:
    leaf = Leaf(tuple(Entry(*item) for item in value[1]))
    with pytest.raises(MalformedError) as caught:
        encode_node(leaf)
    assert f"tree: {message}" == str(caught.value)


@pytest.mark.parametrize(("value", "message"), FORKS.values(), ids=FORKS.keys())
def test_encode_node_refuses_forks_that_decoding_does(value: list[Any], message: str) -> None:
    fork = Fork(value[0], tuple(Child(*item) for item in value[1]))
    with pytest.raises(MalformedError) as caught:
        encode_node(fork)
    assert f"tree: {message}" == str(caught.value)


@pytest.mark.parametrize("level", [0, MAX_LEVEL + 1])
def test_encode_node_fork_of_no_level(level: int) -> None:
    with pytest.raises(MalformedError, match=f"^tree: a fork of level {level}$"):
        encode_node(Fork(level, (Child(CUT, 1, 1, ID),)))


@pytest.mark.parametrize("mode", [LINK, TREE, FILE])
def test_decode_node_size_at_the_limit(mode: int) -> None:
    leaf = Leaf((Entry(b"a", mode, MAX_SIZE, ID),))
    assert leaf == decode_node(encode_node(leaf))


BELOW = Leaf((entry(b"a", 5), entry(b"b", 7)))
CLAIM = Child(b"b", 2, 12, ID)


def test_check_child_that_adds_up() -> None:
    check_child(CLAIM, 1, BELOW)


@pytest.mark.parametrize(
    ("claim", "level", "message"),
    [
        (CLAIM, 2, "a node of level 0 below one of level 2"),
        (CLAIM._replace(last=b"c"), 1, "the last name is b'b', its fork says b'c'"),
        (CLAIM._replace(length=3), 1, "the number of entries is 2, its fork says 3"),
        (CLAIM._replace(size=11), 1, "the size is 12, its fork says 11"),
    ],
)
def test_check_child_wrong_claim(claim: Child, level: int, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        check_child(claim, level, BELOW)
    assert f"{ID}: tree: {message}" == str(caught.value)


def test_check_child_small_leaf_that_should_have_been_cut() -> None:
    """A leaf of few entries may hold boundaries when it is a whole tree, but not below a fork."""
    leaf = Leaf((entry(CUT), entry(b"z")))
    check_root(decode_node(encode_node(leaf)))
    with pytest.raises(MalformedError, match="goes on behind the boundary"):
        check_child(Child(b"z", 2, 2, ID), 1, leaf)


@pytest.mark.parametrize(
    ("children", "message"),
    [
        ((Child(CUT, 32, 1, ID), Child(b"z", 32, 1, ID)), "a root of 64 entries in 2 nodes should be smaller"),
        ((Child(CUT, 100, 1, ID),), "a root of 100 entries in 1 nodes should be smaller"),
    ],
)
def test_check_root_too_small(children: tuple[Child, ...], message: str) -> None:
    with pytest.raises(MalformedError, match=f"^tree: {message}$"):
        check_root(Fork(1, children))


def test_check_root_just_large_enough() -> None:
    check_root(Fork(1, (Child(CUT, 32, 1, ID), Child(b"z", 33, 1, ID))))
