from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from casvault.errors import FailureError, NotFoundError, RefusedError
from casvault.limits import MAX_DEPTH, STREAM_THRESHOLD
from casvault.objects import EXECUTABLE, FILE, SYMLINK, TREE, Entry, Kind, MemoryObjects, Root, read_blob
from casvault.oid import blob_id
from casvault.trees import build_tree, empty_root, iter_entries
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.node import Role
from casvault.worktree.reading import read_content, stat_of
from casvault.worktree.scan import Scan, scan_path, scan_paths, scan_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from casvault.oid import Oid

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def skills(path: bytes, is_directory: bool) -> Role:
    if path == b"skills":
        return Role.DESCEND
    if path.startswith(b"skills/"):
        return Role.UNIT
    return Role.SKIP if path == b"skip" else Role.PLAIN


def everything(path: bytes, is_directory: bool) -> Role:
    return Role.UNIT


def lay(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def scan(root: Path, objects: MemoryObjects | None = None) -> Scan:
    return scan_units(root, MemoryObjects() if objects is None else objects, classify=skills)


def content(data: bytes, mode: int = FILE) -> Root:
    return Root(mode, len(data), blob_id(data))


def test_units_plain_and_skipped_are_told_apart(tmp_path: Path) -> None:
    lay(tmp_path, skills__one__a="A", skills__one__sub__b="BB", skills__file="C", README="D", docs__x="E", skip__y="F")
    objects = MemoryObjects()
    found = scan(tmp_path, objects)
    sub = build_tree(objects, [Entry(b"b", *content(b"BB"))])
    one = build_tree(objects, [Entry(b"a", *content(b"A")), Entry(b"sub", *sub)])
    assert found.units == {b"skills/file": content(b"C"), b"skills/one": one}
    assert found.plain == {b"README": content(b"D"), b"docs/x": content(b"E")}
    assert (found.ignored, found.notes) == ([], [])
    assert read_blob(objects, blob_id(b"BB")) == b"BB"


def test_classify_is_not_asked_inside_units(tmp_path: Path) -> None:
    lay(tmp_path, skills__one__a="A", docs__x__y="E")
    asked = []

    def classify(path: bytes, is_directory: bool) -> Role:
        asked.append((path, is_directory))
        return skills(path, is_directory)

    scan_units(tmp_path, MemoryObjects(), classify=classify)
    assert sorted(asked) == [(b"docs", True), (b"skills", True), (b"skills/one", True)]


def test_modes_symlinks_and_empty_directories_are_kept(tmp_path: Path) -> None:
    lay(tmp_path, u__run="#!", u__plain="p")
    (tmp_path / "u" / "run").chmod(0o744)
    (tmp_path / "u" / "plain").chmod(0o655)
    (tmp_path / "u" / "link").symlink_to("no\udcffwhere")
    (tmp_path / "u" / "empty").mkdir()
    objects = MemoryObjects()
    root = scan_path(tmp_path / "u", objects)
    assert root is not None
    assert list(iter_entries(objects, root.id)) == [
        Entry(b"empty", *empty_root()),
        Entry(b"link", *content(b"no\xffwhere", SYMLINK)),
        Entry(b"plain", *content(b"p", FILE)),
        Entry(b"run", *content(b"#!", EXECUTABLE)),
    ]
    assert root.size == 2 + 1 + len(b"no\xffwhere")


def test_entries_are_sorted_as_bytes_files_and_directories_together(tmp_path: Path) -> None:
    lay(tmp_path, **{"u__a.b": "1", "u__a__x": "2", "u__a-b": "3", "u__é": "4"})
    objects = MemoryObjects()
    root = scan_path(tmp_path / "u", objects)
    assert root is not None
    assert [entry.name for entry in iter_entries(objects, root.id)] == [b"a", b"a-b", b"a.b", "é".encode()]


def test_empty_directories_outside_units_are_plain_and_below_the_root_only(tmp_path: Path) -> None:
    assert scan(tmp_path).plain == {}
    (tmp_path / "skills").mkdir()
    (tmp_path / "docs" / "in").mkdir(parents=True)
    (tmp_path / "skip" / "z").mkdir(parents=True)
    assert scan(tmp_path).plain == {b"docs/in": empty_root(), b"skills": empty_root()}


def test_a_directory_whose_entries_are_all_skipped_is_not_empty(tmp_path: Path) -> None:
    lay(tmp_path, a__b="1")
    found = scan_units(tmp_path, MemoryObjects(), classify=lambda path, _: Role.DESCEND if path == b"a" else Role.SKIP)
    assert found.plain == {}


def test_an_empty_unit_is_the_empty_tree(tmp_path: Path) -> None:
    (tmp_path / "u").mkdir()
    assert scan_path(tmp_path / "u", MemoryObjects()) == empty_root()


def test_scan_path_of_file_and_of_nothing(tmp_path: Path) -> None:
    lay(tmp_path, f="F")
    assert scan_path(tmp_path / "f", MemoryObjects()) == content(b"F")
    assert scan_path(tmp_path / "g", MemoryObjects()) is None
    assert scan_path(tmp_path / "f" / "g", MemoryObjects()) is None
    assert scan_path(tmp_path / "no" / "g", MemoryObjects()) is None


def test_scan_paths_takes_only_what_is_named(tmp_path: Path) -> None:
    lay(tmp_path, s__a__f="1", s__b__f="2", s__c="3")
    os.mkfifo(tmp_path / "s" / "fifo")
    found = scan_paths(tmp_path, [b"s/c", b"s/a", b"s/no", b"no/a", b"s/a"], MemoryObjects())
    assert list(found.units) == [b"s/a", b"s/c"]
    assert found.plain == {}


def test_control_directories_are_passed_over_with_a_note(tmp_path: Path) -> None:
    lay(tmp_path, skills__one__a="A")
    for name in (".git", ".casvault", "skills/one/.git", "skills/one/.GIT ", ".casvault-tmp-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text("no")
    found = scan(tmp_path)
    assert found.units[b"skills/one"].size == 1
    assert sorted(found.notes) == [
        "skills/one/.GIT : a control directory or file, never taken",
        "skills/one/.git: a control directory or file, never taken",
    ]


def test_unit_that_is_a_symlink_is_followed_and_noted(tmp_path: Path) -> None:
    lay(tmp_path, skills__real__a="A", elsewhere="E", docs__d="D")
    (tmp_path / "skills" / "dir").symlink_to("real")
    (tmp_path / "skills" / "file").symlink_to("../elsewhere")
    (tmp_path / "link").symlink_to("docs")
    found = scan(tmp_path)
    assert found.units[b"skills/dir"] == found.units[b"skills/real"]
    assert found.units[b"skills/file"] == content(b"E")
    assert found.plain[b"link"] == content(b"docs", SYMLINK)
    assert [note.partition(":")[0] for note in found.notes] == ["skills/dir", "skills/file"]


def test_keep_links_are_not_followed(tmp_path: Path) -> None:
    lay(tmp_path, skills__real__a="A")
    (tmp_path / "skills" / "dir").symlink_to("real")
    objects = MemoryObjects()
    found = scan_units(tmp_path, objects, classify=skills, keep_links=frozenset({b"skills/dir"}))
    assert found.units[b"skills/dir"] == content(b"real", SYMLINK)
    assert scan_path(tmp_path / "skills" / "dir", objects, follow=False) == content(b"real", SYMLINK)
    assert found.notes == []


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("loop", RefusedError, "leads back to itself"),
        ("..", RefusedError, "holds it"),
        (".", RefusedError, "holds it"),
        ("gone", FailureError, "not there"),
    ],
)
def test_unit_symlinks_that_cannot_be_followed(
    tmp_path: Path, target: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "loop").symlink_to(target)
    with pytest.raises(error, match=f"skills/loop: .*{message}"):
        scan(tmp_path)


