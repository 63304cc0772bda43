from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from casvault.errors import (
    DamageError,
    FailureError,
    MissingObjectError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from casvault.limits import STREAM_THRESHOLD
from casvault.objects import EXECUTABLE, FILE, SYMLINK, TREE, Entry, Kind, MemoryObjects, Root
from casvault.oid import NULL_ID, Oid, blob_id
from casvault.trees import build_tree, empty_root
from casvault.worktree.applying import Applied
from casvault.worktree.plan import Change, plan_changes
from casvault.worktree.scan import scan_path
from casvault.worktree.target import Target, checkout_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

DIRECTORY = empty_root()
NOTHING = Applied([], [], [], [])


class Store(MemoryObjects):
    """Objects, with something that happens when one is read: after the checks, before the file is put in place."""

    def __init__(self, meddle: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.meddle = meddle

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        for found in super().read_many(ids):
            self.meddle()
            yield found

    def state(self, content: bytes, mode: int = FILE) -> Root:
        self.write_many([(Kind.BLOB, content)])
        return Root(mode, len(content), blob_id(content))

    def tree(self, **entries: Root) -> Root:
        return build_tree(self, sorted(Entry(name.encode(), *root) for name, root in entries.items()))


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "target"
    root.mkdir()
    return root


def apply(root: Path, store: MemoryObjects, *changes: Change, follow: Sequence[bytes] = ()) -> Applied:
    with Target(root, follow=frozenset(follow)) as target:
        return target.apply(changes, store)


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_files_are_created_replaced_and_removed(root: Path, store: Store) -> None:
    a, b = store.state(b"A"), store.state(b"B")
    (root / "old").write_text("A")
    (root / "gone").write_text("A")
    changes = [Change(b"old", a, b), Change(b"gone", a, None), Change(b"d/new", None, a)]
    assert apply(root, store, *changes) == Applied([b"d/new", b"old"], [b"gone"], [], [])
    assert (root / "old").read_text() == "B"
    assert names(root) == ["d", "d/new", "old"]
    assert apply(root, store, *changes) == NOTHING


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_modes_follow_the_umask(root: Path, store: Store, mask: int) -> None:
    before = os.umask(mask)
    try:
        apply(root, store, Change(b"f", None, store.state(b"A")), Change(b"x", None, store.state(b"A", EXECUTABLE)))
    finally:
        os.umask(before)
    assert (root / "f").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (root / "x").stat().st_mode & 0o777 == 0o777 & ~mask


def test_a_mode_alone_changes(root: Path, store: Store) -> None:
    (root / "f").write_text("A")
    a, x = store.state(b"A"), store.state(b"A", EXECUTABLE)
    assert apply(root, store, Change(b"f", a, x)).written == [b"f"]
    assert (root / "f").stat().st_mode & 0o100
    assert apply(root, store, Change(b"f", a, x)) == NOTHING
    assert apply(root, store, Change(b"f", x, a)).written == [b"f"]
    assert not (root / "f").stat().st_mode & 0o100


def test_symlinks_are_created_replaced_and_removed(root: Path, store: Store) -> None:
    one, two, a = store.state(b"one", SYMLINK), store.state(b"t\xffo", SYMLINK), store.state(b"A")
    assert apply(root, store, Change(b"l", None, one)).written == [b"l"]
    assert apply(root, store, Change(b"l", one, two)).written == [b"l"]
    assert os.readlink(os.fsencode(root / "l")) == b"t\xffo"
    assert apply(root, store, Change(b"l", two, a)).written == [b"l"]
    assert (root / "l").read_text() == "A"
    assert apply(root, store, Change(b"l", a, two)).written == [b"l"]
    assert apply(root, store, Change(b"l", two, None)).removed == [b"l"]
    assert names(root) == []


@pytest.mark.parametrize("edit", ["content", "mode", "removed", "symlink", "directory", "fifo"])
@pytest.mark.parametrize("new", ["B", None])
def test_what_is_neither_old_nor_new_is_kept(root: Path, store: Store, edit: str, new: str | None) -> None:
    path = root / "f"
    if edit == "content":
        path.write_text("Z")
    elif edit == "mode":
        path.write_text("A")
        path.chmod(0o755)
    elif edit == "symlink":
        path.symlink_to("A")
    elif edit == "directory":
        path.mkdir()
    elif edit == "fifo":
        os.mkfifo(path)
    wanted = None if new is None else store.state(new.encode())
    applied = apply(root, store, Change(b"f", store.state(b"A"), wanted))
    if edit == "removed":
        assert applied == NOTHING._replace(kept=[] if new is None else [b"f"])
        assert names(root) == []
    else:
        assert applied == NOTHING._replace(kept=[b"f"])
        assert names(root) == ["f"]
        assert path.is_fifo() == (edit == "fifo")
        assert path.is_symlink() == (edit == "symlink")


def test_creation_keeps_what_is_there(root: Path, store: Store) -> None:
    (root / "f").write_text("mine")
    (root / "d").write_text("mine")
    changes = [
        Change(b"f", None, store.state(b"A")),
        Change(b"d", None, DIRECTORY),
        Change(b"d/x", None, store.state(b"A")),
    ]
    assert apply(root, store, *changes) == NOTHING._replace(kept=[b"d", b"d/x", b"f"])
    assert (root / "f").read_text() == (root / "d").read_text() == "mine"


def test_creation_never_overwrites_what_appears_meanwhile(root: Path, store: Store) -> None:
    a = store.state(b"A")
    store.meddle = lambda: (root / "f").write_text("mine")
    assert apply(root, store, Change(b"f", None, a)) == NOTHING._replace(kept=[b"f"])
    assert (root / "f").read_text() == "mine"
    assert names(root) == ["f"]


@pytest.mark.parametrize("edit", ["edited", "deleted"])
def test_replacement_never_overwrites_what_changes_meanwhile(root: Path, store: Store, edit: str) -> None:
    (root / "f").write_text("A")
    a, b = store.state(b"A"), store.state(b"B")
    store.meddle = lambda: (root / "f").write_text("Z") if edit == "edited" else (root / "f").unlink(missing_ok=True)
    assert apply(root, store, Change(b"f", a, b)) == NOTHING._replace(kept=[b"f"])
    assert names(root) == (["f"] if edit == "edited" else [])


@pytest.mark.parametrize("taken", [False, True])
def test_creation_where_the_file_system_has_no_hard_links(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def link(*args: object, **options: object) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", link)
    a = store.state(b"A")
    if taken:
        store.meddle = lambda: (root / "f").write_text("mine")
    applied = apply(root, store, Change(b"f", None, a))
    assert applied == (NOTHING._replace(kept=[b"f"]) if taken else NOTHING._replace(written=[b"f"]))
    assert (root / "f").read_text() == ("mine" if taken else "A")
    assert (root / "f").stat().st_mode & 0o400
    assert names(root) == ["f"]


def test_directories_come_and_go(root: Path, store: Store) -> None:
    objects_old = store.tree(keep=store.state(b"A"), d=store.tree(e=store.tree(f=store.state(b"A"))))
    objects_new = store.tree(keep=store.state(b"A"), n=DIRECTORY)
    forward = plan_changes(store, b"u", objects_old, objects_new)
    assert apply(root, store, *plan_changes(store, b"u", None, objects_old)).kept == []
    assert apply(root, store, *forward) == Applied([b"u/n"], [b"u/d", b"u/d/e", b"u/d/e/f"], [], [])
    assert scan_path(root / "u", store) == objects_new
    assert apply(root, store, *forward) == NOTHING
    assert apply(root, store, *plan_changes(store, b"u", objects_new, None)).removed == [b"u", b"u/keep", b"u/n"]
    assert names(root) == []


def test_a_directory_with_other_files_in_it_is_left_and_named(root: Path, store: Store) -> None:
    unit = store.tree(d=store.tree(f=store.state(b"A")))
    apply(root, store, *plan_changes(store, b"u", None, unit))
    (root / "u" / "d" / "ignored.pyc").write_text("x")
    assert apply(root, store, *plan_changes(store, b"u", unit, None)) == Applied([], [b"u/d/f"], [], [b"u", b"u/d"])
    assert names(root) == ["u", "u/d", "u/d/ignored.pyc"]


@pytest.mark.parametrize("back", [False, True])
def test_a_file_becomes_a_directory_and_back(root: Path, store: Store, back: bool) -> None:
    file, full, bare = store.state(b"A"), store.tree(f=store.state(b"B")), DIRECTORY
    for directory in (full, bare):
        old, new = (directory, file) if back else (file, directory)
        setup = plan_changes(store, b"p", None, old)
        assert apply(root, store, *setup).kept == []
        changes = plan_changes(store, b"p", old, new)
        assert apply(root, store, *changes).kept == []
        assert scan_path(root / "p", store) == new
        assert apply(root, store, *changes) == NOTHING
        apply(root, store, *plan_changes(store, b"p", new, None))
        assert names(root) == []


def test_a_file_in_the_way_of_a_directory_is_kept_with_all_that_would_be_in_it(root: Path, store: Store) -> None:
    old, new = store.state(b"A"), store.tree(f=store.state(b"B"))
    (root / "p").write_text("edited")
    assert apply(root, store, *plan_changes(store, b"p", old, new)) == NOTHING._replace(kept=[b"p", b"p/f"])
    assert (root / "p").read_text() == "edited"


def test_a_full_directory_in_the_way_of_a_file_is_kept_and_left(root: Path, store: Store) -> None:
    old, new = store.tree(f=store.state(b"B")), store.state(b"A")
    apply(root, store, *plan_changes(store, b"p", None, old))
    (root / "p" / "mine").write_text("x")
    assert apply(root, store, *plan_changes(store, b"p", old, new)) == Applied([], [b"p/f"], [b"p"], [b"p"])
    assert names(root) == ["p", "p/mine"]


def test_large_files_are_streamed(root: Path, store: Store) -> None:
    data = b"x" * (STREAM_THRESHOLD + 1)
    state = store.state(data)
    store.meddle = lambda: None
    assert apply(root, store, Change(b"large", None, state)).written == [b"large"]
    assert (root / "large").read_bytes() == data


def test_many_files_at_once(root: Path, store: Store) -> None:
    unit = store.tree(
        **{f"d{n:02}": store.tree(**{f"f{m:02}": store.state(b"%d" % m) for m in range(30)}) for n in range(40)}
    )
    changes = plan_changes(store, b"u", None, unit)
    calls: list[tuple[int, int | None]] = []
    with Target(root) as target:
        applied = target.apply(changes, store, lambda phase, done, total: calls.append((done, total)))
    assert len(applied.written) == 1 + 40 + 1200
    assert calls[-1] == (1241, 1241)
    assert scan_path(root / "u", store) == unit


@pytest.mark.parametrize("at", range(1, 9))
def test_an_apply_that_is_cut_off_is_finished_by_the_next(root: Path, store: Store, at: int) -> None:
    """Cut off at each read; the second apply reaches the same state, and no temporary file is left."""
    old = store.tree(a=store.state(b"1"), b=store.state(b"2"), c=store.tree(d=store.state(b"3")), e=store.state(b"4"))
    new = store.tree(
        a=store.tree(x=store.state(b"5"), y=store.state(b"6")), b=store.state(b"7"), c=store.state(b"8"),
        f=store.state(b"9"), g=store.state(b"A"), h=store.state(b"B"), i=store.state(b"C"),
    )  # fmt: skip
    apply(root, store, *plan_changes(store, b"u", None, old))
    changes = plan_changes(store, b"u", old, new)
    left = [at]

    def stop() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    store.meddle = stop
    with pytest.raises(KeyboardInterrupt):
        apply(root, store, *changes)
    assert not [name for name in names(root) if "casvault-tmp" in name]
    store.meddle = lambda: None
    assert apply(root, store, *changes).kept == []
    assert scan_path(root / "u", store) == new


def test_temporaries_of_a_crash_are_removed(root: Path, store: Store) -> None:
    unit = store.tree(d=store.tree(f=store.state(b"A")))
    apply(root, store, *plan_changes(store, b"u", None, unit))
    for place in (".casvault-tmp-0", "u/.casvault-tmp-1", "u/d/.casvault-tmp-2"):
        (root / place).write_text("torn")
    assert apply(root, store, *plan_changes(store, b"u", unit, None)).left == []
    assert names(root) == []
    (root / "x").mkdir()
    (root / "x" / ".casvault-tmp-3").symlink_to("x")
    with Target(root) as target:
        assert target.clean_temporaries([b"x", b"", b"gone"]) == 1
    assert names(root) == ["x"]


@pytest.mark.parametrize(
    "path",
    [b"", b"/a", b"../a", b"a/../../b", b".git/config", b"a/.GIT/x", b".casvault/ops", b"a\0b", b"git~1", b"./a"],
)
def test_paths_that_are_never_written(root: Path, store: Store, path: bytes) -> None:
    with pytest.raises(RefusedError):
        apply(root, store, Change(b"fine", None, store.state(b"A")), Change(path, None, store.state(b"A")))
    with pytest.raises(RefusedError), Target(root) as target:
        target.find_state(path)
    assert names(root) == []


def test_symlinks_on_the_way_are_refused_before_anything_is_written(root: Path, store: Store) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "u").symlink_to(outside)
    a = store.state(b"A")
    for path in (b"u/f", b"u/d/f"):
        with pytest.raises(RefusedError, match="target/u: a symlink is on the way") as caught:
            apply(root, store, Change(b"a", None, a), Change(path, None, a))
        assert "--follow" in str(caught.value.remedy)
    with pytest.raises(RefusedError), Target(root) as target:
        target.find_state(b"u/f")
    assert names(outside) == []
    assert names(root) == ["u"]


def test_a_symlink_that_appears_meanwhile_is_not_followed(root: Path, store: Store) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    link, a = store.state(b"elsewhere", SYMLINK), store.state(b"A")
    (root / "u").symlink_to(outside)
    changes = [Change(b"u", link, store.tree(f=a)), Change(b"u/f", None, a)]
    assert apply(root, store, *changes) == NOTHING._replace(kept=[b"u", b"u/f"])
    assert names(outside) == []


def test_a_directory_swapped_for_a_symlink_meanwhile_is_not_followed(root: Path, store: Store) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "d").mkdir()
    a = store.state(b"A")

    def swap() -> None:
        if not (root / "d").is_symlink():
            (root / "d").rename(root / "away")
            (root / "d").symlink_to(outside)

    store.meddle = swap
    changes = [Change(b"d/f", None, a), Change(b"e/f", None, a)]
    with pytest.raises(FailureError, match="d/f"):
        apply(root, store, *changes)
    assert names(outside) == []


def test_follow_writes_through_the_symlink_of_a_directory(root: Path, store: Store) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "f").write_text("A")
    (outside / "inner").symlink_to(root)
    (root / "u").symlink_to("../outside")
    old, new = store.tree(f=store.state(b"A")), store.tree(f=store.state(b"B"), d=store.tree(g=store.state(b"A")))
    changes = plan_changes(store, b"u", old, new)
    assert apply(root, store, *changes, follow=[b"u"]) == Applied([b"u/d", b"u/d/g", b"u/f"], [], [], [])
    assert (outside / "f").read_text() == "B"
    assert (root / "u").is_symlink()
    with pytest.raises(RefusedError, match="u/inner"):
        apply(root, store, Change(b"u/inner/x", None, store.state(b"A")), follow=[b"u"])
    assert apply(root, store, *plan_changes(store, b"u", new, None), follow=[b"u"]).left == [b"u"]


