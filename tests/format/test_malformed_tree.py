"""Each rule of tree nodes, broken once: in the bytes, in the values, between a fork and its child, at the root."""

from __future__ import annotations

import struct
from collections.abc import Sequence
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
EMPTY: list[Any] = [0, b"", b"", b"", b""]


def _leaf(*items: Any) -> list[Any]:
    return [0, list(items)]


def _fork(*items: Any, level: int = 1) -> list[Any]:
    return [level, list(items)]


def _columns(level: int, items: Sequence[Any]) -> list[Any]:
    """What is encoded, of rows of name, mode or length, size and id."""
    names, numbers, sizes, ids = zip(*items, strict=True) if items else ((), (), (), ())
    width = ">Q" if level else ">H"
    packed = b"".join(struct.pack(width, number) for number in numbers)
    return [level, b"/".join(names), packed, b"".join(struct.pack(">Q", size) for size in sizes), b"".join(ids)]


LEAF = _columns(0, [[b"a", FILE, 1, ID], [b"b", FILE, 2, ID]])
FORK = _columns(1, [[CUT, 1, 1, ID], [b"z", 2, 2, ID]])
SHAPE = "not [level, names, numbers, sizes, ids]"


def _with(node: list[Any], **changed: Any) -> list[Any]:
    columns = dict(zip(("level", "names", "numbers", "sizes", "ids"), node, strict=True))
    return list((columns | changed).values())


SHAPES: dict[str, tuple[list[Any], str]] = {
    "four_parts": (LEAF[:4], SHAPE),
    "six_parts": ([*LEAF, b""], SHAPE),
    "level_is_bytes": (_with(LEAF, level=b""), SHAPE),
    "names_are_an_array": (_with(LEAF, names=[b"a", b"b"]), SHAPE),
    "modes_are_nil": (_with(LEAF, numbers=None), SHAPE),
    "sizes_are_an_array": (_with(LEAF, sizes=[1, 2]), SHAPE),
    "ids_are_an_integer": (_with(LEAF, ids=1), SHAPE),
    "level_negative": (_with(LEAF, level=-1), f"level -1 is not between 0 and {MAX_LEVEL}"),
    "level_above_the_highest": (
        _with(FORK, level=MAX_LEVEL + 1),
        f"level {MAX_LEVEL + 1} is not between 0 and {MAX_LEVEL}",
    ),
    "id_short": (_with(LEAF, ids=ID + ID[:20]), "52 bytes of ids, no multiple of 32"),
    "id_long": (_with(LEAF, ids=ID + ID + b"\0"), "65 bytes of ids, no multiple of 32"),
    "an_id_more": (_with(LEAF, ids=ID * 3), "2 names and 3 ids"),
    "an_id_less": (_with(LEAF, ids=ID), "2 names and 1 ids"),
    "names_without_ids": (_with(LEAF, ids=b""), "2 names and 0 ids"),
    "a_slash_without_entries": (_with(EMPTY, names=b"/"), "2 names and 0 ids"),
    "a_name_more": (_with(LEAF, names=b"a/b/c"), "3 names and 2 ids"),
    "a_mode_less": (_with(LEAF, numbers=LEAF[2][:2]), "2 bytes of modes for 2 entries, not 4"),
    "half_a_mode_more": (_with(LEAF, numbers=LEAF[2] + b"\0"), "5 bytes of modes for 2 entries, not 4"),
    "a_mode_without_entries": (_with(EMPTY, numbers=b"\x81\xa4"), "2 bytes of modes for 0 entries, not 0"),
    "a_size_less": (_with(LEAF, sizes=LEAF[3][:8]), "8 bytes of sizes for 2 entries, not 16"),
    "a_size_without_entries": (_with(EMPTY, sizes=bytes(8)), "8 bytes of sizes for 0 entries, not 0"),
    "a_length_more": (_with(FORK, numbers=FORK[2] + bytes(8)), "24 bytes of lengths for 2 entries, not 16"),
    "a_size_more_in_a_fork": (_with(FORK, sizes=FORK[3] + bytes(8)), "24 bytes of sizes for 2 entries, not 16"),
    "names_are_text": (_with(LEAF, names="a/b"), "a text string at byte 2"),
    "modes_are_boolean": (_with(LEAF, numbers=True), "a boolean at byte 7"),
    "sizes_are_a_float": (_with(LEAF, sizes=1.0), "a float at byte 13"),
    "ids_are_a_map": (_with(LEAF, ids={}), "a map at byte 31"),
}

