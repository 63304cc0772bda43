"""The façade's part for artifacts as such: move, copy, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import collection_ref, show, typed
from casvault.artifacts.revision import pick_path
from casvault.artifacts.snapshot import iter_links, open_snapshot
from casvault.deploy.moving import plan_copy, plan_move, plan_removal
from casvault.deploy.run import Command, run
from casvault.errors import NotFoundError, UsageError
from casvault.vault.results.collections import RemoveResult, TransferResult
from casvault.vault.subjects import check_names
from casvault.vault.writing import WritingVault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.rules import Rules
    from casvault.deploy.snapshots import Line
    from casvault.objects import ObjectReader
    from casvault.oid import Oid

    TransferPlan = Callable[[Draft, Line, bytes, Line, bytes, Path | None], Oid]


class Artifacts(WritingVault):
    def move(self, artifact: str, new: str, *, collection: str | None = None, message: str = "") -> TransferResult:
        """Give an artifact another path, in its collection or, as `OTHER:path`, in another one.

        `new` is a path, a short name such as `skill/pdf2`, or a bare name, which stays in the artifact's directory.
        What the directories hold is recorded first. The content stays, the lineage goes on, and deployments can follow.
        RefusedError where something is at the new path already; then nothing is changed.
        """
        return self._transfer("mv", plan_move, artifact, new, collection, message)

    def copy(self, artifact: str, new: str, *, collection: str | None = None, message: str = "") -> TransferResult:
        """Make another artifact of one, at a path that is given in the same way; its lineage is a fork."""
        return self._transfer("cp", plan_copy, artifact, new, collection, message)

    def remove(self, artifacts: Iterable[str], *, collection: str | None = None, message: str = "") -> RemoveResult:
        """Remove artifacts from a collection and from its directory, after what this holds was recorded.

        Their versions stay in the history, `undo` brings them back, and what is made at the path again continues them.
        Ignored files among theirs stay where they are.
        """
        wanted = list(check_names(artifacts))
        if not wanted:
            raise UsageError("name at least one artifact")
        name = self._collection_name(collection)
        session = self._session(message, self._directories(name))
        with self._stage() as stage, self._line(name, session, stage) as line:
            paths = list(dict.fromkeys(self._pick(stage, line, artifact) for artifact in wanted))
            command = Command("rm", (line.name, *paths))
            outcome = run(session, stage, command, lambda draft: plan_removal(draft, line, paths))
        return RemoveResult(name, tuple(map(show, paths)), outcome)

    def _transfer(
        self, kind: str, plan: TransferPlan, artifact: str, new: str, collection: str | None, message: str
    ) -> TransferResult:
        name = self._collection_name(collection)
        target_name, wanted = self._split_new(name, new)
        session = self._session(message, {**self._directories(name), **self._directories(target_name)})
        versions: list[Oid] = []
        with self._stage() as stage, self._lines([name, target_name], session, stage) as lines:
            source, target = lines[typed(name)], lines[typed(target_name)]
            old = self._pick(stage, source, artifact)
            path = _new_path(self._rules_of(target), wanted, old)
            if (source.ref, old) == (target.ref, path):
                raise UsageError("the old and the new path are the same", place=show(path))
            directory = session.directories.get(target.ref)

            def planned(draft: Draft) -> None:
                versions[:] = [plan(draft, source, old, target, path, directory)]

            shown = path if source.ref == target.ref else target.name + b":" + path
            outcome = run(session, stage, Command(kind, (source.name, old, shown)), planned)
        return TransferResult(name, show(old), target_name, show(path), versions[0], outcome)

    def _split_new(self, name: str, new: str) -> tuple[str, bytes]:
        """The collection that a new path is in, and the rest; a colon behind a slash belongs to the path."""
        other, colon, rest = new.partition(":")
        if not colon or "/" in other:
            return name, typed(new)
        if self._view().find(collection_ref(other)) is None:
            raise NotFoundError("no such collection", place=other, remedy="see `casvault collection list`")
        return other, typed(rest)

    def _pick(self, reader: ObjectReader, line: Line, artifact: str) -> bytes:
        """The path of an artifact that the collection or its directory has."""
        snapshot = open_snapshot(reader, self._view().find(line.ref))
        known = {path for path, _ in iter_links(reader, snapshot)}
        if line.scan is not None:
            known.update(line.scan.units)
        path = pick_path(known, self._rules_of(line), artifact)
        if path is None:
            name = show(line.name)
            raise NotFoundError(
                f"no such artifact in collection {name}", place=artifact, remedy=f"see `casvault ls-tree -r {name}`"
            )
        return path

    def _rules_of(self, line: Line) -> Rules:
        return self._rules(show(line.name)) if line.scan is None else line.scan.rules


def _new_path(rules: Rules, wanted: bytes, old: bytes) -> bytes:
    """The artifact path that is meant by a new name; the old path where none is given, as in `OTHER:`."""
    name = wanted.strip(b"/")
    path = rules.expand(name, old) if name else old
    if not rules.admits(path):
        raise UsageError(
            "by the collection's rules, no artifact can be at this path",
            place=show(path),
            remedy="choose a path such as skills/NAME, or add a rule to casvault.toml",
        )
    return path
