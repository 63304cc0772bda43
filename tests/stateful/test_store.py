"""The object database against a dict: transactions, publishing, discarding, reopening, a second database beside it."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from casvault.errors import MissingObjectError
from casvault.objects import Kind, ObjectInfo, encode_commit, object_id
from casvault.oid import Oid
from casvault.store import PackDatabase, PackTransaction
from tests.support.objects import commit

Objects = dict[Oid, tuple[Kind, bytes]]

CONTENTS = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=8), st.integers(1, 5000)),
)
OBJECTS = st.one_of(
    st.tuples(st.just(Kind.BLOB), CONTENTS),
    st.builds(lambda message: (Kind.COMMIT, encode_commit(commit(message))), st.binary(max_size=8)),
)


class _Open:
    """A transaction and what it should hold."""

    def __init__(self, transaction: PackTransaction) -> None:
        self.transaction = transaction
        self.pending: Objects = {}


class StoreMachine(RuleBasedStateMachine):
    written = Bundle("written")

    @initialize()
    def start(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.databases = [PackDatabase(self.directory), PackDatabase(self.directory)]
        self.open = [_Open(database.begin()) for database in (*self.databases, self.databases[0])]
        self.published: Objects = {}

    def teardown(self) -> None:
        for each in self.open:
            each.transaction.discard()
        shutil.rmtree(self.directory)

    @rule(target=written, which=st.integers(0, 2), objects=st.lists(OBJECTS, max_size=5))
    def write(self, which: int, objects: list[tuple[Kind, bytes]]) -> object:
        ids = self.open[which].transaction.write_many(objects)
        assert [object_id(*item) for item in objects] == ids
        self._put(which, dict(zip(ids, objects, strict=True)))
        return multiple(*ids)

    @rule(target=written, which=st.integers(0, 2), content=CONTENTS, cuts=st.lists(st.integers(0, 40), max_size=3))
    def write_pieces(self, which: int, content: bytes, cuts: list[int]) -> object:
        if object_id(Kind.BLOB, content) in self.open[which].pending:
            return multiple()  # what waits in the batch and comes again in pieces has a test of its own
        edges = [0, *sorted(cuts), len(content)]
        pieces = [content[start:end] for start, end in pairwise(edges)]
        oid, size = self.open[which].transaction.write_blob_pieces(pieces)
        assert (object_id(Kind.BLOB, content), len(content)) == (oid, size)
        self._put(which, {oid: (Kind.BLOB, content)})
        return oid

    @rule(which=st.integers(0, 2))
    def publish(self, which: int) -> None:
        self.open[which].transaction.publish()
        self.published |= self.open[which].pending
        self.open[which].pending = {}

    @rule(which=st.integers(0, 2))
    def discard(self, which: int) -> None:
        self.open[which].transaction.discard()
        self.open[which].pending = {}

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.databases[which] = PackDatabase(self.directory)

    @rule(which=st.integers(0, 2))
    def begin(self, which: int) -> None:
        self.open[which].transaction.discard()
        self.open[which] = _Open(self.databases[which % 2].begin())

    @rule(which=st.integers(0, 1), oid=written)
    def read(self, which: int, oid: Oid) -> None:
        self._compare(self.databases[which], self.published, oid)

    @rule(which=st.integers(0, 2), oid=written)
    def read_in_transaction(self, which: int, oid: Oid) -> None:
        mine = self.open[which]
        self._compare(mine.transaction, self.published | mine.pending, oid)

    @rule(which=st.integers(0, 1))
    def verify(self, which: int) -> None:
        self.databases[which].refresh()
        found = {oid for pack in self.databases[which].packs for oid in pack.verify()}
        assert self.published.keys() == found

    @invariant()
    def only_packs_and_temporary_files(self) -> None:
        names = [path.name for path in self.directory.iterdir()]
        assert all(name.endswith(".pack") or name.startswith(".casvault-tmp-") for name in names)
        assert sum(name.startswith(".casvault-tmp-") for name in names) <= len(self.open)

    def _put(self, which: int, objects: Objects) -> None:
        new = {oid: item for oid, item in objects.items() if oid not in self.published}
        self.open[which].pending |= new

    @staticmethod
    def _compare(reader: PackDatabase | PackTransaction, model: Objects, oid: Oid) -> None:
        expected = model.get(oid)
        if expected is None:
            assert reader.find_infos([oid]) == [None]
            with pytest.raises(MissingObjectError):
                list(reader.read_many([oid]))
            return
        assert [ObjectInfo(expected[0], len(expected[1]))] == reader.find_infos([oid])
        assert [expected] == list(reader.read_many([oid]))
        if expected[0] is Kind.BLOB:
            assert expected[1] == b"".join(reader.iter_blob(oid))


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
