"""tag, bump."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, CollectionOption, MessageOption, command
from casvault.cli.commands.artifacts import ArtifactArgument
from casvault.cli.documents import plain
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault import Vault
    from casvault.vault.results.tags import BumpInfo, TagInfo, TagResult

StrictOption = Annotated[bool, typer.Option("--strict", help="Take a renamed file for one removed and one added.")]
_COLOURS = {"major": "red", "minor": "yellow", "patch": "green", "none": None}


@command(
    HISTORY,
    "casvault tag skill/pdf v1.2.0 -m 'Reads forms'",
    "casvault tag skill/pdf stable v1.1.0",
    "casvault tag skill/pdf --auto",
    "casvault tag skill/pdf",
    "casvault tag skill/pdf v1.2.0 --delete",
)
def tag(
    context: typer.Context,
    artifact: ArtifactArgument,
    label: Annotated[
        str | None, typer.Argument(metavar="LABEL", help="Any name; v1.2.0 is ordered as a semantic version.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Argument(metavar="VERSION", help="An id, a tag, ~1, @{2026-01-31} or @{in:PROJECT}; else the newest."),
    ] = None,
    major: Annotated[bool, typer.Option("--major", help="It breaks with the versions before.")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Take the label that `casvault bump` suggests.")] = False,
    strict: StrictOption = False,
    force: Annotated[bool, typer.Option("--force", help="Take the label from the version that has it.")] = False,
    delete: Annotated[bool, typer.Option("-d", "--delete", help="Forget the tag.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the tags, as without a label.")] = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Give a version of an artifact a name that stays with it, or list the names.

    A tag names one version for good: it is refused to another one unless --force says so, which is recorded. Wherever
    a version is meant, ARTIFACT@LABEL is understood, and LABEL alone where the artifact is given. Tags go with an
    artifact that is moved.
    """
    _check(label, version, major=major, auto=auto, strict=strict, force=force, delete=delete, listed=listed)
    call = Call.of(context)
    vault = call.vault()
    if auto:
        result = vault.tag_next(artifact, strict=strict, message=message, collection=collection)
    elif label is None or listed:
        _list(call, vault, artifact, collection)
        return
    elif delete:
        result = vault.delete_tag(artifact, label, message=message, collection=collection)
    else:
        result = vault.tag(artifact, label, version, major=major, force=force, message=message, collection=collection)
    call.answer(_tag_document(result, deleted=delete), _tag_lines(result, deleted=delete))
    call.warn_of(result.outcome)


@command(HISTORY, "casvault bump skill/pdf", "casvault bump skill/pdf v1.2.0", "casvault bump skill/pdf ~3 --strict")
def bump(
    context: typer.Context,
    artifact: ArtifactArgument,
    old: Annotated[
        str | None,
        typer.Argument(metavar="FROM", help="A version; else the highest version tag.", show_default=False),
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="TO", help="A version; else the newest one.", show_default=False)
    ] = None,
    strict: StrictOption = False,
    collection: CollectionOption = None,
) -> None:
    """Say whether the next version is a major, minor or patch step, and why.

    Files that are gone make it major, new or renamed ones minor, all else patch. Below 1.0.0 nothing is promised, so
    what is major raises the minor number there.
    """
    call = Call.of(context)
    found = call.vault().bump(artifact, old, new, strict=strict, collection=collection)
    call.answer({key: plain(value) for key, value in found._asdict().items()}, _bump_lines(found), always=True)
    for note in found.notes:
        call.warn(note)


def _check(label: str | None, version: str | None, **flags: bool) -> None:
    """Refuse what does not go together, before anything is opened."""
    asked = [name for name in ("auto", "delete", "listed") if flags[name]]
    if len(asked) > 1:
        raise UsageError("--auto, --delete and --list do not go together")
    if flags["auto"] and (label is not None or flags["major"] or flags["force"]):
        raise UsageError("--auto chooses the label, and nothing else goes with it but --strict", place=label)
    if flags["strict"] and not flags["auto"]:
        raise UsageError("--strict goes with --auto")
    if flags["delete"] and (label is None or version is not None or flags["major"] or flags["force"]):
        raise UsageError("--delete takes the label of one tag, and nothing else with it", place=label)
    if flags["listed"] and label is not None:
        raise UsageError("--list takes no label", place=label)
    if label is None and not flags["auto"] and (flags["major"] or flags["force"]):
        raise UsageError("name the tag", remedy="casvault tag ARTIFACT LABEL")


def _list(call: Call, vault: "Vault", artifact: str, collection: str | None) -> None:
    found = vault.tags(artifact, collection=collection)
    call.answer({"tags": plain(found)}, _list_lines(found, artifact), always=True)


def _list_lines(found: "list[TagInfo]", artifact: str) -> list[str]:
    if not found:
        return [f"no tags; `casvault tag {artifact} v1.0.0` makes one"]
    return columns([_list_row(info) for info in found])


def _list_row(info: "TagInfo") -> tuple[str, ...]:
    facts = ["major"] if info.major else []
    facts += [f"was {info.replaced.short}"] if info.replaced is not None else []
    facts += ["of what was here before"] if info.former else []
    title = printable(info.message.strip().split("\n")[0])
    return (
        coloured(quoted(info.label), bold=not info.former, dim=info.former),
        short(info.version),
        moment(info.seconds, info.zone)[:16],
        ", ".join(facts),
        title,
    )


def _tag_document(result: "TagResult", *, deleted: bool) -> dict[str, object]:
    fields = {key: plain(value) for key, value in result._asdict().items() if key != "outcome"}
    return {**fields, "deleted": deleted, **outcome_document(result.outcome)}


def _tag_lines(result: "TagResult", *, deleted: bool) -> Iterator[str]:
    name = f"{coloured(quoted(result.artifact), bold=True)}@{quoted(result.label)}"
    if deleted:
        yield f"{name}: forgotten; `casvault undo` brings it back"
    elif not result.created:
        yield f"{name}: names version {short(result.version)} already"
    else:
        why = "" if result.suggestion is None else f", {_why(result.suggestion)}"
        yield f"{name}: version {short(result.version)}{why}"
        if result.replaced is not None:
            yield f"it named {short(result.replaced)} before; `casvault undo` gives it back"


def _why(found: "BumpInfo") -> str:
    if found.current is None:
        return "the first tag"
    return f"{found.bump.value} after {quoted(found.current)}"


def _bump_lines(found: "BumpInfo") -> Iterator[str]:
    word = coloured(found.bump.value, _COLOURS[found.bump.value], bold=True)
    if found.old is None:
        yield f"{quoted(found.artifact)}: no version tag yet; the first would be {found.next}"
    elif found.next is None:
        yield f"{quoted(found.artifact)}: {word}, since {quoted(found.current or found.old.short)}"
    else:
        yield f"{quoted(found.artifact)}: {word}, {quoted(found.current or found.old.short)} → {found.next}"
    rows = [
        (f"  {reason.bump.value}", reason.change.value, quoted(reason.path), _from(reason.old_path))
        for reason in found.reasons
    ]
    yield from columns(rows)


def _from(old_path: str | None) -> str:
    return "" if old_path is None else f"was {quoted(old_path)}"
