"""What was written once must be read for ever: vectors that are checked in, against today's code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from casvault.formats import pack as layout
from casvault.formats.record import decode_record, encode_record, record_name
from casvault.objects import (
    Kind,
    MemoryObjects,
    decode_commit,
    decode_node,
    decode_tag,
    encode_commit,
    encode_node,
    encode_tag,
    object_id,
)
from casvault.oid import Oid
from casvault.pending import find_record, read_pending
from casvault.store import Pack
from casvault.trees import iter_entries
from tests.format import make_vectors
from tests.format.make_vectors import MANIFEST, VECTORS
from tests.support.objects import numbered_entries
from tests.support.pending import example_merge, example_record

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN: dict[str, Any] = json.loads(MANIFEST.read_bytes())

RECODE: dict[str, Callable[[bytes], bytes]] = {
    "tree": lambda data: encode_node(decode_node(data)),
    "commit": lambda data: encode_commit(decode_commit(data)),
    "tag": lambda data: encode_tag(decode_tag(data)),
}


def test_golden_manifest_names_every_file() -> None:
    named = [name for group in GOLDEN.values() for name in group]
    assert sorted([*named, MANIFEST.name]) == sorted(path.name for path in VECTORS.iterdir())


@pytest.mark.parametrize("name", GOLDEN["objects"])
def test_golden_object(name: str) -> None:
    """The bytes are what the decoder accepts and what the encoder makes of the same values."""
    golden, data = GOLDEN["objects"][name], (VECTORS / name).read_bytes()
    kind = Kind[golden["kind"].upper()]
    assert data == RECODE[golden["kind"]](data)
    assert (kind, data) == make_vectors.objects()[name]
    assert Oid.from_hex(golden["id"]) == object_id(kind, data)


@pytest.mark.parametrize("name", GOLDEN["trees"])
def test_golden_tree(name: str) -> None:
    golden, data = GOLDEN["trees"][name], (VECTORS / name).read_bytes()
    root = Oid.from_hex(golden["id"])
    assert (root, data) == make_vectors.tree_nodes(golden["entries"])
    store = MemoryObjects()
    store.write_many((Kind.TREE, bytes.fromhex(line)) for line in data.decode().splitlines())
    assert numbered_entries(golden["entries"]) == list(iter_entries(store, root))


def test_golden_merge_in_progress() -> None:
    data = (VECTORS / "pending.hex").read_bytes()
    oid = Oid.from_hex(GOLDEN["pending"]["pending.hex"]["id"])
    assert (oid, data) == make_vectors.pending_objects()
    store = MemoryObjects()
    lines = [line.split() for line in data.decode().splitlines()]
    store.write_many((Kind[kind.upper()], bytes.fromhex(content)) for kind, content in lines)
    assert example_merge(MemoryObjects()) == read_pending(store, oid)


def test_golden_records_of_resolved_conflicts() -> None:
    data = (VECTORS / "resolved.hex").read_bytes()
    assert data == make_vectors.resolved_fields()
    lines = [line.split() for line in data.decode().splitlines()]
    fields = tuple((key.encode(), bytes.fromhex(value)) for key, value in lines)
    assert example_record(MemoryObjects()) == find_record(fields)


def test_golden_record() -> None:
    data = (VECTORS / "record.bin").read_bytes()
    expected = make_vectors.record()
    assert data == encode_record(expected)
    assert expected == decode_record(data, expected.number)
    assert GOLDEN["records"]["record.bin"] == {"name": record_name(1 << 33), "operation": str(expected.operation)}


def test_golden_pack_is_read() -> None:
    pack = Pack(VECTORS / "objects.pack")
    golden = [(Oid.from_hex(item["id"]), item["kind"], item["size"]) for item in GOLDEN["packs"]["objects.pack"]]
    assert sorted(oid for oid, _, _ in golden) == sorted(pack.verify()) == [oid for oid, _ in pack.index.items()]
    for oid, kind, size in golden:
        offset = pack.index.find(oid)
        assert offset is not None
        found, content = pack.read(oid, offset)
        assert (kind, size, oid) == (str(found), len(content), object_id(found, content))


def test_golden_pack_index_and_trailer_are_what_the_writer_makes() -> None:
    """Entries may be compressed otherwise by another zstd; what is around them may not change."""
    data = (VECTORS / "objects.pack").read_bytes()
    pack = Pack(VECTORS / "objects.pack")
    trailer = layout.decode_trailer(data, "objects.pack")
    assert data[:16] == layout.encode_header()
    index = layout.encode_index(pack.index.items())
    assert data[trailer.index_offset :] == index + layout.encode_trailer(trailer)
    headers = [layout.encode_entry_header(*header) for _, header in pack.iter_offsets()]
    assert headers == [data[offset : offset + 20] for offset, _ in pack.iter_offsets()]
