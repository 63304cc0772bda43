from __future__ import annotations

import pytest

from casvault.errors import RefusedError, UsageError
from casvault.objects import FILE, FOREIGN, LINK, SYMLINK, Entry, Kind, MemoryObjects, Root
from casvault.oid import Oid, blob_id
from casvault.trees import build_tree, empty_root
from casvault.worktree.plan import Change, plan_changes, same_state

A, B = Root(FILE, 1, blob_id(b"A")), Root(FILE, 1, blob_id(b"B"))


def tree(objects: MemoryObjects, **entries: Root) -> Root:
    objects.write_many([(Kind.BLOB, b"A"), (Kind.BLOB, b"B")])
    return build_tree(objects, sorted(Entry(name.encode(), *root) for name, root in entries.items()))


def test_equal_states_need_nothing_and_are_not_read() -> None:
    unknown = Root(0o040000, 5, Oid(b"u" * 32))
    assert plan_changes(MemoryObjects(), b"p", unknown, unknown) == []
    assert plan_changes(MemoryObjects(), b"p", None, None) == []


def test_files_are_compared_one_by_one() -> None:
    objects = MemoryObjects()
    same = tree(objects, x=A)
    old = tree(objects, a=A, b=A, d=same)
    new = tree(objects, b=B, c=B, d=same)
    assert plan_changes(objects, b"p", old, new) == [
        Change(b"p/a", A, None),
        Change(b"p/b", A, B),
        Change(b"p/c", None, B),
    ]


def test_directories_that_come_or_go_are_changes_of_their_own() -> None:
    objects = MemoryObjects()
    inner = tree(objects, f=A)
    old, new = tree(objects, d=inner), tree(objects, e=empty_root())
    assert plan_changes(objects, b"", old, new) == [
        Change(b"d", inner, None),
        Change(b"d/f", A, None),
        Change(b"e", None, empty_root()),
    ]
    assert plan_changes(objects, b"p", None, old) == [
        Change(b"p", None, old),
        Change(b"p/d", None, inner),
        Change(b"p/d/f", None, A),
    ]


def test_a_file_that_becomes_a_directory_and_back() -> None:
    objects = MemoryObjects()
    inner = tree(objects, f=A)
    old, new = tree(objects, d=inner), tree(objects, d=B)
    assert plan_changes(objects, b"", old, new) == [Change(b"d", inner, B), Change(b"d/f", A, None)]
    assert plan_changes(objects, b"", new, old) == [Change(b"d", B, inner), Change(b"d/f", None, A)]


def test_single_file_and_mode() -> None:
    link = Root(SYMLINK, 1, A.id)
    assert plan_changes(MemoryObjects(), b"f", A, link) == [Change(b"f", A, link)]
    assert plan_changes(MemoryObjects(), b"f", A, Root(FILE, 99, A.id)) == []
    assert same_state(A, A)
    assert same_state(None, None)
    assert not same_state(A, None)


def test_foreign_links_are_empty_directories_and_links_are_refused() -> None:
    objects = MemoryObjects()
    foreign = build_tree(objects, [Entry(b"sub", FOREIGN, 0, Oid(b"f" * 32))])
    assert plan_changes(objects, b"", None, foreign) == [Change(b"sub", None, empty_root())]
    link = build_tree(objects, [Entry(b"l", LINK, 0, Oid(b"f" * 32))])
    with pytest.raises(RefusedError, match="p/l: a link to a commit"):
        plan_changes(objects, b"p", None, link)


def test_a_file_cannot_be_the_root() -> None:
    with pytest.raises(UsageError):
        plan_changes(MemoryObjects(), b"", None, A)
