"""Branches against a model of a few lines: what a merge must come to follows from the ancestors and one-line files.

Any command may die before any change that it makes to the file system; then it has done everything or nothing.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from casvault import How, Vault
from casvault.errors import CasvaultError, ConflictError, NotFoundError, RefusedError, UsageError
from tests.support.dying import run_until_death

if TYPE_CHECKING:
    from collections.abc import Callable

    from casvault.oid import Oid
    from casvault.vault.results import MergeInfo

EXAMPLES = int(os.environ.get("CASVAULT_BRANCH_EXAMPLES", "8"))
STEPS = int(os.environ.get("CASVAULT_STEPS", "40"))

BRANCHES = ("main", "try", "deep/er")
NAMES = ("a", "b", "sub/c", "sub/d")
HOWS = (How.OURS, How.THEIRS, How.BASE, How.FILE)
WEIGHTS = {"snapshot": 8, "create": 2, "delete": 1, "merge": 12, "resolve": 6, "end": 4, "abort": 1, "undo": 1}
DEADLY = 0.15
"""How often a command is killed; which of its changes it does not live to make is drawn, too."""

Files = dict[str, bytes]


class Clash(NamedTuple):
    """What a merge comes to by the three-way rule, and where it does not come to anything."""

    files: Files
    paths: set[str]


class BranchMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**64))
    def make(self, seed: int = 0) -> None:
        self.source = random.Random(seed)
        memory = Path("/dev/shm")
        self.root = Path(tempfile.mkdtemp(prefix="casvault-test-", dir=memory if os.access(memory, os.W_OK) else None))
        (self.root / "lib/skills/one").mkdir(parents=True)
        (self.root / "lib/skills/one/SKILL.md").write_text("one\n")
        self.seconds = 1_700_000_000
        self.vault = Vault.init(self.root / "lib", clock=self.clock)[0]
        self.undoable: list[dict[str, Oid]] = []
        self.contents: dict[Oid, Files] = {}
        self.below: dict[Oid, set[Oid]] = {}
        self.snapshot("main", {}, None)

    @rule()
    def step(self) -> None:
        """By weight, so that most steps lead somewhere."""
        rng = self.source
        (what,) = rng.choices(list(WEIGHTS), WEIGHTS.values())
        dies = rng.randrange(12) if rng.random() < DEADLY else None
        name, other, which = rng.choice(BRANCHES), rng.choice(BRANCHES), rng.randrange(6)
        match what:
            case "snapshot":
                names = rng.sample(NAMES, rng.randrange(1, 4))
                self.snapshot(name, {each: rng.choice((None, 0, 1, 2)) for each in names}, dies)
            case "create" | "merge":
                (self.create if what == "create" else self.merge)(name, other, dies)
            case "resolve":
                self.resolve(which, rng.randrange(4), rng.choice(HOWS), dies)
            case "undo":
                self.undo()
            case "delete":
                self.delete(name, dies)
            case _:
                (self.end if what == "end" else self.abort)(which, dies)

    def teardown(self) -> None:
        if hasattr(self, "root"):
            try:
                assert self.vault.fsck().problems == ()
            finally:
                shutil.rmtree(self.root)

    def clock(self) -> tuple[int, int]:
        self.seconds += 1
        return self.seconds, 0

    # What there is

    def tip(self, name: str) -> Oid | None:
        return next((branch.tip for branch in self.vault.branches() if branch.name == name), None)

    def files(self, tip: Oid) -> Files:
        found = self.contents.get(tip)
        if found is None:
            lines = self.vault.ls_tree(tip.hex(), recursive=True)
            found = {line.path: b"".join(self.vault.cat(f"{tip.hex()}:{line.path}")) for line in lines}
            self.contents[tip] = found
        return dict(found)

    def parents(self, tip: Oid) -> tuple[Oid, ...]:
        return tuple(self.vault.read_commit(tip).parents)

    def ancestors(self, tip: Oid) -> set[Oid]:
        found = self.below.get(tip)
        if found is None:
            found = self.below[tip] = {tip}.union(*(self.ancestors(parent) for parent in self.parents(tip)))
        return found

    def bases(self, ours: Oid, theirs: Oid) -> set[Oid]:
        common = self.ancestors(ours) & self.ancestors(theirs)
        return common - {below for each in common for below in self.ancestors(each) - {each}}

    def merged(self, ours: Oid, theirs: Oid) -> Clash | None:
        """None where several bases make it hard to say."""
        bases = self.bases(ours, theirs)
        if len(bases) != 1:
            return None
        base, mine, other = (self.files(each) for each in (*bases, ours, theirs))
        clash = Clash({}, set())
        for path in base.keys() | mine.keys() | other.keys():
            old, one, two = base.get(path), mine.get(path), other.get(path)
            if old != one != two != old:
                clash.paths.add(path)
            chosen = two if old == one else one
            if chosen is not None:
                clash.files[path] = chosen
        return clash

    # Commands

    def run(self, work: Callable[[], object], dies: int | None = None) -> bool:
        """Give a command; whether it has done anything."""
        before, count = dict(self.vault.refs()), len(self.vault.operations())
        if dies is None:
            work()
        else:
            self.die(work, dies)
        done = len(self.vault.operations()) > count
        assert done or dict(self.vault.refs()) == before
        if done:
            self.undoable.append(before)
        return done

    def die(self, work: Callable[[], object], dies: int) -> None:
        def quietly() -> None:
            with suppress(CasvaultError):
                work()

        run_until_death(quietly, dies)
        assert self.vault.interrupted() == []

    def refused(self, work: Callable[[], object], kind: type[CasvaultError]) -> None:
        """It says why, and has done nothing."""
        before = dict(self.vault.refs())
        try:
            work()
        except kind:
            assert dict(self.vault.refs()) == before
        else:
            raise AssertionError(f"nobody raised {kind.__name__}")

    def snapshot(self, name: str, edits: dict[str, int | None], dies: int | None) -> None:
        before = self.tip(name)
        if before is None and name != "main":
            self.create(name, "main", dies)  # a branch that begins by itself has nothing in common with the others
            return
        wanted = {"keep": b"keep\n"} if before is None else self.files(before)
        for path, value in edits.items():
            wanted.pop(path, None)
            if value is not None:
                wanted[path] = b"%s %d\n" % (path.encode(), value)
        directory = self.root / "notes"
        shutil.rmtree(directory, ignore_errors=True)
        for path, content in wanted.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(content)
        done = self.run(lambda: self.vault.snapshot_branch(name, directory), dies)
        after = self.tip(name)
        if done:
            assert after is not None
            assert self.files(after) == wanted
            assert self.parents(after) == (() if before is None else (before,))
        else:
            assert dies is not None or (before is not None and self.files(before) == wanted)

    def create(self, name: str, start: str, dies: int | None) -> None:
        tip, standing = self.tip(start), self.tip(name)
        if tip is None:
            return
        if standing not in (None, tip):
            self.refused(lambda: self.vault.create_branch(name, start), RefusedError)
        elif self.run(lambda: self.vault.create_branch(name, start), dies):
            assert (standing, self.tip(name)) == (None, tip)
        else:
            assert standing == tip or dies is not None

    def delete(self, name: str, dies: int | None) -> None:
        if name == "main":
            return
        if self.tip(name) is None:
            self.refused(lambda: self.vault.delete_branch(name), NotFoundError)
        elif self.run(lambda: self.vault.delete_branch(name), dies):
            assert self.tip(name) is None

    def merge(self, source: str, into: str, dies: int | None) -> None:
        theirs, ours = self.tip(source), self.tip(into)
        if theirs is None or ours is None:
            return
        if not self.bases(ours, theirs):
            self.refused(lambda: self.vault.merge_branch(source, into), RefusedError)
            return
        waiting = {merge.handle for merge in self.vault.merges()}
        done = self.run(lambda: self.vault.merge_branch(source, into), dies)
        assert source == into or self.tip(source) == theirs
        if theirs in self.ancestors(ours):
            assert not done
        elif not done:
            assert dies is not None or waiting
        elif ours in self.ancestors(theirs):
            assert self.tip(into) == theirs
        else:
            self.check_united(into, ours, theirs)
            # Where one waited, what was chosen there about the same conflicts is kept.
            assert waiting or all(each.open == each.conflicts for each in self.vault.merges())

    def check_united(self, into: str, ours: Oid, theirs: Oid) -> None:
        """A commit with both as parents, or a merge that waits, by what the three-way rule says."""
        tip, expected = self.tip(into), self.merged(ours, theirs)
        assert tip is not None
        mine, other = self.files(ours), self.files(theirs)
        different = {path for path in mine.keys() | other.keys() if mine.get(path) != other.get(path)}
        if tip == ours:
            # Two branches can stand at one commit; then two merges of the same commits can wait.
            waiting = [each for each in self.vault.merges() if (each.ours, each.theirs) == (ours, theirs)]
            paths = {conflict.path for each in waiting for conflict in each.conflicts}
            assert paths
            assert paths <= different
            assert expected is None or paths == expected.paths
            return
        assert self.parents(tip) == (ours, theirs)
        found = self.files(tip)
        assert found.keys() <= mine.keys() | other.keys()
        assert all(content in (mine.get(path), other.get(path)) for path, content in found.items())
        assert expected is None or (found, set()) == expected

    # Merges that wait

    def pick(self, number: int) -> MergeInfo | None:
        merges = self.vault.merges()
        return merges[number % len(merges)] if merges else None

    def resolve(self, which: int, number: int, how: How, dies: int | None) -> None:
        merge = self.pick(which)
        if merge is None:
            return
        conflict = merge.conflicts[number % len(merge.conflicts)]
        path, content = conflict.path, b"chosen\n" if how is How.FILE else None
        if how is How.BASE and conflict.base is None:
            self.refused(lambda: self.vault.resolve(merge.handle, path, how), UsageError)
        elif self.run(lambda: self.vault.resolve(merge.handle, path, how, content), dies):
            after = {conflict.path: conflict.how for conflict in self.vault.merge_info(merge.handle).conflicts}
            assert after == {**{each.path: each.how for each in merge.conflicts}, path: how}

    def end(self, which: int, dies: int | None) -> None:
        """Continue; what was chosen is in the result, and what has come to the branch since is, too."""
        merge = self.pick(which)
        if merge is None:
            return
        current = self.tip(merge.artifact)
        if merge.open or current is None:
            kind = ConflictError if merge.open else NotFoundError
            self.refused(lambda: self.vault.continue_branch(merge.handle), kind)
            return
        if not self.run(lambda: self.vault.continue_branch(merge.handle), dies):
            assert dies is not None
            return
        after = self.tip(merge.artifact)
        assert after is not None
        if after == current:
            again = self.vault.merge_info(merge.handle)
            assert again.ours == current
            assert self.parents(again.theirs) == (merge.ours, merge.theirs)
            self.check_united(merge.artifact, current, again.theirs)
            return
        resolved = after if self.parents(after) == (merge.ours, merge.theirs) else self.parents(after)[1]
        assert self.parents(resolved) == (merge.ours, merge.theirs)
        self.check_chosen(merge, self.files(resolved))
        if resolved != after:
            self.check_united(merge.artifact, current, resolved)

    def check_chosen(self, merge: MergeInfo, found: Files) -> None:
        ours, theirs = self.files(merge.ours), self.files(merge.theirs)
        for conflict in merge.conflicts:
            choices = {How.OURS: ours.get(conflict.path), How.THEIRS: theirs.get(conflict.path), How.FILE: b"chosen\n"}
            if conflict.how in choices:
                assert found.get(conflict.path) == choices[conflict.how]

    def abort(self, which: int, dies: int | None) -> None:
        merge, before = self.pick(which), self.vault.branches()
        if merge is not None and self.run(lambda: self.vault.abort_merge(merge.handle), dies):
            assert merge.handle not in {each.handle for each in self.vault.merges()}
            assert self.vault.branches() == before

    def undo(self) -> None:
        if self.undoable:
            self.vault.undo()
            assert dict(self.vault.refs()) == self.undoable.pop()

    @invariant()
    def everything_can_be_read(self) -> None:
        if hasattr(self, "vault"):
            assert all(self.files(branch.tip) for branch in self.vault.branches())


BranchMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    derandomize="CASVAULT_BRANCH_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)


class TestBranches(BranchMachine.TestCase):  # type: ignore[name-defined,misc]
    pass