def test_follow_writes_through_the_symlink_of_a_file(root: Path, store: Store) -> None:
    real = root.parent / "real"
    real.write_text("A")
    (root / "f").symlink_to(real)
    a, b = store.state(b"A"), store.state(b"B")
    assert apply(root, store, Change(b"f", a, b)).kept == [b"f"]
    assert apply(root, store, Change(b"f", a, b), follow=[b"f"]).written == [b"f"]
    assert real.read_text() == "B"
    assert (root / "f").is_symlink()
    with Target(root, follow=frozenset({b"f"})) as target:
        assert target.find_state(b"f") == b
    assert apply(root, store, Change(b"f", b, None), follow=[b"f"]).removed == [b"f"]
    assert names(root.parent) == ["real", "target"]


@pytest.mark.parametrize("control", [".git", ".casvault", ".Git "])
def test_follow_never_leads_into_a_control_directory(root: Path, store: Store, control: str) -> None:
    (root.parent / control / "hooks").mkdir(parents=True)
    (root.parent / control / "f").write_text("A")
    (root / "u").symlink_to(f"../{control}/hooks")
    (root / "f").symlink_to(f"../{control}/f")
    for change in (Change(b"u/x", None, store.state(b"A")), Change(b"f", store.state(b"A"), store.state(b"B"))):
        with pytest.raises(RefusedError, match="into a control directory"):
            apply(root, store, change, follow=[b"u", b"f"])
    assert names(root.parent / control) == ["f", "hooks"]


