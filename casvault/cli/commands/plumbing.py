"""Trees, files, ids and merge bases: what scripts build on, in the forms that git and b3sum have."""

import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import PLUMBING, CollectionOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT
from casvault.cli.terminal import quoted, quoted_bytes
from casvault.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from casvault.vault.results import ConflictInfo, MergedTree, TreeLine

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


@command(
    PLUMBING,
    "casvault merge-tree @ @~3",
    "casvault merge-tree skill/pdf 3f2a91bc04de",
    "casvault merge-tree @:skills/pdf @~1:skills/pdf --base @~2:skills/pdf",
    "casvault merge-tree --stdin < pairs",
)
def merge_tree(
    context: typer.Context,
    ours: Annotated[str | None, typer.Argument(metavar="OURS", help="A revision.", show_default=False)] = None,
    theirs: Annotated[str | None, typer.Argument(metavar="THEIRS", help="Another.", show_default=False)] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REV", help="In place of their merge base.", show_default=False)
    ] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read pairs, one a line; print one line for each.")] = False,
    collection: CollectionOption = None,
) -> int:
    """Merge two revisions and print the id of the merged tree; no ref and no file changes.

    The first line is "clean TREE" or "conflict TREE", then come the conflicts. `casvault ls-tree TREE` shows the tree,
    in which conflicted files are marked up. Exits with 4 if there are conflicts, with --stdin always with 0.
    """
    call = Call.of(context)
    if stdin:
        if ours is not None or theirs is not None:
            raise UsageError("with --stdin the revisions are read from there", place=ours)
        merged = call.vault().merge_trees(_pairs_of_stdin(), base=base, collection=collection)
        documents = [plain(each) for each in merged]
        call.answer({"merges": documents}, map(_verdict_line, merged), always=True)
        return 0
    if ours is None or theirs is None:
        raise UsageError("two revisions are needed", remedy="see `casvault merge-tree --help`")
    one = call.vault().merge_tree(ours, theirs, base=base, collection=collection)
    for note in one.notes:
        call.warn(note)
    call.answer(one._asdict(), [_verdict_line(one), *map(_conflict_line, one.conflicts)], always=True)
    return 0 if one.clean else CONFLICT


def _pairs_of_stdin() -> list[tuple[str, str]]:
    """Two revisions a line, with a tab between them, or a space if none of them has one."""
    pairs = []
    for number, raw in enumerate(sys.stdin.buffer, 1):
        line = raw.decode(errors="surrogateescape").rstrip("\r\n")
        words = line.split("\t") if "\t" in line else line.split()
        if len(words) != 2:
            raise UsageError("not two revisions", place=f"line {number}", remedy="write OURS THEIRS, one pair a line")
        pairs.append((words[0], words[1]))
    return pairs


def _verdict_line(merged: "MergedTree") -> str:
    return f"{'clean' if merged.clean else 'conflict'} {merged.tree.hex()}"


def _conflict_line(conflict: "ConflictInfo") -> str:
    """The path, what clashes, and the other names that the file has."""
    names = {"base": conflict.base_path, "ours": conflict.our_path, "theirs": conflict.their_path}
    others = ", ".join(f"{side} {quoted(path)}" for side, path in names.items() if path and path != conflict.path)
    return f"{quoted(conflict.path)}: {conflict.kind.value}{others and f' ({others})'}"


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