@pytest.mark.parametrize("where", ["skills/one/x", "skills/x", "x"])
def test_fifo_is_refused_with_its_path(tmp_path: Path, where: str) -> None:
    lay(tmp_path, skills__one__a="A")
    os.mkfifo(tmp_path / where)
    with pytest.raises(FailureError, match=f"{where}: it is a FIFO") as caught:
        scan(tmp_path)
    assert caught.value.remedy is not None
    assert ".casvaultignore" in caught.value.remedy
    (tmp_path / ".casvaultignore").write_text("x\n")
    assert scan(tmp_path).ignored == [where.encode()]


def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(FailureError, match="s: it is a socket"):
            scan(tmp_path)


def test_missing_root_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such directory"):
        scan(tmp_path / "gone")
    lay(tmp_path, f="F")
    with pytest.raises(NotFoundError, match="not a directory"):
        scan(tmp_path / "f")


def test_depth_is_limited(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(MAX_DEPTH):
        deep /= "d"
    deep.mkdir(parents=True)
    assert scan_path(tmp_path / "d", MemoryObjects()) is not None
    (deep / "d").mkdir()
    with pytest.raises(RefusedError, match=f"more than {MAX_DEPTH}"):
        scan_path(tmp_path / "d", MemoryObjects())


def test_directory_that_vanishes_during_the_scan(tmp_path: Path) -> None:
    lay(tmp_path, skills__one__a="A")

    def classify(path: bytes, is_directory: bool) -> Role:
        if path == b"skills/one":
            (tmp_path / "skills/one/a").unlink()
            (tmp_path / "skills/one").rmdir()
        return skills(path, is_directory)

    with pytest.raises(FailureError, match="skills/one: it vanished during the scan"):
        scan_units(tmp_path, MemoryObjects(), classify=classify)


class Meddling(MemoryObjects):
    """A store at whose writing something else happens."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        super().__init__()
        self._meddle = meddle

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        self._meddle()
        return super().write_many(objects)

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        def iter_meddled() -> Iterator[bytes]:
            for piece in pieces:
                yield piece
                self._meddle()

        return super().write_blob_pieces(iter_meddled())


def test_file_that_vanishes_before_it_is_read(tmp_path: Path) -> None:
    lay(tmp_path, a="A")
    with pytest.raises(FailureError, match="a: it vanished during the scan"):
        scan_path(tmp_path / "a", Meddling((tmp_path / "a").unlink))


def test_file_that_changes_between_stat_and_read_is_read_as_it_is(tmp_path: Path) -> None:
    lay(tmp_path, u__a="A", u__b="B")

    def meddle() -> None:
        (tmp_path / "u" / "a").write_text("longer")
        (tmp_path / "u" / "b").unlink(missing_ok=True)
        (tmp_path / "u" / "b").symlink_to("a")

    objects = Meddling(meddle)
    root = scan_path(tmp_path / "u", objects)
    assert root is not None
    assert list(iter_entries(objects, root.id)) == [
        Entry(b"a", *content(b"longer")),
        Entry(b"b", *content(b"a", SYMLINK)),
    ]


def test_file_that_becomes_a_fifo_before_it_is_read(tmp_path: Path) -> None:
    lay(tmp_path, a="A")

    def meddle() -> None:
        (tmp_path / "a").unlink()
        os.mkfifo(tmp_path / "a")

    with pytest.raises(FailureError, match="a: it is a FIFO"):
        scan_path(tmp_path / "a", Meddling(meddle))


def test_large_file_is_streamed(tmp_path: Path) -> None:
    data = bytes(STREAM_THRESHOLD) + b"end"
    (tmp_path / "large").write_bytes(data)
    (tmp_path / "exact").write_bytes(data[:STREAM_THRESHOLD])
    pieces: list[int] = []

    class Counting(MemoryObjects):
        def write_blob_pieces(self, parts: Iterable[bytes]) -> tuple[Oid, int]:
            held = list(parts)
            pieces.extend(map(len, held))
            return super().write_blob_pieces(held)

    assert scan_path(tmp_path / "large", Counting()) == content(data)
    assert sum(pieces) == len(data)
    assert scan_path(tmp_path / "exact", Counting()) == content(data[:STREAM_THRESHOLD])
    assert sum(pieces) == len(data)


@pytest.mark.parametrize("times", [1, 2, 1000])
def test_large_file_that_changes_while_it_is_read(tmp_path: Path, times: int) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(STREAM_THRESHOLD + 1))
    left = [times]

    def meddle() -> None:
        if left[0]:
            left[0] -= 1
            with path.open("ab") as out:
                out.write(b"+")

    if times == 1000:
        with pytest.raises(FailureError, match="large: it changed each time"):
            scan_path(path, Meddling(meddle))
    else:
        found = scan_path(path, Meddling(meddle))
        assert found == content(path.read_bytes())


def test_file_whose_size_is_not_what_it_holds_is_refused() -> None:
    """A file of /proc says that it is empty; taking it as empty would lose what it holds."""
    place = b"/proc/self/status"
    if not os.path.exists(place):
        pytest.skip("no /proc here")
    with pytest.raises(FailureError, match="changed each time"):
        read_content(place, stat_of(os.lstat(place)))


@as_root
def test_unreadable_file_and_directory(tmp_path: Path) -> None:
    lay(tmp_path, u__a="A", v__b="B")
    (tmp_path / "u" / "a").chmod(0)
    (tmp_path / "v").chmod(0)
    try:
        with pytest.raises(FailureError, match="u/a: permission denied"):
            scan_path(tmp_path / "u", MemoryObjects())
        with pytest.raises(FailureError, match="v: permission denied"):
            scan_path(tmp_path / "v", MemoryObjects())
    finally:
        (tmp_path / "v").chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("name", ["u/a", "u"])
def test_unreadable_for_another_user(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Root may read everything, so a child without privileges looks."""
    import tempfile

    with tempfile.TemporaryDirectory() as found:
        base = Path(found)
        base.chmod(0o755)
        lay(base, u__a="A")
        (base / name).chmod(0)
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            code = 1
            try:
                scan_path(base / "u", MemoryObjects())
            except FailureError as error:
                code = 0 if str(error) == f"{base / name}: permission denied" else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        (base / name).chmod(0o755)


def test_many_files_go_through_the_reader_thread(tmp_path: Path) -> None:
    root = tmp_path / "u"
    for number in range(2500):
        if number % 100 == 0:
            (root / f"d{number:04}").mkdir(parents=True)
        (root / f"d{number // 100 * 100:04}" / f"f{number:04}").write_text(f"{number}\n")
    objects, calls = MemoryObjects(), []
    found = scan_path(root, objects, progress=lambda phase, done, total: calls.append((phase, done, total)))
    assert found == scan_path(root, HashOnly(MemoryObjects()), storing=False)
    assert read_blob(objects, blob_id(b"2499\n")) == b"2499\n"
    assert ("read", 2500, 2500) in calls


def test_error_in_the_reader_thread_reaches_the_caller(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"f{number:04}").write_text(f"{number}\n")
    with pytest.raises(FailureError, match="f2999: it vanished"):
        scan_path(tmp_path, Meddling(lambda: (tmp_path / "f2999").unlink(missing_ok=True)))


def test_hash_only_keeps_trees_and_no_blobs(tmp_path: Path) -> None:
    lay(tmp_path, u__a="A", u__d__b="B")
    stage = HashOnly(MemoryObjects())
    root = scan_path(tmp_path / "u", stage, storing=False)
    assert root is not None
    entries = list(iter_entries(stage, root.id))
    assert [(entry.name, entry.mode) for entry in entries] == [(b"a", FILE), (b"d", TREE)]
    assert stage.find_infos([blob_id(b"A")]) == [None]
    assert stage.write_blob_pieces([b"x", b"y"]) == (blob_id(b"xy"), 2)


def test_held_is_asked_for_ignored_paths_only(tmp_path: Path) -> None:
    lay(tmp_path, **{"u__a.pyc": "A", "u__b": "B"})
    asked: list[bytes] = []
    scan_paths(tmp_path, [b"u"], MemoryObjects(), held=lambda path: bool(asked.append(path)))
    assert asked == [b"u/a.pyc"]
