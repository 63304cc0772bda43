"""init, status, snapshot, restore, collection add/list/remove."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import COLLECTIONS, CollectionOption, ExitCodeOption, MessageOption, command
from casvault.cli.commands.branches import branch_document, snapshot_lines
from casvault.cli.commands.versions import version_document, version_lines
from casvault.cli.documents import plain
from casvault.cli.failures import DIFFERENCE
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import changed, coloured, columns, count, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault import Vault
    from casvault.oid import Oid
    from casvault.vault.results.collections import ArtifactChange, CollectionInfo, CollectionStatus, SnapshotResult

LISTED = 20
"""Changes that are named after a snapshot; `casvault show` has all."""

NameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="By default the directory's name.", show_default=False),
]


@command(COLLECTIONS, "casvault init", "casvault init ~/library --name lib")
def init(
    context: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The directory; it is created if need be.")] = ".",
    name: NameOption = None,
) -> None:
    """Make a vault, and the directory its first collection."""
    from casvault import Vault

    call = Call.of(context)
    vault, result = Vault.init(directory, name, **call.options())
    document = {"vault": vault.path, **_snapshot_document(result)}
    call.answer(document, _init_lines(vault, result))
    call.warn_of(result.outcome)


@command(COLLECTIONS, "casvault collection add ~/prompts", "casvault collection add . --name work")
def add(
    context: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The directory that becomes a collection.")],
    name: NameOption = None,
) -> None:
    """Put one more directory under version control.

    A directory that was a collection before is registered again: that is how to tell where one has moved.
    """
    call = Call.of(context)
    result = call.vault().add_collection(directory, name)
    call.answer(_snapshot_document(result), _snapshot_lines(result))
    call.warn_of(result.outcome)


@command(COLLECTIONS, "casvault collection list", "casvault collection list --json")
def list_collections(context: typer.Context) -> None:
    """List the collections of the vault and where they are."""
    call = Call.of(context)
    found = call.view().collections()
    call.answer({"collections": plain(found)}, _collection_lines(found), always=True)


@command(COLLECTIONS, "casvault collection remove prompts")
def remove(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="The collection's name.")]
) -> None:
    """Forget a collection; its files stay.

    Its snapshots stay in the vault, and `casvault undo` brings it back.
    """
    call = Call.of(context)
    outcome = call.vault().remove_collection(name)
    call.answer(
        {"collection": name, **outcome_document(outcome)},
        [f"{name}: forgotten; its files were not touched, and `casvault undo` brings it back"],
    )


@command(COLLECTIONS, "casvault status", "casvault status --exit-code -q || casvault snapshot -m 'before the demo'")
def status(context: typer.Context, collection: CollectionOption = None, exit_code: ExitCodeOption = False) -> int:
    """Show what of a collection is in no snapshot yet."""
    call = Call.of(context)
    found = call.view().status(collection)
    call.answer({**_plain(found), "clean": not found.changes}, _status_lines(found))
    if found.interrupted and found.directory is not None:
        call.warn_interrupted([found.directory])
    for note in found.notes:
        call.warn(note)
    return DIFFERENCE if exit_code and found.changes else 0


@command(
    COLLECTIONS,
    "casvault snapshot",
    "casvault snapshot -m 'Tables in the pdf skill'",
    "casvault snapshot --branch notes ~/notes",
)
def snapshot(
    context: typer.Context,
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="With --branch: the directory; by default the current one.")
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option("--branch", metavar="NAME", help="Record a plain directory on this branch.", show_default=False),
    ] = None,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Record what a collection's directory holds, or a plain directory.

    Each changed artifact gets a new version, and the collection one snapshot. If nothing has changed, none is made.
    With --branch, any directory becomes the next commit of a branch, whatever it is.
    """
    call = Call.of(context)
    if branch is not None:
        if collection is not None:
            raise UsageError("a branch belongs to no collection", place="--collection")
        made = call.vault().snapshot_branch(branch, directory or ".", message)
        call.answer(branch_document(made), snapshot_lines(made))
        for note in made.notes:
            call.warn(note)
        call.warn_of(made.outcome)
        return
    if directory is not None:
        remedy = "or record the directory: --branch NAME"
        raise UsageError("a collection is named with --collection", place=directory, remedy=remedy)
    result = call.vault().snapshot(message, collection)
    call.answer(_snapshot_document(result), _snapshot_lines(result))
    call.warn_of(result.outcome)


