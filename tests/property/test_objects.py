"""Round trips of every object; bytes that no encoder made are refused, or are what an encoder makes."""

from __future__ import annotations

from typing import Any

import msgpack
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from casvault.errors import MalformedError
from casvault.limits import MAX_SIZE
from casvault.objects import (
    ALL_MODES,
    FOREIGN,
    ROOT_MODES,
    Commit,
    Entry,
    Kind,
    Leaf,
    Root,
    Signature,
    Tag,
    canonical,
    check_name,
    decode_commit,
    decode_node,
    decode_tag,
    encode_commit,
    encode_leaf,
    encode_node,
    encode_tag,
    join_columns,
    pack_modes,
)
from casvault.oid import Oid

IDS = st.binary(min_size=32, max_size=32).map(Oid)
NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: check_name(name) is None)
LINES = st.binary(max_size=12).filter(lambda line: b"\n" not in line and b"\0" not in line)
KEYS = LINES.filter(bool)
ZONES = st.from_regex(rb"\A[+-][0-9]{4,8}\Z")
SIGNATURES = st.builds(Signature, LINES, LINES, st.integers(-(1 << 63), (1 << 63) - 1), ZONES)
FIELDS = st.lists(st.tuples(KEYS, st.binary(max_size=12)), max_size=4).map(tuple)
ROOTS = st.builds(Root, st.sampled_from(sorted(ROOT_MODES)), st.integers(0, MAX_SIZE), IDS)
COMMITS = st.builds(
    Commit, ROOTS, st.lists(IDS, max_size=3).map(tuple), SIGNATURES, SIGNATURES, st.binary(), LINES, FIELDS
)
TAGS = st.builds(Tag, st.sampled_from(Kind), IDS, KEYS, st.none() | SIGNATURES, st.binary(), LINES, FIELDS)


def _entry(name: bytes, mode: int, size: int, oid: Oid) -> Entry:
    return Entry(name, mode, 0 if mode == FOREIGN else size, oid)


ENTRIES = st.builds(_entry, NAMES, st.sampled_from(sorted(ALL_MODES)), st.integers(0, MAX_SIZE // 100), IDS)
LEAVES = st.lists(ENTRIES, max_size=20, unique_by=lambda entry: entry.name).map(
    lambda found: Leaf.of(tuple(sorted(found)))
)

SUBSET: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=300),
    lambda below: st.lists(below, max_size=20),
    max_leaves=15,
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SUBSET | st.floats() | st.booleans() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=5) | st.dictionaries(st.text(max_size=2), below, max_size=2),
    max_leaves=10,
)

QUICK = settings(deadline=None, max_examples=60)


@QUICK
@given(LEAVES)
def test_leaf_round_trip(leaf: Leaf) -> None:
    assert leaf == decode_node(encode_node(leaf))


@QUICK
@given(LEAVES)
def test_leaf_from_columns_is_the_leaf(leaf: Leaf) -> None:
    columns = (b"/".join(leaf.names), pack_modes(leaf.modes), leaf.sizes, b"".join(leaf.ids))
    assert encode_node(leaf) == join_columns(*columns) == encode_leaf(leaf.entries)


@QUICK
@given(LEAVES)
def test_leaf_of_its_entries_is_the_leaf(leaf: Leaf) -> None:
    assert leaf == Leaf.of(leaf.entries)
    assert leaf.entries == [leaf.entry(position) for position in range(leaf.length)]


@QUICK
@given(COMMITS)
def test_commit_round_trip(commit: Commit) -> None:
    assert commit == decode_commit(encode_commit(commit))


@QUICK
@given(TAGS)
def test_tag_round_trip(tag: Tag) -> None:
    assert tag == decode_tag(encode_tag(tag))


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@QUICK
@given(st.lists(SUBSET, max_size=20))
def test_canonical_round_trip(value: list[Any]) -> None:
    data = canonical.encode(value)
    assert value == canonical.decode(data, "object")
    assume(_depth(value) <= canonical.MAX_NESTING)
    assert canonical.diagnose(data) is None


def _decoded_again(data: bytes) -> list[bytes]:
    """What the three decoders make of the bytes, encoded again; nothing from those that refuse them."""
    results = []
    for recode in (
        lambda: encode_node(decode_node(data)),
        lambda: encode_commit(decode_commit(data)),
        lambda: encode_tag(decode_tag(data)),
    ):
        try:
            results.append(recode())
        except MalformedError:
            continue
    return results


@QUICK
@given(st.binary(max_size=200))
def test_decoders_accept_only_what_they_encode(data: bytes) -> None:
    assert all(data == again for again in _decoded_again(data))


@QUICK
@given(ANYTHING)
def test_decoders_accept_only_what_they_encode_of_other_msgpack(value: Any) -> None:
    data: bytes = msgpack.packb(value)
    assert all(data == again for again in _decoded_again(data))


@settings(deadline=None, max_examples=200)
@given(st.one_of(LEAVES.map(encode_node), COMMITS.map(encode_commit), TAGS.map(encode_tag)), st.data())
def test_decoders_accept_only_what_they_encode_after_damage(good: bytes, data: st.DataObject) -> None:
    """Bytes replaced, removed or inserted at one place."""
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(start + 2, len(good))))
    bad = good[:start] + data.draw(st.binary(max_size=2)) + good[end:]
    accepted = _decoded_again(bad)
    assert all(bad == again for again in accepted)
    assert accepted or bad != good
