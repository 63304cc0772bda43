"""The whole vault against a plain model: one collection, three projects, edits on all sides, every command, crashes.

What a command promises is checked after each: what is gone from the disk is in the history; a refused command changed
nothing; a preview changed nothing, and said what the command then did; a command changed only what it named; the
lock files are true; the statuses are those of the table; what a row says was done has been done, with the parents that
it must have; what is undone at once is as it was before.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.stateful.choices import Edit, draw
from tests.stateful.commands import Commands
from tests.stateful.world import ARTIFACTS, MOVED, PROJECTS

if TYPE_CHECKING:
    from tests.stateful.choices import Choice

EXAMPLES = int(os.environ.get("CASVAULT_EXAMPLES", "25"))
STEPS = int(os.environ.get("CASVAULT_STEPS", "40"))
SHRINK = int(os.environ.get("CASVAULT_SHRINK", "0"))
"""Seconds that may be spent on a shorter example once one is found that fails."""


class VaultMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**64))
    def make(self, seed: int = 0) -> None:
        self.source = random.Random(seed)
        self.story: list[Edit | Choice] = []
        self.commands = Commands()
        self.world = self.commands.world
        self.commands.check_statuses()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                assert self.world.vault.fsck().problems == ()
            finally:
                self.world.close()

    @rule()
    def step(self) -> None:
        last = self.story[-1] if self.story else None
        self.take(draw(self.source, last if isinstance(last, Edit) else None))

    def take(self, chosen: Edit | Choice) -> None:
        self.story.append(chosen)
        try:
            if isinstance(chosen, Edit):
                self.edit(chosen)
            else:
                self.commands.do(chosen)
            self.commands.check_statuses()
        except Exception as error:
            error.add_note("\n".join(map(str, self.story)))
            raise

    def edit(self, edit: Edit) -> None:
        world, what = self.world, edit.what
        if not world.project(edit.side).exists():
            return
        side = world.lib if edit.side == "lib" else world.project(edit.side) / edit.root
        place = side / edit.artifact
        match what:
            case "line":
                world.edit_line(place, edit.line)
            case "write" | "delete" | "mode" | "link":
                world.edit_file(place, edit.name, what)
            case "rename":
                world.rename(*(world.lib / each for each in pair(edit.artifact, edit.line)))
            case "remove":
                world.remove_artifact(place)
            case "lock":
                self.commands.edit_lock(PROJECTS[edit.line % 2], edit.line)
            case "copy":
                world.copy_project()


def pair(artifact: str, number: int) -> tuple[str, str]:
    """Two names in the collection, the way there or back."""
    there = MOVED[number % 2]
    other = ARTIFACTS[number % 3] if artifact in MOVED else artifact
    return (there, other) if number % 4 == 3 else (other, there)


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
