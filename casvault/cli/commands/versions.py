"""compare, revert."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, CollectionOption, ExitCodeOption, MessageOption, command
from casvault.cli.commands.artifacts import ArtifactArgument
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT, DIFFERENCE
from casvault.cli.outcomes import outcome_document
from casvault.cli.patches import patch_lines
from casvault.cli.terminal import changed, coloured, columns, count, is_colourful, quoted, short

if TYPE_CHECKING:
    from casvault.vault.results.versions import VersionChange, VersionComparison, VersionResult

VERSION_HELP = "An id, a tag of the artifact, ~1, @{2026-01-31} or @{in:PROJECT}."
_SIGNS = {"renamed": ("R", "cyan"), "mode": ("X", "yellow")}


@command(
    HISTORY,
    "casvault compare skill/pdf v1.1.0 v1.2.0",
    "casvault compare skill/pdf ~3 --patch",
    "casvault compare skill/pdf '@{in:app}'",
)
def compare(
    context: typer.Context,
    artifact: ArtifactArgument,
    old: Annotated[str, typer.Argument(metavar="V1", help=VERSION_HELP)],
    new: Annotated[
        str | None, typer.Argument(metavar="V2", help="Another one; the newest without.", show_default=False)
    ] = None,
    patch: Annotated[bool, typer.Option("-p", "--patch", "--text", help="With the changed lines.")] = False,
    collection: CollectionOption = None,
    exit_code: ExitCodeOption = False,
) -> int:
    """Show which files differ between two versions of an artifact: added, removed, modified, renamed."""
    call = Call.of(context)
    vault = call.vault()
    found = vault.compare(artifact, old, new, collection=collection)
    document = {key: plain(value) for key, value in found._asdict().items()}
    # The versions by their ids, so that nothing can have come between.
    ids = [found.old.hex(), found.new.hex()]
    if patch and call.json:
        text = b"".join(vault.compare_text(artifact, *ids, collection=collection))
        document["patch"] = text.decode(errors="surrogateescape")
    call.answer(document, _comparison_lines(found))
    if patch and not call.json and not call.quiet:
        pieces = vault.compare_text(artifact, *ids, collection=collection)
        call.write([b"\n"])
        call.write(patch_lines(pieces) if is_colourful() else pieces)
    for note in found.notes:
        call.warn(note)
    return DIFFERENCE if exit_code and found.changes else 0


@command(HISTORY, "casvault revert skill/pdf v1.2.0", "casvault revert skill/pdf 3f2a91bc04de -m 'It broke forms'")
def revert(
    context: typer.Context,
    artifact: ArtifactArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help=VERSION_HELP)],
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Take back what one version of an artifact changed, as a new version.

    What came later stays; where it stands against that, the artifact stays as it is, and the merge waits: see
    `casvault merges list`. What the directory holds is recorded first. `casvault restore ARTIFACT@VERSION` brings a
    whole version back instead.
    """
    call = Call.of(context)
    return answer_revert(call, call.vault().revert(artifact, version, collection=collection, message=message))


def answer_revert(call: Call, result: "VersionResult") -> int:
    call.answer(version_document(result), version_lines(result, "reverted", "nothing is left to revert of"))
    call.warn_of(result.outcome)
    return 0 if result.is_complete else CONFLICT


def version_document(result: "VersionResult") -> dict[str, object]:
    fields = {key: plain(value) for key, value in result._asdict().items() if key not in ("outcome", "files")}
    files = [{"path": each.path, "change": each.change, "old": each.old, "new": each.new} for each in result.files]
    return {**fields, "files": plain(files), **outcome_document(result.outcome)}


def version_lines(result: "VersionResult", verb: str, nothing: str) -> Iterator[str]:
    name = coloured(quoted(result.artifact), bold=True)
    if result.merge is not None:
        clash = count(len(result.conflicts), "conflict")
        yield f"{name}: {clash}, and nothing was changed: casvault merges show {result.merge}"
        yield from columns([(f"  {quoted(each.path)}", each.kind.value) for each in result.conflicts])
        return
    if not result.created:
        yield f"{name}: {nothing} {short(result.source)}"
        return
    yield f"{name}: {verb} {short(result.source)}, version {short(result.version)}"
    for file in result.files:
        yield changed(file.change.value, file.path)


def _comparison_lines(found: "VersionComparison") -> Iterator[str]:
    sides = [_side(found.old.short, found.old_tags), _side(found.new.short, found.new_tags)]
    what = count(len(found.changes), "file") if found.changes else "no difference"
    yield f"{coloured(quoted(found.artifact), bold=True)}: {' → '.join(sides)}, {what}"
    yield from map(_change_line, found.changes)


def _side(oid: str, tags: tuple[str, ...]) -> str:
    return f"{coloured(oid, 'yellow')} ({', '.join(map(quoted, tags))})" if tags else coloured(oid, "yellow")


def _change_line(change: "VersionChange") -> str:
    kind = change.change.value
    if kind not in _SIGNS:
        return changed(kind, change.path)
    sign, colour = _SIGNS[kind]
    if change.old_path is None:
        modes = [f"{state.mode:06o}" for state in (change.old, change.new) if state is not None]
        return f"  {coloured(sign, colour)}  {quoted(change.path)} ({' → '.join(modes)})"
    same = "" if change.old is not None and change.new is not None and change.old.id == change.new.id else ", changed"
    return f"  {coloured(sign, colour)}  {quoted(change.old_path)} → {quoted(change.path)}{same}"
