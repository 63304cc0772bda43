"""Adopting: artifacts that somebody copied into a project by hand become deployments, with a true base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.deploy.actions import Action, Planned, decline
from casvault.deploy.drift import Status
from casvault.deploy.projects import find_owner_refusal
from casvault.deploy.state import Deployment
from casvault.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.comparison import Comparison
    from casvault.deploy.deploying import Request
    from casvault.deploy.drift import Drift
    from casvault.deploy.state import Place
    from casvault.oid import Oid


def plan_adopt(comparison: Comparison, requests: Iterable[Request]) -> list[Planned]:
    """Plan to make deployments of what is in the project already. No file is touched.

    Content is recognised as the newest version of the artifact that has it; a request that names a version says that
    the content was made from that one, whatever it is.
    """
    rows = []
    drifts = [(request, comparison.read(request.place)) for request in requests]
    known = [(request, drift, request.version or drift.project_version) for request, drift in drifts]
    # Where several collections have the same content for one path, it would be a guess which of them it came from.
    claims = [request.place for request, drift, version in known if drift.project is not None and version is not None]
    for request, drift, version in known:
        refusal = _find_refusal(comparison, claims, drift, version)
        if drift.deployment is not None:
            rows.append(Planned(drift.place, drift.status, Action.NOTHING, drift.deployment.deployed))
        elif refusal is not None:
            action, why = decline(refusal, named=request.named)
            rows.append(Planned(drift.place, drift.status, action, refusal=why))
        elif version is not None:
            comparison.settle(request.place, Deployment(version, version))
            rows.append(Planned(request.place, drift.status, Action.ADOPTED, version))
    comparison.finish()
    return rows


def _find_refusal(
    comparison: Comparison, claims: Iterable[Place], drift: Drift, version: Oid | None
) -> RefusedError | None:
    """Why something cannot be adopted; None if it can."""
    name, path = show(drift.place.file_path), show(drift.place.path)
    if drift.status is Status.PROJECT_ONLY:
        return RefusedError("it is in no collection", place=name, remedy=f"`casvault pull {path}` imports it")
    if drift.project is None:
        return RefusedError("it is not in the project", place=name, remedy=f"`casvault deploy {path}` takes it there")
    if version is None:
        return RefusedError(
            "its content is no version of the artifact",
            place=name,
            remedy="say which version it was made from: --version V; or pull or deploy it with a strategy",
        )
    others = [show(place.collection) for place in claims if place.file_path == drift.place.file_path]
    if len(others) > 1:
        return RefusedError(
            f"several collections have this content: {', '.join(others)}",
            place=name,
            remedy="say which one it came from: --collection NAME",
        )
    return find_owner_refusal(comparison.deployments, drift.place)
