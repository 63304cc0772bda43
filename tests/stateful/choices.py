"""What is done next: an edit or a command, drawn at random.

The draws are weighted towards what leads somewhere. Hypothesis prefers small and repeated values, and a machine whose
every parameter it chooses spends its steps on the same few commands, most of them refused: it chooses one seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from casvault import DeployStrategy, How, PullStrategy
from tests.stateful.world import ARTIFACTS, LINES, MOVED, NAMES, PROJECTS, ROOTS

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

T = TypeVar("T")

EDITS = {"line": 60, "write": 10, "delete": 5, "mode": 3, "link": 3, "rename": 5, "remove": 8, "lock": 4, "copy": 3}
COMMANDS = {
    "deploy": 24,
    "pull": 28,
    "undo": 12,
    "redo": 4,
    "snapshot": 2,
    "restore": 4,
    "somebody else": 1,
    "mv": 4,
    "cp": 2,
    "rm": 3,
    "drift": 9,
    "deploy everywhere": 5,
    "deploy locked": 4,
    "undeploy": 7,
    "adopt": 4,
    "pin": 2,
    "unpin": 2,
    "resolve": 4,
    "continue": 10,
    "abort": 1,
}
SIDES = {"lib": 6, PROJECTS[0]: 6, PROJECTS[1]: 3, PROJECTS[2]: 2}
NAMED = {ARTIFACTS[:1]: 8, ARTIFACTS[1:2]: 2, ARTIFACTS[2:]: 3, ARTIFACTS[:2]: 2, (): 8, MOVED[:1]: 1}
EDITED = {ARTIFACTS[0]: 8, ARTIFACTS[1]: 2, ARTIFACTS[2]: 3, MOVED[0]: 2, MOVED[1]: 1}
WORKED_IN = {PROJECTS[0]: 6, PROJECTS[1]: 3, PROJECTS[2]: 2}
USED_ROOTS = {None: 8, ROOTS[1]: 2}
DEPLOYS = {DeployStrategy.MERGE: 4, DeployStrategy.REFUSE: 3, DeployStrategy.OVERWRITE: 2}
PULLS = {None: 8, PullStrategy.MERGE: 3, PullStrategy.OVERWRITE: 3, PullStrategy.FORK: 2}
VERSIONS = {None: 8, "~1": 1, "~2": 1}
HOWS = {How.OURS: 2, How.THEIRS: 2, How.BASE: 1, How.FILE: 2}
CHANGES = 70
"""Most commands make fewer changes of the file system."""


class Edit(NamedTuple):
    what: str
    side: str
    root: str
    artifact: str
    line: int
    name: str


class Choice(NamedTuple):
    """What a command is given; each takes what it has a use for."""

    what: str
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


def draw(source: random.Random, last: Edit | None) -> Edit | Choice:
    """The next step; often one with what was edited last."""

    def pick(weights: Mapping[T, int]) -> T:
        return source.choices(list(weights), list(weights.values()))[0]

    if source.random() < 0.45:
        root = ROOTS[source.random() < 0.2]
        return Edit(pick(EDITS), pick(SIDES), root, pick(EDITED), source.randrange(LINES), source.choice(NAMES))
    chosen = Choice(
        pick(COMMANDS),
        pick(NAMED),
        pick(WORKED_IN),
        pick(USED_ROOTS),
        pick(DEPLOYS),
        pick(PULLS),
        pick(VERSIONS),
        pick(HOWS),
        source.randrange(8),
        (source.random() < 0.3, source.random() < 0.3, source.random() < 0.3),
        source.randrange(CHANGES) if source.random() < 0.1 else None,
    )
    if last is None or source.random() < 0.5:
        return chosen
    project = chosen.project if last.side == "lib" else last.side
    return chosen._replace(artifacts=(last.artifact,), project=project)
