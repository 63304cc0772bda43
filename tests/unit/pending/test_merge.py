"""Settling conflicts, and what comes out of a merge when all are settled."""

from __future__ import annotations

import pytest

from casvault.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from casvault.merge.trees import ConflictKind, TreeConflict
from casvault.objects import FILE, SYMLINK, MemoryObjects, Root
from casvault.pending import (
    How,
    PendingMerge,
    Settled,
    carry_over,
    find_conflict,
    open_paths,
    read_pending,
    result_of,
    settle,
    write_pending,
)
from casvault.trees import empty_root
from tests.support.pending import DETECTED, Pen, directory, example_merge, file, merge_of

STORE = MemoryObjects()
BASE, OURS, THEIRS = (file(STORE, text) for text in (b"base\n", b"ours\n", b"theirs\n"))


def tree(**files: Root | None) -> Root:
    return directory(STORE, {name.replace("__", "/").encode(): state for name, state in files.items()})


def take(merge: PendingMerge, how: How, *paths: bytes) -> PendingMerge:
    """Settle paths, or all of them, by one side."""
    for conflict in merge.conflicts:
        if not paths or conflict.path in paths:
            side = {How.OURS: conflict.ours, How.THEIRS: conflict.theirs, How.BASE: conflict.base}[how]
            merge = settle(merge, conflict.path, Settled(how, side))
    return merge


def test_open_paths_are_those_that_are_not_settled() -> None:
    merge = merge_of(STORE, tree(a=BASE, b=BASE), tree(a=OURS, b=OURS), tree(a=THEIRS, b=THEIRS))
    assert open_paths(merge) == [b"a", b"b"]
    assert open_paths(take(merge, How.OURS, b"a")) == [b"b"]
    assert open_paths(take(merge, How.OURS)) == []


def test_settle_again_replaces_the_choice() -> None:
    merge = merge_of(STORE, tree(a=BASE), tree(a=OURS), tree(a=THEIRS))
    again = take(take(merge, How.OURS), How.THEIRS)
    assert again.settled == {b"a": Settled(How.THEIRS, THEIRS)}
    assert result_of(STORE, again) == tree(a=THEIRS)
    assert merge.settled == {}


def test_settle_a_path_that_is_no_conflict() -> None:
    merge = merge_of(STORE, tree(a=BASE, c=BASE), tree(a=OURS, c=BASE), tree(a=THEIRS, c=BASE))
    assert find_conflict(merge, b"c") is None
    with pytest.raises(NotFoundError, match=r"c: this path is no conflict of the merge"):
        settle(merge, b"c", Settled(How.OURS, BASE))


@pytest.mark.parametrize(
    ("how", "expected"),
    [(How.OURS, {"mine": BASE}), (How.THEIRS, {"yours": BASE}), (How.BASE, {"old": BASE})],
    ids=str,
)
def test_whoever_chooses_a_side_of_a_rename_chooses_its_name(how: How, expected: dict[str, Root]) -> None:
    """Both sides renamed one file, each to another path: the conflict stands at ours."""
    merge = merge_of(STORE, tree(old=BASE, x=OURS), tree(mine=BASE, x=OURS), tree(yours=BASE, x=OURS))
    (conflict,) = merge.conflicts
    assert (conflict.path, conflict.kind) == (b"mine", ConflictKind.RENAME)
    written = read_pending(STORE, write_pending(STORE, Pen(), merge))
    assert written.conflicts == merge.conflicts
    assert result_of(STORE, take(written, how)) == tree(**expected, x=OURS)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Settled(How.OURS, THEIRS), "not settled by ours, as it says"),
        (Settled(How.THEIRS, None), "not settled by theirs, as it says"),
        (Settled(How.BASE, OURS), "not settled by base, as it says"),
        (Settled(How.FILE, None), "settled by nothing"),
        (Settled(How.EDIT, None), "settled by nothing"),
    ],
)
def test_settle_by_something_else_than_it_says(choice: Settled, message: str) -> None:
    merge = merge_of(STORE, tree(a=BASE), tree(a=OURS), tree(a=THEIRS))
    with pytest.raises(MalformedError, match=message):
        settle(merge, b"a", choice)


