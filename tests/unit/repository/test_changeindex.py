"""The change index: what it says of histories, and that it is as good as new whatever happens to its file."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from casvault.errors import FailureError, MissingObjectError
from casvault.objects import FILE, LINK, Commit, MemoryObjects, Root, write_blob, write_commit
from casvault.oid import Oid
from casvault.repository import changeindex
from casvault.repository.changeindex import SAVE_AT, Change, ChangeIndex, Stand, iter_chain
from casvault.trees import edit_paths, empty_root
from tests.support.graphs import ancestors, random_parents
from tests.support.objects import WHO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.trees import PathChange

OWNER = bytes(range(32))
PATHS = ("a", "b/c", "b/d", "b-", "e/f/g")
Files = dict[str, bytes]


class History:
    """Commits by number, each with its files."""

    def __init__(self, objects: MemoryObjects, parents: list[list[int]], chance: random.Random) -> None:
        self.objects = objects
        self.parents = parents
        self.files: list[Files] = []
        self.ids: list[Oid] = []
        for own in parents:
            files = dict(self.files[own[0]]) if own else {}
            for path in chance.sample(PATHS, chance.randrange(3)):
                files.pop(path, None)
                if chance.random() < 0.7:
                    files[path] = b"%d" % chance.randrange(3)
            self.add(files, own)

    def add(self, files: Files, parents: list[int]) -> Oid:
        states = {path.encode(): self._file(content) for path, content in files.items()}
        root = edit_paths(self.objects, empty_root(), states)
        ids = tuple(self.ids[parent] for parent in parents)
        self.files.append(files)
        self.ids.append(write_commit(self.objects, Commit(root, ids, WHO, WHO, b"%d" % len(self.ids))))
        return self.ids[-1]

    def _file(self, content: bytes) -> Root:
        return Root(FILE, len(content), write_blob(self.objects, content))

    def stand(self, content: bytes | None) -> Stand | None:
        return None if content is None else Stand(FILE, self._file(content).id)

    def changes(self, path: str) -> set[tuple[Oid, int, Stand | None, Stand | None]]:
        """What the index must say of a path, found by comparing all files of all commits."""
        found = set()
        for number, own in enumerate(self.parents):
            for at, parent in enumerate(own or [None]):
                old = None if parent is None else self.files[parent].get(path)
                new = self.files[number].get(path)
                if old != new:
                    found.add((self.ids[number], at, self.stand(old), self.stand(new)))
        return found


def told(index: ChangeIndex, changes: list[Change]) -> set[tuple[Oid, int, Stand | None, Stand | None]]:
    return {(index.id_of(change.commit), change.parent, change.old, change.new) for change in changes}


def line(length: int) -> History:
    return History(MemoryObjects(), [[number - 1] if number else [] for number in range(length)], random.Random(length))


@pytest.mark.parametrize("seed", range(30))
def test_it_says_of_every_path_what_comparing_all_commits_says(seed: int) -> None:
    chance = random.Random(seed)
    history = History(MemoryObjects(), random_parents(chance, chance.randrange(1, 40)), chance)
    index = ChangeIndex(history.objects)
    tips = chance.sample(history.ids, min(3, len(history.ids)))
    for tip in (*tips, *history.ids):
        index.catch_up([tip])
    for path in PATHS:
        assert told(index, index.changes_at(path.encode())) == history.changes(path)
    assert told(index, index.changes_below(b"b")) == history.changes("b/c") | history.changes("b/d")
    assert index.changes_at(b"b") == index.changes_below(b"a") == []
    positions = {number: index.find(oid) or 0 for number, oid in enumerate(history.ids)}
    for number, own in enumerate(history.parents):
        assert index.parents(positions[number]) == [positions[parent] for parent in own]
        assert all(positions[parent] < positions[number] for parent in own)
        children = [positions[child] for child, parents in enumerate(history.parents) if number in parents]
        assert index.children(positions[number]) == sorted(children)
        chain = [number]
        while history.parents[chain[-1]]:
            chain.append(history.parents[chain[-1]][0])
        assert list(iter_chain(index, positions[number], 1)) == [positions[each] for each in chain]
        for depth, each in enumerate(reversed(chain), 1):
            assert index.ancestor_at(positions[number], depth) == positions[each]
    assert index.merges() == sorted(positions[n] for n, own in enumerate(history.parents) if len(own) > 1)


@pytest.mark.parametrize("seed", range(5))
def test_ancestors_are_found_in_the_file_however_much_of_the_way_is_known(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    history = History(MemoryObjects(), random_parents(chance, 2 * SAVE_AT), chance)
    path = tmp_path / "index"
    ChangeIndex(history.objects, path, OWNER).catch_up(history.ids)
    index = ChangeIndex(MemoryObjects(), path, OWNER)
    for number in chance.sample(range(len(history.ids)), 40):
        chain = [number]
        while history.parents[chain[-1]]:
            chain.append(history.parents[chain[-1]][0])
        position = index.catch_up([history.ids[number]])[0]
        for depth in chance.sample(range(len(chain) + 1), min(3, len(chain) + 1)):
            expected = index.find(history.ids[chain[-depth]]) if depth else 0
            assert expected == index.ancestor_at(position, depth)
        assert position == index.ancestor_at(position, len(chain) + 1)


def test_a_tip_brings_its_own_history_and_no_other() -> None:
    history = History(MemoryObjects(), random_parents(random.Random(5), 40), random.Random(5))
    index = ChangeIndex(history.objects)
    index.catch_up([history.ids[20]])
    known = {number for number, oid in enumerate(history.ids) if index.find(oid) is not None}
    assert known == ancestors(history.parents.__getitem__, 20)


def test_what_came_to_stand_somewhere_is_found_by_its_id() -> None:
    history = line(20)
    index = ChangeIndex(history.objects)
    index.catch_up(history.ids)
    stand = history.stand(b"1")
    assert stand is not None
    expected = {change for path in PATHS for change in history.changes(path) if change[3] == stand}
    assert told(index, index.changes_to(stand.id)) == expected != set()


def test_an_object_that_is_missing_leaves_nothing_half_known() -> None:
    """A commit whose tree could not be read must not seem to have changed nothing when it can be read again."""
    history = line(10)
    whole, missing = MemoryObjects(), history.ids[6]
    for oid in history.objects.iter_ids():
        if oid != missing:
            whole.write_many(history.objects.read_many([oid]))
    index = ChangeIndex(whole)
    index.catch_up([history.ids[4]])
    with pytest.raises(MissingObjectError):
        index.catch_up([history.ids[9]])
    assert [index.find(oid) for oid in history.ids[5:]] == [None] * 5
    whole.write_many(history.objects.read_many([missing]))
    index.catch_up([history.ids[9]])
    for path in PATHS:
        assert told(index, index.changes_at(path.encode())) == history.changes(path)


@pytest.fixture
def kept(tmp_path: Path) -> tuple[History, Path]:
    """A history whose index is in a file."""
    history = line(SAVE_AT)
    path = tmp_path / "cache" / "changes.index"
    ChangeIndex(history.objects, path, OWNER).catch_up([history.ids[-1]])
    assert path.exists()
    return history, path


def check(history: History, objects: MemoryObjects, path: Path, owner: bytes = OWNER) -> None:
    index = ChangeIndex(objects, path, owner)
    index.catch_up([history.ids[-1]])
    for name in PATHS:
        assert told(index, index.changes_at(name.encode())) == history.changes(name)


def test_what_is_in_the_file_is_not_read_again(kept: tuple[History, Path]) -> None:
    history, path = kept
    check(history, MemoryObjects(), path)  # without any object


def grow(history: History, number: int) -> None:
    history.parents.append([len(history.ids) - 1])
    history.add({"a": b"%d" % number}, history.parents[-1])


def test_what_came_since_is_added_to_what_is_in_the_file(kept: tuple[History, Path]) -> None:
    history, path = kept
    inode = path.stat().st_ino
    for number in range(3):
        grow(history, number)
        check(history, history.objects, path)
        check(history, MemoryObjects(), path)
    assert path.stat().st_ino == inode


def test_two_that_grow_one_file_give_the_same_positions(kept: tuple[History, Path]) -> None:
    history, path = kept
    first, second = (ChangeIndex(history.objects, path, OWNER) for _ in range(2))
    for number in range(6):
        grow(history, number)
        (first if number % 2 else second).catch_up([history.ids[-1]])
    grow(history, 6)
    positions = [index.catch_up(history.ids) for index in (first, second)]
    assert positions == [list(range(1, len(history.ids) + 1))] * 2
    assert [index.is_current() for index in (first, second)] == [True, True]
    check(history, MemoryObjects(), path)


def test_one_that_was_read_while_another_added_the_same_does_not_add_it_twice(
    kept: tuple[History, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits are compared before the file is locked, and another process may be faster."""
    history, path = kept
    grow(history, 0)
    index = ChangeIndex(history.objects, path, OWNER)
    compare = changeindex.diff_paths

    def compare_slowly(*arguments: Any) -> Iterator[PathChange]:
        monkeypatch.undo()
        check(history, history.objects, path)
        return compare(*arguments)

    monkeypatch.setattr(changeindex, "diff_paths", compare_slowly)
    assert index.catch_up(history.ids) == list(range(1, len(history.ids) + 1))
    check(history, MemoryObjects(), path)


