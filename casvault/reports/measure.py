"""What the objects of a vault amount to, as they are met one operation after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.formats.pack import ENTRY, Encoding
from casvault.objects import FOREIGN, Fork, Kind, decode_commit, decode_node, decode_tag
from casvault.store import PackDatabase
from casvault.trees import EMPTY_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import Node, ObjectReader
    from casvault.oid import Oid
    from casvault.repository import Repository

_BATCH: Final = 512


class Sizes(NamedTuple):
    """Objects with their bytes as they are, and as they are stored."""

    objects: int = 0
    raw: int = 0
    stored: int = 0

    def plus(self, other: Sizes) -> Sizes:
        return Sizes(self.objects + other.objects, self.raw + other.raw, self.stored + other.stored)

    def minus(self, other: Sizes) -> Sizes:
        return Sizes(self.objects - other.objects, self.raw - other.raw, self.stored - other.stored)


class Measure:
    """What the objects amount to that were met so far."""

    def __init__(self, repository: Repository) -> None:
        self._reader: ObjectReader = repository.objects
        self._packs = repository.objects if isinstance(repository.objects, PackDatabase) else None
        self._seen: set[Oid] = {EMPTY_ID}
        self.kinds: dict[str, Sizes] = {}
        self.encodings: dict[str, Sizes] = {}
        self.total = Sizes()

    def take(self, start: Oid) -> None:
        """Count what is reached from a commit and was not counted before. Batches keep the walk in memory's bounds."""
        pending = [start]
        self._seen.add(start)
        while pending:
            batch = pending[-_BATCH:]
            del pending[-_BATCH:]
            inner = [oid for oid in batch if self._weigh(oid) is not Kind.BLOB]
            for holder, (kind, data) in zip(inner, self._reader.read_many(inner), strict=True):
                for oid in _targets(kind, data, follows=holder not in self._reader.boundary):
                    if oid not in self._seen:
                        self._seen.add(oid)
                        pending.append(oid)

    def _weigh(self, oid: Oid) -> Kind:
        if self._packs is None:
            (info,) = self._reader.find_infos([oid])
            kind, raw = (Kind.BLOB, 0) if info is None else info
            self._add(kind, Encoding.RAW, Sizes(int(info is not None), raw, raw))
            return kind
        found = self._packs.find(oid)
        if found is None:
            return Kind.BLOB
        header = found[0].header(found[1])
        self._add(header.kind, header.encoding, Sizes(1, header.raw, header.stored + ENTRY.size))
        return header.kind

    def _add(self, kind: Kind, encoding: Encoding, sizes: Sizes) -> None:
        self.total = self.total.plus(sizes)
        for table, name in ((self.kinds, str(kind)), (self.encodings, encoding.name.lower())):
            table[name] = table.get(name, Sizes()).plus(sizes)


def _targets(kind: Kind, data: bytes, *, follows: bool) -> Iterator[Oid]:
    """What an object refers to."""
    if kind is Kind.TAG:
        yield decode_tag(data).target
    elif kind is Kind.COMMIT:
        commit = decode_commit(data)
        yield commit.root.id
        yield from commit.parents if follows else ()
    elif kind is Kind.TREE:
        yield from _below(decode_node(data))


def _below(node: Node) -> Iterator[Oid]:
    if isinstance(node, Fork):
        yield from (child.id for child in node.children)
    else:
        yield from (entry.id for entry in node.entries if entry.mode != FOREIGN)
