"""mv, cp, rm."""

from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import COLLECTIONS, CollectionOption, MessageOption, command
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import changed, coloured, count, quoted, short

if TYPE_CHECKING:
    from casvault.vault.results.collections import RemoveResult, TransferResult

ARTIFACT_HELP = "A path such as skills/pdf, or a short name such as skill/pdf."
ArtifactArgument = Annotated[str, typer.Argument(metavar="ARTIFACT", help=ARTIFACT_HELP)]
NewArgument = Annotated[
    str,
    typer.Argument(metavar="NEW", help="A path, a short name, or a bare name; OTHER:PATH for another collection."),
]


@command(
    COLLECTIONS,
    "casvault mv skill/pdf pdf-tools",
    "casvault mv commands/review.md commands/code/review.md",
    "casvault mv skill/pdf team:skill/pdf",
)
def mv(
    context: typer.Context,
    artifact: ArtifactArgument,
    new: NewArgument,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Give an artifact another path, here or in another collection.

    What the directory holds is recorded first. The artifact keeps its lineage, and projects that have it can follow.
    Nothing is overwritten: the new path must be free.
    """
    call = Call.of(context)
    _answer_transfer(call, call.vault().move(artifact, new, collection=collection, message=message), "moved")


@command(COLLECTIONS, "casvault cp skill/pdf pdf-draft", "casvault cp skill/pdf team:")
def cp(
    context: typer.Context,
    artifact: ArtifactArgument,
    new: NewArgument,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Make another artifact of one, here or in another collection.

    What the directory holds is recorded first. The new artifact is a fork: its lineage goes on from that of the first.
    """
    call = Call.of(context)
    _answer_transfer(call, call.vault().copy(artifact, new, collection=collection, message=message), "copied")


@command(COLLECTIONS, "casvault rm skill/pdf", "casvault rm commands/old.md hook/pre -m 'Not used any more'")
def rm(
    context: typer.Context,
    artifacts: Annotated[list[str], typer.Argument(metavar="ARTIFACT", help=ARTIFACT_HELP)],
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Remove artifacts from a collection and from its directory.

    What the directory holds is recorded first. All versions stay in the vault, and `casvault undo` brings the artifacts
    back. Ignored files among theirs are left and named.
    """
    call = Call.of(context)
    result = call.vault().remove(artifacts, collection=collection, message=message)
    document = {"collection": result.collection, "artifacts": list(result.artifacts)}
    call.answer({**document, **outcome_document(result.outcome)}, _removal_lines(result))
    call.warn_of(result.outcome)


def _answer_transfer(call: Call, result: "TransferResult", verb: str) -> None:
    document = {key: value for key, value in result._asdict().items() if key != "outcome"}
    there = "" if result.new_collection == result.collection else f"{result.new_collection}:"
    line = (
        f"{quoted(result.artifact)}: {verb} to {quoted(there + result.new_artifact)}, version {short(result.version)}"
    )
    call.answer({**document, **outcome_document(result.outcome)}, [line])
    call.warn_of(result.outcome)


def _removal_lines(result: "RemoveResult") -> list[str]:
    removed = f"{count(len(result.artifacts), 'artifact')} removed; `casvault undo` brings back what went"
    return [
        f"{coloured(result.collection, bold=True)}: {removed}",
        *(changed("removed", it) for it in result.artifacts),
    ]
