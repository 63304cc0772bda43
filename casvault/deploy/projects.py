"""Where in a project artifacts may be put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.errors import RefusedError, UsageError
from casvault.objects import check_name
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.state import Place


def check_root(root: bytes) -> bytes:
    """Where in a project artifacts live, as a relative path; UsageError for what leads elsewhere."""
    root = root.rstrip(b"/")
    for part in root.split(b"/"):
        if check_name(part) or is_control_name(part):
            raise UsageError("a root is a relative path within the project, such as .claude", place=show(root))
    return root


def find_owner_refusal(deployments: Iterable[Place], place: Place, moving: Place | None = None) -> RefusedError | None:
    """Why nothing can be deployed at a place: its files are those of another deployment, which is not about to leave as
    `moving` is. None if nobody owns them.
    """
    mine = place.file_path
    for other in deployments:
        theirs = other.file_path
        clash = theirs == mine or theirs.startswith(mine + b"/") or mine.startswith(theirs + b"/")
        if clash and other not in (place, moving):
            return RefusedError(
                f"this path belongs to {show(other.path)} of collection {show(other.collection)}",
                place=show(mine),
                remedy="take another root with --root, or undeploy that one first",
            )
    return None
