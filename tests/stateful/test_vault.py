"""The whole vault against a plain model: one collection, three projects, edits on all sides, every command, crashes.

What a command promises is checked after each: what is gone from the disk is in the history; a refused command changed
nothing; a preview changed nothing, and said what the command then did; a command changed only what it named; the
lock files are true; the statuses are those of the table; what a row says was done has been done, with the parents that
it must have; what is undone at once is as it was before.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from casvault import DeployStrategy, How, PullStrategy
from tests.stateful.commands import COMMANDS, Commands
from tests.stateful.world import ARTIFACTS, LINES, MOVED, NAMES, PROJECTS, ROOTS

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = int(os.environ.get("CASVAULT_EXAMPLES", "28"))
STEPS = int(os.environ.get("CASVAULT_STEPS", "40"))
SHRINK = int(os.environ.get("CASVAULT_SHRINK", "0"))
"""Seconds that may be spent on a shorter example once one is found that fails."""

EDITS = ("line", "line", "line", "line", "write", "write", "delete", "mode", "link", "rename", "remove", "lock", "copy")


class Choice(NamedTuple):
    """What one command is given; each takes what it has a use for."""

    artifacts: tuple[str, ...]
    project: str
    root: str | None
    deploying: DeployStrategy
    pulling: PullStrategy | None
    version: str | None
    how: How
    number: int
    flags: tuple[bool, bool, bool]
    dies: int | None
    """Before which change of the file system."""


choices = st.builds(
    Choice,
    st.sampled_from((*((one,) for one in ARTIFACTS), ARTIFACTS[:2], (), (), (MOVED[0],))),
    st.sampled_from(PROJECTS),
    st.sampled_from((None, None, None, ROOTS[1])),
    st.sampled_from(DeployStrategy),
    st.sampled_from((None, *PullStrategy)),
    st.sampled_from((None, None, None, "~1", "~2")),
    st.sampled_from((How.OURS, How.THEIRS, How.BASE, How.FILE)),
    st.integers(0, 7),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.one_of(st.none(), st.none(), st.none(), st.none(), st.integers(0, 70)),
)


class VaultMachine(RuleBasedStateMachine):
    @initialize()
    def make(self) -> None:
        self.commands = Commands()
        self.world = self.commands.world

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                assert self.world.vault.fsck().problems == ()
            finally:
                self.world.close()

    # One rule for all edits and one for all commands: the search may leave whole rules out, and these belong together.

    @rule(
        side=st.sampled_from(("lib", "lib", *PROJECTS)),
        root=st.sampled_from((ROOTS[0], ROOTS[0], ROOTS[1])),
        artifact=st.sampled_from((*ARTIFACTS, *ARTIFACTS, *MOVED)),
        line=st.integers(0, LINES - 1),
        name=st.sampled_from(NAMES),
        what=st.sampled_from(EDITS),
    )
    def edit(self, side: str, root: str, artifact: str, line: int, name: str, what: str) -> None:
        world = self.world
        if not world.project(side).exists() and what != "copy":
            return
        place = self.place(side, root, artifact)
        match what:
            case "line":
                world.edit_line(place, line)
            case "write" | "delete" | "mode" | "link":
                world.edit_file(place, name, what)
            case "rename":
                world.rename(*(world.lib / each for each in self.pair(artifact, line)))
            case "remove":
                world.remove_artifact(place)
            case "lock":
                self.commands.edit_lock(PROJECTS[line % 2], line)
            case "copy":
                world.copy_project()

    @rule(what=st.sampled_from(COMMANDS), choice=choices)
    def command(self, what: str, choice: Choice) -> None:
        self.commands.do(what, choice)

    def place(self, side: str, root: str, artifact: str) -> Path:
        return self.world.lib / artifact if side == "lib" else self.world.project(side) / root / artifact

    def pair(self, artifact: str, number: int) -> tuple[str, str]:
        """Two names in the collection, the way there or back."""
        there = MOVED[number % 2]
        other = ARTIFACTS[number % 3] if artifact in MOVED else artifact
        return (there, other) if number % 4 == 3 else (other, there)

    @precondition(lambda self: hasattr(self, "commands"))
    @invariant()
    def statuses_agree_with_disk_and_history(self) -> None:
        self.commands.check_statuses()


engine.MAX_SHRINKING_SECONDS = SHRINK
VaultMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="CASVAULT_EXAMPLES" not in os.environ,
    phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    database=None,
)


class TestVault(VaultMachine.TestCase):  # type: ignore[name-defined,misc]
    pass
