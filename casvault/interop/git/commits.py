"""Commits: git's text and casvault's fields.

    git                              casvault
    tree, parent                     root, parents
    author, committer                author, committer
    encoding, if it comes next       encoding
    every header behind these        a field: `git:` and its name
    message                          message, byte by byte

Whatever comes out differently when it is put together again is kept whole in the field `git-commit`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError
from casvault.interop.git.fields import RAW_COMMIT, field_headers, header_fields
from casvault.interop.git.headers import format_signature, format_text, parse_signature, split_text
from casvault.objects import Commit

if TYPE_CHECKING:
    from casvault.interop.git.ids import GitFormat, GitId
    from casvault.objects import Field, Root
    from casvault.oid import Oid

_HEX = re.compile(rb"[0-9a-f]+\Z")


class Links(NamedTuple):
    """What a git commit refers to."""

    tree: GitId
    parents: tuple[GitId, ...]


def commit_links(content: bytes, form: GitFormat) -> Links:
    """Tree and parents, which stand at the beginning; MalformedError if there is no tree."""
    digits = 2 * form.size
    tree = parse_hex(content[5 : 5 + digits], form)
    end = 5 + digits
    if not content.startswith(b"tree ") or tree is None or content[end : end + 1] != b"\n":
        raise MalformedError("a git commit without a tree")
    parents = []
    at = end + 1
    while content.startswith(b"parent ", at):
        parent = parse_hex(content[at + 7 : at + 7 + digits], form)
        if parent is None:
            raise MalformedError("a git commit with a parent that is no id")
        parents.append(parent)
        at += 8 + digits
    return Links(tree, tuple(parents))


def parse_hex(text: bytes, form: GitFormat) -> GitId | None:
    """The id that these digits write; None if they write none."""
    return bytes.fromhex(text.decode()) if len(text) == 2 * form.size and _HEX.match(text) else None


def to_commit(
    content: bytes,
    links: Links,
    root: Root,
    parents: tuple[Oid, ...],
    further: tuple[Field, ...] = (),
    *,
    keep: bool = False,
) -> Commit:
    """The commit that says what this text of git says, with `further` fields at its end.

    `format_commit` makes the same text of it again. The text itself is kept only where that needs it, or where `keep`
    says that the links do not follow from the root and the parents.
    """
    headers, message = split_text(content)
    values = dict(reversed(headers))
    start = next((at for at, header in enumerate(headers) if header[0] == b"committer"), 0) + 1
    rest = [header for header in headers[start:] if header[0] not in (b"tree", b"parent", b"author", b"committer")]
    encoding = values.get(b"encoding", b"")
    if rest and rest[0][0] == b"encoding":
        del rest[0]
    commit = Commit(
        root,
        parents,
        parse_signature(values.get(b"author", b"")),
        parse_signature(values.get(b"committer", b"")),
        message,
        encoding.replace(b"\0", b"").replace(b"\n", b" "),
        header_fields(rest),
    )
    if keep or format_commit(commit, links) != content:
        further = ((RAW_COMMIT, content), *further)
    return commit._replace(fields=commit.fields + further) if further else commit


def format_commit(commit: Commit, links: Links) -> bytes:
    """The text that git has of a commit with this tree and these parents; RefusedError where git has no place for it.

    A commit that has its text with it gives that.
    """
    raw = commit.field(RAW_COMMIT)
    if raw is not None:
        return raw
    headers = [(b"tree", links.tree.hex().encode())]
    headers += [(b"parent", parent.hex().encode()) for parent in links.parents]
    headers += [(b"author", format_signature(commit.author)), (b"committer", format_signature(commit.committer))]
    if commit.encoding:
        headers.append((b"encoding", commit.encoding))
    return format_text([*headers, *field_headers(commit.fields)], commit.message)