def test_a_file_that_was_touched_is_not_current(kept: tuple[History, Path]) -> None:
    history, path = kept
    index = ChangeIndex(history.objects, path, OWNER)
    grow(history, 0)
    index.catch_up(history.ids)
    assert index.is_current()
    with path.open("r+b") as out:
        out.write(b"SQLite")  # as it was
    assert not index.is_current()
    check(history, history.objects, path)
    assert not index.is_current()
    assert ChangeIndex(MemoryObjects(), path, OWNER).is_current()


def test_a_file_that_cannot_be_written_to_is_left_for_a_copy(kept: tuple[History, Path]) -> None:
    history, path = kept
    before = path.read_bytes()
    grow(history, 0)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        index = ChangeIndex(history.objects, path, OWNER)
        index._database._connection.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        index.catch_up(history.ids)
        assert told(index, index.changes_at(b"a")) == history.changes("a")
        other.execute("ROLLBACK")
    assert path.read_bytes() == before
    check(history, history.objects, path)


def test_a_file_that_cannot_be_read_on_is_said_so_and_made_again(kept: tuple[History, Path]) -> None:
    history, path = kept
    status = path.stat()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))  # a disk that forgets
    for _ in range(2):
        with contextlib.suppress(FailureError):
            check(history, history.objects, path)
    check(history, MemoryObjects(), path)


