"""Adopting: artifacts that somebody copied into a project by hand become deployments, with a true base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.deploy.actions import Action, Planned, decline
from casvault.deploy.drift import Status
from casvault.deploy.projects import check_not_owned
from casvault.deploy.state import Deployment
from casvault.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.comparison import Comparison
    from casvault.deploy.deploying import Request
    from casvault.deploy.drift import Drift


def plan_adopt(comparison: Comparison, requests: Iterable[Request]) -> list[Planned]:
    """Plan to make deployments of what is in the project already. No file is touched.

    Content is recognised as the newest version of the artifact that has it; a request that names a version says that
    the content was made from that one, whatever it is.
    """
    rows = []
    for request in requests:
        drift = comparison.read(request.place)
        version = request.version or drift.project_version
        if drift.deployment is not None or drift.project is None or version is None:
            rows.append(_declined(drift, named=request.named))
            continue
        check_not_owned(comparison.deployments, request.place)
        comparison.settle(request.place, Deployment(version, version))
        rows.append(Planned(request.place, drift.status, Action.ADOPTED, version))
    comparison.finish()
    return rows


def _declined(drift: Drift, *, named: bool) -> Planned:
    name = show(drift.place.file_path)
    if drift.deployment is not None:
        return Planned(drift.place, drift.status, Action.NOTHING, drift.deployment.deployed)
    if drift.status is Status.PROJECT_ONLY:
        why = RefusedError("it is in no collection", place=name, remedy="`casvault pull` imports it")
    elif drift.project is None:
        why = RefusedError("it is not in the project", place=name, remedy="`casvault deploy` takes it there")
    else:
        why = RefusedError(
            "its content is no version of the artifact",
            place=name,
            remedy="say which version it was made from: --version V; or pull or deploy it with a strategy",
        )
    action, refusal = decline(why, named=named)
    return Planned(drift.place, drift.status, action, refusal=refusal)
