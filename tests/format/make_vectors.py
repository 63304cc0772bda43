"""Write the golden vectors. They are never made again to please a test: a vault that was written stays written.

python tests/format/make_vectors.py               compares, and says what differs
python tests/format/make_vectors.py --overwrite   replaces them all
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from casvault.formats.pack import Encoding
from casvault.formats.record import Record, encode_record, record_name
from casvault.objects import (
    EXECUTABLE,
    FILE,
    FOREIGN,
    LINK,
    SYMLINK,
    TREE,
    Commit,
    Entry,
    Kind,
    MemoryObjects,
    Root,
    Signature,
    Tag,
    encode_commit,
    encode_leaf,
    encode_tag,
    object_id,
)
from casvault.oid import Oid, blob_id
from casvault.pending import record_fields, write_pending
from casvault.trees import build_tree
from tests.support.objects import WHO, numbered_entries, numbered_id
from tests.support.packs import Forged, pack_bytes, raw_entry, sizeless_frame, zstd_entry
from tests.support.pending import Pen, example_merge, example_record

VECTORS = Path(__file__).with_name("vectors")
MANIFEST = VECTORS / "manifest.json"
TREE_COUNTS = (0, 1, 64, 65, 1000)
TRANSACTION = bytes(range(16))
TEXT = b"a line of text\n" * 100


def tree_nodes(count: int) -> tuple[Oid, bytes]:
    """The root of the tree of so many numbered entries, and its nodes in hexadecimal, one a line, sorted by id."""
    store = MemoryObjects()
    root = build_tree(store, numbered_entries(count))
    nodes = [data.hex() for _, data in store.read_many(sorted(store.iter_ids()))]
    return root.id, "".join(f"{node}\n" for node in nodes).encode()


def objects() -> dict[str, tuple[Kind, bytes]]:
    """Single objects by file name."""
    every_mode = [
        Entry(b"\xff not UTF-8", FILE, 3, numbered_id(1)),
        Entry(b"directory", TREE, 0, object_id(Kind.TREE, encode_leaf(()))),
        Entry(b"foreign", FOREIGN, 0, Oid(bytes(range(20)) + bytes(12))),
        Entry(b"link", LINK, (1 << 63) - 1 - 100, numbered_id(4)),
        Entry(b"run", EXECUTABLE, 50, numbered_id(5)),
        Entry(b"symlink", SYMLINK, 7, numbered_id(6)),
    ]
    first = Commit(Root(FILE, 3, numbered_id(0)), (), WHO, WHO, b"")
    merge = Commit(
        Root(TREE, 0, object_id(Kind.TREE, encode_leaf(()))),
        (numbered_id(1), numbered_id(2)),
        Signature("Zoë".encode("latin-1"), b"zoe@example.org", -1, b"-0000"),
        Signature(b"", b"", 1 << 40, b"+12345678"),
        b"\xe4\0\n",
        b"ISO-8859-1",
        ((b"key", b"value"), (b"another", b"\0"), (b"key", b"")),
    )
    return {
        "tree-modes.bin": (Kind.TREE, encode_leaf(sorted(every_mode))),
        "commit-first.bin": (Kind.COMMIT, encode_commit(first)),
        "commit-merge.bin": (Kind.COMMIT, encode_commit(merge)),
        "tag-annotated.bin": (Kind.TAG, encode_tag(Tag(Kind.COMMIT, numbered_id(1), b"v1", WHO, b"one\n"))),
        "tag-without-tagger.bin": (
            Kind.TAG,
            encode_tag(Tag(Kind.BLOB, numbered_id(2), b"\xff", None, b"", b"x", ((b"k", b"v"),))),
        ),
    }


def pending_objects() -> tuple[Oid, bytes]:
    """A merge in progress: its commit, and all objects that it was made with, kind and bytes in hexadecimal."""
    store = MemoryObjects()
    oid = write_pending(store, Pen(), example_merge(store))
    lines = [f"{kind} {data.hex()}\n" for kind, data in store.read_many(sorted(store.iter_ids()))]
    return oid, "".join(lines).encode()


def resolved_fields() -> bytes:
    """The fields of a version that a resolved merge ended in, key and value in hexadecimal."""
    fields = record_fields(example_record(MemoryObjects()))
    return "".join(f"{key.decode()} {value.hex()}\n" for key, value in fields).encode()


def record() -> Record:
    return Record(1 << 33, TRANSACTION, numbered_id(7))


def pack_entries() -> list[Forged]:
    """Each encoding that is written, each kind; what zstd makes of a text may change, what it gives back may not."""
    streamed = Forged(blob_id(TEXT * 2), Encoding.ZSTD, sizeless_frame(TEXT * 2), 2 * len(TEXT))
    single = [raw_entry(data, kind) for kind, data in objects().values()]
    return [raw_entry(b""), raw_entry(b"raw"), zstd_entry(TEXT), streamed, *single]


def _files() -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest, and the files that it speaks of."""
    files = {name: data for name, (_, data) in objects().items()}
    single = {name: {"kind": str(kind), "id": str(object_id(kind, data))} for name, (kind, data) in objects().items()}
    trees = {}
    for count in TREE_COUNTS:
        root, files[f"tree-{count}.hex"] = tree_nodes(count)
        trees[f"tree-{count}.hex"] = {"entries": count, "id": str(root)}
    merge, files["pending.hex"] = pending_objects()
    files["resolved.hex"] = resolved_fields()
    files["record.bin"] = encode_record(record())
    files["objects.pack"] = pack_bytes(pack_entries())
    packed = [{"id": str(e.oid), "kind": str(e.kind), "size": e.raw} for e in pack_entries()]
    records = {"record.bin": {"name": record_name(record().number), "operation": str(record().operation)}}
    return {
        "objects": single,
        "trees": trees,
        "pending": {"pending.hex": {"id": str(merge)}},
        "resolved": {"resolved.hex": {"fields": len(files["resolved.hex"].splitlines())}},
        "records": records,
        "packs": {"objects.pack": packed},
    }, files


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the golden vectors with what the code makes now.")
    parser.add_argument("--overwrite", action="store_true", help="replace them; old vaults must still be readable")
    overwrite: bool = parser.parse_args().overwrite
    manifest, files = _files()
    files["manifest.json"] = json.dumps(manifest, indent=2).encode() + b"\n"
    if overwrite:
        VECTORS.mkdir(exist_ok=True)
        for name, data in files.items():
            (VECTORS / name).write_bytes(data)
    different = [
        name for name, data in files.items() if not (VECTORS / name).exists() or (VECTORS / name).read_bytes() != data
    ]
    for name in different:
        sys.stdout.write(f"{name} differs\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
