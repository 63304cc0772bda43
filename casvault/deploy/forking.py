"""Forking: the project's content as an artifact of its own, which goes its own way from here."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.artifacts.recording import link_to
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.concluding import find_passed_over
from casvault.deploy.drift import Source
from casvault.deploy.subject import Direction
from casvault.errors import RefusedError
from casvault.pending import Strategy, record_fields

if TYPE_CHECKING:
    from casvault.deploy.comparison import Comparison
    from casvault.deploy.drift import Drift
    from casvault.deploy.homes import Homes
    from casvault.objects import Root
    from casvault.oid import Oid


def find_fork_path(comparison: Comparison, homes: Homes, drift: Drift, wanted: bytes | None) -> bytes:
    """Where a fork goes: beside the original, with the project's name added, if no path is wanted."""
    source = drift.source
    rules = homes.rules(source.collection)
    path = _free_path(comparison, homes, source) if wanted is None else rules.expand(wanted, source.path)
    if not rules.admits(path) or not homes.is_free(Source(source.collection, path)):
        raise RefusedError(
            "a fork needs a free path at which the collection's rules know an artifact",
            place=show(path),
            remedy="choose another name",
        )
    return path


def plan_fork(comparison: Comparison, homes: Homes, drift: Drift, content: Root, path: bytes) -> Oid:
    """Plan a new artifact, at a free path, whose first parent is the project's version; its version."""
    draft, target = comparison.draft, Source(drift.source.collection, path)
    mine = comparison.observe(drift)
    record = find_passed_over(comparison, drift, Direction.PULL, Strategy.FORK, drift.collection_version, mine)
    version = write_version(
        draft.stage,
        draft.draftsman,
        content,
        (mine,),
        collection=target.collection,
        path=path,
        origin=Origin.FORK,
        fields=() if record is None else record_fields(record),
    )
    homes.change(target, link_to(draft, version), None, content)
    return version


def _free_path(comparison: Comparison, homes: Homes, source: Source) -> bytes:
    """`skills/pdf-app`, `commands/review-app.md`; numbered from 2 on where that is taken."""
    rule = homes.rules(source.collection).find(source.path)
    suffix = b"" if rule is None else rule.suffix.encode()
    stem = source.path.removesuffix(suffix) + b"-" + comparison.project.name
    candidates = (stem + (b"" if number == 1 else b"-%d" % number) + suffix for number in count(1))
    return next(path for path in candidates if homes.is_free(Source(source.collection, path)))