NAMES = {
    "empty": (b"", "an empty name"),
    "dot": (b".", "the name '.'"),
    "dots": (b"..", "the name '..'"),
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
    "size_large": (_fork([CUT, 1, MAX_SIZE + 1, ID]), f"the size {MAX_SIZE + 1} of {CUT!r} is out of range"),
    "lengths_overflow": (
        _fork([CUT, MAX_SIZE, 1, ID], [b"z", 1, 1, ID]),
        "the numbers of entries add up to more than 2^63 - 1",
    ),
    "sizes_overflow": (
        _fork([CUT, 1, MAX_SIZE, ID], [b"z", 1, 1, ID]),
        "the sizes add up to more than 2^63 - 1",
    ),
}


# Values for which the columns have no place, so that only a writer can meet them.
NO_LEAVES: dict[str, tuple[list[Any], str]] = {
    "mode_negative": (_leaf([b"a", -1, 1, ID]), "b'a' has the unknown mode -1"),
    "mode_large": (_leaf([b"a", 1 << 16, 1, ID]), "b'a' has the unknown mode 200000"),
    "size_negative": (_leaf([b"a", FILE, -1, ID]), "the size -1 of b'a' is out of range"),
    "size_very_large": (_leaf([b"a", FILE, 1 << 64, ID]), f"the size {1 << 64} of b'a' is out of range"),
    **{f"name_{what}": (_leaf([name, FILE, 1, ID]), message) for what, (name, message) in NAMES.items()},
    "name_slash": (_leaf([b"a/b", FILE, 1, ID]), "a slash in the name b'a/b'"),
    "name_only_a_slash": (_leaf([b"/", FILE, 1, ID]), "a slash in the name b'/'"),
    "name_slash_among_others": (_leaf([b"a/b", FILE, 1, ID], [b"c", FILE, 1, ID]), "a slash in the name b'a/b'"),
}

NO_FORKS: dict[str, tuple[list[Any], str]] = {
    "length_negative": (_fork([CUT, -1, 1, ID]), "a child without entries"),
    "size_negative": (_fork([CUT, 1, -1, ID]), f"the size -1 of {CUT!r} is out of range"),
    "name_slash": (_fork([b"a/b", 1, 1, ID]), "a slash in the name b'a/b'"),
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
    assert f"tree: {message}" == _refused(_columns(0, items))
    assert f"tree: {message}" == _refused(_columns(1, [[name, 1, 1, ID]]))


@pytest.mark.parametrize(("value", "message"), [*LEAVES.values(), *FORKS.values()])
def test_decode_node_broken_rule(value: list[Any], message: str) -> None:
    assert f"tree: {message}" == _refused(_columns(*value))


@pytest.mark.parametrize(("value", "message"), [*LEAVES.values(), *NO_LEAVES.values()])
def test_encode_node_refuses_what_decoding_does(value: list[Any], message: str) -> None:
    leaf = Leaf.of(tuple(Entry(*item) for item in value[1]))
    with pytest.raises(MalformedError) as caught:
        encode_node(leaf)
    assert f"tree: {message}" == str(caught.value)


@pytest.mark.parametrize(("value", "message"), [*FORKS.values(), *NO_FORKS.values()])
def test_encode_node_refuses_forks_that_decoding_does(value: list[Any], message: str) -> None:
    fork = Fork.of(value[0], tuple(Child(*item) for item in value[1]))
    with pytest.raises(MalformedError) as caught:
        encode_node(fork)
    assert f"tree: {message}" == str(caught.value)


@pytest.mark.parametrize("level", [0, MAX_LEVEL + 1])
def test_encode_node_fork_of_no_level(level: int) -> None:
    with pytest.raises(MalformedError, match=f"^tree: a fork of level {level}$"):
        encode_node(Fork.of(level, (Child(CUT, 1, 1, ID),)))


@pytest.mark.parametrize("mode", [LINK, TREE, FILE])
def test_decode_node_size_at_the_limit(mode: int) -> None:
    leaf = Leaf.of((Entry(b"a", mode, MAX_SIZE, ID),))
    assert leaf == decode_node(encode_node(leaf))


BELOW = Leaf.of((entry(b"a", 5), entry(b"b", 7)))
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
    leaf = Leaf.of((entry(CUT), entry(b"z")))
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
        check_root(Fork.of(1, children))


def test_check_root_just_large_enough() -> None:
    check_root(Fork.of(1, (Child(CUT, 32, 1, ID), Child(b"z", 33, 1, ID))))
