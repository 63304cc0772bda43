"""Views: refs by name, and edits that state what they expect."""

from __future__ import annotations

import pytest

from casvault.errors import DamageError, RefusedError, StaleError, UsageError
from casvault.objects import (
    FILE,
    LINK,
    Commit,
    Entry,
    Kind,
    MemoryObjects,
    Root,
    Signature,
    Tag,
    write_blob,
    write_commit,
    write_tag,
)
from casvault.oid import Oid
from casvault.refs import RefEdit, View, check_ref_name
from casvault.trees import build_tree, find_path

WHO = Signature(b"Ada", b"ada@example.org", 1_700_000_000, b"+0000")


class Store:
    """Objects, an empty view, and commits to point to."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.empty = View(self.objects, build_tree(self.objects, ()))

    def commit(self, name: bytes) -> Oid:
        root = Root(FILE, len(name), write_blob(self.objects, name))
        return write_commit(self.objects, Commit(root, (), WHO, WHO, name))

    def view(self, refs: dict[bytes, Oid]) -> View:
        edits = [RefEdit(name, None, oid) for name, oid in refs.items()]
        return View(self.objects, self.empty.edited(self.objects, edits))


@pytest.fixture
def store() -> Store:
    return Store()


def edited(store: Store, view: View, *edits: RefEdit) -> dict[bytes, Oid]:
    return dict(View(store.objects, view.edited(store.objects, edits)).iter_refs())


def test_an_empty_view_has_no_refs(store: Store) -> None:
    assert (list(store.empty.iter_refs()), store.empty.find(b"heads/a")) == ([], None)


def test_refs_are_found_by_name_and_listed_in_order(store: Store) -> None:
    one, two = store.commit(b"1"), store.commit(b"2")
    view = store.view({b"heads/b": two, b"heads/a": one, b"tags/x/y": one})
    assert [view.find(name) for name in (b"heads/a", b"heads/b", b"heads/c")] == [one, two, None]
    assert list(view.iter_refs()) == [(b"heads/a", one), (b"heads/b", two), (b"tags/x/y", one)]


def test_a_prefix_names_a_directory(store: Store) -> None:
    one = store.commit(b"1")
    view = store.view({b"heads/a": one, b"heads/deep/b": one, b"headstrong/c": one})
    assert list(view.iter_refs(b"heads")) == [(b"heads/a", one), (b"heads/deep/b", one)]
    assert list(view.iter_refs(b"heads/a")) == []
    assert list(view.iter_refs(b"nothing")) == []


def test_a_directory_of_refs_is_not_a_ref(store: Store) -> None:
    assert store.view({b"heads/a": store.commit(b"1")}).find(b"heads") is None


def test_what_is_not_a_link_is_damage(store: Store) -> None:
    blob = write_blob(store.objects, b"x")
    view = View(store.objects, build_tree(store.objects, [Entry(b"a", FILE, 1, blob)]))
    with pytest.raises(DamageError, match="a: a ref is not a link"):
        view.find(b"a")


def test_edits_create_move_and_delete(store: Store) -> None:
    one, two = store.commit(b"1"), store.commit(b"2")
    view = store.view({b"a": one, b"d/b": one})
    changed = edited(store, view, RefEdit(b"a", one, two), RefEdit(b"d/b", one, None), RefEdit(b"d/c", None, two))
    assert changed == {b"a": two, b"d/c": two}
    assert dict(view.iter_refs()) == {b"a": one, b"d/b": one}


def test_deleting_the_last_ref_leaves_the_empty_view(store: Store) -> None:
    one = store.commit(b"1")
    view = store.view({b"d/e/a": one})
    assert view.edited(store.objects, [RefEdit(b"d/e/a", one, None)]) == store.empty.root


def test_the_order_of_edits_does_not_matter(store: Store) -> None:
    one = store.commit(b"1")
    edits = [RefEdit(b"r/%d" % number, None, one) for number in range(200)]
    assert store.empty.edited(store.objects, edits) == store.empty.edited(store.objects, edits[::-1])


@pytest.mark.parametrize("new", [None, b"2", b"3"])
def test_another_value_than_expected_is_stale(store: Store, new: bytes | None) -> None:
    one, two = store.commit(b"1"), store.commit(b"2")
    edit = RefEdit(b"a", two, None if new is None else store.commit(new))
    with pytest.raises(StaleError, match=f"a: it is at {one.short}, expected was {two.short}"):
        store.view({b"a": one}).edited(store.objects, [edit])


def test_expecting_nothing_where_something_is_and_the_other_way_round_is_stale(store: Store) -> None:
    one = store.commit(b"1")
    with pytest.raises(StaleError, match=f"a: it is at {one.short}, expected was nothing"):
        store.view({b"a": one}).edited(store.objects, [RefEdit(b"a", None, one)])
    with pytest.raises(StaleError, match=f"a: it is at nothing, expected was {one.short}"):
        store.empty.edited(store.objects, [RefEdit(b"a", one, None)])


def test_a_stale_edit_spoils_all(store: Store) -> None:
    one = store.commit(b"1")
    with pytest.raises(StaleError):
        store.empty.edited(store.objects, [RefEdit(b"a", None, one), RefEdit(b"b", one, None)])


def test_a_ref_points_to_a_commit_or_tag_that_is_there(store: Store) -> None:
    blob = write_blob(store.objects, b"x")
    for target in (blob, Oid(b"?" * 32), store.empty.root.id):
        with pytest.raises(UsageError, match="can only point to a commit or tag"):
            store.empty.edited(store.objects, [RefEdit(b"a", None, target)])
    tag = write_tag(store.objects, Tag(Kind.COMMIT, store.commit(b"1"), b"v1", WHO, b"first"))
    assert edited(store, store.empty, RefEdit(b"a", None, tag)) == {b"a": tag}


def test_a_link_carries_the_size_below_it(store: Store) -> None:
    view = store.view({b"d/a": store.commit(b"123"), b"d/b": store.commit(b"12345")})
    assert view.root.size == 8
    state = find_path(store.objects, view.root, b"d/a")
    assert state is not None
    assert (state.mode, state.size) == (LINK, 3)


def test_a_ref_cannot_be_below_another_one(store: Store) -> None:
    one = store.commit(b"1")
    with pytest.raises(RefusedError, match="not a directory"):
        store.view({b"a": one}).edited(store.objects, [RefEdit(b"a/b", None, one)])
    with pytest.raises(RefusedError):
        store.empty.edited(store.objects, [RefEdit(b"a", None, one), RefEdit(b"a/b", None, one)])


def test_a_ref_cannot_replace_the_refs_below_it(store: Store) -> None:
    """A ref named like a directory of refs would silently take all of them away."""
    one = store.commit(b"1")
    with pytest.raises(RefusedError):
        store.view({b"a/b": one}).edited(store.objects, [RefEdit(b"a", None, one)])


def test_two_edits_of_one_ref_are_refused(store: Store) -> None:
    """Which of them would be meant cannot be known, and both expect the same value."""
    one, two = store.commit(b"1"), store.commit(b"2")
    with pytest.raises(UsageError):
        store.empty.edited(store.objects, [RefEdit(b"a", None, one), RefEdit(b"a", None, two)])


@pytest.mark.parametrize("name", [b"", b"/a", b"a/", b"a//b", b".", b"a/..", b"a\0b", b"a/./b"])
def test_a_bad_name_is_refused(store: Store, name: bytes) -> None:
    with pytest.raises(UsageError, match="cannot be part of a ref"):
        check_ref_name(name)
    with pytest.raises(UsageError, match="cannot be part of a ref"):
        store.empty.edited(store.objects, [RefEdit(name, None, store.commit(b"1"))])


@pytest.mark.parametrize("name", [b"a", b"a b/c", b"\xff\xfe", b"a\\b", "ä/ö".encode(), b"..."])
def test_other_names_are_names(store: Store, name: bytes) -> None:
    one = store.commit(b"1")
    check_ref_name(name)
    assert store.view({name: one}).find(name) == one
