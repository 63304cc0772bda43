"""Conveniences over the protocols: one decoded object, checked to be of the kind that was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import DamageError
from casvault.objects.commit import Commit, decode_commit, encode_commit
from casvault.objects.kind import Kind
from casvault.objects.tag import Tag, decode_tag, encode_tag
from casvault.objects.tree import Fork, Leaf, Node, decode_node, encode_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects.protocols import ObjectReader, ObjectStage, ObjectWriter
    from casvault.oid import Oid


def read_kind(reader: ObjectReader, ids: Iterable[Oid], expected: Kind) -> Iterator[bytes]:
    """The bytes of each object; DamageError where one is of another kind than the link to it says."""
    wanted = list(ids)
    for oid, (kind, data) in zip(wanted, reader.read_many(wanted), strict=True):
        if kind is not expected:
            raise DamageError(f"this object is a {kind}, where a {expected} is referred to", place=str(oid))
        yield data


def read_commits(reader: ObjectReader, ids: Iterable[Oid]) -> Iterator[Commit]:
    for oid in ids:
        yield read_commit(reader, oid)


def read_commit(reader: ObjectReader, oid: Oid) -> Commit:
    found = reader.memo.get(oid)
    if type(found) is not Commit:
        found = decode_commit(next(read_kind(reader, (oid,), Kind.COMMIT)))
        reader.memo.put(oid, found)
    return found


def read_parents(reader: ObjectReader, oid: Oid) -> Sequence[Oid]:
    """The parents of a commit that a walk may follow: none where history was let go."""
    return () if oid in reader.boundary else read_commit(reader, oid).parents


def read_nodes(reader: ObjectReader, ids: Sequence[Oid]) -> list[Node]:
    """Those that are not remembered are read in one go, and remembered."""
    found = {oid: node for oid in ids if type(node := reader.memo.get(oid)) is Leaf or type(node) is Fork}
    wanted = [oid for oid in dict.fromkeys(ids) if oid not in found]
    for oid, data in zip(wanted, read_kind(reader, wanted, Kind.TREE), strict=True):
        node = found[oid] = decode_node(data)
        reader.memo.put(oid, node)
    return [found[oid] for oid in ids]


def read_node(reader: ObjectReader, oid: Oid) -> Node:
    found = reader.memo.get(oid)
    if type(found) is not Leaf and type(found) is not Fork:
        found = decode_node(next(read_kind(reader, (oid,), Kind.TREE)))
        reader.memo.put(oid, found)
    return found


def read_tag(reader: ObjectReader, oid: Oid) -> Tag:
    return decode_tag(next(read_kind(reader, (oid,), Kind.TAG)))


def read_blob(reader: ObjectReader, oid: Oid) -> bytes:
    """A blob that is known to be small; `iter_blob` is for the others."""
    return next(read_kind(reader, (oid,), Kind.BLOB))


def write_commit(stage: ObjectStage, commit: Commit) -> Oid:
    oid = stage.write_many([(Kind.COMMIT, encode_commit(commit))])[0]
    stage.memo.put(oid, commit)
    return oid


def write_tag(writer: ObjectWriter, tag: Tag) -> Oid:
    return writer.write_many([(Kind.TAG, encode_tag(tag))])[0]


def write_nodes(writer: ObjectWriter, nodes: Iterable[Node]) -> list[Oid]:
    return writer.write_many((Kind.TREE, encode_node(node)) for node in nodes)


def write_blob(writer: ObjectWriter, content: bytes) -> Oid:
    return writer.write_many([(Kind.BLOB, content)])[0]
