"""Every command that the machine gives, and what is checked around each of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from casvault import Action, How, PullStrategy, Status, Vault
from casvault.errors import CasvaultError, FailureError
from casvault.oid import blob_id
from casvault.vault.results.deployments import ContinueResult, DeployResult, PullResult
from casvault.vault.results.upkeep import UndoResult
from tests.stateful.oracle import Oracle, read_lock
from tests.stateful.rows import Rows, check_row
from tests.stateful.world import ARTIFACTS, LOCK, MOVED, PROJECTS, World
from tests.support.dying import run_until_death

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from casvault.oid import Oid
    from tests.stateful.choices import Choice
    from tests.stateful.world import State


class Call(NamedTuple):
    """A command that is about to be given."""

    work: Callable[[Vault], object]
    preview: Callable[[Vault], object] | None
    scope: tuple[str, ...]
    """Where files may change."""
    is_undo: bool = False
    refs_only: bool = False


class Seen(NamedTuple):
    """Everything at one moment."""

    files: State
    markers: dict[str, bytes]
    refs: dict[str, Oid]
    rows: Rows
    operations: int


class Commands:
    def __init__(self) -> None:
        self.world = World()
        self.vault = self.world.vault
        self.oracle = Oracle(self.vault)
        self.last: tuple[Seen, Seen] | None = None
        """Before and after the last command that worked, while nothing else was done."""
        self.locks: dict[str, list[bytes]] = {name: [] for name in PROJECTS}
        self.vault.deploy(ARTIFACTS, self.world.project(PROJECTS[0]))
        self.vault.deploy(ARTIFACTS[:1], self.world.project(PROJECTS[1]))
        self.rows = self.look()
        self.versions = dict(self.vault.iter_artifacts("lib"))
        """The last version that each path of the collection was seen to have."""

    # The moment

    def see(self) -> Seen:
        return Seen(
            self.world.state(), self.world.markers(), dict(self.vault.refs()), self.rows, len(self.vault.operations())
        )

    def look(self) -> Rows:
        """How all stands in all projects; nothing is recorded by it."""
        self.rows = {
            (project.name, row.root, row.artifact): row
            for project in self.world.projects()
            for row in self.vault.drift(project, record=False).rows
            if row.settled is not None
        }
        return self.rows

    def check_statuses(self) -> None:
        """Whoever looks is told what the table says."""
        found = self.vault.status()
        for (project, root, artifact), row in self.look().items():
            source = artifact if row.moved_to is None else row.moved_to.partition(":")[2]
            there = self.world.content(self.world.lib / source)
            if found.snapshot != found.tip:
                # The next snapshot will be a merge of what the directory holds.
                if row.collection_version is not None and not self.oracle.has(row.collection_version):
                    continue
                there = None if row.collection_version is None else self.oracle.files(row.collection_version)
            elif row.collection_version is None:
                assert not there, f"{source} is said to be gone"
                there = None
            here = self.world.content(self.world.project(project) / root / artifact)
            expected = self.oracle.status(row, there, here)
            assert expected in (None, row.status), f"{artifact} in {project}"

    # Around every command

    def do(self, choice: Choice) -> None:
        call = self.call(choice.what, choice)
        if call is None:
            return
        before = self.see()
        if choice.dies is not None:
            self.crash(call, choice.dies, before, back=choice.flags[0])
            return
        self.world.is_still = call.preview is not None
        planned = self.preview(call, before)
        try:
            result = call.work(self.vault)
        except CasvaultError as error:
            self.check_refused(error, planned, before)
            return
        finally:
            self.world.is_still = False
        self.look()
        after = self.see()
        assert isinstance(planned, type(None)) or rows_of(planned) == rows_of(result), "the preview said something else"
        self.check_files(call, before, after)
        for row in rows_of(result):
            assert row.action is not Action.REFUSED
            if choice.what in ("deploy", "deploy everywhere") and row.action is Action.REMOVED:
                assert row.status is Status.REMOVED, "edits were pruned"
            check_row(self.world, self.oracle, result, row, before, after)
        if isinstance(result, ContinueResult) and result.is_complete:
            assert result.merge not in {merge.handle for merge in self.vault.merges()}
        self.check_untouched(call, result, before, after)
        if isinstance(result, UndoResult):
            self.check_undone(call, result, before, after)
        self.check_lineages(call)
        if choice.what == "drift":
            self.check_observed()
        self.last = None if call.refs_only else (before, after)

    def preview(self, call: Call, before: Seen) -> object:
        """What the command says that it would do; it changes nothing."""
        if call.preview is None:
            return None
        planned: object
        try:
            planned = call.preview(self.vault)
        except CasvaultError as error:
            planned = error
        self.check_unchanged(before, f"by a preview: {planned}")
        return planned

    def check_unchanged(self, before: Seen, how: str) -> None:
        assert self.world.state() == before.files, f"files have changed {how}"
        assert dict(self.vault.refs()) == before.refs, f"refs have changed {how}"
        assert self.world.markers() == before.markers, f"markers have changed {how}"

    def check_refused(self, error: CasvaultError, planned: object, before: Seen) -> None:
        assert not isinstance(error, FailureError), error
        self.check_unchanged(before, f"by a refused command: {error}")
        if isinstance(planned, CasvaultError):
            assert str(planned) == str(error)
        elif planned is not None and "in the way" not in str(error):
            assert any(row.action is Action.REFUSED for row in rows_of(planned)), f"the preview had not said: {error}"

    def check_files(self, call: Call, before: Seen, after: Seen) -> None:
        """Nothing is lost, nothing else is touched, and the lock files say what is."""
        assert self.vault.interrupted() == []
        for path in before.files.keys() | after.files.keys():
            old = before.files.get(path)
            if old != after.files.get(path) and not path.endswith(LOCK):
                assert path.startswith(call.scope), f"changed, but not named: {path}"
                assert old is None or self.is_held(call, path, old[1]), f"overwritten, and nowhere: {path}: {old}"
        self.check_locks(call, before, after)

    def is_held(self, call: Call, path: str, content: bytes) -> bool:
        """In the history; what an undo or an ignored name has put away is in the operation only."""
        if call.is_undo or path.endswith(".DS_Store"):
            return self.oracle.has(blob_id(content))
        return self.oracle.holds(content)

    def check_locks(self, call: Call, before: Seen, after: Seen) -> None:
        """Each is as its project's state says, but where somebody has written into it and nothing changed since."""
        for info in self.vault.projects():
            if info.directory is None or not info.directory.exists():
                continue
            name, ref = info.directory.name, f"projects/{info.name}"
            said, wanted = (self.oracle.lock_of(seen.refs.get(ref)) for seen in (before, after))
            written, text = (seen.files.get(f"{name}/{LOCK}", ("", b""))[1] for seen in (before, after))
            if call.refs_only or (written == text and said == wanted and ref in before.refs):
                assert written == text
                continue
            assert text == wanted, f"the lock file of {name} is not true"
            if written not in (b"", said, text) and ref in before.refs:
                assert self.oracle.has_kept(written, after.operations - before.operations), "a lock file is lost"
            if text not in self.locks[name]:
                self.locks[name].append(text)

    def check_untouched(self, call: Call, result: object, before: Seen, after: Seen) -> None:
        """Deployments that the command has not named are as they were."""
        if call.is_undo:
            return
        named = set()
        for row in rows_of(result):
            named |= {row.artifact, getattr(row, "path", "")}
        for key in before.rows.keys() | after.rows.keys():
            old, new = before.rows.get(key), after.rows.get(key)
            if key[2] not in named and (old is None or old.moved_to is None or old.moved_to[4:] not in named):
                if key[0] in {PROJECTS[2]} and (old is None) != (new is None):
                    continue
                held = [None if row is None else (row.deployed, row.settled, row.pin) for row in (old, new)]
                if not any(row is not None and row.moved_to is not None for row in before.rows.values()):
                    assert held[0] == held[1], f"{key} has changed, but was not named"

    def check_undone(self, call: Call, result: UndoResult, before: Seen, after: Seen) -> None:
        """What is undone at once is as it was."""
        if call.refs_only or self.last is None or self.last[1]._replace(rows={}) != before._replace(rows={}):
            return
        start, end = self.last
        if end.operations - start.operations == 1 and result.number == end.operations:
            what = f"{result.kind} of {result.undone} has not brought back the"
            assert without_locks(start.files) == without_locks(after.files), f"{what} files"
            assert start.refs == after.refs, f"{what} refs"
            assert start.markers.items() <= after.markers.items(), f"{what} markers"

    def check_observed(self) -> None:
        """Whoever has looked has recorded what is on the disk; but in a copy that is not registered yet."""
        known = {info.directory for info in self.vault.projects()}
        for (project, root, artifact), row in self.rows.items():
            found = self.world.content(self.world.project(project) / root / artifact)
            if found is not None and self.world.project(project) in known and row.settled is not None:
                assert found in [self.oracle.files(each) for each in (row.settled, row.observed) if each is not None]
                assert row.observed is None or self.oracle.files(row.settled) != found

    def check_lineages(self, call: Call) -> None:
        """What is new at a path comes from what was there last, across a deletion too; but for what moved there."""
        now = dict(self.vault.iter_artifacts("lib"))
        for path, version in now.items() if not call.is_undo else ():
            origin = self.vault.read_commit(version).field(b"origin")
            if path in self.versions and origin not in (b"rename", b"fork"):
                assert self.versions[path] in self.oracle.ancestors(version), f"the lineage of {path} is cut"
        self.versions = now if call.is_undo else self.versions | now

    # Crashes

    def crash(self, call: Call, change: int, before: Seen, *, back: bool) -> None:
        """Die in the middle of a command, then have it finished or taken back."""

        def work() -> None:
            with contextlib.suppress(CasvaultError):
                call.work(self.vault)

        survived = run_until_death(work, change)
        self.world.seconds += 10
        self.last = None
        interrupted = self.vault.interrupted()
        if interrupted:
            assert not survived
            assert all(result.kept == () for result in self.vault.recover(back=back))
        self.look()
        after = self.see()
        self.check_files(call, before, after)
        self.versions = dict(self.vault.iter_artifacts("lib"))
        if after.operations == before.operations or (interrupted and back):
            assert without_locks(before.files) == without_locks(after.files), "taken back, but the files are others"
            refs = {name: oid for name, oid in after.refs.items() if name in before.refs}
            assert before.refs == refs, "taken back, but the refs are others"

    # Hands on lock files

    def edit_lock(self, project: str, number: int) -> None:
        """Somebody writes an older lock file, as git does, or something else."""
        known = self.locks[project]
        place = self.world.project(project)
        if place in self.world.projects() and known:
            text = known[number % len(known)] if number % 4 else b"# nothing\n"
            if text and text != read_lock(place):
                (place / LOCK).write_bytes(text)

    # The commands

    def call(self, what: str, choice: Choice) -> Call | None:
        project = self.world.project(choice.project)
        if not project.exists():
            if choice.number:
                return None
            project.mkdir()
        is_project = project in self.world.projects()
        if what in ("deploy", "adopt"):
            return self.in_project(what, choice, project)
        if what in ("pull", "undeploy", "pin", "unpin", "deploy locked") and is_project:
            return self.in_project(what, choice, project)
        if what in ("resolve", "continue", "abort"):
            return self.merge(what, choice.number, choice.how)
        return self.elsewhere(what, choice)

    def in_project(self, what: str, choice: Choice, project: Path) -> Call | None:
        first, second, third = choice.flags
        names, one = choice.artifacts, len(choice.artifacts) == 1
        scope = ("lib/", f"{project.name}/")
        root = {} if choice.root is None else {"root": choice.root}
        match what:
            case "deploy":
                more = {
                    "strategy": choice.deploying,
                    "version": choice.version if one else None,
                    "pin": first and second,
                    "prune": third,
                    **root,
                }
                return dry(lambda vault, **how: vault.deploy(names, project, **more, **how), scope)
            case "deploy locked":
                more = {"strategy": choice.deploying, "prune": first}
                return dry(lambda vault, **how: vault.deploy_locked(project, **more, **how), scope)
            case "undeploy":
                more = {"keep_files": first, **root}
                work = lambda vault, **how: vault.undeploy(names, project, **more, **how)  # noqa: E731
                return dry(work, ("lib/",) if first else scope)
            case "adopt":
                more = {"version": choice.version if one else None, **root}
                return dry(lambda vault, **how: vault.adopt(names, project, **more, **how), ("lib/",))
            case "pull":
                more = {"strategy": choice.pulling, "delete": first, **root}
                relinks = second and choice.pulling is PullStrategy.FORK
                more["relink"] = relinks
                work = lambda vault, **how: vault.pull(names, project, **more, **how)  # noqa: E731
                return Call(work, lambda vault: work(vault, preview=True), scope if relinks else ("lib/",))
            case "pin" | "unpin":
                return Call(lambda vault: getattr(vault, what)(names, project), None, ("lib/",))
        return None

    def elsewhere(self, what: str, choice: Choice) -> Call | None:
        everywhere = ("lib/", *(f"{name}/" for name in PROJECTS))
        names, number = choice.artifacts, choice.number
        pair = (ARTIFACTS[number % 3], MOVED[number % 2])
        old, new = reversed(pair) if choice.flags[0] else pair
        match what:
            case "snapshot":
                return Call(lambda vault: vault.snapshot(), None, ("lib/",))
            case "deploy everywhere":
                more = {"strategy": choice.deploying, "prune": choice.flags[0]}
                return dry(lambda vault, **how: vault.deploy_everywhere(names, **more, **how), everywhere)
            case "restore":
                paths = names if choice.flags[0] else ()
                return Call(lambda vault: vault.restore(f"@~{number % 4}", paths), None, ("lib/",))
            case "undo" | "redo":
                force, refs_only = number == 1, number == 2
                work = lambda vault: getattr(vault, what)(force=force, refs_only=refs_only)  # noqa: E731
                return Call(work, None, () if refs_only else everywhere, is_undo=True, refs_only=refs_only)
            case "mv":
                return Call(lambda vault: vault.move(old, new), None, ("lib/",))
            case "cp":
                return Call(lambda vault: vault.copy(old, new), None, ("lib/",))
            case "rm":
                return Call(lambda vault: vault.remove([old]), None, ("lib/",)) if number % 2 else None
            case "drift":
                return Call(lambda vault: vault.drift(), None, ())
            case "somebody else":
                return Call(lambda vault: somebody_else(self.world, number), None, ())
        return None

    def merge(self, what: str, number: int, how: How) -> Call | None:
        """Go on with one of the merges that wait; most of the time all of its conflicts are settled first."""
        known = self.vault.merges()
        if not known:
            return None
        found = known[number % len(known)]
        scope = ("lib/", *(f"{name}/" for name in PROJECTS))
        match what:
            case "abort":
                return Call(lambda vault: vault.abort_merge(found.handle), None, ()) if number > 5 else None
            case "continue" if number:
                for conflict in found.open:
                    with contextlib.suppress(CasvaultError):
                        self.vault.resolve(found.handle, conflict.path, (How.OURS, How.THEIRS)[number % 2])
        if what == "continue":
            return Call(lambda vault: vault.continue_merge(found.handle), None, scope)
        conflict = found.conflicts[number % len(found.conflicts)]
        content = b"settled %d.\n" % self.world.counter if how is How.FILE else None
        return Call(lambda vault: vault.resolve(found.handle, conflict.path, how, content), None, ())


def dry(work: Callable[..., object], scope: tuple[str, ...]) -> Call:
    return Call(work, lambda vault: work(vault, dry_run=True), scope)


def somebody_else(world: World, turn: int) -> None:
    """A transaction of an embedder: a collection without a directory, and a ref."""
    with Vault.open(world.lib, clock=world.clock).transaction() as tx:
        tx.collection("api").put(f"notes/{turn}", {"SKILL.md": b"%d" % world.counter})
        tx.set_ref(f"branches/{turn}", tx.write_commit(tx.write_directory({"a": b"%d" % world.counter})))


def without_locks(files: State) -> State:
    return {path: found for path, found in files.items() if not path.endswith(LOCK)}


def rows_of(result: object) -> tuple[Any, ...]:
    """What was done to each artifact."""
    if isinstance(result, list):
        return tuple(row for each in result for row in rows_of(each))
    if isinstance(result, DeployResult | PullResult):
        return result.artifacts
    return (result.artifact,) if isinstance(result, ContinueResult) else ()