@command(
    COLLECTIONS,
    "casvault restore @~1",
    "casvault restore @~3 skills/pdf commands/review.md",
    "casvault restore skill/pdf@v1.2.0",
    "casvault restore 3f2a91bc04de:skills/pdf --to /tmp/old-pdf",
)
def restore(
    context: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="A snapshot; ARTIFACT@VERSION; or REV:PATH.")] = "@",
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Artifacts, files or directories; all without.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DIR", help="Write to a new or empty directory.", show_default=False)
    ] = None,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Bring back what a snapshot held, or a version of one artifact, as a new one.

    What the directory holds is recorded first, and nothing of the history is lost. With --to, a copy is written
    elsewhere and the collection stays as it is.
    """
    call = Call.of(context)
    vault = call.vault()
    revision, path = vault.split_revision(revision, collection=collection)
    wanted = ([path] if path else []) + (paths or [])
    artifact = _find_versioned(vault, revision, wanted, collection) if to is None else None
    if artifact is not None:
        result = vault.restore_version(artifact, revision, collection=collection, message=message)
        call.answer(version_document(result), version_lines(result, "restored from", "it is already as in"))
        call.warn_of(result.outcome)
    elif to is None:
        _restore(call, vault, revision or "@", wanted, message, collection)
    else:
        _restore_to(call, vault, revision or "@", wanted, to, collection)


def _find_versioned(vault: "Vault", revision: str, paths: list[str], collection: str | None) -> str | None:
    """The artifact, if a version of one is asked for: ARTIFACT@VERSION, or the label of a tag and ARTIFACT."""
    if not paths:
        return vault.find_versioned(revision, collection=collection)
    artifact = vault.find_versioned(paths[0], collection=collection) if len(paths) == 1 else None
    if artifact is None:
        return None
    labels = {info.label for info in vault.tags(artifact, collection=collection) if not info.former}
    return artifact if revision in labels else None


def _restore(call: Call, vault: "Vault", revision: str, paths: list[str], message: str, collection: str | None) -> None:
    source = vault.rev_parse(revision, collection=collection)
    before = vault.rev_parse("@", collection=collection)
    outcome = vault.restore(revision, paths, collection=collection, message=message)
    tip = vault.rev_parse("@", collection=collection)
    recorded = _recorded_between(vault, before, tip)
    document = {"source": source, "snapshot": tip, "recorded_first": recorded, **outcome_document(outcome)}
    if outcome.operation is None:
        lines = [f"nothing to restore: all is as in {short(source)}"]
    else:
        lines = [
            f"restored from {short(source)}: snapshot {short(tip)} · "
            f"{count(outcome.written, 'file')} written, {outcome.removed:,} removed"
        ]
    if recorded is not None:
        lines.append(f"what the directory held before is in snapshot {short(recorded)}")
    call.answer(document, lines)
    call.warn_of(outcome)


def _recorded_between(vault: "Vault", before: "Oid", tip: "Oid") -> "Oid | None":
    """The snapshot that a restore took of the directory before it changed anything, if there was something to take."""
    if tip == before:
        return None
    parents = vault.show(tip.hex()).parents
    return parents[0] if parents and parents[0] != before else None


def _restore_to(call: Call, vault: "Vault", revision: str, paths: list[str], to: str, collection: str | None) -> None:
    if len(paths) > 1:
        raise UsageError("--to takes one path at a time", place=paths[1])
    applied = vault.restore_to(to, revision, paths[0] if paths else "", collection=collection)
    document = {"directory": to, "written": len(applied.written)}
    call.answer(document, [f"{quoted(to)}: {count(len(applied.written), 'path')} written"])


def _init_lines(vault: "Vault", result: "SnapshotResult") -> Iterator[str]:
    yield f"vault {quoted(str(vault.path))}"
    yield from _snapshot_lines(result)


def _snapshot_document(result: "SnapshotResult") -> dict[str, object]:
    fields = {key: plain(value) for key, value in result._asdict().items() if key != "outcome"}
    return {**fields, **outcome_document(result.outcome)}


def _snapshot_lines(result: "SnapshotResult") -> Iterator[str]:
    if not result.created:
        yield f"{result.collection}: nothing has changed since snapshot {short(result.snapshot)}"
        return
    yield f"{coloured(result.collection, bold=True)}: snapshot {short(result.snapshot)}{_summary(result.changes)}"
    yield from _change_lines(result.changes[:LISTED])
    if len(result.changes) > LISTED:
        yield f"  … and {len(result.changes) - LISTED:,} more: casvault show @"
    outcome = result.outcome
    if outcome.written or outcome.removed:
        yield f"the directory took in what came from elsewhere: {count(outcome.written + outcome.removed, 'file')}"


def _summary(changes: "Iterable[ArtifactChange]") -> str:
    """` · 2 modified, 1 added`"""
    counts = Counter(change.change.value for change in changes)
    words = [f"{counts[word]:,} {word}" for word in ("modified", "added", "removed") if counts[word]]
    return " · " + ", ".join(words) if words else ""


def _change_lines(changes: "Iterable[ArtifactChange]") -> Iterator[str]:
    for change in changes:
        since = coloured(f"  since {quoted(change.tags[0])}", dim=True) if change.tags else ""
        yield changed(change.change.value, change.path) + since


def _collection_lines(found: "list[CollectionInfo]") -> list[str]:
    if not found:
        return ["no collections; `casvault collection add DIR` makes one"]
    rows = [
        (
            coloured(info.name, bold=True),
            count(info.artifacts, "artifact"),
            short(info.tip),
            "no directory" if info.directory is None else quoted(str(info.directory)),
        )
        for info in found
    ]
    return columns(rows)


def _plain(found: "CollectionStatus") -> dict[str, object]:
    return {key: plain(value) for key, value in found._asdict().items()}


def _status_lines(found: "CollectionStatus") -> Iterator[str]:
    name = coloured(found.collection, bold=True)
    if found.directory is None:
        yield f"{name} has no directory; its newest snapshot is {short(found.tip)}"
        return
    if found.snapshot != found.tip:
        yield f"{name}: the directory is at snapshot {short(found.snapshot)}, the collection at {short(found.tip)}"
        yield "  `casvault snapshot` brings both together"
    if not found.changes:
        yield f"{name}: nothing has changed since snapshot {short(found.snapshot)}"
        return
    yield f"{name}: not yet in a snapshot{_summary(found.changes)}"
    yield from _change_lines(found.changes)
