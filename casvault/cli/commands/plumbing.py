"""ls-tree, cat, hash, rev-parse, merge-base: what scripts build on, in the forms that git and b3sum have."""

from base64 import b64encode
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import PLUMBING, CollectionOption, command
from casvault.cli.documents import plain
from casvault.cli.terminal import quoted_bytes
from casvault.errors import NotFoundError

if TYPE_CHECKING:
    from casvault.vault.results import TreeLine

RevisionPath = Annotated[str, typer.Argument(metavar="REV[:PATH]", help="A revision, and a path in what it holds.")]


@command(PLUMBING, "casvault ls-tree @", "casvault ls-tree -r @:skills/pdf", "casvault ls-tree -rz @ | xargs -0n1 echo")
def ls_tree(
    context: typer.Context,
    revision: RevisionPath = "@",
    recursive: Annotated[bool, typer.Option("-r", help="Go into directories and artifacts.")] = False,
    zero: Annotated[bool, typer.Option("-z", help="End lines with NUL, and never quote names.")] = False,
    collection: CollectionOption = None,
) -> None:
    """List a directory: mode, kind, id, size, tab, path."""
    call = Call.of(context)
    lines = call.vault().ls_tree(revision, recursive=recursive, collection=collection)
    if call.json:
        call.answer({"entries": [_tree_document(line) for line in lines]}, ())
    else:
        call.write(_tree_line(line, zero=zero) for line in lines)


@command(PLUMBING, "casvault cat @:skills/pdf/SKILL.md", "casvault cat @~2:commands/review.md > old.md")
def cat(context: typer.Context, revision: RevisionPath, collection: CollectionOption = None) -> None:
    """Print the bytes of a file, exactly as they are."""
    call = Call.of(context)
    pieces = call.vault().cat(revision, collection=collection)
    if call.json:
        call.answer(_content_document(revision, b"".join(pieces)), ())
    else:
        call.write(pieces)


@command(PLUMBING, "casvault hash SKILL.md", "casvault hash *.md --json")
def hash_files(
    context: typer.Context, files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files to hash.")]
) -> None:
    """Print the ids of files: BLAKE3, as b3sum does. Needs no vault."""
    from casvault import hash_file

    call = Call.of(context)
    found = ((path, hash_file(path).hex()) for path in files)
    if call.json:
        call.answer({"files": [{"path": path, "id": oid} for path, oid in found]}, ())
    else:
        for path, oid in found:
            call.write([_sum_line(path, oid)])


@command(PLUMBING, "casvault rev-parse @", "casvault rev-parse skill/pdf~1", "casvault rev-parse @:skills/pdf/SKILL.md")
def rev_parse(
    context: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV[:PATH]", help="@, a collection, artifact or id; ~n, ^n.")],
    collection: CollectionOption = None,
) -> None:
    """Print the full id of what a revision names."""
    call = Call.of(context)
    oid = call.vault().rev_parse(revision, collection=collection)
    call.answer({"revision": revision, "id": oid}, [oid.hex()], always=True)


@command(PLUMBING, "casvault merge-base skill/pdf 3f2a91bc04de", "casvault merge-base @ @~3 --all")
def merge_base(
    context: typer.Context,
    one: Annotated[str, typer.Argument(metavar="A", help="A revision.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    every: Annotated[bool, typer.Option("--all", help="All best common ancestors.")] = False,
    collection: CollectionOption = None,
) -> None:
    """Print the best common ancestor of two revisions."""
    call = Call.of(context)
    found = call.vault().merge_bases(one, other, collection=collection)
    if not found:
        raise NotFoundError("the two have no common ancestor", place=f"{one}, {other}")
    bases = found if every else found[:1]
    call.answer({"bases": bases}, [oid.hex() for oid in bases], always=True)


def _tree_document(line: "TreeLine") -> object:
    return plain({**line._asdict(), "mode": f"{line.mode:06o}"})


def _tree_line(line: "TreeLine", *, zero: bool) -> bytes:
    path = line.path.encode(errors="surrogateescape")
    head = f"{line.mode:06o} {line.kind} {line.id} {line.size}\t".encode()
    return head + path + b"\0" if zero else head + quoted_bytes(path) + b"\n"


def _content_document(revision: str, content: bytes) -> dict[str, object]:
    """A file in JSON: as text if it is UTF-8, else in base64."""
    try:
        text, encoding = content.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = b64encode(content).decode(), "base64"
    return {"revision": revision, "size": len(content), "encoding": encoding, "content": text}


def _sum_line(path: str, oid: str) -> bytes:
    """A line of b3sum: a path with a backslash or a line break is escaped, and the line begins with a backslash."""
    raw = path.encode(errors="surrogateescape")
    escaped = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"" if escaped == raw else b"\\"
    return b"%s%s  %s\n" % (mark, oid.encode(), escaped)
