"""Commits: a root, parents, who and when, a message, and further fields that readers keep untouched.

commit = [[mode, size, id], [parent id, …], author, committer, message, encoding, [[key, value], …]]
author, committer = [name, mail, seconds since 1970, zone]
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from casvault.errors import MalformedError
from casvault.limits import MAX_FIELDS, MAX_PARENTS, MAX_SIZE
from casvault.objects import canonical
from casvault.objects.modes import ROOT_MODES
from casvault.oid import ID_SIZE, Oid

_ZONE = re.compile(rb"[+-][0-9]{4,8}\Z")
_SECONDS = range(-(1 << 63), 1 << 63)


class Root(NamedTuple):
    """What a commit holds: the mode, total size and id of a tree or blob."""

    mode: int
    size: int
    id: Oid


class Signature(NamedTuple):
    """Who did something, and when: `seconds` since 1970 in UTC, and the zone as git writes it (``+0130``)."""

    name: bytes
    mail: bytes
    seconds: int
    zone: bytes


Field = tuple[bytes, bytes]


class Commit(NamedTuple):
    root: Root
    parents: tuple[Oid, ...]
    author: Signature
    committer: Signature
    message: bytes
    encoding: bytes = b""
    """The name of the message's encoding; empty for UTF-8."""
    fields: tuple[Field, ...] = ()
    """Further facts in the order in which they were written; a key may stand more than once."""

    def field(self, key: bytes) -> bytes | None:
        """The first value under `key`."""
        return next((value for found, value in self.fields if found == key), None)

    def fields_of(self, key: bytes) -> list[bytes]:
        return [value for found, value in self.fields if found == key]


def encode_commit(commit: Commit) -> bytes:
    """The canonical encoding; MalformedError where it could not be read back."""
    _check(commit)
    return canonical.encode(commit)


def decode_commit(data: bytes) -> Commit:
    """The commit that these bytes encode; MalformedError with its own message for each rule that is broken."""
    value = canonical.decode(data, "commit")
    if [type(part) for part in value] != [list, list, list, list, bytes, bytes, list]:
        canonical.refuse(data, "commit", "not [root, parents, author, committer, message, encoding, fields]")
    root, parents, author, committer, message, encoding, fields = value
    if [type(part) for part in root] != [int, int, bytes]:
        canonical.refuse(data, "commit", "the root is not [mode, size, id]")
    commit = Commit(
        Root(root[0], root[1], _id(root[2], "root")),
        tuple(_id(parent, "parent") for parent in parents),
        decode_signature(data, author, "commit"),
        decode_signature(data, committer, "commit"),
        message,
        encoding,
        decode_fields(data, fields, "commit"),
    )
    _check(commit)
    return commit


def decode_signature(data: bytes, value: list[Any], what: str) -> Signature:
    if [type(part) for part in value] != [bytes, bytes, int, bytes]:
        canonical.refuse(data, what, "a signature is not [name, mail, seconds, zone]")
    return Signature(*value)


def decode_fields(data: bytes, value: list[Any], what: str) -> tuple[Field, ...]:
    for field in value:
        if type(field) is not list or [type(part) for part in field] != [bytes, bytes]:
            canonical.refuse(data, what, "a field is not [key, value]")
    return tuple((key, content) for key, content in value)


def check_signature(signature: Signature, what: str) -> None:
    for part in (signature.name, signature.mail):
        if b"\n" in part or b"\0" in part:
            raise MalformedError(f"{what}: a line break or NUL in the name or mail {part!r}")
    if signature.seconds not in _SECONDS:
        raise MalformedError(f"{what}: the time {signature.seconds} is out of range")
    if not _ZONE.match(signature.zone):
        raise MalformedError(f"{what}: the zone {signature.zone!r} is not a sign and four to eight digits")


def check_fields(fields: tuple[Field, ...], what: str) -> None:
    if len(fields) > MAX_FIELDS:
        raise MalformedError(f"{what}: more than {MAX_FIELDS} fields")
    for key, _ in fields:
        if not key or b"\0" in key or b"\n" in key:
            raise MalformedError(f"{what}: the field key {key!r} is empty or has a line break or NUL")


def _check(commit: Commit) -> None:
    if commit.root.mode not in ROOT_MODES:
        raise MalformedError(f"commit: the root has the mode {commit.root.mode:o}")
    if not 0 <= commit.root.size <= MAX_SIZE:
        raise MalformedError(f"commit: the size {commit.root.size} of the root is out of range")
    if len(commit.parents) > MAX_PARENTS:
        raise MalformedError(f"commit: more than {MAX_PARENTS} parents")
    check_signature(commit.author, "commit")
    check_signature(commit.committer, "commit")
    if b"\n" in commit.encoding or b"\0" in commit.encoding:
        raise MalformedError(f"commit: a line break or NUL in the encoding {commit.encoding!r}")
    check_fields(commit.fields, "commit")


def _id(value: object, what: str) -> Oid:
    if type(value) is not bytes:
        raise MalformedError(f"commit: a {what} id is not a binary string")
    if len(value) != ID_SIZE:
        raise MalformedError(f"commit: a {what} id has {len(value)} bytes, not {ID_SIZE}")
    return Oid(value)
