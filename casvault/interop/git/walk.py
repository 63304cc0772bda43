"""Finding the commits and tags of git that an import has to bring in, in an order in which it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, RefusedError
from casvault.interop.git.commits import commit_links
from casvault.interop.git.tags import tag_target
from casvault.objects import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.interop.git.ids import GitFormat, GitId
    from casvault.interop.git.intake import Intake
    from casvault.interop.git.reader import GitObject


class Unknown(NamedTuple):
    """What the vault does not have of that to which refs point."""

    history: list[GitId]
    """Commits and tags, each behind what it refers to."""
    content: list[GitId]
    """Trees and blobs to which refs and tags point themselves."""


def find_unknown(intake: Intake, starts: Iterable[GitId]) -> Unknown:
    """Walk from these objects to what is known; what is missing is noted."""
    links: dict[GitId, tuple[GitId, ...]] = {}
    content: list[GitId] = []
    seen: set[GitId] = set()
    pending = list(dict.fromkeys(starts))
    while pending:
        seen.update(pending)
        known = intake.find_many(pending)
        found_below: dict[GitId, None] = {}
        for found in intake.read_many([git_id for git_id in pending if git_id not in known]):
            if found.kind in (Kind.COMMIT, Kind.TAG):
                links[found.id] = _links(found, intake.form)
                found_below.update(dict.fromkeys(links[found.id]))
            else:
                content.append(found.id)
        pending = [git_id for git_id in found_below if git_id not in seen]
    return Unknown(_ordered(links), content)


def _links(found: GitObject, form: GitFormat) -> tuple[GitId, ...]:
    """What must be there before this can be written, but for trees."""
    if found.content is None:
        raise RefusedError(f"a git {found.kind} of {found.size:,} bytes", place=found.id.hex())
    try:
        if found.kind is Kind.TAG:
            return (tag_target(found.content, form).id,)
        return commit_links(found.content, form).parents
    except MalformedError as error:
        raise RefusedError(error.message, place=f"git {found.kind} {found.id.hex()}") from error


def _ordered(links: dict[GitId, tuple[GitId, ...]]) -> list[GitId]:
    ordered: list[GitId] = []
    done: set[GitId] = set()
    for start in links:
        stack = [(start, False)]
        while stack:
            git_id, is_ready = stack.pop()
            if is_ready:
                ordered.append(git_id)
            elif git_id not in done:
                done.add(git_id)
                stack.append((git_id, True))
                stack += [(below, False) for below in links[git_id] if below in links and below not in done]
    return ordered
