"""log, show, diff."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, SPLIT, CollectionOption, ExitCodeOption, SplitCommand, command
from casvault.cli.commands.snapshots import artifact_lines
from casvault.cli.commits import LimitOption, OnelineOption
from casvault.cli.documents import plain
from casvault.cli.failures import DIFFERENCE
from casvault.cli.patches import count_lines, patch_lines, stat_lines
from casvault.cli.terminal import changed, coloured, count, is_colourful, moment, printable, quoted, short
from casvault.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from casvault import Vault
    from casvault.vault.results.changes import FileChange
    from casvault.vault.results.history import CommitInfo
    from casvault.vault.results.merges import ResolvedConflict
    from casvault.vault.results.snapshots import ArtifactDiff, SnapshotInfo

StatOption = Annotated[bool, typer.Option("--stat", help="Changed files and lines, counted.")]


@command(
    HISTORY,
    "casvault log",
    "casvault log --oneline -n 10",
    "casvault log skill/pdf",
    "casvault log skills/pdf/SKILL.md",
    "casvault log @~5 -- skills/pdf commands",
    cls=SplitCommand,
)
def log(
    context: typer.Context,
    revision: Annotated[
        str, typer.Argument(metavar="REV", help="Where to start: a collection, artifact or id; or a path.")
    ] = "@",
    limit: LimitOption = None,
    oneline: OnelineOption = False,
    collection: CollectionOption = None,
) -> None:
    """Show a collection's snapshots or an artifact's versions.

    With paths, those commits that changed them: files inside artifacts, artifacts, other files, directories. An
    artifact that was renamed is followed to where it was before.
    """
    call = Call.of(context)
    vault = call.vault()
    paths = context.meta[SPLIT]
    if not paths:
        try:
            found = vault.log(revision, limit=limit, collection=collection)
        except NotFoundError:
            if not vault.has_path(revision, collection=collection):
                raise
            revision, paths = "@", [revision]
    if paths:
        found = vault.log(revision, paths=paths, limit=limit, collection=collection)
    call.answer({"commits": plain(found)}, _log_lines(vault, found, oneline=oneline), always=True)


@command(
    HISTORY, "casvault show", "casvault show @~1 --patch", "casvault show @ --artifacts", "casvault show skill/pdf"
)
def show(
    context: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="A snapshot or a version.")] = "@",
    patch: Annotated[bool, typer.Option("-p", "--patch", help="With the changed lines.")] = False,
    artifacts: Annotated[
        bool, typer.Option("--artifacts", help="What a snapshot is for and holds, instead of what it changed.")
    ] = False,
    collection: CollectionOption = None,
) -> None:
    """Show a commit: who, when, why, and the files that it changed."""
    call = Call.of(context)
    vault = call.vault()
    info = vault.show(revision, collection=collection)
    if artifacts:
        snapshot = vault.snapshot_info(revision, collection=collection)
        call.answer({"snapshot": plain(snapshot)}, _snapshot_lines(info, snapshot), always=True)
        return
    changes = vault.changes_of(info.id.hex())
    resolved = vault.resolved_in(info.id.hex())
    document = {
        "commit": plain(info),
        "changes": [_change_document(change) for change in changes],
        "resolved": plain(resolved),
    }
    if patch and call.json:
        document["patch"] = b"".join(vault.patch_of(info.id.hex())).decode(errors="surrogateescape")
    call.answer(document, _show_lines(info, changes, resolved), always=True)
    if patch and not call.json:
        _write_patch(call, vault.patch_of(info.id.hex()), after=True)


@command(
    HISTORY,
    "casvault diff",
    "casvault diff @~1 @ --stat",
    "casvault diff @~5 -- skills/pdf",
    "casvault diff @~1 @ --artifacts",
    "casvault diff --exit-code -q",
    cls=SplitCommand,
)
def diff(
    context: typer.Context,
    revisions: Annotated[
        list[str] | None,
        typer.Argument(metavar="REV", help="OLD and NEW; left out, @ and the directory. Paths come after `--`."),
    ] = None,
    stat: StatOption = False,
    artifacts: Annotated[bool, typer.Option("--artifacts", help="Whole artifacts of two snapshots.")] = False,
    collection: CollectionOption = None,
    exit_code: ExitCodeOption = False,
) -> int:
    """Show what differs between revisions, or from the directory.

    With one revision, the collection's directory as it is now is compared with it; with none, with the newest snapshot.
    """
    call = Call.of(context)
    named, paths = revisions or [], context.meta[SPLIT]
    if len(named) > 2:
        raise UsageError("at most two revisions", place=named[2], remedy="paths come after `--`")
    old, new = (*named, "@")[0], named[1] if len(named) > 1 else None
    vault = call.vault()
    if artifacts:
        if stat or paths:
            raise UsageError("--artifacts goes with neither --stat nor paths")
        differing = vault.diff_artifacts(old, new, collection=collection)
        call.answer({"old": old, "new": new, "artifacts": plain(differing)}, _artifact_diff_lines(differing))
        return DIFFERENCE if exit_code and differing else 0
    changes = vault.diff(old, new, paths=paths, collection=collection)
    has_text = bool(changes) and (stat or not (call.json or call.quiet))
    text = vault.diff_text(old, new, paths=paths, collection=collection) if has_text else iter(())
    if call.json or stat:
        counts = count_lines(text, len(changes))
        document: dict[str, object] = {
            "old": old,
            "new": new,
            "changes": [_change_document(change) for change in changes],
        }
        if stat:
            document["lines"] = [{"added": added, "removed": removed} for added, removed in counts]
        call.answer(document, stat_lines(changes, counts))
    elif not call.quiet:
        _write_patch(call, text)
    return DIFFERENCE if exit_code and changes else 0


def _artifact_diff_lines(differing: "list[ArtifactDiff]") -> Iterator[str]:
    for each in differing:
        files = ", ".join(
            f"{number:,} {word}"
            for number, word in ((each.added, "added"), (each.modified, "modified"), (each.removed, "removed"))
            if number
        )
        moved = "" if each.moved_from is None else f", was {quoted(each.moved_from)}"
        versions = f"{short(each.old_version)}..{short(each.new_version)}"
        counted = f"  files: {files}" if files else ""
        yield f"{changed(each.change.value, each.path)}{moved}  {versions}{counted}"


def _write_patch(call: Call, text: Iterable[bytes], *, after: bool = False) -> None:
    if after:
        call.write([b"\n"])
    call.write(patch_lines(text) if is_colourful() else text)


def _change_document(change: "FileChange") -> object:
    return plain({"path": change.path, "change": change.change, "old": change.old, "new": change.new})


def _log_lines(vault: "Vault", found: "Iterable[CommitInfo]", *, oneline: bool) -> Iterator[str]:
    for number, info in enumerate(found):
        if oneline:
            yield f"{short(info.id)}  {moment(info.seconds, info.zone)[:16]}  {_title(vault, info)}"
        else:
            if number:
                yield ""
            yield from _header(info)
            yield ""
            yield from _indented(info.message.rstrip()) if info.message.strip() else [f"    {_title(vault, info)}"]


def _title(vault: "Vault", info: "CommitInfo") -> str:
    """The first line of the message, or what the commit did."""
    first = info.message.strip().split("\n")[0]
    if info.type == "version":
        what = f"{info.origin} {quoted(info.path)}"
        return f"{what} · {printable(first)}" if first else what
    if first:
        return printable(first)
    changes = vault.changes_of(info.id.hex())
    names = ", ".join(quoted(change.path) for change in changes[:2])
    more = f" and {count(len(changes) - 2, 'more file')}" if len(changes) > 2 else ""
    return coloured(f"({names}{more})" if changes else "(no message)", dim=True)


def _header(info: "CommitInfo") -> Iterator[str]:
    yield coloured(f"{info.type} {info.id}", "yellow")
    if info.path:
        yield f"Artifact: {quoted(info.path)} in {info.collection}, by {info.origin}"
    if len(info.parents) > 1:
        yield f"Parents:  {' '.join(parent.short for parent in info.parents)}"
    yield f"Author:   {printable(info.author)} <{printable(info.mail)}>"
    yield f"Date:     {moment(info.seconds, info.zone)}"


def _snapshot_lines(info: "CommitInfo", snapshot: "SnapshotInfo") -> Iterator[str]:
    yield from _header(info)
    made = "" if snapshot.operation is None else f", made by operation {snapshot.operation} ({snapshot.command})"
    yield f"Purpose:  {', '.join(purpose.value for purpose in snapshot.purposes)}{made}"
    if info.message.strip():
        yield ""
        yield from _indented(info.message.rstrip())
    yield ""
    yield from artifact_lines(snapshot.artifacts or ())


def _show_lines(info: "CommitInfo", changes: "list[FileChange]", resolved: "list[ResolvedConflict]") -> Iterator[str]:
    yield from _header(info)
    if info.message.strip():
        yield ""
        yield from _indented(info.message.rstrip())
    if changes:
        yield ""
    for change in changes:
        yield changed(change.change.value, change.path)
    if resolved:
        yield ""
    for conflict in resolved:
        who = f", by {printable(conflict.author)}" if conflict.author else ""
        yield f"resolved {quoted(conflict.path)} ({conflict.kind.value}): {conflict.how.value}{who}"


def _indented(text: str) -> Iterator[str]:
    return (f"    {printable(line)}".rstrip() for line in text.split("\n"))