def test_the_roots_of_links_are_kept_too(tmp_path: Path) -> None:
    """They were read again in every command, because the number of commits stays the same."""
    objects = MemoryObjects()
    contents = [Root(FILE, 1, write_blob(objects, b"%d" % number)) for number in range(SAVE_AT)]
    links = [write_commit(objects, Commit(content, (), WHO, WHO, b"link")) for content in contents]
    tip: tuple[Oid, ...] = ()
    for link in links:
        root = edit_paths(objects, empty_root(), {b"here": Root(LINK, 1, link)})
        tip = (write_commit(objects, Commit(root, tip, WHO, WHO, b"line")),)
    path = tmp_path / "index"
    for reader in (objects, objects, MemoryObjects()):
        index = ChangeIndex(reader, path, OWNER)
        index.catch_up(tip)
        assert [index.links_with(content.id) for content in contents] == [[link] for link in links]


def test_short_histories_are_not_worth_a_file(tmp_path: Path) -> None:
    history = line(SAVE_AT - 1)
    ChangeIndex(history.objects, tmp_path / "index", OWNER).catch_up([history.ids[-1]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_healed(kept: tuple[History, Path], seed: int) -> None:
    history, path = kept
    data = bytearray(path.read_bytes())
    chance = random.Random(seed)
    if seed % 2:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    else:
        del data[chance.randrange(len(data)) :]
    path.write_bytes(data)
    check(history, history.objects, path)
    check(history, MemoryObjects(), path)  # the file has been made again


@pytest.mark.parametrize("what", ["gone", "its directory gone", "a directory", "of another vault", "no database"])
def test_a_file_that_is_none_is_made_again(kept: tuple[History, Path], what: str) -> None:
    history, path = kept
    owner = OWNER
    if what == "of another vault":
        owner = bytes(32)
    elif what == "no database":
        path.write_bytes(b"no database at all" * 100)
    else:
        path.unlink()
    if what == "its directory gone":
        path.parent.rmdir()
    elif what == "a directory":
        path.mkdir()
    check(history, history.objects, path, owner)
    if what != "a directory":
        check(history, MemoryObjects(), path, owner)


def test_an_index_that_another_one_has_kept_meanwhile_is_left(tmp_path: Path) -> None:
    history = line(SAVE_AT)
    path = tmp_path / "index"
    indexes = [ChangeIndex(history.objects, path, OWNER) for _ in range(2)]
    inodes = set()
    for index in indexes:
        index.catch_up([history.ids[-1]])
        inodes.add(path.stat().st_ino)
    assert len(inodes) == 1
    grow(history, 0)
    for index in indexes:
        index.catch_up([history.ids[-1]])
        assert told(index, index.changes_at(b"a")) == history.changes("a")


def test_a_place_that_cannot_be_written_to_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"in the way")
    history = line(SAVE_AT)
    check(history, history.objects, tmp_path / "cache" / "changes.index")


def test_many_threads_ask_one_index() -> None:
    history = History(MemoryObjects(), random_parents(random.Random(9), 200), random.Random(9))
    index = ChangeIndex(history.objects)
    with ThreadPoolExecutor(8) as pool:
        positions = list(pool.map(lambda oid: index.catch_up([oid])[0], history.ids * 2))
        found = list(pool.map(lambda path: told(index, index.changes_at(path.encode())), PATHS * 4))
    assert positions == [index.find(oid) for oid in history.ids * 2]
    assert found == [history.changes(path) for path in PATHS * 4]
