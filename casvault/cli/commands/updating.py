"""update."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.artifacts import (
    AnyArtifactsArgument,
    FollowOption,
    action_word,
    detail_lines,
    row_document,
    undecided,
    waiting_lines,
)
from casvault.cli.call import Call
from casvault.cli.command import COLLECTIONS, CollectionOption, ExitCodeOption, MessageOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT, DIFFERENCE
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, moment, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault import Vault
    from casvault.vault.results.updates import UpdateResult, UpdateRow, UpstreamCheck, UpstreamInfo
    from casvault.vault.updating import UpdateRequest

FROM_HELP = "A directory, or a git repository by path or address; #subdir leads into it. By default the one of the last"
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="SOURCE", help=f"{FROM_HELP} time.", show_default=False)
]


class Strategy(Enum):
    MERGE = "merge"
    OVERWRITE = "overwrite"
    KEEP = "keep"


@command(
    COLLECTIONS,
    "casvault update skill/pdf --from ~/src/skills#pdf",
    "casvault update skill/pdf --from https://example.org/skills.git#pdf --ref v2",
    "casvault update --all",
    "casvault update --check",
)
def update(
    context: typer.Context,
    artifacts: AnyArtifactsArgument = None,
    source: FromOption = None,
    ref: Annotated[
        str | None, typer.Option("--ref", metavar="REF", help="A branch, tag or commit of git.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that came from somewhere.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what is behind.")] = False,
    strategy: Annotated[
        Strategy, typer.Option("--strategy", help="Merge, or let upstream's content or the collection's stand.")
    ] = Strategy.MERGE,
    preview: Annotated[bool, typer.Option("--preview", "-n", help="Show what would happen.")] = False,
    exit_code: ExitCodeOption = False,
    follow: FollowOption = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Bring what upstream has into artifacts of the collection.

    What was changed here is merged with it, over what came last from there. Where both changed the same lines, nothing
    is touched, the merge waits to be resolved, and the exit code is 4. An artifact that is not there yet is imported.
    """
    names = list(artifacts or ())
    if source is not None and len(names) != 1:
        raise UsageError("--from is said of one artifact", remedy="name it")
    if exit_code and not check:
        raise UsageError("--exit-code goes with --check")
    if not check and bool(names) == everything:
        raise UsageError("name artifacts, or say --all" if not names else "--all goes without names")
    if ref is not None and source is None:
        raise UsageError("--ref goes with --from")
    call = Call.of(context)
    vault = call.vault()
    if check:
        return _check(call, vault, names, collection, exit_code=exit_code)
    from casvault import UpdateStrategy

    requests = list(_requests(vault, names, source, ref or "", collection))
    result = vault.update(
        requests,
        strategy=UpdateStrategy(strategy.value),
        collection=collection,
        preview=preview,
        follow=follow,
        message=message,
    )
    return answer_update(call, result)


def answer_update(call: Call, result: "UpdateResult") -> int:
    """Say what an update did; the exit code."""
    outcome = outcome_document(result.outcome)
    rows = [row_document(row) for row in result.artifacts]
    notes = [*result.notes, *result.outcome.notes]
    call.answer({"preview": result.preview, "artifacts": rows, **outcome, "notes": notes}, _lines(result))
    for line in undecided(result.artifacts):
        call.warn(line)
    for note in result.notes:
        call.warn(note)
    call.warn_of(result.outcome)
    return 0 if result.is_complete else CONFLICT


def _requests(
    vault: "Vault", names: list[str], source: str | None, ref: str, collection: str | None
) -> "Iterator[UpdateRequest]":
    from casvault.interop.upstream import open_upstream
    from casvault.vault.updating import UpdateRequest

    if source is not None:
        yield UpdateRequest(names[0], open_upstream(source, ref))
        return
    for known in vault.upstreams(names, collection=collection):
        if known.location is not None:
            yield UpdateRequest(known.artifact, open_upstream(known.location, known.wanted), named=bool(names))
        elif names:
            raise UsageError(
                f"it came from {known.source}, and nobody has said where that is for this machine",
                place=known.artifact,
                remedy="say it once: --from SOURCE",
            )


def _check(call: Call, vault: "Vault", names: list[str], collection: str | None, *, exit_code: bool) -> int:
    found = [_checked(vault, known) for known in vault.upstreams(names, collection=collection)]
    call.answer({"upstreams": [plain(each) for each in found]}, _check_lines(found), always=True)
    for each in found:
        if each.problem is not None:
            call.warn(f"{each.upstream.artifact}: {each.problem}")
    return DIFFERENCE if exit_code and any(each.is_behind for each in found) else 0


def _checked(vault: "Vault", known: "UpstreamInfo") -> "UpstreamCheck":
    from casvault.errors import CasvaultError
    from casvault.interop.upstream import open_upstream
    from casvault.vault.results.updates import UpstreamCheck

    if known.location is None:
        return UpstreamCheck(known, False, False, "", (), "this machine was never told where it is; say --from SOURCE")
    try:
        upstream = open_upstream(known.location, known.wanted)
    except CasvaultError as error:
        return UpstreamCheck(known, False, False, "", (), str(error))
    return vault.check_upstream(known, upstream.fetch)


def _check_lines(found: "list[UpstreamCheck]") -> list[str]:
    if not found:
        return ["nothing here comes from anywhere; `casvault update ARTIFACT --from SOURCE` says where one does"]
    return columns(
        [
            (
                coloured(quoted(each.upstream.artifact), bold=True),
                _standing(each),
                "changed here" if each.is_edited else "",
                quoted(each.upstream.source),
                f"taken {moment(each.upstream.seconds, each.upstream.zone)[:10]}",
            )
            for each in found
        ]
    )


def _standing(check: "UpstreamCheck") -> str:
    if check.problem is not None:
        return coloured("unknown", "red")
    if not check.is_behind:
        return coloured("up to date", "green")
    return coloured(f"behind: {count(len(check.files), 'file')}", "yellow")


def _lines(result: "UpdateResult") -> Iterator[str]:
    for row in result.artifacts:
        yield f"{coloured(quoted(row.artifact), bold=True)}  {_updated(row, preview=result.preview)}"
        yield from detail_lines(row, files=True)
    yield from waiting_lines(result.artifacts, preview=result.preview)
    if not result.artifacts:
        yield "nothing here comes from anywhere"
    if result.preview:
        yield "nothing was changed: this was a preview"


def _updated(row: "UpdateRow", *, preview: bool) -> str:
    words = [action_word(row)]
    if row.source:
        words.append(f"from {quoted(row.source)}")
    if row.revision:
        words.append(f"at {row.revision[:12]}")
    if row.version is not None and not preview and row.action.name != "NOTHING":
        words.append(f"as {short(row.version)}")
    return " ".join(words)
