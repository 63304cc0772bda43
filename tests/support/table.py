"""The table of drift as data: one row for each relation of base, collection and project, with all that follows.

A is what was deployed, X, Y and Z are changes of it: X and Y touch different lines, X and Z the same. `-` is absent, or
for a command that there is nothing to do it with: NotFoundError. Actions are named as in `Action`, in small letters.
"""

from __future__ import annotations

from typing import NamedTuple

from casvault.deploy.actions import Action
from casvault.deploy.drift import Status

STATUSES = """
base collection project | status               | drift    | recommendation | ahead behind | forecast     | differs
A    A          A       | in_sync              | -        | nothing        | 0 0          | none         | no
A    A          X       | modified             | modified | pull           | 1 0          | fast_forward | yes
A    X          A       | outdated             | outdated | deploy         | 0 1          | fast_forward | yes
A    X          X       | converged            | -        | settle         | 1 1          | none         | yes
A    X          Y       | conflict             | conflict | merge          | 1 1          | clean        | yes
A    X          Z       | conflict             | conflict | resolve        | 1 1          | conflict     | yes
A    -          A       | removed              | removed  | restore        | 0 0          | none         | yes
A    -          X       | removed, modified    | removed  | restore        | 0 0          | none         | yes
A    A          -       | missing              | removed  | put_back       | 0 0          | none         | yes
A    X          -       | conflict (deletion)  | conflict | choose         | 0 1          | none         | yes
A    -          -       | stale                | -        | forget         | 0 0          | none         | yes
-    A          -       | added                | added    | add            | 0 0          | none         | no
-    A          A       | untracked, identical | -        | adopt          | 0 0          | none         | yes
-    A          X       | untracked, differs   | conflict | compare        | 0 0          | none         | yes
-    -          X       | project-only         | added    | import         | 0 0          | none         | no
"""

DEPLOYS = """
base collection project | named     | all       | merge     | overwrite | prune     | undeploy  | adopt
A    A          A       | nothing   | nothing   | nothing   | nothing   | nothing   | removed   | nothing
A    A          X       | refused   | kept      | kept      | replaced  | kept      | removed   | nothing
A    X          A       | updated   | updated   | updated   | updated   | updated   | removed   | nothing
A    X          X       | settled   | settled   | settled   | settled   | settled   | removed   | nothing
A    X          Y       | refused   | left      | merged    | replaced  | left      | removed   | nothing
A    X          Z       | refused   | left      | pending   | replaced  | left      | removed   | nothing
A    -          A       | refused   | gone      | refused   | refused   | removed   | removed   | -
A    -          X       | refused   | gone      | refused   | refused   | gone      | removed   | -
A    A          -       | put_back  | put_back  | put_back  | put_back  | put_back  | forgotten | nothing
A    X          -       | refused   | left      | refused   | put_back  | left      | forgotten | nothing
A    -          -       | forgotten | forgotten | forgotten | forgotten | forgotten | forgotten | -
-    A          -       | deployed  | deployed  | deployed  | deployed  | deployed  | -         | refused
-    A          A       | adopted   | adopted   | adopted   | adopted   | adopted   | -         | adopted
-    A          X       | refused   | left      | pending   | replaced  | left      | -         | refused
-    -          X       | -         | -         | -         | -         | -         | -         | -
"""

PULLS = """
base collection project | named     | all       | merge     | overwrite   | fork      | delete    | delete+overwrite
A    A          A       | nothing   | nothing   | nothing   | nothing     | refused   | nothing   | nothing
A    A          X       | taken     | taken     | taken     | taken       | forked    | taken     | taken
A    X          A       | nothing   | nothing   | nothing   | nothing     | refused   | nothing   | nothing
A    X          X       | settled   | settled   | settled   | settled     | refused   | settled   | settled
A    X          Y       | merged    | merged    | merged    | overwritten | forked    | merged    | overwritten
A    X          Z       | pending   | pending   | pending   | overwritten | forked    | pending   | overwritten
A    -          A       | restored  | gone      | restored  | restored    | refused   | restored  | restored
A    -          X       | restored  | restored  | restored  | restored    | forked    | restored  | restored
A    A          -       | refused   | absent    | refused   | refused     | refused   | deleted   | deleted
A    X          -       | refused   | left      | refused   | refused     | refused   | refused   | deleted
A    -          -       | forgotten | forgotten | forgotten | forgotten   | forgotten | forgotten | forgotten
-    A          -       | -         | -         | -         | -           | -         | -         | -
-    A          A       | adopted   | adopted   | adopted   | adopted     | refused   | adopted   | adopted
-    A          X       | refused   | left      | pending   | overwritten | forked    | refused   | overwritten
-    -          X       | imported  | imported  | imported  | imported    | forked    | imported  | imported
"""


class Row(NamedTuple):
    """A row of one of the tables; None stands for `-`."""

    base: str | None
    collection: str | None
    project: str | None
    cells: dict[str, str | None]

    @property
    def name(self) -> str:
        return "".join(letter or "-" for letter in self[:3])

    def text(self, column: str) -> str:
        found = self.cells[column]
        assert found is not None
        return found

    @property
    def status(self) -> Status:
        return Status(self.text("status"))


class Case(NamedTuple):
    """One way to ask for one thing, in one row."""

    row: Row
    column: str

    @property
    def action(self) -> Action | None:
        found = self.row.cells[self.column]
        return None if found is None else Action[found.upper()]

    @property
    def name(self) -> str:
        return f"{self.row.name}-{self.column}"


def parse(table: str) -> list[Row]:
    heading, *lines = ([part.strip() for part in line.split("|")] for line in table.strip().splitlines())
    rows = []
    for letters, *cells in lines:
        base, collection, project = (None if letter == "-" else letter for letter in letters.split())
        found = {name: None if cell == "-" else cell for name, cell in zip(heading[1:], cells, strict=True)}
        rows.append(Row(base, collection, project, found))
    return rows


def cases(table: str) -> list[Case]:
    """Every cell that names an action, or says that there is nothing to ask it of."""
    return [Case(row, column) for row in parse(table) for column in row.cells]


ROWS = parse(STATUSES)
DEPLOY_CASES = cases(DEPLOYS)
PULL_CASES = cases(PULLS)
