"""git import, git export."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import EXCHANGE, command
from casvault.cli.documents import plain
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, quoted, short

if TYPE_CHECKING:
    from casvault.interop.git import ExportResult, ImportResult, RefResult

RefOption = Annotated[
    list[str] | None,
    typer.Option("--ref", metavar="PATTERN", help="Only branches and tags of this name; may be given again."),
]


@command(EXCHANGE, "casvault git import ~/src/tool", "casvault git import tool.git --ref main --ref 'v*' --map ids.txt")
def import_git(
    context: typer.Context,
    repository: Annotated[str, typer.Argument(metavar="REPO", help="A repository, with or without a worktree.")],
    ref: RefOption = None,
    map_file: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Write each object's id in git and its id here, a line each.",
            show_default=False,
        ),
    ] = None,
    keep_raw: Annotated[
        bool, typer.Option("--keep-raw", help="Keep trees that cannot be said here as git has them.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Import the rest of a damaged repository.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Move refs that hold something else, too.")] = False,
) -> None:
    """Bring the branches and tags of a git repository into the vault.

    Everything that git has survives: `casvault git export` gives objects with the same ids. Running it again adds what
    has come since.
    """
    from casvault.interop.git import ImportOptions, import_repository

    call = Call.of(context)
    options = ImportOptions(keep_raw, allow_missing, force)
    vault = call.vault()
    result = import_repository(vault, repository, refs=ref or (), map_file=map_file, options=options)
    document: dict[str, object] = {
        "refs": plain(result.refs),
        "objects": result.objects,
        "missing": plain(result.missing),
        "left_out": plain(result.left_out),
        "kept": result.kept,
        "operation": outcome_document(result.outcome)["operation"],
    }
    call.answer(document, _import_lines(result))
    for git_id in result.missing:
        call.warn(f"{git_id}: missing or unreadable in the git repository")
    for name in result.left_out:
        call.warn(f"{name}: left out, because what it points to is missing")
    call.warn_of(result.outcome)


@command(EXCHANGE, "casvault git export /tmp/tool.git", "casvault git export tool.git --ref main")
def export_git(
    context: typer.Context,
    repository: Annotated[str, typer.Argument(metavar="REPO", help="Made if it is not there, without a worktree.")],
    ref: RefOption = None,
    force: Annotated[bool, typer.Option("--force", help="Move refs that hold something else there, too.")] = False,
) -> None:
    """Write branches and tags of the vault into a git repository.

    What came from git gets the ids that it had there.
    """
    from casvault.interop.git import export_repository

    call = Call.of(context)
    result = export_repository(call.vault(), repository, refs=ref or (), force=force)
    document: dict[str, object] = {
        "refs": plain(result.refs),
        "objects": result.objects,
        "missing": plain(result.missing),
    }
    call.answer(document, _export_lines(result))
    for git_id in result.missing:
        call.warn(f"{git_id}: missing, as it was in the repository that it came from")


def _import_lines(result: "ImportResult") -> Iterator[str]:
    yield from _ref_lines(result.refs, to_git=False)
    kept = f", {count(result.kept, 'tree')} kept as git has them" if result.kept else ""
    yield f"{count(result.objects, 'object')} imported{kept}"


def _export_lines(result: "ExportResult") -> Iterator[str]:
    yield from _ref_lines(result.refs, to_git=True)
    yield f"{count(result.objects, 'object')} written"


def _ref_lines(refs: "Iterable[RefResult]", *, to_git: bool) -> Iterator[str]:
    """What moved; the others are counted."""
    listed = list(refs)
    yield from columns([_ref_cells(ref, to_git=to_git) for ref in listed if ref.changed])
    same = sum(not ref.changed for ref in listed)
    if same:
        yield f"{count(same, 'ref')} as before"


def _ref_cells(ref: "RefResult", *, to_git: bool) -> tuple[str, ...]:
    here, there = (short(ref.id), quoted(ref.name)), (coloured(ref.git_id[:12], "yellow"), quoted(ref.git))
    return (*here, "→", *there) if to_git else (*there, "→", *here)
