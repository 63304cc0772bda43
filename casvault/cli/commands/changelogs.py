"""changelog."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, CollectionOption, command
from casvault.cli.commands.artifacts import ArtifactArgument
from casvault.cli.documents import plain, print_document
from casvault.cli.terminal import moment, printable, quoted

if TYPE_CHECKING:
    from casvault.vault.results.changelogs import Changelog, ChangelogSection
    from casvault.vault.results.versions import VersionChange


class Format(Enum):
    """The choices of --format."""

    MD = "md"
    JSON = "json"


_HEADINGS = {
    "removed": "Removed",
    "added": "Added",
    "renamed": "Renamed",
    "modified": "Changed",
    "mode": "Mode changed",
}
_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>#|"})


@command(
    HISTORY,
    "casvault changelog skill/pdf",
    "casvault changelog skill/pdf --from v1.0.0 --to v2.0.0",
    "casvault changelog skill/pdf --format json",
)
def changelog(
    context: typer.Context,
    artifact: ArtifactArgument,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="VERSION", help="Only what this version does not have.", show_default=False),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="Only what this version has.", show_default=False)
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="Markdown, or one JSON document.")] = Format.MD,
    collection: CollectionOption = None,
) -> None:
    """Write the changelog of an artifact: what came with each of its tags, and what has come since."""
    call = Call.of(context)
    found = call.vault().changelog(artifact, since=since, until=until, collection=collection)
    document = {key: plain(value) for key, value in found._asdict().items()}
    if form is Format.JSON and not call.json:
        call.clear()
        print_document(document)
    else:
        call.answer(document, _markdown(found), always=True)
    for note in found.notes:
        call.warn(note)


def _markdown(found: "Changelog") -> Iterator[str]:
    yield f"# Changelog of {_text(found.artifact)}"
    if not found.sections:
        yield ""
        yield "Nothing has changed."
    for section in found.sections:
        yield ""
        yield from _section_lines(section)


def _section_lines(section: "ChangelogSection") -> Iterator[str]:
    day = moment(section.seconds, section.zone)[:10]
    title = f"{_text(', '.join(section.labels))} ({day})" if section.labels else "Unreleased"
    yield f"## {title}{' **major**' if section.major else ''}"
    if section.message.strip():
        yield ""
        for line in section.message.strip().split("\n"):
            yield _text(line).rstrip()
    lines = [f"- {_version_text(each.message, each.origin)} ({each.id.short})" for each in section.versions]
    yield ""
    yield from lines
    for kind, heading in _HEADINGS.items():
        changes = [change for change in section.changes if change.change.value == kind]
        if changes:
            yield ""
            yield f"### {heading}"
            yield ""
            yield from (f"- {_change_text(change)}" for change in changes)


def _version_text(message: str, origin: str) -> str:
    """The first line of a version's message, and how it came about."""
    first = message.strip().split("\n")[0]
    return f"{_text(first)}, {origin}" if first else origin


def _change_text(change: "VersionChange") -> str:
    if change.old_path is not None:
        return f"{_path(change.old_path)} → {_path(change.path)}"
    return _path(change.path)


def _path(path: str) -> str:
    """A path as code, in which Markdown takes nothing for a sign of its own but the end."""
    shown = printable(quoted(path))
    return _text(shown) if "`" in shown else f"`{shown}`"


def _text(text: str) -> str:
    """Text in which nothing is taken for Markdown."""
    return printable(text).translate(_MARKDOWN)
