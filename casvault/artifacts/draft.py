"""A draft: what a command is about to change, gathered while it is planned on one view."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.history import CommitGraph
from casvault.refs import RefEdit

if TYPE_CHECKING:
    from casvault.artifacts.version import Draftsman
    from casvault.objects import ObjectStage, Root
    from casvault.oid import Oid
    from casvault.refs import View


class FileWrite(NamedTuple):
    """A path of a target whose content goes from one state to another; None for absent."""

    path: bytes
    old: Root | None
    new: Root | None


class Draft:
    """The refs and files that one operation will change, on the view that it was planned on."""

    def __init__(self, stage: ObjectStage, view: View, draftsman: Draftsman) -> None:
        self.stage = stage
        self.view = view
        self.draftsman = draftsman
        self.graph = CommitGraph(stage)
        self.files: dict[bytes, list[FileWrite]] = {}
        """Writes by target: the ref whose directory they are in."""
        self._refs: dict[bytes, Oid | None] = {}

    def ref(self, name: bytes) -> Oid | None:
        """What the ref will point to."""
        return self._refs[name] if name in self._refs else self.view.find(name)

    def set_ref(self, name: bytes, new: Oid | None) -> None:
        self._refs[name] = new

    def write_file(self, target: bytes, path: bytes, old: Root | None, new: Root | None) -> None:
        """Plan to write a path; two plans for one path become one."""
        writes = self.files.setdefault(target, [])
        for position, write in enumerate(writes):
            if write.path == path:
                writes[position] = FileWrite(path, write.old, new)
                return
        writes.append(FileWrite(path, old, new))

    def edits(self) -> list[RefEdit]:
        """The changes of refs, each with the value that the view has."""
        pairs = ((name, self.view.find(name), new) for name, new in self._refs.items())
        return [RefEdit(name, old, new) for name, old, new in pairs if old != new]