def test_find_state(root: Path, store: Store) -> None:
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "f").write_text("A")
    (root / "l").symlink_to("d/f")
    os.mkfifo(root / "p")
    with Target(root) as target:
        assert target.find_state(b"d/f") == store.state(b"A")
        assert target.find_state(b"l") == store.state(b"d/f", SYMLINK)
        assert target.find_state(b"d/e") == DIRECTORY
        assert target.find_state(b"d") == Root(TREE, 0, NULL_ID)
        assert target.find_state(b"d/no") is None
        assert target.find_state(b"no/no") is None
        assert target.find_state(b"d/f/no") is None
        found = target.find_state(b"p")
        assert found is not None
        assert found.id == NULL_ID


def test_a_file_that_is_being_written_equals_no_state(root: Path, store: Store) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with (root / "f").open("ab") as out:
                out.write(b"A")

    (root / "f").write_bytes(b"A" * 30_000_000)
    thread = threading.Thread(target=write)
    thread.start()
    try:
        with Target(root) as target:
            found = target.find_state(b"f")
    finally:
        stop.set()
        thread.join()
    assert found is not None
    assert found.id == NULL_ID


def test_missing_content_is_found_before_anything_is_written(root: Path, store: Store) -> None:
    gone = Root(FILE, 1, Oid(b"g" * 32))
    with pytest.raises(MissingObjectError):
        apply(root, store, Change(b"a", None, store.state(b"A")), Change(b"b", None, gone))
    with pytest.raises(DamageError, match="where a blob is referred to"):
        apply(
            root,
            store,
            Change(b"a", None, store.state(b"A")),
            Change(b"b", None, Root(FILE, 0, DIRECTORY.id)._replace(id=store.tree().id)),
        )
    assert names(root) == []


