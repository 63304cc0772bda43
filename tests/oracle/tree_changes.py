"""A tree and changes of it, each of which is made on one side while any other is made on the other side."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class File(NamedTuple):
    content: bytes
    mode: int = 0o100644


Files = dict[str, File]
Change = Callable[[Files], None]


def text(name: str, count: int = 20) -> bytes:
    """Lines that no other text has."""
    return b"".join(b"%s says %d\n" % (name.encode(), number) for number in range(count))


def edited(content: bytes, line: int, new: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    lines[line] = new + b"\n"
    return b"".join(lines)


BASE: Files = {
    "a.txt": File(text("a")),
    "b.txt": File(text("b")),
    "data": File(b"\0" + text("data")),
    "empty": File(b""),
    "link": File(b"a.txt", 0o120000),
    "dir/one": File(text("one")),
    "dir/two": File(text("two")),
    "dir/three": File(text("three")),
    "deep/x/f": File(text("f")),
    "deep/x/g": File(text("g")),
    "deep/y/h": File(text("h")),
}


def edit(path: str, line: int, new: bytes) -> Change:
    def apply(files: Files) -> None:
        files[path] = files[path]._replace(content=edited(files[path].content, line, new))

    return apply


def put(path: str, content: bytes, mode: int = 0o100644) -> Change:
    def apply(files: Files) -> None:
        files[path] = File(content, mode)

    return apply


def remove(*paths: str) -> Change:
    def apply(files: Files) -> None:
        for path in list(files):
            if any(path == gone or path.startswith(gone + "/") for gone in paths):
                del files[path]

    return apply


def move(old: str, new: str) -> Change:
    """A file or a directory; the empty name is the root."""

    def apply(files: Files) -> None:
        for path in list(files):
            if path == old or path.startswith(old + "/"):
                files[(new + path[len(old) :]).lstrip("/")] = files.pop(path)

    return apply


def chmod(path: str) -> Change:
    def apply(files: Files) -> None:
        files[path] = files[path]._replace(mode=0o100755)

    return apply


def steps(*changes: Change) -> Change:
    def apply(files: Files) -> None:
        for change in changes:
            change(files)

    return apply


def swap(one: str, other: str) -> Change:
    return steps(move(one, "swapped"), move(other, one), move("swapped", other))


CHANGES: dict[str, Change] = {
    "edit": edit("a.txt", 0, b"first"),
    "edit-otherwise": edit("a.txt", 0, b"another first"),
    "edit-end": edit("a.txt", 19, b"last"),
    "rewrite": put("a.txt", text("new")),
    "delete": remove("a.txt"),
    "chmod": chmod("a.txt"),
    "symlink-for-file": put("a.txt", b"b.txt", 0o120000),
    "directory-for-file": steps(remove("a.txt"), put("a.txt/inside", text("inside"))),
    "rename": move("a.txt", "z.txt"),
    "rename-edit": steps(move("a.txt", "z.txt"), edit("z.txt", 19, b"last")),
    "rename-clash": steps(move("a.txt", "z.txt"), edit("z.txt", 0, b"renamed first")),
    "rename-otherwise": move("a.txt", "y.txt"),
    "rename-chmod": steps(move("a.txt", "z.txt"), chmod("z.txt")),
    "rename-into-directory": move("a.txt", "dir/new"),
    "rename-into-own-place": move("a.txt", "a.txt/inside"),
    "rename-other-file": move("b.txt", "z.txt"),
    "rename-over": steps(remove("b.txt"), move("a.txt", "b.txt")),
    "swap": swap("a.txt", "b.txt"),
    "add": put("z.txt", text("z")),
    "add-executable": put("z.txt", text("z"), 0o100755),
    "add-otherwise": put("z.txt", text("zz")),
    "add-directory": put("z.txt/inside", text("inside")),
    "edit-below": edit("dir/one", 0, b"first"),
    "rename-below": steps(move("dir/one", "dir/uno"), edit("dir/uno", 19, b"last")),
    "add-below": put("dir/new", text("new")),
    "add-further-below": put("dir/sub/new", text("new")),
    "rename-directory": move("dir", "folder"),
    "rename-directory-edit": steps(move("dir", "folder"), edit("folder/one", 19, b"last")),
    "rename-directory-otherwise": move("dir", "map"),
    "rename-directory-into-another": move("dir", "deep/x"),
    "rename-directory-to-root": move("dir", ""),
    "split-directory": steps(move("dir/one", "p/one"), move("dir/two", "q/two"), remove("dir/three")),
    "take-apart-directory": steps(move("dir/one", "p/one"), move("dir/two", "p/two"), move("dir/three", "q/three")),
    "move-out-of-directory": move("dir/one", "one"),
    "delete-directory": remove("dir"),
    "file-for-directory": steps(remove("dir"), put("dir", text("file"))),
    "file-in-the-way": put("folder", text("file")),
    "file-in-the-new-place": put("folder/new", text("other")),
    "rename-deep": move("deep", "shallow"),
    "rename-deep-part": move("deep/x", "deep/z"),
    "add-deep": put("deep/x/new", text("new")),
    "add-deep-outside": put("deep/new", text("new")),
    "edit-deep": edit("deep/x/f", 0, b"first"),
    "binary": edit("data", 1, b"one"),
    "binary-otherwise": edit("data", 1, b"two"),
    "rename-binary": steps(move("data", "data.bin"), edit("data.bin", 19, b"last")),
    "relink": put("link", b"b.txt", 0o120000),
    "rename-link": move("link", "connection"),
    "rename-empty": move("empty", "void"),
    "fill-empty": put("empty", b"something\n"),
    "delete-all": remove(*BASE),
}


def changed(name: str) -> Files:
    """The tree with one of the changes."""
    files = dict(BASE)
    CHANGES[name](files)
    return files
