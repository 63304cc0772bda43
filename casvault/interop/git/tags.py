"""Annotated tags: git's text and casvault's fields, by the same rules as commits.

git                              casvault
object, type                     target, kind
tag                              name
tagger, if it comes next         tagger
every header behind these        a field: `git:` and its name
message, a signature in it       message, byte by byte
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError
from casvault.interop.git.commits import parse_hex
from casvault.interop.git.fields import RAW_TAG, field_headers, header_fields
from casvault.interop.git.headers import format_signature, format_text, parse_signature, split_text
from casvault.interop.git.ids import KINDS, NAMES
from casvault.objects import Tag

if TYPE_CHECKING:
    from casvault.interop.git.ids import GitFormat, GitId
    from casvault.objects import Field, Kind
    from casvault.oid import Oid


class Target(NamedTuple):
    """What a git tag points to, and what kind it says that is."""

    id: GitId
    kind: Kind


def tag_target(content: bytes, form: GitFormat) -> Target:
    """MalformedError if the tag does not say."""
    headers = dict(split_text(content)[0][:2])
    target = parse_hex(headers.get(b"object", b""), form)
    kind = KINDS.get(headers.get(b"type", b""))
    if target is None or kind is None:
        raise MalformedError("a git tag without an object and its type")
    return Target(target, kind)


def to_tag(
    content: bytes, target: Target, oid: Oid, kind: Kind, further: tuple[Field, ...] = (), *, keep: bool = False
) -> Tag:
    """The tag that says what this text of git says, as `to_commit` does for commits.

    `kind` is what the target is, whatever the text claims.
    """
    headers, message = split_text(content)
    rest = headers[3:]
    tagger = None
    if rest and rest[0][0] == b"tagger":
        tagger = parse_signature(rest.pop(0)[1])
    name = dict(headers[2:3]).get(b"tag", b"").replace(b"\0", b"").replace(b"\n", b" ")
    tag = Tag(kind, oid, name or b"-", tagger, message, b"", header_fields(rest))
    if keep or format_tag(tag, target.id) != content:
        further = ((RAW_TAG, content), *further)
    return tag._replace(fields=tag.fields + further) if further else tag


def format_tag(tag: Tag, target: GitId) -> bytes:
    """The text that git has of a tag on this object; RefusedError where git has no place for it."""
    raw = next((value for key, value in tag.fields if key == RAW_TAG), None)
    if raw is not None:
        return raw
    headers = [(b"object", target.hex().encode()), (b"type", NAMES[tag.kind]), (b"tag", tag.name)]
    if tag.tagger is not None:
        headers.append((b"tagger", format_signature(tag.tagger)))
    return format_text([*headers, *field_headers(tag.fields)], tag.message)
