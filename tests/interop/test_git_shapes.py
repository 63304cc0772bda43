"""Shapes of trees: what is found out once for all trees of equal names and modes, and trees as changes of others."""

from __future__ import annotations

import pytest

from casvault.interop.git import shapes
from casvault.interop.git.ids import GitFormat
from casvault.interop.git.shapes import Recent, Shape, Shapes
from casvault.interop.git.trees import format_tree, parse_tree
from casvault.limits import MAX_SIZE
from casvault.objects import FILE, FOREIGN, TREE, Entry, decode_node, encode_leaf
from casvault.objects.tree import WHOLE_ENTRIES
from tests.support.objects import numbered_id

FORM = GitFormat.SHA1
NAMES = [(b"dir.c", FILE), (b"dir", TREE), (b"dir0", FILE), (b"module", FOREIGN)]
"""In git's order."""


def _tree(*git_ids: int) -> bytes:
    return format_tree((name, mode, bytes([number]) * 20) for (name, mode), number in zip(NAMES, git_ids, strict=True))


def _shape(content: bytes) -> Shape | None:
    return Shapes(FORM).find(parse_tree(content, FORM))


def test_trees_of_equal_names_and_modes_have_one_shape() -> None:
    known = Shapes(FORM)
    first = known.find(parse_tree(_tree(1, 2, 3, 4), FORM))
    assert first is not None
    assert first is known.find(parse_tree(_tree(5, 6, 7, 8), FORM))
    assert first is not known.find(parse_tree(_tree(1, 2, 3, 4)[:-33], FORM))


def test_forgotten_shapes_are_found_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "REMEMBERED", 4)
    known = Shapes(FORM)
    assert known.find(parse_tree(_tree(1, 2, 3, 4), FORM)) is not None
    assert known.find(parse_tree(b"", FORM)) is not None
    assert known.find(parse_tree(_tree(1, 2, 3, 4), FORM)) is not None


@pytest.mark.parametrize(
    "content",
    [
        _tree(1, 2, 3, 4) + b"x",
        b"100664 a\0" + bytes(20),
        b"040000 a\0" + bytes(20),
        b"100644 ..\0" + bytes(20),
        b"100644 a/b\0" + bytes(20),
        b"100644 b\0" + bytes(20) + b"100644 a\0" + bytes(20),
        b"100644 a\0" + bytes(20) + b"100644 a\0" + bytes(20),
        b"100644 a\0" + bytes(20) + b"100644 a.b\0" + bytes(20) + b"40000 a\0" + bytes(20),
        b"40000 dir\0" + bytes(20) + b"100644 dir.c\0" + bytes(20),
    ],
    ids=["rest", "old mode", "zero", "dots", "slash", "order", "twice", "as file and directory", "git's order"],
)
def test_what_casvault_cannot_say_has_no_shape(content: bytes) -> None:
    assert _shape(content) is None


def test_a_tree_is_made_of_changes() -> None:
    """Casvault's order is another one, and its sizes and ids stand by position in git's."""
    contents = _tree(1, 2, 3, 4), _tree(1, 9, 3, 8)
    shape = _shape(contents[0])
    assert shape is not None
    first, second = (parse_tree(content, FORM).entries for content in contents)
    assert shape.blank.changes(first) == [0, 1, 2, 3]
    states = {0: (10, numbered_id(1)), 1: (20, numbered_id(2)), 2: (30, numbered_id(3)), 3: (0, numbered_id(4))}
    one = shape.blank.changed(first, states)
    assert one.changes(second) == [1, 3]
    other = one.changed(second, {1: (21, numbered_id(5)), 3: (0, numbered_id(6))})
    before = [
        Entry(b"dir", TREE, 20, numbered_id(2)),
        Entry(b"dir.c", FILE, 10, numbered_id(1)),
        Entry(b"dir0", FILE, 30, numbered_id(3)),
        Entry(b"module", FOREIGN, 0, numbered_id(4)),
    ]
    after = [before[0]._replace(size=21, id=numbered_id(5)), *before[1:3], before[3]._replace(id=numbered_id(6))]
    for version, entries in ((one, before), (other, after)):
        assert shape.entries(version) == entries
        assert shape.encode(version) == encode_leaf(entries)


def test_an_empty_tree() -> None:
    shape = _shape(b"")
    assert shape is not None
    encoded = shape.encode(shape.blank)
    assert encoded == encode_leaf(())
    assert decode_node(encoded).length == 0


def test_what_is_not_one_node_is_not_encoded() -> None:
    names = [b"%03d" % number for number in range(WHOLE_ENTRIES + 1)]
    large, two = Shape(names, [FILE] * len(names)), Shape(names[:2], [FILE] * 2)
    assert large.encode(large.blank) is None
    heavy = two.blank.changed([b"0", b"1"], {0: (MAX_SIZE, numbered_id(1)), 1: (1, numbered_id(2))})
    assert two.encode(heavy) is None


def test_versions_that_begin_or_end_alike_are_found() -> None:
    """Two directories of equal names: what was met last is of the other one."""
    shape, other = Shape([b"a", b"b"], [FILE] * 2), Shape([b"a", b"b"], [FILE] * 2)
    recent: Recent[str] = Recent()
    recent.put(shape, [b"a1", b"b1"], "one")
    recent.put(shape, [b"a2", b"b2"], "two")
    assert recent.find(shape, [b"a1", b"b9"]) == "one"
    assert recent.find(shape, [b"a9", b"b1"]) == "one"
    assert recent.find(shape, [b"a2", b"b1"]) == "two"
    assert recent.find(shape, [b"a9", b"b9"]) is None
    assert recent.find(other, [b"a1", b"b1"]) is None
    assert recent.find(shape, []) is None
    recent.clear()
    assert recent.find(shape, [b"a1", b"b1"]) is None


def test_recent_versions_are_forgotten_when_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "REMEMBERED", 4)
    shape = Shape([b"a", b"b"], [FILE] * 2)
    recent: Recent[int] = Recent()
    for number in range(1, 4):
        recent.put(shape, [b"a%d" % number, b"b%d" % number], number)
    assert [recent.find(shape, [b"a%d" % number]) for number in range(1, 4)] == [None, None, 3]
