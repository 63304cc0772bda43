"""The view: the whole namespace of refs as one tree of links."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, RefusedError, StaleError, UsageError
from casvault.objects import LINK, TREE, Kind, Root, check_name, read_commit
from casvault.trees import edit_paths, find_path, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.objects import ObjectReader, ObjectStage
    from casvault.oid import Oid


class RefEdit(NamedTuple):
    """A change of one ref, and the value that it expects; None for a ref that is not there."""

    name: bytes
    expected: Oid | None
    new: Oid | None


class View:
    """The refs after one operation; immutable."""

    def __init__(self, reader: ObjectReader, root: Root) -> None:
        self.reader = reader
        self.root = root

    def find(self, name: bytes) -> Oid | None:
        """What the ref points to."""
        state = find_path(self.reader, self.root, name)
        if state is None or state.mode == TREE:
            return None
        if state.mode != LINK:
            raise DamageError("a ref is not a link", place=show_ref(name))
        return state.id

    def iter_refs(self, prefix: bytes = b"") -> Iterator[tuple[bytes, Oid]]:
        """Every ref below the prefix, which names a directory ("collections") or is empty, sorted by name."""
        start = find_path(self.reader, self.root, prefix)
        if start is None or start.mode != TREE:
            return
        for path, entry in walk(self.reader, start.id, prefix + b"/" if prefix else b""):
            if entry.mode == LINK:
                yield path, entry.id

    def edited(self, stage: ObjectStage, edits: Iterable[RefEdit]) -> Root:
        """The tree of refs with the edits made; StaleError if one does not find what it expects."""
        changes: dict[bytes, Root | None] = {}
        for name, expected, new in edits:
            check_ref_name(name)
            if name in changes:
                raise UsageError("two edits of one ref", place=show_ref(name))
            if new is not None:
                self._check_room(name)
            if (found := self.find(name)) != expected:
                raise StaleError(f"it is at {_show(found)}, expected was {_show(expected)}", place=show_ref(name))
            changes[name] = None if new is None else _link(stage, new)
        return edit_paths(stage, self.root, changes)

    def _check_room(self, name: bytes) -> None:
        """A ref in the place of a directory of refs would take all of them away."""
        state = find_path(self.reader, self.root, name)
        if state is not None and state.mode == TREE:
            raise RefusedError("there are refs below this name", place=show_ref(name))


def check_ref_name(name: bytes) -> None:
    """Raise UsageError for what cannot be the name of a ref."""
    for part in name.split(b"/"):
        if wrong := check_name(part):
            raise UsageError(f"{wrong} cannot be part of a ref", place=show_ref(name))


def show_ref(name: bytes) -> str:
    return name.decode(errors="replace")


def _link(stage: ObjectStage, oid: Oid) -> Root:
    info = stage.find_infos([oid])[0]
    if info is None or info.kind not in (Kind.COMMIT, Kind.TAG):
        raise UsageError("a ref can only point to a commit or tag of this vault", place=str(oid))
    return Root(LINK, read_commit(stage, oid).root.size if info.kind is Kind.COMMIT else 0, oid)


def _show(oid: Oid | None) -> str:
    return "nothing" if oid is None else oid.short
