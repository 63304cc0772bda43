"""Annotated tags: a name and a message on any object.

tag = [kind of the target, id of the target, name, tagger or nil, message, encoding, [[key, value], …]]
"""

from __future__ import annotations

from typing import NamedTuple

from casvault.errors import MalformedError
from casvault.objects import canonical
from casvault.objects.commit import Field, Signature, check_fields, check_signature, decode_fields, decode_signature
from casvault.objects.kind import Kind
from casvault.oid import ID_SIZE, Oid


class Tag(NamedTuple):
    kind: Kind
    target: Oid
    name: bytes
    tagger: Signature | None
    """None in tags from git that have no tagger."""
    message: bytes
    encoding: bytes = b""
    fields: tuple[Field, ...] = ()


_KINDS = frozenset(Kind)


def encode_tag(tag: Tag) -> bytes:
    """The canonical encoding; MalformedError where it could not be read back."""
    _check(tag)
    return canonical.encode([int(tag.kind), *tag[1:]])


def decode_tag(data: bytes) -> Tag:
    """The tag that these bytes encode; MalformedError with its own message for each rule that is broken."""
    value = canonical.decode(data, "tag")
    types = [type(part) for part in value]
    tagger_type = type(None) if len(value) > 3 and value[3] is None else list
    if types != [int, bytes, bytes, tagger_type, bytes, bytes, list]:
        canonical.refuse(data, "tag", "not [kind, target, name, tagger, message, encoding, fields]")
    kind, target, name, tagger, message, encoding, fields = value
    if kind not in _KINDS:
        raise MalformedError(f"tag: the unknown kind {kind} of the target")
    if len(target) != ID_SIZE:
        raise MalformedError(f"tag: the id of the target has {len(target)} bytes, not {ID_SIZE}")
    tag = Tag(
        Kind(kind),
        Oid(target),
        name,
        None if tagger is None else decode_signature(data, tagger, "tag"),
        message,
        encoding,
        decode_fields(data, fields, "tag"),
    )
    _check(tag)
    return tag


def _check(tag: Tag) -> None:
    if not tag.name or b"\0" in tag.name or b"\n" in tag.name:
        raise MalformedError(f"tag: the name {tag.name!r} is empty or has a line break or NUL")
    if b"\n" in tag.encoding or b"\0" in tag.encoding:
        raise MalformedError(f"tag: a line break or NUL in the encoding {tag.encoding!r}")
    if tag.tagger is not None:
        check_signature(tag.tagger, "tag")
    check_fields(tag.fields, "tag")
