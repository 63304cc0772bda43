"""One artifact with a base, a collection's content and a project's content, set up for a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import collection_ref, project_ref
from casvault.artifacts.snapshot import open_snapshot
from casvault.deploy.comparison import Comparison, Project
from casvault.deploy.deploying import DeployOptions, DeployStrategy, Request, plan_deploy
from casvault.deploy.homes import Homes
from casvault.deploy.pulling import PullOptions, PullStrategy, Wanted, plan_pull
from casvault.deploy.snapshots import Line
from casvault.deploy.state import Deployment, Place, read_deployments, set_deployments
from tests.unit.artifacts.drafting import COLLECTION, NOTHING, Desk

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.deploy.actions import Planned
    from casvault.deploy.drift import Drift
    from casvault.oid import Oid

LINE = Line(COLLECTION, collection_ref("lib"), None)
PROJECT_REF = project_ref("app")
PLACE = Place(b".claude", COLLECTION, b"skills/a")


class Standing(NamedTuple):
    desk: Desk
    draft: Draft
    project: Project
    base: Oid | None
    """The version that was deployed."""
    tip: Oid | None
    """The collection's version."""

    def comparison(self) -> Comparison:
        return Comparison(self.draft, self.project, {})

    def drift(self) -> Drift | None:
        return self.comparison().find(PLACE)

    def deploy(
        self, strategy: DeployStrategy = DeployStrategy.REFUSE, *, prune: bool = False, named: bool = True
    ) -> Planned:
        requests = [Request(PLACE, named=named)]
        return plan_deploy(self.comparison(), requests, DeployOptions(strategy, prune))[0]

    def pull(self, strategy: PullStrategy | None = None, *, delete: bool = False, named: bool = True) -> Planned:
        return self.pull_many([PLACE], PullOptions(strategy, delete), named=named)[0]

    def pull_many(self, places: list[Place], options: PullOptions, *, named: bool = True) -> list[Planned]:
        snapshots = {COLLECTION: open_snapshot(self.draft.stage, self.draft.ref(LINE.ref))}
        homes = Homes(self.draft, {COLLECTION: LINE}, snapshots)
        return plan_pull(self.comparison(), homes, [Wanted(place, named=named) for place in places], options)

    def deployment(self) -> Deployment | None:
        return read_deployments(self.desk.objects, self.draft.ref(PROJECT_REF)).get(PLACE)

    def written(self) -> list[tuple[bytes, bytes | None, bytes | None]]:
        """Path, old and new content of what is to be written into the project."""
        return [
            (path, *(None if state is None else b"".join(self.desk.objects.iter_blob(state.id)) for state in states))
            for path, *states in self.draft.files.get(PROJECT_REF, [])
        ]


def stand(desk: Desk, base: bytes | None, collection: bytes | None, project: bytes | None) -> Standing:
    """None is absent; without a base nothing was deployed."""
    snapshot = desk.record(NOTHING, {"skills/other": b"other", **({} if base is None else {"skills/a": base})})
    settled = desk.find(snapshot, "skills/a")
    if collection != base:
        snapshot = desk.record(snapshot, {"skills/a": collection})
    draft = desk.draft({LINE.ref: snapshot.id})
    if settled is not None:
        set_deployments(draft, PROJECT_REF, {PLACE: Deployment(settled, settled)})
    states = {} if project is None else {PLACE.file_path: desk.file(project)}
    return Standing(desk, draft, Project(b"app", PROJECT_REF, states), settled, desk.find(snapshot, "skills/a"))
