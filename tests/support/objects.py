"""Small objects for tests, the same on every run."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from casvault.objects import FILE, Commit, Entry, Root, Signature, Tag, is_boundary
from casvault.objects.kind import Kind
from casvault.oid import Oid, blob_id

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = Signature(b"Ada", b"ada@example.org", 1_700_000_000, b"+0130")


def numbered_id(number: int) -> Oid:
    return blob_id(b"%d" % number)


def entry(name: bytes, size: int = 1, mode: int = FILE) -> Entry:
    return Entry(name, mode, size, blob_id(name))


def numbered_entries(number: int) -> list[Entry]:
    """`name-0000`, `name-0001`, …: files whose size is their number and whose id is that of their name."""
    return [entry(b"name-%04d" % i, i) for i in range(number)]


def names_cut_at(level: int) -> Iterator[bytes]:
    """Names behind which nodes up to this level are cut, and no higher one; level -1: behind which none is."""
    for number in count():
        name = b"%05d" % number
        if not is_boundary(name, level + 1) and (level < 0 or is_boundary(name, level)):
            yield name


def entries_between(first: bytes, number: int) -> list[Entry]:
    """This many entries behind `first`, none of them a boundary."""
    names = (b"%s-%04d" % (first, i) for i in count())
    uncut = (name for name in names if not is_boundary(name, 0))
    return [entry(next(uncut)) for _ in range(number)]


def commit(message: bytes = b"message\n", *parents: Oid) -> Commit:
    return Commit(Root(FILE, 3, numbered_id(0)), parents, WHO, WHO, message)


def tag(name: bytes = b"v1", target: Oid | None = None) -> Tag:
    return Tag(Kind.COMMIT, target or numbered_id(0), name, WHO, b"tagged\n")
