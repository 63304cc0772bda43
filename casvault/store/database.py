"""The object database: all packs of a directory as one reader, and transactions that add packs to it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, MissingObjectError, UnsupportedError
from casvault.files.durable import explained
from casvault.objects import Boundary, Memo, no_explanation
from casvault.store.pack import Pack
from casvault.store.transaction import PackTransaction
from casvault.store.writer import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence, Set
    from pathlib import Path

    from casvault.errors import CasvaultError
    from casvault.objects import Kind, ObjectInfo
    from casvault.oid import Oid

SMALL_PACK = 4096
"""Packs of up to this many objects are looked up in one dict together, not one after the other."""


class _View(NamedTuple):
    """The packs as they were last listed. Replaced as a whole, so that readers need no lock."""

    packs: dict[str, Pack]
    large: tuple[Pack, ...]
    small: dict[Oid, tuple[Pack, int]]


class PackDatabase:
    """Reads the packs of a directory; safe from several threads, and while other processes add and remove packs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.memo = Memo()
        self.boundary = Boundary()
        self._lock = threading.Lock()
        self._view = _View({}, (), {})
        self.damaged: dict[str, DamageError | UnsupportedError] = {}
        """Packs that cannot be opened, by name, with the reason; all others go on being read."""
        self.explain: Callable[[Oid], CasvaultError | None] = no_explanation
        """Why an object is in no pack, where that is as it should be."""
        self.refresh()

    @property
    def packs(self) -> list[Pack]:
        return list(self._view.packs.values())

    def refresh(self) -> bool:
        """Look at the directory again; whether packs have come."""
        with self._lock:
            while True:
                try:
                    return self._list()
                except FileNotFoundError:
                    # A pack was rolled up between the listing and the opening; what it held is in a new one.
                    if not self.directory.is_dir():
                        with explained(self.directory):
                            raise

    def add(self, pack: Pack) -> None:
        """Make a pack that this process has published known, without a listing."""
        with self._lock:
            self._view = _with_packs(self._view, {**self._view.packs, pack.name: pack}, [pack])

    def forget(self, names: Iterable[str]) -> None:
        """Stop reading packs that are being removed."""
        with self._lock:
            self._view = _without_packs(self._view, set(names))

    def find(self, oid: Oid) -> tuple[Pack, int] | None:
        """The pack and offset of an object among the packs known now."""
        view = self._view
        if (found := view.small.get(oid)) is not None:
            return found
        for pack in view.large:
            if (offset := pack.index.find(oid)) is not None:
                return pack, offset
        return None

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        for oid in ids:
            pack, offset = self.locate(oid)
            yield pack.read(oid, offset)

    def find_infos(self, ids: Sequence[Oid]) -> list[ObjectInfo | None]:
        places = [self.find(oid) for oid in ids]
        if None in places and self.refresh():
            places = [self.find(oid) for oid in ids]
        return [None if place is None else place[0].info(place[1]) for place in places]

    def iter_blob(self, oid: Oid) -> Iterator[bytes]:
        pack, offset = self.locate(oid)
        return pack.iter_blob(oid, offset)

    def iter_ids(self) -> Iterator[Oid]:
        """Every object once for each pack that holds it."""
        for pack in self.packs:
            yield from pack.index.iter_ids()

    def find_prefix(self, prefix: str) -> list[Oid]:
        """The ids that begin with these hex digits, sorted."""
        return sorted({oid for pack in self.packs for oid in pack.index.iter_prefix(prefix)})

    def begin(self) -> PackTransaction:
        """A transaction on the packs known now and on those that it adds."""
        return PackTransaction(self)

    def locate(self, oid: Oid) -> tuple[Pack, int]:
        """Like `find`, after another look at the directory; MissingObjectError, or the reason, if it is in no pack."""
        found = self.find(oid)
        if found is None and self.refresh():
            found = self.find(oid)
        if found is None:
            if (reason := self.explain(oid)) is not None:
                raise reason
            self._check_indexes(oid)
            raise MissingObjectError(
                "no pack holds this object", place=str(oid), remedy="run `casvault fsck` to see what refers to it"
            )
        return found

    def _check_indexes(self, oid: Oid) -> None:
        """A damaged index makes objects invisible: name the damage, not its consequence."""
        for error in self.damaged.values():
            error.remedy = f"object {oid.short} may be in this pack; run `casvault fsck`"
            raise error
        for pack in self.packs:
            try:
                pack.check_index()
            except DamageError as error:
                error.remedy = f"object {oid.short} may be in this pack; run `casvault fsck`"
                raise

    def _list(self) -> bool:
        listed = {name for name in os.listdir(self.directory) if name.endswith(SUFFIX)}
        self.damaged = {name: error for name, error in self.damaged.items() if name in listed}
        names = listed - self.damaged.keys()
        old = self._view.packs
        if names == old.keys():
            return False
        added: dict[str, Pack] = {}
        for name in sorted(names - old.keys()):
            try:
                added[name] = Pack(self.directory / name)
            except (DamageError, UnsupportedError) as error:
                self.damaged[name] = error
        view = _with_packs(self._view, old | added, added.values())
        self._view = _without_packs(view, old.keys() - names)
        return bool(added)


def _without_packs(view: _View, names: Set[str]) -> _View:
    """The view without some packs. What they hold may be in others, which have been added before."""
    packs = {name: pack for name, pack in view.packs.items() if name not in names}
    remaining = [pack for pack in packs.values() if len(pack) <= SMALL_PACK]
    for pack in (pack for name, pack in view.packs.items() if name in names):
        for oid in pack.index.iter_ids():
            if (found := view.small.get(oid)) is not None and found[0] is pack:
                places = ((other, other.index.find(oid)) for other in remaining)
                place = next(((other, offset) for other, offset in places if offset is not None), None)
                if place is None:
                    del view.small[oid]
                else:
                    view.small[oid] = place
    return _View(packs, tuple(pack for pack in view.large if pack.name not in names), view.small)


def _with_packs(view: _View, packs: dict[str, Pack], added: Iterable[Pack]) -> _View:
    """The view with `added` put into its lookups; the dict of small packs is extended in place, which readers bear."""
    large = list(view.large)
    for pack in added:
        if len(pack) > SMALL_PACK:
            large.append(pack)
        else:
            view.small.update((oid, (pack, offset)) for oid, offset in pack.index.items())
    return _View(packs, tuple(large), view.small)
