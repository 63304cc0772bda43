"""What deploying and pulling share: a project, its deployments, and the drift of those that a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.artifacts.snapshot import find_version
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.drift import Drift, find_drift
from casvault.deploy.state import Deployments, Place, read_deployments
from casvault.errors import FailureError, NotFoundError, RefusedError, UsageError
from casvault.objects import check_name
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.artifacts.snapshot import Snapshot
    from casvault.objects import Root
    from casvault.oid import Oid

PROJECT = b"project"


class Project(NamedTuple):
    """A project as commands see it."""

    name: bytes
    ref: bytes
    states: dict[bytes, Root]
    """What is on disk, by path in the project's directory."""


def find_one_drift(draft: Draft, project: Project, deployments: Deployments, place: Place, snapshot: Snapshot) -> Drift:
    """The drift of an artifact that is in the collection, in the project, or in both."""
    version = find_version(draft.stage, snapshot, place.path)
    drift = find_drift(draft, place, deployments.get(place), version, project.states.get(place.file_path))
    if drift is None:
        raise NotFoundError(
            f"no such artifact in {show(place.collection)} or {show(project.name)}", place=show(place.path)
        )
    return drift


def observe(draft: Draft, project: Project, drift: Drift) -> Oid:
    """The version that the content in the project is; written now if it was none yet.

    Its one parent is the settled version. A later observation replaces it and has the same parent.
    """
    if drift.project_version is not None:
        return drift.project_version
    if drift.deployment is None or drift.project is None:
        raise FailureError("nothing is deployed there that could have been edited", place=show(drift.place.path))
    return write_version(
        draft.stage,
        draft.draftsman,
        drift.project,
        (drift.deployment.settled,),
        collection=drift.place.collection,
        path=drift.place.path,
        origin=Origin.EDIT,
        fields=((PROJECT, project.name),),
    )


def check_root(root: bytes) -> bytes:
    """Where in a project artifacts live, as a relative path; UsageError for what leads elsewhere."""
    root = root.rstrip(b"/")
    for part in root.split(b"/"):
        if check_name(part) or is_control_name(part):
            raise UsageError("a root is a relative path within the project, such as .claude", place=show(root))
    return root


def check_not_owned(deployments: Deployments, place: Place) -> None:
    """RefusedError if the files of this place would be those of another deployment."""
    mine = place.file_path
    for other in deployments:
        theirs = other.file_path
        if other != place and (theirs == mine or theirs.startswith(mine + b"/") or mine.startswith(theirs + b"/")):
            raise RefusedError(
                f"this path belongs to {show(other.path)} of collection {show(other.collection)}",
                place=show(mine),
                remedy="deploy to another root with --root",
            )


def deployments_of(draft: Draft, project: Project) -> Deployments:
    return read_deployments(draft.stage, draft.ref(project.ref))
