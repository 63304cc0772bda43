"""The whole vault against a small plain model: one collection, two projects, edits everywhere, every command.

The model knows no history. It remembers the bytes of every file that was on disk when a command ran, and demands after
each command that whatever is gone from the disk is in the vault; that a refused command changed nothing; that a command
changed only what it named; and for artifacts whose history is simple, the status.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from casvault import DeployStrategy, PullStrategy, Status, Vault
from casvault.errors import CasvaultError, NotFoundError, RefusedError
from casvault.oid import blob_id
from casvault.vault.results import UndoResult

SKILLS = ("skills/one", "skills/two")
NAMES = ("SKILL.md", "a.txt", "sub/b.txt", "sub")
EXAMPLES = int(os.environ.get("CASVAULT_EXAMPLES", "14"))
STEPS = int(os.environ.get("CASVAULT_STEPS", "40"))

EDITS = ("line", "line", "line", "write", "write", "delete", "mode", "rename", "rename back", "remove")
COMMANDS = (
    "snapshot",
    "deploy",
    "deploy",
    "pull",
    "pull",
    "pull",
    "restore",
    "undo",
    "undo",
    "redo",
    "other",
    "mv",
    "cp",
    "rm",
)
EDITED = (Status.MODIFIED, Status.AHEAD, Status.CONFLICT)

skills = st.sampled_from(SKILLS)
projects = st.sampled_from(("app", "web"))
sides = st.sampled_from(("lib", "app", "web"))
State = dict[str, tuple[int, bytes]]


class VaultMachine(RuleBasedStateMachine):
    @initialize()
    def make(self) -> None:
        memory = Path("/dev/shm")
        fast = memory if os.access(memory, os.W_OK) else None
        self.temporary = tempfile.mkdtemp(prefix="casvault-test-", dir=fast)
        self.root = Path(self.temporary)
        self.seconds = 1_700_000_000
        self.counter = 0
        self.last: tuple[State, State] | None = None
        """What the files were before and after the last command that worked."""
        self.made = 0
        """How many operations there were after it."""
        for skill in SKILLS:
            self.put("lib", f"{skill}/SKILL.md", "".join(f"line {number}\n" for number in range(8)))
            self.put("lib", f"{skill}/a.txt", "a\n")
        for name in ("app", "web"):
            (self.root / name).mkdir()
        self.vault = Vault.init(self.root / "lib", clock=self.clock, here=self.root / "lib")[0]
        self.vault.deploy(SKILLS, self.root / "app")
        self.vault.deploy(SKILLS[:1], self.root / "web")

    def teardown(self) -> None:
        try:
            assert self.vault.fsck().problems == ()
            assert self.vault.interrupted() == []
        finally:
            shutil.rmtree(self.temporary)

    def clock(self) -> tuple[int, int]:
        self.seconds += 1
        return self.seconds, 0

    # The world

    def base(self, side: str) -> Path:
        return self.root / side if side == "lib" else self.root / side / ".claude"

    def put(self, side: str, path: str, content: str) -> None:
        place = self.base(side) / path
        for above in reversed(place.relative_to(self.root).parents):
            if (self.root / above).is_file():
                (self.root / above).unlink()
        if place.is_dir():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)

    def state(self) -> State:
        """Every file of a user by path: whether it is executable, and its content."""
        found: State = {}
        for side in ("lib", "app", "web"):
            for directory, names, files in os.walk(self.root / side):
                names[:] = [name for name in names if name != ".casvault"]
                for name in files:
                    if not name.startswith(".casvault-"):
                        path = os.path.join(directory, name)
                        executable = os.stat(path).st_mode & 0o100
                        found[os.path.relpath(path, self.root)] = (executable, Path(path).read_bytes())
        return found

    def markers(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.root.glob("*/.casvault-*")}

    def run(self, work: Callable[[], object], *may_change: str) -> object:
        """Run a command that may write below these paths, and check what must hold whatever it does."""
        before, markers, refs = self.state(), self.markers(), self.vault.refs()
        try:
            result = work()
        except (RefusedError, NotFoundError) as error:
            assert self.state() == before, f"refused, but files have changed: {error}"  # noqa: PT017
            assert self.vault.refs() == refs, f"refused, but refs have moved: {error}"  # noqa: PT017
            changed = {path for path, content in markers.items() if self.markers().get(path) != content}
            assert not changed, f"refused, but the markers have changed: {error}"  # noqa: PT017
            return error
        after = self.state()
        self.last, self.made = (before, after), len(self.vault.operations())
        for path in before.keys() | after.keys():
            if before.get(path) != after.get(path):
                assert path.startswith(may_change), f"changed, but not named: {path}"
                if path in before:
                    self.assert_held(path, before[path][1])
        assert self.vault.interrupted() == []
        return result

    def assert_held(self, path: str, content: bytes) -> None:
        info = self.vault.reader.find_infos([blob_id(content)])[0]
        assert info is not None, f"overwritten, and not in the vault: {path}: {content!r}"

    # Edits

    # One rule for all edits and one for all commands: the search may leave whole rules out, and these belong together.

    @rule(side=sides, skill=skills, line=st.integers(0, 7), name=st.sampled_from(NAMES), what=st.sampled_from(EDITS))
    def edit(self, side: str, skill: str, line: int, name: str, what: str) -> None:
        if what == "line":
            self.edit_line(side, skill, line)
        elif what in ("write", "delete", "mode"):
            self.edit_file(side, skill, name, what)
        else:
            self.move_artifact(side, skill, what)

    @rule(
        skill=skills,
        project=projects,
        what=st.sampled_from(COMMANDS),
        deploying=st.sampled_from(DeployStrategy),
        pulling=st.sampled_from(PullStrategy),
        number=st.integers(0, 3),
    )
    def command(
        self, skill: str, project: str, what: str, deploying: DeployStrategy, pulling: PullStrategy, number: int
    ) -> None:
        match what:
            case "snapshot":
                self.snapshot()
            case "deploy":
                self.deploy(skill, project, deploying)
            case "pull":
                self.pull(skill, project, pulling)
            case "restore":
                self.restore(number, skill if project == "app" else None)
            case "undo" | "redo":
                self.undo(what == "redo", ("plain", "plain", "force", "refs only")[number])
            case "other":
                self.somebody_else(number)
            case "mv" | "cp" | "rm":
                self.reorganise(what, skill, number)

    def edit_line(self, side: str, skill: str, line: int) -> None:
        path = self.base(side) / skill / "SKILL.md"
        if path.is_file() and len(lines := path.read_text().splitlines(keepends=True)) > line:
            self.counter += 1
            lines[line] = f"edit {self.counter}\n"
            path.write_text("".join(lines))

    def edit_file(self, side: str, skill: str, name: str, what: str) -> None:
        path = self.base(side) / skill / name
        if what == "write" and (self.base(side) / skill).is_dir():
            self.counter += 1
            self.put(side, f"{skill}/{name}", f"new {self.counter}\n")
        elif what == "delete" and path.is_file():
            path.unlink()
        elif what == "mode" and path.is_file():
            path.chmod(path.stat().st_mode ^ 0o111)

    def move_artifact(self, side: str, skill: str, what: str) -> None:
        """An artifact gets another name in the collection, or its own again, or is removed on any side."""
        there, other = self.base(side) / skill, self.root / "lib/skills/renamed"
        if side == "lib" and (not there.parent.is_dir() or len(list(there.parent.iterdir())) == 1):
            return
        if what == "remove" and there.is_dir():
            shutil.rmtree(there)
        elif what == "rename" and side == "lib" and there.exists() and not other.exists():
            there.rename(other)
        elif what == "rename back" and side == "lib" and other.exists() and not there.exists():
            other.rename(there)

    # Commands

    def snapshot(self) -> None:
        result = self.run(lambda: self.vault.snapshot(), "lib/")
        if not isinstance(result, CasvaultError):
            assert self.vault.status().changes == ()

    def deploy(self, skill: str, project: str, strategy: DeployStrategy) -> None:
        status = self.status(project, skill)
        result = self.run(
            lambda: self.vault.deploy([skill], self.root / project, strategy=strategy),
            "lib/",
            f"{project}/.claude/{skill}/",
        )
        if strategy is DeployStrategy.REFUSE and status in EDITED:
            assert isinstance(result, RefusedError), "it went over local edits without being told to"
        if isinstance(result, CasvaultError):
            return
        if strategy is not DeployStrategy.MERGE:
            assert self.contents("lib", skill) == self.contents(project, skill)
            assert self.status(project, skill) is Status.IN_SYNC

    def pull(self, skill: str, project: str, strategy: PullStrategy) -> None:
        self.preview(skill, project)
        before = self.contents(project, skill)
        status = self.status(project, skill)
        result = self.run(lambda: self.vault.pull([skill], self.root / project, strategy=strategy), "lib/")
        if isinstance(result, CasvaultError):
            return
        assert self.contents(project, skill) == before
        after = self.status(project, skill)
        assert after in (Status.IN_SYNC, Status.OUTDATED)
        if strategy is PullStrategy.OVERWRITE and status in (Status.MODIFIED, Status.CONFLICT):
            assert after is Status.IN_SYNC
            assert self.contents("lib", skill) == before

    def preview(self, skill: str, project: str) -> None:
        before, operations = self.state(), len(self.vault.operations())
        with contextlib.suppress(RefusedError, NotFoundError):
            self.vault.pull([skill], self.root / project, preview=True)
        assert self.state() == before
        assert len(self.vault.operations()) == operations

    def restore(self, back: int, skill: str | None) -> None:
        self.run(lambda: self.vault.restore(f"@~{back}", [] if skill is None else [skill]), "lib/")

    def undo(self, redo: bool, how: str) -> None:
        work = self.vault.redo if redo else self.vault.undo
        paths = () if how == "refs only" else ("lib/", "app/.claude/", "web/.claude/")
        before, last, length = self.state(), self.last, len(self.vault.operations())
        result = self.run(lambda: work(force=how == "force", refs_only=how == "refs only"), *paths)
        is_latest = last is not None and last[1] == before and self.made == length
        if isinstance(result, UndoResult) and how != "refs only" and is_latest and result.number == length:
            assert last is not None
            assert self.state() == last[0], f"{result.kind} of {result.undone} has not brought the files back"

    def somebody_else(self, turn: int) -> None:
        """A transaction of an embedder: a collection without a directory, and a ref."""

        def work() -> None:
            with Vault.open(self.root / "lib", clock=self.clock).transaction() as tx:
                tx.collection("api").put(f"skills/{turn}", {"SKILL.md": b"%d" % self.counter})
                tx.set_ref(f"branches/{turn}", tx.write_commit(tx.write_directory({"a": b"%d" % self.counter})))

        self.run(work)

    def reorganise(self, what: str, skill: str, number: int) -> None:
        """Move, copy or remove an artifact, or one that was moved or copied before, in the collection."""
        pair = (skill, ("skills/renamed", "models/deep")[number // 2])
        old, new = reversed(pair) if number % 2 else pair
        before, status = self.contents("lib", old), self.vault.status()
        work = {"mv": lambda: self.vault.move(old, new), "cp": lambda: self.vault.copy(old, new)}
        result = self.run(work.get(what, lambda: self.vault.remove([old])), "lib/")
        if isinstance(result, CasvaultError):
            return
        assert self.vault.status().changes == ()
        if what != "rm" and status.snapshot == status.tip:
            assert self.contents("lib", new) == before
        if what != "cp":
            assert not (self.base("lib") / old).exists()

    # What must always hold

    def contents(self, side: str, skill: str) -> State:
        prefix = f"{os.path.relpath(self.base(side), self.root)}/{skill}/"
        return {path[len(prefix) :]: found for path, found in self.state().items() if path.startswith(prefix)}

    def status(self, project: str, skill: str) -> Status | None:
        if not (self.root / project / ".casvault-project").exists():
            return None
        rows = self.vault.drift(self.root / project).rows
        return next((row.status for row in rows if row.artifact == skill), None)

    @precondition(lambda self: hasattr(self, "vault"))
    @invariant()
    def statuses_agree_with_the_disk(self) -> None:
        found = self.vault.status()
        for project in ("app", "web") if found.snapshot == found.tip else ():
            for row in self.vault.drift(self.root / project).rows:
                status, skill = row.status, row.artifact
                here, there = self.contents(project, skill), self.contents("lib", skill)
                is_here = (self.base(project) / skill).exists()
                if status in (Status.IN_SYNC, Status.CONVERGED):
                    assert here == there, f"{skill} in {project} is {status}"
                elif status in (Status.MISSING, Status.DELETION_CONFLICT, Status.STALE):
                    assert not is_here
                elif status in (Status.REMOVED, Status.REMOVED_MODIFIED):
                    assert not (self.base("lib") / skill).exists()


VaultMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="CASVAULT_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)


class TestVault(VaultMachine.TestCase):  # type: ignore[name-defined,misc]
    pass
