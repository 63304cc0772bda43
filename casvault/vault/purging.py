"""The façade's part for secrets that leaked: what holds a content, and taking it out of the vault for good."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.blobs import blobs_at, blobs_ever_at
from casvault.artifacts.names import show, typed
from casvault.artifacts.revision import MIN_PREFIX, find_artifact, resolve_state, split_path
from casvault.deploy.run import Command, Outcome, run
from casvault.errors import DamageError, NotFoundError, RefusedError, UnsupportedError, UsageError
from casvault.maintenance.holders import Holders
from casvault.objects import Kind
from casvault.oid import HEX_SIZE
from casvault.refs import purged_ref, read_tombstones, write_allowances, write_tombstones
from casvault.repository import CONTROL
from casvault.vault.holding import Holding, iter_commits, merges_with
from casvault.vault.results.purging import CopyOnDisk, HeldContent, PurgedInfo, PurgePlan, PurgeResult
from casvault.vault.upkeep import Upkeep
from casvault.worktree.search import iter_copies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.revision import Names
    from casvault.oid import Oid

_ID = re.compile(rf"[0-9a-fA-F]{{{MIN_PREFIX},{HEX_SIZE}}}\Z")


class Purging(Upkeep):
    def plan_purge(self, targets: Iterable[str], *, collection: str | None = None) -> PurgePlan:
        """What a purge of these would take, and everything that holds it. Nothing is changed.

        `REV:PATH` is what stands at the path there; `PATH` alone every content that was ever at this path of the
        collection, in any snapshot or version; for directories, all files below. An id or its prefix is one blob.
        NotFoundError for a target with nothing to purge.
        """
        names = self._names(collection)
        sizes: dict[Oid, int] = {}
        for target in targets:
            sizes |= self._contents_of(names, target)
        if not sizes:
            raise UsageError("name at least one path or id to purge")
        view = self._view()
        holding = Holding(self._repository, view, sizes)
        copies, not_searched = self._find_copies(sizes)
        return PurgePlan(
            tuple(HeldContent(oid, size, holding.paths(oid)) for oid, size in sorted(sizes.items())),
            tuple(holding.versions),
            tuple(holding.snapshots),
            tuple(holding.projects()),
            tuple(holding.refs()),
            tuple(holding.merges()),
            tuple(holding.operations()),
            self._repository.packs_with(sizes),
            tuple(copies),
            tuple(not_searched),
        )

    def purge(self, plan: PurgePlan, *, message: str = "") -> PurgeResult:
        """Take the contents of a plan out of the vault, and leave a tombstone for each that says who did it and why.

        No id changes: what refers to a purged content goes on doing so, and asking for it is a PurgedError. The
        tombstones are recorded first, and no undo takes them back; bytes that could not be taken out of a pack
        are told of, and go when this or `finish_purges` is called again. RefusedError while a merge in progress holds
        one of them.
        """
        sizes = {content.id: content.size for content in plan.contents}
        self._check_not_interrupted()
        session = self._session(message, {})
        with self._stage() as stage:

            def draw(draft: Draft) -> None:
                self._check_merges(draft, sizes)
                known = read_tombstones(draft.view)
                new = {oid: size for oid, size in sizes.items() if oid not in known or known[oid].allowed}
                draftsman = draft.draftsman
                for oid, commit in write_tombstones(draft.stage, draftsman.who, typed(message), new).items():
                    draft.set_ref(purged_ref(oid), commit)

            outcome = run(session, stage, Command("purge", tuple(sorted(sizes))), draw)
        return PurgeResult(plan, self.finish_purges(), outcome)

    def allow_purged(self, ids: Iterable[str], *, message: str = "") -> Outcome:
        """Let the vault have contents again that were purged. Their bytes do not come back by this."""
        known = self._repository.tombstones()
        wanted = [_pick(known, digits) for digits in ids]
        session = self._session(message, {})
        with self._stage() as stage:

            def draw(draft: Draft) -> None:
                now = read_tombstones(draft.view)
                found = [now[oid] for oid in wanted if oid in now and not now[oid].allowed]
                draftsman = draft.draftsman
                for oid, commit in write_allowances(draft.stage, draftsman.who, typed(message), found).items():
                    draft.set_ref(purged_ref(oid), commit)

            return run(session, stage, Command("allow", tuple(wanted)), draw)

    def finish_purges(self) -> tuple[str, ...]:
        """End purges that were cut off: take the bytes out of the packs. Answers the packs that hold some still.

        Every command that records something does the same on its way.
        """
        # What cannot be rewritten is named here, and `fsck` tells why.
        with suppress(DamageError, UnsupportedError):
            self._repository.finish_purges(wait=True)
        return tuple(sorted({found.pack for found in self._repository.iter_lingering()}))

    def purged(self) -> list[PurgedInfo]:
        """What was ever purged, the newest first."""
        remaining: dict[Oid, list[str]] = {}
        for found in self._repository.iter_lingering():
            remaining.setdefault(found.id, []).append(found.pack)
        infos = [
            PurgedInfo(
                each.id,
                each.size,
                show(each.who.name),
                each.who.seconds,
                each.who.zone.decode(),
                show(each.reason),
                each.allowed,
                tuple(sorted(remaining.get(each.id, ()))),
            )
            for each in self._repository.tombstones().values()
        ]
        return sorted(infos, key=lambda info: (-info.seconds, info.id))

    def _contents_of(self, names: Names, target: str) -> dict[Oid, int]:
        revision, path = split_path(names, target)
        if path is not None:
            found = blobs_at(self.reader, resolve_state(names, revision or "@", typed(path)))
        else:
            blob = self._find_blob(target)
            found = {blob[0]: blob[1]} if blob is not None else self._contents_ever_at(names, target)
        here = {oid: size for oid, size in found.items() if self.reader.find_infos([oid]) != [None]}
        if not here:
            known = self._repository.tombstones()
            what = "all of it was purged before" if found.keys() & known.keys() else "no content is there to purge"
            raise NotFoundError(what, place=target, remedy="see `casvault purge` and `casvault ls-tree -r @`")
        return here

    def _find_blob(self, digits: str) -> tuple[Oid, int] | None:
        """The blob of this id or prefix, with its size; UsageError where it is something else, or several."""
        ids = self._repository.find_prefix(digits.lower()) if _ID.match(digits) else []
        if not ids:
            return None
        if len(ids) > 1:
            raise UsageError(f"the id is ambiguous: {', '.join(oid.short for oid in ids[:5])}", place=digits)
        info = self.reader.find_infos(ids)[0]
        if info is None:
            return ids[0], self._repository.tombstones()[ids[0]].size
        if info.kind is not Kind.BLOB or not info.size:
            what = "the empty content is no secret" if info.kind is Kind.BLOB else f"the id of a {info.kind}"
            raise UsageError(what, place=digits, remedy="name blobs by their ids, or a path: `casvault purge PATH`")
        return ids[0], info.size

    def _contents_ever_at(self, names: Names, target: str) -> dict[Oid, int]:
        name = self._collection_name(names.collection)
        path = typed(target).strip(b"/")
        if not path:
            raise UsageError("the whole collection cannot be purged", place=target, remedy="name a path in it")
        found = blobs_ever_at(self.reader, iter_commits(self._repository), typed(name), path)
        if not found and (artifact := find_artifact(names, target)) is not None:
            found = blobs_ever_at(self.reader, iter_commits(self._repository), typed(name), artifact[0])
        return found

    def _find_copies(self, sizes: Mapping[Oid, int]) -> tuple[list[CopyOnDisk], list[Path]]:
        """Where the directories that the vault knows have the bytes now, and those that are not at hand."""
        found: dict[Path, CopyOnDisk] = {}
        missing = []
        for ref, place in sorted(self._repository.places.all().items()):
            directory = Path(place)
            if not directory.is_dir():
                missing.append(directory)
            for path, oid in iter_copies(directory, sizes, frozenset({CONTROL})):
                found.setdefault(path, CopyOnDisk(path, oid, ref))
        return list(found.values()), missing

    def _check_merges(self, draft: Draft, sizes: Mapping[Oid, int]) -> None:
        handles = merges_with(self.reader, draft.view, Holders(self.reader, sizes))
        if handles:
            raise RefusedError(
                f"merges in progress hold it: {', '.join(handles)}",
                place="purge",
                remedy="continue or abort them first: see `casvault merges list`",
            )


def _pick(known: Mapping[Oid, object], digits: str) -> Oid:
    """The purged content that an id or its prefix names."""
    found = [oid for oid in known if oid.hex().startswith(digits.lower())] if _ID.match(digits) else []
    if len(found) > 1:
        raise UsageError(f"the id is ambiguous: {', '.join(oid.short for oid in found[:5])}", place=digits)
    if not found:
        raise NotFoundError("nothing of this id was purged", place=digits, remedy="see `casvault purge`")
    return found[0]
