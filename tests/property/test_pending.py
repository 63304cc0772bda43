"""Merges in progress: round trips, and what settling them by one side gives."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from casvault.merge.trees import ConflictKind, TreeConflict, merge_states
from casvault.objects import ALL_MODES, FILE, MemoryObjects, Root, Signature
from casvault.oid import blob_id
from casvault.pending import (
    How,
    Moment,
    PendingMerge,
    Settled,
    carry_over,
    open_paths,
    read_pending,
    result_of,
    settle,
    write_pending,
)
from casvault.trees import EMPTY_ID
from tests.support.objects import numbered_id
from tests.support.pending import Pen, directory, file, merge_of

QUICK = settings(deadline=None, max_examples=80)

NAMES = st.binary(min_size=1, max_size=6).filter(lambda name: name not in (b".", b"..") and not {0, 0x2F} & set(name))
PATHS = st.lists(NAMES, max_size=3).map(b"/".join)
STATES = st.builds(
    Root,
    st.sampled_from(sorted(ALL_MODES - {0o160000})),
    st.integers(0, 1 << 40),
    st.binary(max_size=4).map(blob_id),
)
ZONES = st.sampled_from([b"+0000", b"-0130", b"+12345678"])
SIGNATURES = st.builds(
    Signature,
    st.sampled_from([b"", b"Ada", b"\xff"]),
    st.just(b"ada@example.org"),
    st.integers(-(1 << 63), (1 << 63) - 1),
    ZONES,
)
KEYS = st.sampled_from([b"project", b"k", b"types"])


@st.composite
def pending(draw: st.DrawFn) -> PendingMerge:
    """Any merge whose parts do not contradict each other; what it names need not be there."""
    path = draw(PATHS)
    below = draw(st.lists(PATHS, max_size=6, unique=True))
    paths = [b"/".join(filter(None, (path, rest))) for rest in below]
    state = st.none() | STATES
    conflicts = tuple(
        TreeConflict(each, draw(st.sampled_from(ConflictKind)), draw(state), draw(state), draw(state)) for each in paths
    )
    settled = {}
    for conflict in conflicts:
        if draw(st.booleans()):
            how = draw(st.sampled_from(How))
            sides = {How.OURS: conflict.ours, How.THEIRS: conflict.theirs, How.BASE: conflict.base}
            chosen = sides[how] if how in sides else draw(STATES)
            settled[conflict.path] = Settled(how, chosen, draw(st.none() | SIGNATURES))
    return PendingMerge(
        path,
        numbered_id(1),
        numbered_id(2),
        draw(state),
        draw(state),
        conflicts,
        settled,
        tuple(draw(st.lists(st.tuples(KEYS, st.binary(max_size=5)), max_size=4))),
        Moment(draw(st.integers(-(1 << 63), (1 << 63) - 1)), draw(ZONES)),
    )


@QUICK
@given(pending())
def test_write_and_read_round_trip(merge: PendingMerge) -> None:
    store = MemoryObjects()
    oid = write_pending(store, Pen(), merge)
    assert merge == read_pending(store, oid)
    assert oid == write_pending(store, Pen(), read_pending(store, oid))


@QUICK
@given(pending())
def test_carry_over_to_the_same_merge_changes_nothing(merge: PendingMerge) -> None:
    assert merge.settled == carry_over(merge, merge._replace(settled={})).settled


Files = dict[bytes, bytes]

FILES = st.dictionaries(
    st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=2).map(b"/".join),
    st.sampled_from([b"1\n2\n3\n4\n5\n", b"one\n2\n3\n4\n5\n", b"1\n2\n3\n4\nfive\n", b"uno\n2\n3\n4\n5\n"]),
    max_size=5,
).map(lambda files: {p: f for p, f in files.items() if not any(other.startswith(p + b"/") for other in files)})


def tree(store: MemoryObjects, files: Files | None) -> Root | None:
    return None if files is None else directory(store, {path: file(store, each, FILE) for path, each in files.items()})


def all_by(merge: PendingMerge, how: How) -> PendingMerge:
    for conflict in merge.conflicts:
        merge = settle(merge, conflict.path, Settled(how, conflict.ours if how is How.OURS else conflict.theirs))
    return merge


def filled(state: Root | None) -> Root | None:
    """A directory without names counts as absent: which of the two it is depends on the side that is asked."""
    return None if state is None or state.id == EMPTY_ID else state


@settings(deadline=None, max_examples=200)
@given(FILES, st.none() | FILES, st.none() | FILES, PATHS)
def test_one_side_for_all_is_what_that_side_has_in_its_own_merge(
    base: Files, ours: Files | None, theirs: Files | None, path: bytes
) -> None:
    """A merge holds ours where there are conflicts, so the merge with swapped sides says what all of theirs gives."""
    store = MemoryObjects()
    states = tree(store, base), tree(store, ours), tree(store, theirs)
    merge = merge_of(store, *states, path=path)
    # A side that is chosen for a rename brings its name along, which may be a directory on the other side.
    assume(all(conflict.renamed is None for conflict in merge.conflicts))
    assert merge.merged == result_of(store, all_by(merge, How.OURS))
    swapped = merge_states(store, states[0], states[2], states[1], path=path)
    assert filled(swapped.state) == filled(result_of(store, all_by(merge, How.THEIRS)))
    assert open_paths(merge) == [conflict.path for conflict in merge.conflicts]
