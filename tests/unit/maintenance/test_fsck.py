"""What fsck finds: each kind of problem, on objects in memory, packs made by hand, and whole vaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault.maintenance.fsck import Problem, check_objects, check_packs
from casvault.objects import (
    FILE,
    FOREIGN,
    LINK,
    TREE,
    Commit,
    Entry,
    Kind,
    MemoryObjects,
    Root,
    Tag,
    encode_leaf,
    write_blob,
    write_commit,
    write_tag,
)
from casvault.oid import Oid
from casvault.store import PackDatabase
from casvault.trees import build_tree, empty_root
from tests.story.scene import PDF, Scene, write
from tests.support.objects import WHO, numbered_entries, numbered_id
from tests.support.packs import pack_bytes, raw_entry, write_pack


class Shelf(MemoryObjects):
    def blob(self, content: bytes = b"x") -> Root:
        return Root(FILE, len(content), write_blob(self, content))

    def tree(self, *entries: Entry) -> Root:
        """Whatever the entries say."""
        oid = self.write_many([(Kind.TREE, encode_leaf(entries))])[0]
        return Root(TREE, sum(entry.size for entry in entries), oid)

    def commit(self, root: Root, *parents: Oid) -> Oid:
        return write_commit(self, Commit(root, parents, WHO, WHO, b""))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def messages(shelf: Shelf, *starts: Oid) -> list[str]:
    return [problem.message.split(" (referred")[0] for problem in check_objects(shelf, list(starts))[1]]


def test_check_objects_all_right(shelf: Shelf) -> None:
    blob = shelf.blob()
    many = build_tree(shelf, [entry._replace(id=blob.id, size=1) for entry in numbered_entries(500)])
    first = shelf.commit(shelf.tree(Entry(b"empty", *empty_root()), Entry(b"f", *blob), Entry(b"many", *many)))
    foreign = Entry(b"git", FOREIGN, 0, numbered_id(99))
    second = shelf.commit(shelf.tree(foreign, Entry(b"link", LINK, 501, first)), first)
    tag = write_tag(shelf, Tag(Kind.COMMIT, second, b"v1", WHO, b""))
    reachable, problems = check_objects(shelf, [tag])
    assert (problems, reachable) == ([], len(shelf))


def test_check_objects_nothing_to_start_from(shelf: Shelf) -> None:
    assert check_objects(shelf, []) == (0, [])


def test_check_objects_missing_start(shelf: Shelf) -> None:
    assert len(messages(shelf, numbered_id(5))) == 1


@pytest.mark.parametrize("mode", [FILE, TREE, LINK])
def test_check_objects_missing_entry(shelf: Shelf, mode: int) -> None:
    commit = shelf.commit(shelf.tree(Entry(b"gone", mode, 0, numbered_id(5))))
    _, problems = check_objects(shelf, [commit])
    assert [problem.place for problem in problems] == [str(numbered_id(5))]


def test_check_objects_missing_parent(shelf: Shelf) -> None:
    _, problems = check_objects(shelf, [shelf.commit(shelf.blob(), numbered_id(5))])
    assert [problem.place for problem in problems] == [str(numbered_id(5))]


def test_check_objects_names_who_refers_to_it(shelf: Shelf) -> None:
    commit = shelf.commit(shelf.blob(), numbered_id(5))
    _, problems = check_objects(shelf, [commit])
    assert f"(referred to by commit {commit.short})" in problems[0].message


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("parent", "this object is a blob, where a commit is referred to"),
        ("root", "this object is a blob, where a tree is referred to"),
        ("entry", "this object is a commit, where a blob is referred to"),
    ],
)
def test_check_objects_wrong_kind(shelf: Shelf, where: str, message: str) -> None:
    blob = shelf.blob()
    match where:
        case "parent":
            start = shelf.commit(shelf.tree(), blob.id)
        case "root":
            start = shelf.commit(Root(TREE, 1, blob.id))
        case _:
            start = shelf.commit(shelf.tree(Entry(b"f", FILE, 0, shelf.commit(blob))))
    assert messages(shelf, start) == [message]


@pytest.mark.parametrize("make", ["blob", "tree"])
def test_check_objects_sizes_that_do_not_add_up(shelf: Shelf, make: str) -> None:
    state = shelf.blob() if make == "blob" else shelf.tree(Entry(b"f", *shelf.blob()))
    wrong = shelf.tree(Entry(b"p", state.mode, 7, state.id))
    found = messages(shelf, shelf.commit(wrong))
    assert found == [f"tree {wrong.id.short} claims a size of 7, it is 1"]


def test_check_objects_malformed(shelf: Shelf) -> None:
    broken = shelf.write_many([(Kind.TREE, b"\xc1"), (Kind.COMMIT, b"\xc1")])
    _, problems = check_objects(shelf, [shelf.commit(Root(TREE, 0, broken[0])), broken[1]])
    assert {problem.place for problem in problems} >= set(map(str, broken))


@pytest.mark.xfail(
    strict=True, reason="met once while its size is asked for, under the commit's name, and once for itself"
)
def test_check_objects_malformed_tree_is_one_problem(shelf: Shelf) -> None:
    (broken,) = shelf.write_many([(Kind.TREE, b"\xc1")])
    _, problems = check_objects(shelf, [shelf.commit(Root(TREE, 0, broken))])
    assert [problem.place for problem in problems] == [str(broken)]


def test_check_objects_tag_of_another_kind_than_it_says(shelf: Shelf) -> None:
    tag = write_tag(shelf, Tag(Kind.COMMIT, shelf.blob().id, b"v1", WHO, b""))
    assert messages(shelf, tag) == ["this object is a blob, where a commit is referred to"]


@pytest.mark.xfail(strict=True, reason="a link may lead to anything, as far as fsck goes")
def test_check_objects_link_to_a_blob(shelf: Shelf) -> None:
    blob = shelf.blob()
    assert len(messages(shelf, shelf.commit(shelf.tree(Entry(b"l", LINK, 1, blob.id))))) == 1


@pytest.mark.xfail(strict=True, reason="an object that was referred to rightly once is not compared again")
def test_check_objects_second_reference_of_another_kind(shelf: Shelf) -> None:
    blob = shelf.blob()
    right, wrong = Entry(b"a", *blob), Entry(b"b", TREE, 1, blob.id)
    assert len(messages(shelf, shelf.commit(shelf.tree(right, wrong)))) == 1


def test_check_objects_goes_on_behind_a_problem(shelf: Shelf) -> None:
    blob = shelf.blob()
    parent = shelf.commit(Root(FILE, 9, blob.id))
    assert len(messages(shelf, shelf.commit(Root(FILE, 7, blob.id), parent))) == 2


def test_check_objects_two_problems_of_one_tree(shelf: Shelf) -> None:
    blob = shelf.blob()
    tree = shelf.tree(Entry(b"a", FILE, 7, blob.id), Entry(b"b", FILE, 0, numbered_id(5)))
    assert len(messages(shelf, shelf.commit(tree))) == 2


def test_check_packs_all_right(tmp_path: Path) -> None:
    write_pack(tmp_path, [raw_entry(b"a"), raw_entry(b"b")])
    assert check_packs(PackDatabase(tmp_path)) == (2, [])


def test_check_packs_every_damaged_byte_is_found(tmp_path: Path) -> None:
    """One bit at a time, in each byte of a pack with two objects."""
    data = pack_bytes([raw_entry(b"first"), raw_entry(b"second")])
    unseen = []
    for position in range(len(data)):
        path = tmp_path / "00.pack"
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        _, problems = check_packs(PackDatabase(tmp_path))
        path.unlink()
        if [problem.place for problem in problems] != ["00.pack"]:
            unseen.append(position)
    assert unseen == []


@pytest.mark.parametrize("length", [0, 10, 100])
def test_check_packs_cut_off(tmp_path: Path, length: int) -> None:
    (tmp_path / "00.pack").write_bytes(pack_bytes([raw_entry(b"x" * 100)])[:length])
    _, problems = check_packs(PackDatabase(tmp_path))
    assert [problem.place for problem in problems] == ["00.pack"]


def test_check_packs_damaged_one_does_not_hide_the_others(tmp_path: Path) -> None:
    write_pack(tmp_path, [raw_entry(b"a")], "00.pack")
    (tmp_path / "01.pack").write_bytes(b"no pack")
    count, problems = check_packs(PackDatabase(tmp_path))
    assert (count, [problem.place for problem in problems]) == (1, ["01.pack"])


def test_check_packs_object_under_another_id(tmp_path: Path) -> None:
    forged = raw_entry(b"a")._replace(oid=numbered_id(1))
    write_pack(tmp_path, [forged])
    _, problems = check_packs(PackDatabase(tmp_path))
    assert problems == [Problem(f"{forged.oid} in 00.pack", "the bytes do not have this id")]


def test_fsck_clean_vault(scene: Scene) -> None:
    vault = scene.vault()
    write(scene.lib, PDF, "changed\n")
    vault.snapshot()
    result = vault.fsck()
    assert (result.problems, result.operations, result.reachable <= result.objects) == ((), 2, True)


def test_fsck_pack_that_is_gone(scene: Scene) -> None:
    vault = scene.vault()
    write(scene.lib, PDF, "changed\n")
    vault.snapshot()
    packs = sorted((scene.lib / ".casvault/packs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    packs[0].unlink()
    assert scene.vault().fsck().problems != ()


def test_fsck_record_that_is_damaged(scene: Scene) -> None:
    (record,) = (scene.lib / ".casvault/ops").iterdir()
    data = record.read_bytes()
    record.unlink()
    record.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    problems = scene.vault().fsck().problems
    assert len(problems) >= 1


def test_fsck_vault_without_operations(scene: Scene) -> None:
    (record,) = (scene.lib / ".casvault/ops").iterdir()
    record.unlink()
    assert [message for _, message in scene.vault().fsck().problems] == ["the vault has no operations"]
