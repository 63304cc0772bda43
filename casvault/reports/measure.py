"""What the objects of a vault amount to, as they are met one operation after the other."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from casvault.formats.pack import ENTRY, Encoding
from casvault.objects import FOREIGN, Fork, Kind, read_commit, read_node, read_tag
from casvault.oid import trusted_oids
from casvault.store import PackDatabase
from casvault.trees import EMPTY_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.repository import Repository


class Sizes(NamedTuple):
    """Objects with their bytes as they are, and as they are stored."""

    objects: int = 0
    raw: int = 0
    stored: int = 0

    def plus(self, other: Sizes) -> Sizes:
        return Sizes(self.objects + other.objects, self.raw + other.raw, self.stored + other.stored)

    def minus(self, other: Sizes) -> Sizes:
        return Sizes(self.objects - other.objects, self.raw - other.raw, self.stored - other.stored)


class _Sum:
    """Sizes that grow."""

    __slots__ = ("objects", "raw", "stored")

    def __init__(self) -> None:
        self.objects = self.raw = self.stored = 0

    def sizes(self) -> Sizes:
        return Sizes(self.objects, self.raw, self.stored)


class Measure:
    """What the objects amount to that were met so far."""

    def __init__(self, repository: Repository) -> None:
        self._reader: ObjectReader = repository.objects
        self._packs = repository.objects if isinstance(repository.objects, PackDatabase) else None
        self._seen: set[bytes] = {EMPTY_ID}
        self._sums: dict[tuple[Kind, Encoding], _Sum] = {}

    @property
    def total(self) -> Sizes:
        return reduce(Sizes.plus, (each.sizes() for each in self._sums.values()), Sizes())

    @property
    def kinds(self) -> dict[str, Sizes]:
        return self._table(lambda kind, _: str(kind))

    @property
    def encodings(self) -> dict[str, Sizes]:
        return self._table(lambda _, encoding: encoding.name.lower())

    def _table(self, name_of: Callable[[Kind, Encoding], str]) -> dict[str, Sizes]:
        table: dict[str, Sizes] = {}
        for key, each in self._sums.items():
            table[name_of(*key)] = table.get(name_of(*key), Sizes()).plus(each.sizes())
        return table

    def take(self, start: Oid) -> None:
        """Count what is reached from a commit and was not counted before."""
        pending = [start]
        self._seen.add(start)
        while pending:
            oid = pending.pop()
            kind = self._weigh(oid)
            if kind is not Kind.BLOB:
                new = set(self._targets(kind, oid)) - self._seen
                self._seen |= new
                pending += trusted_oids(new)

    def _weigh(self, oid: Oid) -> Kind:
        if self._packs is None:
            (info,) = self._reader.find_infos([oid])
            kind, raw = (Kind.BLOB, 0) if info is None else info
            self._add(kind, Encoding.RAW, int(info is not None), raw, raw)
            return kind
        found = self._packs.find(oid)
        if found is None:
            return Kind.BLOB
        kind, encoding, stored, raw = found[0].header(found[1])
        self._add(kind, encoding, 1, raw, stored + ENTRY.size)
        return kind

    def _add(self, kind: Kind, encoding: Encoding, objects: int, raw: int, stored: int) -> None:
        found = self._sums.get((kind, encoding))
        if found is None:
            found = self._sums[kind, encoding] = _Sum()
        found.objects += objects
        found.raw += raw
        found.stored += stored

    def _targets(self, kind: Kind, oid: Oid) -> Iterable[bytes]:
        """What an object refers to. Comparing snapshots has left most of them in the memo."""
        if kind is Kind.TAG:
            return (read_tag(self._reader, oid).target,)
        if kind is Kind.COMMIT:
            commit = read_commit(self._reader, oid)
            return (commit.root.id, *(() if oid in self._reader.boundary else commit.parents))
        node = read_node(self._reader, oid)
        if isinstance(node, Fork) or FOREIGN not in node.modes:
            return node.ids
        return (each for each, mode in zip(node.ids, node.modes, strict=True) if mode != FOREIGN)
