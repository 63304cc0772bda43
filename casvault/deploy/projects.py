"""Where in a project artifacts may be put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.errors import RefusedError, UsageError
from casvault.objects import check_name
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from casvault.deploy.state import Deployments, Place


def check_root(root: bytes) -> bytes:
    """Where in a project artifacts live, as a relative path; UsageError for what leads elsewhere."""
    root = root.rstrip(b"/")
    for part in root.split(b"/"):
        if check_name(part) or is_control_name(part):
            raise UsageError("a root is a relative path within the project, such as .claude", place=show(root))
    return root


def check_not_owned(deployments: Deployments, place: Place, moving: Place | None = None) -> None:
    """RefusedError if the files of this place would be those of another deployment; `moving` is about to leave its."""
    mine = place.file_path
    for other in deployments:
        theirs = other.file_path
        clash = theirs == mine or theirs.startswith(mine + b"/") or mine.startswith(theirs + b"/")
        if clash and other not in (place, moving):
            raise RefusedError(
                f"this path belongs to {show(other.path)} of collection {show(other.collection)}",
                place=show(mine),
                remedy="deploy to another root with --root",
            )
