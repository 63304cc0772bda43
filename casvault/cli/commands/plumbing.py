"""Trees, files, ids and merge bases: what scripts build on, in the forms that git and b3sum have."""

import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import PLUMBING, CollectionOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT, DIFFERENCE
from casvault.cli.terminal import quoted, quoted_bytes
from casvault.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault import Vault
    from casvault.vault.results.history import MergedTree, TreeConflictInfo, TreeLine

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


@command(PLUMBING, "casvault hash SKILL.md", "casvault hash *.md --json", "casvault hash --legacy ~/lib/skills/pdf")
def hash_files(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files to hash.")],
    legacy: Annotated[
        bool, typer.Option("--legacy", help="SkillMeat's hashes instead, which directories have, too.")
    ] = False,
) -> None:
    """Print the ids of files: BLAKE3, as b3sum does. Needs no vault."""
    call = Call.of(context)
    if legacy:
        from casvault.interop.skillmeat.hashing import hash_path

        found = ((path, hash_path(Path(path))) for path in files)
    else:
        from casvault import hash_file

        found = ((path, hash_file(path).hex()) for path in files)
    if call.json:
        call.answer({"files": [{"path": path, "id": oid} for path, oid in found]}, ())
    else:
        for path, oid in found:
            call.write([_sum_line(path, oid)])


@command(
    PLUMBING,
    "casvault rev-parse @",
    "casvault rev-parse skill/pdf~1",
    "casvault rev-parse skill/pdf@v1.2.0",
    "casvault rev-parse 'skill/pdf@{in:app}'",
    "casvault rev-parse @:skills/pdf/SKILL.md",
)
def rev_parse(
    context: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV[:PATH]", help="@, a collection, artifact or id; ~n, ^n.")],
    collection: CollectionOption = None,
) -> None:
    """Print the full id of what a revision names.

    A revision is a NAME, then any number of ~n (n times the first parent) and ^n (the n-th parent), then perhaps :PATH.
    A NAME is @ (the collection's newest snapshot), a collection, an artifact, a branch or other ref, or an id or its
    first digits. ARTIFACT@LABEL is what a tag names, NAME@{2026-01-31} or NAME@{3 days ago} the newest version or
    snapshot at or before, and ARTIFACT@{in:PROJECT} what was deployed there last.

    Where a command has been given the artifact, LABEL, ~n, @{DATE} and @{in:PROJECT} are enough.
    """
    call = Call.of(context)
    oid = call.vault().rev_parse(revision, collection=collection)
    call.answer({"revision": revision, "id": oid}, [oid.hex()], always=True)


@command(
    PLUMBING,
    "casvault merge-base skill/pdf 3f2a91bc04de",
    "casvault merge-base @ @~3 --all",
    "casvault merge-base --is-ancestor @~3 @ && echo yes",
    "printf '@ @~3\\n' | casvault merge-base --stdin",
)
def merge_base(
    context: typer.Context,
    revisions: Annotated[list[str] | None, typer.Argument(metavar="A B", help="Revisions.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All best common ancestors.")] = False,
    only_heads: Annotated[
        bool, typer.Option("--independent", help="Those of the revisions that none of the others comes from.")
    ] = False,
    ancestry: Annotated[
        bool, typer.Option("--is-ancestor", help="Print nothing; exit with 0 if B comes from A, with 6 if not.")
    ] = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read pairs, one a line; print a line of all their merge bases for each.")
    ] = False,
    collection: CollectionOption = None,
) -> int | None:
    """Print the best common ancestor of two revisions, or of A and what would come of merging all the others.

    With --stdin, a pair is separated by a space, or by a tab where names have spaces.
    """
    call = Call.of(context)
    names = revisions or []
    _check_merge_base(names, every, only_heads, ancestry, stdin)
    vault = call.vault()
    if stdin:
        _answer_pairs(call, vault, collection)
    elif ancestry:
        answer = vault.is_ancestor(names[0], names[1], collection=collection)
        call.answer({"is_ancestor": answer}, ())
        return None if answer else DIFFERENCE
    elif only_heads:
        heads = vault.independent(names, collection=collection)
        call.answer({"independent": heads}, [oid.hex() for oid in heads], always=True)
    else:
        found = vault.merge_bases(*names, collection=collection)
        if not found:
            raise NotFoundError(f"the {_number(names)} have no common ancestor", place=", ".join(names))
        bases = found if every else found[:1]
        call.answer({"bases": bases}, [oid.hex() for oid in bases], always=True)
    return None


def _number(names: list[str]) -> str:
    return "two" if len(names) == 2 else "first and the others"


def _check_merge_base(names: list[str], every: bool, only_heads: bool, ancestry: bool, stdin: bool) -> None:
    remedy = "see `casvault merge-base --help`"
    if sum((only_heads, ancestry, stdin)) + (every and (only_heads or ancestry)) > 1:
        raise UsageError("--all, --independent, --is-ancestor and --stdin are different questions", remedy=remedy)
    if stdin and names:
        raise UsageError("with --stdin, revisions are read from standard input only", remedy=remedy)
    if ancestry and len(names) != 2:
        raise UsageError("--is-ancestor takes two revisions", remedy=remedy)
    if not stdin and len(names) < (1 if only_heads else 2):
        raise UsageError(f"name at least {'one revision' if only_heads else 'two revisions'}", remedy=remedy)


def _answer_pairs(call: Call, vault: "Vault", collection: str | None) -> None:
    """Each pair is answered before the next one is read, so that a program can ask and listen in turn."""
    answers = vault.iter_merge_bases(_read_pairs(), collection=collection)
    if call.json:
        call.answer({"pairs": [pair._asdict() for pair in answers]}, ())
    else:
        for pair in answers:
            call.write([b" ".join(oid.hex().encode() for oid in pair.bases), b"\n"])


def _read_pairs() -> "Iterator[tuple[str, str]]":
    for number, raw in enumerate(sys.stdin.buffer, 1):
        line = raw.decode(errors="surrogateescape").rstrip("\n")
        parts = line.split("\t") if "\t" in line else line.split()
        if len(parts) != 2:
            raise UsageError("not two revisions", place=f"standard input, line {number}", remedy="one pair a line")
        yield parts[0], parts[1]


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
        merged = call.vault().merge_trees(_read_pairs(), base=base, collection=collection)
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


def _verdict_line(merged: "MergedTree") -> str:
    return f"{'clean' if merged.clean else 'conflict'} {merged.tree.hex()}"


def _conflict_line(conflict: "TreeConflictInfo") -> str:
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