def test_changes_that_make_no_sense(root: Path, store: Store) -> None:
    a = store.state(b"A")
    with pytest.raises(UsageError, match="two changes"):
        apply(root, store, Change(b"a", None, a), Change(b"a", a, None))
    with pytest.raises(UsageError, match="neither a file"):
        apply(root, store, Change(b"a", None, Root(0o160000, 0, a.id)))
    with pytest.raises(NotFoundError):
        Target(root / "no")


def test_a_read_only_directory_is_a_clear_error(root: Path, store: Store) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    root.chmod(0o555)
    with pytest.raises(FailureError, match="permission denied"):
        apply(root, store, Change(b"a", None, store.state(b"A")))


def test_no_space_left_is_a_clear_error_and_leaves_nothing(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = store.state(b"A"), store.state(b"B")
    (root / "f").write_text("A")

    def write(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(FailureError, match="no space left"):
        apply(root, store, Change(b"f", a, b), Change(b"g", None, b))
    monkeypatch.undo()
    assert names(root) == ["f"]
    assert (root / "f").read_text() == "A"


def test_checkout_tree_needs_a_new_or_empty_directory(tmp_path: Path, store: Store) -> None:
    unit = store.tree(a=store.state(b"A"), d=store.tree(x=store.state(b"B", EXECUTABLE)), e=DIRECTORY)
    assert checkout_tree(store, unit, tmp_path / "new" / "deep").written == [b"a", b"d", b"d/x", b"e"]
    assert scan_path(tmp_path / "new" / "deep", store) == unit
    with pytest.raises(RefusedError, match="not empty"):
        checkout_tree(store, unit, tmp_path / "new")
    with pytest.raises(UsageError):
        checkout_tree(store, store.state(b"A"), tmp_path / "file")


def test_name_that_the_file_system_does_not_take_is_refused_before_anything_is_written(
    tmp_path: Path, store: Store
) -> None:
    """A copy to a name of 300 bytes was recorded, and then the collection was interrupted for good."""
    changes = [Change(b"a", None, store.state(b"A")), Change(b"d/" + b"n" * 300, None, store.state(b"B"))]
    with Target(tmp_path) as target, pytest.raises(RefusedError, match="a name of more than 255 bytes"):
        target.apply(changes, store)
    assert names(tmp_path) == []


def test_checkout_tree_refuses_control_names_before_it_writes(tmp_path: Path, store: Store) -> None:
    unit = store.tree(a=store.state(b"A"), d=store.tree(**{".Git": store.tree(hooks=DIRECTORY)}))
    with pytest.raises(RefusedError, match=r"d/\.Git"):
        checkout_tree(store, unit, tmp_path / "new")
    assert names(tmp_path) == []