def test_result_with_open_conflicts_names_them() -> None:
    merge = merge_of(STORE, tree(a=BASE, b=BASE), tree(a=OURS, b=OURS), tree(a=THEIRS, b=THEIRS), b"notes")
    with pytest.raises(ConflictError) as caught:
        result_of(STORE, take(merge, How.THEIRS, b"notes/a"))
    assert caught.value.conflicts == ("notes/b: not settled",)


def test_result_has_what_merged_cleanly_and_what_was_chosen() -> None:
    merge = merge_of(
        STORE,
        tree(a=BASE, b=BASE, c__d=BASE),
        tree(a=OURS, b=OURS, c__d=OURS, mine=OURS),
        tree(a=THEIRS, b=THEIRS, c__d=THEIRS, other=THEIRS),
    )
    edited = file(STORE, b"both\n")
    merge = take(take(merge, How.THEIRS, b"a"), How.BASE, b"b")
    merge = settle(merge, b"c/d", Settled(How.EDIT, edited))
    assert result_of(STORE, merge) == tree(a=THEIRS, b=BASE, c__d=edited, mine=OURS, other=THEIRS)


def test_result_of_a_single_file() -> None:
    """The path of the conflict is that of the whole state, so the choice is the result."""
    merge = merge_of(STORE, BASE, OURS, THEIRS, b"notes/a.md")
    assert open_paths(merge) == [b"notes/a.md"]
    assert result_of(STORE, take(merge, How.THEIRS)) == THEIRS
    root = merge_of(STORE, BASE, OURS, THEIRS)
    assert open_paths(root) == [b""]
    assert result_of(STORE, take(root, How.THEIRS)) == THEIRS


@pytest.mark.parametrize(("ours", "theirs"), [(OURS, None), (None, THEIRS)])
def test_result_of_a_file_that_one_side_deleted(ours: Root | None, theirs: Root | None) -> None:
    merge = merge_of(STORE, BASE, ours, theirs, b"a.md")
    assert merge.merged == ours
    assert result_of(STORE, take(merge, How.OURS)) == ours
    assert result_of(STORE, take(merge, How.THEIRS)) == theirs


def test_result_of_a_directory_that_ours_deleted() -> None:
    merge = merge_of(STORE, tree(a=BASE, b=BASE), None, tree(a=THEIRS, b=BASE))
    assert (merge.merged, open_paths(merge)) == (None, [b"a"])
    assert result_of(STORE, take(merge, How.OURS)) is None
    assert result_of(STORE, take(merge, How.THEIRS)) == tree(a=THEIRS)


def test_result_of_a_directory_that_theirs_deleted() -> None:
    merge = merge_of(STORE, tree(a=BASE, b=BASE), tree(a=OURS, b=BASE), None)
    assert (merge.merged, open_paths(merge)) == (tree(a=OURS), [b"a"])
    assert result_of(STORE, take(merge, How.OURS)) == tree(a=OURS)
    assert result_of(STORE, take(merge, How.THEIRS)) is None


def test_result_keeps_a_directory_that_was_empty_before() -> None:
    merge = merge_of(STORE, tree(a=BASE), empty_root(), tree(a=THEIRS))
    assert result_of(STORE, take(merge, How.OURS)) == empty_root()


def test_result_of_a_file_here_and_a_directory_there() -> None:
    merge = merge_of(STORE, tree(x=BASE, k=BASE), tree(x=OURS, k=BASE), tree(x__in=THEIRS, k=BASE))
    assert [(found.path, found.kind) for found in merge.conflicts] == [(b"x", ConflictKind.TYPE)]
    assert result_of(STORE, take(merge, How.OURS)) == tree(x=OURS, k=BASE)
    assert result_of(STORE, take(merge, How.THEIRS)) == tree(x__in=THEIRS, k=BASE)


def test_result_of_a_directory_here_and_a_file_there() -> None:
    merge = merge_of(STORE, tree(x=BASE), tree(x__in=OURS), tree(x=THEIRS))
    assert result_of(STORE, take(merge, How.OURS)) == tree(x__in=OURS)
    assert result_of(STORE, take(merge, How.THEIRS)) == tree(x=THEIRS)


