"""The log of a path, compared with `git log -- PATH` on the same histories; who holds a version, with a naive twin."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from casvault.artifacts.holders import Holders
from casvault.artifacts.pathlog import iter_changed, iter_changed_by_walk
from casvault.artifacts.snapshot import find_version, open_snapshot, write_snapshot
from casvault.artifacts.version import Draftsman, Origin, write_version
from casvault.history import CommitGraph
from casvault.objects import FILE, LINK, Commit, MemoryObjects, Root, Signature, write_blob, write_commit
from casvault.oid import Oid
from casvault.repository.changeindex import ChangeIndex
from casvault.trees import edit_paths, empty_root
from tests.oracle.histories import Draw, History, drawn
from tests.support.git import Git, needs_git

HISTORIES = 60
FILES = ("skills/a/x", "skills/a/y", "skills/b", "docs/d", "docs/e/f", "plain")
ARTIFACTS = ("skills/a", "skills/b")
ASKED = (*FILES, "skills", "skills/a", "docs", "docs/e", "nothing", "skills/a/nothing", "plain/below")
COLLECTION = b"lib"

Files = dict[str, bytes]


class World(NamedTuple):
    objects: MemoryObjects
    parents: History
    files: list[Files]
    snapshots: list[Oid]
    """With links to versions where the artifacts are."""
    plain: list[Oid]
    """The same commits without artifacts."""

    @property
    def tip(self) -> int:
        return len(self.parents) - 1


def draw_files(draw: Draw, parents: History) -> list[Files]:
    """The files of each commit: for each path those of one of the parents, and now and then a change."""
    found: list[Files] = []
    for own in parents:
        files: Files = {}
        for path in FILES:
            content = found[own[draw.below(len(own))]].get(path) if own else None
            if draw.below(8) == 0:
                content = (None, b"1", b"2", b"3")[draw.below(4)]
            if content is not None:
                files[path] = content
        found.append(files)
    return found


def make_world(number: int) -> World:
    parents = drawn(number)
    files = draw_files(Draw(f"files {number}"), parents)
    objects = MemoryObjects()
    world = World(objects, parents, files, [], [])
    for at, own in enumerate(parents):
        draftsman = Draftsman(Signature(b"Ada", b"ada@example.org", 1_700_000_000 + at, b"+0000"), str(at))
        content = {path: blob(objects, text) for path, text in files[at].items()}
        root = edit_paths(objects, empty_root(), {path.encode(): state for path, state in content.items()})
        who = draftsman.who
        plain = tuple(world.plain[parent] for parent in own)
        world.plain.append(write_commit(objects, Commit(root, plain, who, who, b"%d" % at)))
        world.snapshots.append(
            write_snapshot(
                objects,
                draftsman,
                with_links(objects, root, files[at]),
                empty_root(),
                [world.snapshots[parent] for parent in own],
                COLLECTION,
            )
        )
    return world


def blob(objects: MemoryObjects, content: bytes) -> Root:
    return Root(FILE, len(content), write_blob(objects, content))


def with_links(objects: MemoryObjects, root: Root, files: Files) -> Root:
    """The directory with links to versions; equal contents at one path are one version."""
    draftsman = Draftsman(Signature(b"Ada", b"ada@example.org", 1_600_000_000, b"+0000"))
    edits: dict[bytes, Root | None] = {}
    for artifact in ARTIFACTS:
        own = {path: text for path, text in files.items() if path == artifact or path.startswith(artifact + "/")}
        if own:
            below = {path[len(artifact) + 1 :].encode(): blob(objects, text) for path, text in own.items()}
            state = next(iter(below.values())) if artifact in own else edit_paths(objects, empty_root(), dict(below))
            version = write_version(
                objects,
                draftsman,
                state,
                (),
                collection=COLLECTION,
                path=artifact.encode(),
                origin=Origin.IMPORT,
            )
            edits[artifact.encode()] = Root(LINK, state.size, version)
    return edit_paths(objects, root, edits)


def in_git(git: Git, world: World) -> None:
    """The same commits; the message of each is its number."""
    lines = []
    for at, own in enumerate(world.parents):
        lines += [
            f"commit refs/heads/c{at}",
            f"mark :{at + 1}",
            f"committer Ada <ada@example.org> {1_700_000_000 + at} +0000",
            f"data {len(str(at))}",
            str(at),
            *(f"{'merge' if number else 'from'} :{parent + 1}" for number, parent in enumerate(own)),
            "deleteall",
        ]
        for path, content in world.files[at].items():
            lines += [f"M 100644 inline {path}", f"data {len(content)}", content.decode()]
    git.run("fast-import", "--quiet", "--force", stdin="\n".join([*lines, ""]).encode())


@needs_git
@pytest.mark.parametrize("number", range(HISTORIES))
def test_a_path_is_changed_by_the_commits_that_git_names(tmp_path: Path, number: int) -> None:
    world = make_world(number)
    git = Git(tmp_path / "git")
    in_git(git, world)
    index = ChangeIndex(world.objects)
    graph = CommitGraph(world.objects)
    numbers = {oid: at for ids in (world.snapshots, world.plain) for at, oid in enumerate(ids)}
    for path in ASKED:
        expected = git.run("log", "--format=%s", f"refs/heads/c{world.tip}", "--", path).split()
        raw = path.encode()
        by_index = [
            numbers[each] for each in iter_changed(index, world.objects, COLLECTION, world.snapshots[-1], [raw])
        ]
        by_walk = [numbers[each] for each in iter_changed_by_walk(graph, world.objects, world.plain[-1], [raw])]
        assert sorted(by_index) == sorted(by_walk) == sorted(map(int, expected)), path
        assert_children_first(world, by_index)
        assert_children_first(world, by_walk)


def assert_children_first(world: World, order: list[int]) -> None:
    for at, commit in enumerate(order):
        assert not reached(world, commit) & set(order[:at])


def reached(world: World, start: int) -> set[int]:
    found, waiting = {start}, [start]
    while waiting:
        new = set(world.parents[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("number", range(HISTORIES))
def test_a_version_is_held_by_the_snapshots_that_looking_into_each_of_them_finds(number: int) -> None:
    world = make_world(number)
    index = ChangeIndex(world.objects)
    index.catch_up(world.snapshots)
    for tip in (world.tip, world.tip // 2):
        holders = Holders(index, world.snapshots[tip])
        below = reached(world, tip)
        for artifact in ARTIFACTS:
            held = {at: version_in(world, at, artifact) for at in below}
            for version in {each for each in held.values() if each is not None}:
                spans = holders.spans(version)
                expected = {at for at in below if held[at] == version}
                assert set(holders.snapshots(spans)) == {world.snapshots[at] for at in expected}
                assert sum(span.length for span in spans) == len(expected)
                assert {span.path for span in spans} == {artifact.encode()}
                new = {at for at in expected if all(held[parent] != version for parent in world.parents[at])}
                assert set(holders.brought(version, spans)) == {world.snapshots[at] for at in new}


def version_in(world: World, snapshot: int, artifact: str) -> Oid | None:
    opened = open_snapshot(world.objects, world.snapshots[snapshot])
    return find_version(world.objects, opened, artifact.encode())
