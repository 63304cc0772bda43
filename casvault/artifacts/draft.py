"""A draft: what a command is about to change, gathered while it is planned on one view."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.history import CommitGraph
from casvault.objects import Overlay
from casvault.refs import RefEdit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.artifacts.version import Draftsman
    from casvault.history import GraphCache
    from casvault.objects import Field, ObjectStage, Root
    from casvault.oid import Oid
    from casvault.refs import View


class FileWrite(NamedTuple):
    """A path of a target whose content goes from one state to another; None for absent."""

    path: bytes
    old: Root | None
    new: Root | None


class Draft:
    """The refs and files that one operation will change, on the view that it was planned on."""

    def __init__(
        self, stage: ObjectStage, view: View, draftsman: Draftsman, graph_cache: GraphCache | None = None
    ) -> None:
        self.stage = stage
        self.view = view
        self.draftsman = draftsman
        self.graph = CommitGraph(stage, graph_cache)
        self.scratch = Overlay(stage)
        """Where merges are tried; nothing of it is kept that nobody copies."""
        self._files: dict[bytes, dict[bytes, FileWrite]] = {}
        self.markers: dict[bytes, Oid] = {}
        """The snapshots that directories of collections are at afterwards, where it is not what their ref points to."""
        self.fields: list[Field] = []
        """What the operation is to say besides its command."""
        self._refs: dict[bytes, Oid | None] = {}

    def ref(self, name: bytes) -> Oid | None:
        """What the ref will point to."""
        return self._refs[name] if name in self._refs else self.view.find(name)

    def set_ref(self, name: bytes, new: Oid | None) -> None:
        self._refs[name] = new

    def iter_refs(self, prefix: bytes = b"") -> Iterator[tuple[bytes, Oid]]:
        """Every ref that there will be below a prefix which names a directory, or everywhere for none; sorted."""
        below = prefix + b"/" if prefix else b""
        own = {name: oid for name, oid in self._refs.items() if name.startswith(below)}
        if not own:
            yield from self.view.iter_refs(prefix)
            return
        found: dict[bytes, Oid | None] = {**dict(self.view.iter_refs(prefix)), **own}
        for name, oid in sorted(found.items()):
            if oid is not None:
                yield name, oid

    def write_file(self, target: bytes, path: bytes, old: Root | None, new: Root | None) -> None:
        """Plan to write a path; two plans for one path become one."""
        writes = self._files.setdefault(target, {})
        planned = writes.get(path)
        writes[path] = FileWrite(path, old if planned is None else planned.old, new)

    @property
    def files(self) -> dict[bytes, list[FileWrite]]:
        """What is planned to be written, by target: the ref whose directory it is in."""
        return {target: list(writes.values()) for target, writes in self._files.items()}

    def edits(self) -> list[RefEdit]:
        """The changes of refs, each with the value that the view has."""
        pairs = ((name, self.view.find(name), new) for name, new in self._refs.items())
        return [RefEdit(name, old, new) for name, old, new in pairs if old != new]