def test_result_of_a_symlink_here_and_a_file_there() -> None:
    link = file(STORE, b"target", SYMLINK)
    merge = merge_of(STORE, tree(x=BASE), tree(x=link), tree(x=THEIRS))
    assert result_of(STORE, take(merge, How.OURS)) == tree(x=link)


def test_result_of_a_whole_directory_that_is_a_file_there() -> None:
    merge = merge_of(STORE, tree(a=BASE), tree(a=OURS), THEIRS, b"notes")
    assert result_of(STORE, take(merge, How.OURS)) == tree(a=OURS)
    assert result_of(STORE, take(merge, How.THEIRS)) == THEIRS


def within() -> PendingMerge:
    """A conflict, and another one inside the directory that it would make: a rename can do that."""
    outer = TreeConflict(b"x", ConflictKind.TYPE, BASE, OURS, tree(**{"in": THEIRS}))
    inner = TreeConflict(b"x/in", ConflictKind.CONTENT, BASE, OURS, THEIRS)
    return merge_of(STORE, tree(k=BASE), tree(k=BASE, x=OURS), tree(k=BASE))._replace(
        merged=tree(k=BASE, x=OURS), conflicts=(inner, outer)
    )


def test_result_of_a_conflict_within_another() -> None:
    merge = take(take(within(), How.THEIRS, b"x"), How.OURS, b"x/in")
    assert result_of(STORE, merge) == tree(k=BASE, x__in=OURS)


def test_result_of_choices_that_exclude_each_other() -> None:
    merge = take(within(), How.OURS)
    with pytest.raises(RefusedError, match="not a directory"):
        result_of(STORE, merge)


def test_result_of_choices_inside_what_became_a_file() -> None:
    inner = TreeConflict(b"a", ConflictKind.CONTENT, BASE, OURS, THEIRS)
    outer = TreeConflict(b"", ConflictKind.TYPE, None, OURS, tree(a=THEIRS))
    merge = merge_of(STORE, None, OURS, tree(a=THEIRS))._replace(conflicts=(outer, inner))
    with pytest.raises(RefusedError, match="needs a directory") as caught:
        result_of(STORE, take(merge, How.OURS))
    assert caught.value.place == "a"
    assert result_of(STORE, take(merge, How.THEIRS)) == tree(a=THEIRS)


def test_result_of_the_example() -> None:
    merge = example_merge(STORE)
    done = settle(merge, b"notes/new", Settled(How.FILE, BASE))
    script = file(STORE, b"#!\n", 0o100755)
    assert result_of(STORE, done) == directory(STORE, {b"a.md": THEIRS, b"new": BASE, b"run": script})


def test_carry_over_keeps_what_was_settled_of_conflicts_that_are_the_same() -> None:
    old = take(merge_of(STORE, tree(a=BASE, b=BASE), tree(a=OURS, b=OURS), tree(a=THEIRS, b=THEIRS)), How.THEIRS)
    moved = file(STORE, b"moved\n")
    new = merge_of(STORE, tree(a=BASE, b=BASE), tree(a=OURS, b=moved), tree(a=THEIRS, b=THEIRS))
    assert open_paths(carry_over(old, new)) == [b"b"]
    assert carry_over(old, new).settled == {b"a": Settled(How.THEIRS, THEIRS)}


@pytest.mark.parametrize(
    "changed",
    [{"base": OURS}, {"ours": BASE}, {"theirs": BASE}, {"path": b"other"}, {"theirs": Root(FILE, 1, BASE.id)}],
)
def test_carry_over_of_a_conflict_that_changed(changed: dict[str, object]) -> None:
    merge = merge_of(STORE, tree(a=BASE), tree(a=OURS), tree(a=THEIRS))
    new = merge._replace(conflicts=tuple(conflict._replace(**changed) for conflict in merge.conflicts))
    assert carry_over(take(merge, How.OURS), new).settled == {}


def test_carry_over_does_not_touch_what_is_settled_anew() -> None:
    merge = merge_of(STORE, tree(a=BASE), tree(a=OURS), tree(a=THEIRS))
    carried = carry_over(take(merge, How.OURS), take(merge, How.THEIRS))
    assert carried.settled == {b"a": Settled(How.THEIRS, THEIRS)}
    assert carried.detected == DETECTED
