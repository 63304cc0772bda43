"""What a row of a result claims, held against the disk and the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casvault import Action, Status
from casvault.deploy.subject import Direction
from casvault.vault.results.deployments import ContinueResult, PullResult
from casvault.vault.results.projects import DriftRow
from tests.stateful.oracle import tokens

if TYPE_CHECKING:
    from tests.stateful.commands import Seen
    from tests.stateful.oracle import Oracle
    from tests.stateful.world import State, World

Rows = dict[tuple[str, str, str], DriftRow]
WRITTEN = frozenset({Action.DEPLOYED, Action.UPDATED, Action.PUT_BACK, Action.REPLACED})
IDLE = frozenset({Action.NOTHING, Action.LEFT, Action.GONE, Action.ABSENT, Action.KEPT, Action.PENDING})


class Checked:
    """One row."""

    def __init__(self, world: World, oracle: Oracle, project: str, row: Any, before: Seen, after: Seen) -> None:
        self.world, self.oracle, self.row = world, oracle, row
        self.old = before.rows.get((project, row.root, row.artifact))
        self.target = row.artifact
        if self.old is not None and self.old.moved_to is not None:
            self.target = self.old.moved_to.partition(":")[2]
        self.here = world.project(project) / row.root
        stays = after.rows.get((project, row.root, row.artifact))
        self.new = stays or after.rows.get((project, row.root, self.target))
        self.new_place = row.artifact if stays is not None else self.target
        self.was = state_below(before.files, f"{project}/{row.root}/{row.artifact}")
        self.is_gone = stays is None
        self.after_rows = after.rows
        self.project = project

    def now(self, path: str | None = None) -> State | None:
        return without_directories(self.world.content(self.here / (path or self.row.artifact)))

    def version(self) -> State | None:
        return without_directories(self.oracle.files(self.row.version))

    def check_idle(self) -> None:
        assert self.now(None if self.new is None else self.new_place) == self.was
        if self.old is not None:
            assert self.new is not None
            assert self.new.settled == self.old.settled
        if self.row.action is Action.PENDING:
            assert self.row.merge in {merge.handle for merge in self.oracle.vault.merges()}

    def check_deploy(self) -> None:
        row, new, action = self.row, self.new, self.row.action
        if action in WRITTEN:
            assert new is not None
            assert self.now(self.new_place) == self.version()
            assert new.deployed == new.settled == row.version
        elif action is Action.MERGED:
            self.check_merged_into_project()
        elif action is Action.MOVED:
            assert self.now(self.target) == self.was
        elif action is Action.REMOVED:
            assert not self.now()
            assert self.is_gone
        elif action is Action.FORGOTTEN:
            assert self.now() == self.was
            assert self.is_gone
        elif action in (Action.SETTLED, Action.ADOPTED):
            assert new is not None
            assert self.now(self.new_place) == self.was
            assert new.settled == row.version
        elif action in IDLE:
            self.check_idle()

    def check_merged_into_project(self) -> None:
        new, row = self.new, self.row
        assert new is not None
        mine, theirs = self.oracle.parents(row.version)
        assert without_directories(self.oracle.files(mine)) == self.was
        assert (new.deployed, new.settled) == (theirs, row.version)
        assert self.now(self.new_place) == self.version()
        self.check_merged(mine, theirs)

    def check_merged(self, one: Any, other: Any) -> None:
        """No edit of either side is lost, and what one side has removed is gone."""
        bases = self.oracle.bases(one, other)
        base = tokens(self.oracle.files(bases[0])) if bases else set()
        sides = [tokens(self.oracle.files(side)) for side in (one, other)]
        merged = tokens(self.version())
        assert (sides[0] | sides[1]) - base <= merged, "an edit is lost"
        assert not (base - (sides[0] & sides[1])) & merged, "what was removed is back"

    def check_pull(self) -> None:
        row, action = self.row, self.row.action
        home = without_directories(self.world.content(self.world.lib / row.path))
        if action is not Action.FORKED:
            assert self.now() == self.was, "a pull has changed the project"
        if action in (Action.TAKEN, Action.MERGED, Action.OVERWRITTEN, Action.RESTORED):
            self.check_home(home)
        elif action is Action.DELETED:
            assert not home
            assert self.is_gone
        elif action is Action.FORKED:
            assert home == self.was
            if self.new is None and self.old is not None:
                assert self.now(row.path) == self.was
                fork = self.after_rows[self.project, row.root, row.path]
                assert fork.settled == row.version
        elif action is Action.ADOPTED and row.status is Status.OUTDATED:
            # Recognised as an earlier version, behind which the collection has moved on.
            assert self.new is not None
            assert self.new.status is Status.OUTDATED
        elif action in (Action.IMPORTED, Action.ADOPTED, Action.SETTLED):
            assert self.new is not None
            assert self.new.status is Status.IN_SYNC
            assert home == self.was
        elif action in IDLE:
            self.check_idle()
        elif action is Action.FORGOTTEN:
            assert self.is_gone

    def check_home(self, home: State | None) -> None:
        """The collection has the version; the project counts as settled at what was taken of it."""
        new, row, oracle = self.new, self.row, self.oracle
        assert new is not None
        assert home == self.version()
        assert without_directories(oracle.files(new.settled)) == self.was
        assert new.collection_version == row.version
        if row.action is Action.TAKEN:
            assert (new.settled, new.status) == (row.version, Status.IN_SYNC)
        elif row.action is Action.RESTORED:
            assert home == self.was
        else:
            theirs, mine = row.parents
            assert mine == new.settled
            if self.old is not None and self.old.collection_version and oracle.has(self.old.collection_version):
                assert theirs == self.old.collection_version
            if row.action is Action.MERGED:
                self.check_merged(theirs, mine)
            else:
                assert home == self.was
                assert new.status is Status.IN_SYNC


def check_row(world: World, oracle: Oracle, result: object, row: Any, before: Seen, after: Seen) -> None:
    if isinstance(result, ContinueResult):
        if result.is_complete and row.version is not None:
            checked = Checked(world, oracle, directory_of(oracle, result.project), row, before, after)
            is_pull = result.direction is Direction.PULL
            found = world.content(world.lib / row.path) if is_pull else world.content(checked.here / row.artifact)
            assert without_directories(found) == checked.version()
        return
    results = result if isinstance(result, list) else [result]
    for each in results:
        if row in each.artifacts:
            if isinstance(each, PullResult) and row is not [one for one in each.artifacts if one.path == row.path][-1]:
                # From another root of the project the same pull has brought more to this path.
                continue
            checked = Checked(world, oracle, directory_of(oracle, each.project), row, before, after)
            checked.check_pull() if isinstance(each, PullResult) else checked.check_deploy()


def directory_of(oracle: Oracle, project: str) -> str:
    found = (info.directory for info in oracle.vault.projects() if info.name == project)
    return next(directory.name for directory in found if directory is not None)


def state_below(files: State, path: str) -> State | None:
    """The files of an artifact, taken from all there are."""
    if path in files:
        return {"": files[path]}
    found = {name[len(path) + 1 :]: state for name, state in files.items() if name.startswith(path + "/")}
    return without_directories(found) or None


def without_directories(state: State | None) -> State | None:
    if state is None:
        return None
    kept = {path: found for path, found in state.items() if found[0] != "d" and not path.endswith(".DS_Store")}
    return kept or None
