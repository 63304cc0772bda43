"""The changelog of an artifact: what came with each of its tags.

A version belongs to the oldest tag that has it in its history, and what no tag has yet is unreleased. The files of a
section are those that differ from the tag before it in its own history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.contents import compare_contents, suggest_bump
from casvault.artifacts.semver import Bump, parse_semantic, sort_labels
from casvault.artifacts.version import Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from casvault.artifacts.contents import ContentChange
    from casvault.artifacts.tags import ArtifactTag
    from casvault.history import CommitGraph
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid


class Section(NamedTuple):
    """What came with one tagged version, or has come since the last one."""

    labels: tuple[str, ...]
    """The highest first; none of what is not released."""
    version: Oid
    seconds: int
    """When the tag was made; of what is not released, when its newest version was."""
    zone: str
    message: str
    is_major: bool
    """It breaks with what was before: the tag or its number says so; of what is not released, the files do."""
    bump: Bump
    """What the files say."""
    since: Oid | None
    """The version that the files are compared with."""
    versions: tuple[Version, ...]
    changes: tuple[ContentChange, ...]
    too_many: tuple[int, int] | None
    """How many removed and added files were too many to look for renames among them."""


def read_changelog(
    reader: ObjectReader,
    graph: CommitGraph,
    tags: Iterable[ArtifactTag],
    newest: Oid,
    since: Oid | None = None,
) -> list[Section]:
    """The sections of the history up to `newest`, the newest first; without what `since` has in its own."""
    lineage = dict(graph.iter_children_first([newest]))
    known = set() if since is None else {oid for oid, _ in graph.iter_children_first([since])}
    by_version: dict[Oid, list[ArtifactTag]] = {}
    for tag in tags:
        if tag.version in lineage and tag.version not in known:
            by_version.setdefault(tag.version, []).append(tag)
    tagged = [oid for oid in lineage if oid in by_version]
    owners = _owners(lineage, reversed(tagged), known)
    sections = []
    for position, oid in enumerate(tagged):
        before = next((each for each in tagged[position + 1 :] if graph.is_ancestor(each, oid)), since)
        mine = [parse_version(each, commit) for each, commit in lineage.items() if owners.get(each) == oid]
        sections.append(_section(reader, graph, oid, by_version, before, mine))
    left = [parse_version(each, commit) for each, commit in lineage.items() if each not in owners and each not in known]
    if left:
        before = next((each for each in tagged if graph.is_ancestor(each, newest)), since)
        sections.insert(0, _section(reader, graph, newest, by_version, before, left))
    return sections


def _owners(lineage: Mapping[Oid, Commit], oldest_first: Iterable[Oid], known: set[Oid]) -> dict[Oid, Oid]:
    """To which tagged version each version belongs: the first of them that comes from it."""
    owners: dict[Oid, Oid] = {}
    for tagged in oldest_first:
        pending = [tagged]
        while pending:
            oid = pending.pop()
            if oid not in owners and oid not in known:
                owners[oid] = tagged
                pending.extend(lineage[oid].parents)
    return owners


def _section(
    reader: ObjectReader,
    graph: CommitGraph,
    version: Oid,
    by_version: Mapping[Oid, Sequence[ArtifactTag]],
    before: Oid | None,
    versions: Sequence[Version],
) -> Section:
    by_label = {tag.label: tag for tag in by_version.get(version, ())}
    labels = tuple(sort_labels(by_label))
    old = None if before is None else graph.commit(before).root
    found = compare_contents(reader, old, graph.commit(version).root)
    bump = Bump.NONE if before is None else suggest_bump(found.changes).bump
    tag = by_label[labels[0]] if labels else None
    who = versions[0].author if tag is None or tag.tagger is None else tag.tagger
    is_major = bump is Bump.MAJOR
    if labels:
        former = [tag.label for tag in by_version.get(before, ())] if before is not None else []
        is_major = any(each.is_major for each in by_label.values()) or _raises_major(former, labels)
    message = "" if tag is None else tag.message
    zone = who.zone.decode(errors="replace")
    return Section(
        labels,
        version,
        who.seconds,
        zone,
        message,
        is_major,
        bump,
        before,
        tuple(versions),
        found.changes,
        found.too_many,
    )


def _raises_major(former: Iterable[str], labels: Iterable[str]) -> bool:
    """Whether the highest semantic version of some labels has a higher major number than that of those before."""
    old, new = (next((parse_semantic(label) for label in sort_labels(each)), None) for each in (former, labels))
    return old is not None and new is not None and new.major > old.major
