"""timeline, fleet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.choices import chosen
from casvault.cli.command import PROJECTS, CollectionOption, command
from casvault.cli.documents import Document, plain, plain_table
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted, short

if TYPE_CHECKING:
    from casvault.vault.results.reports import (
        ArtifactTimeline,
        Episode,
        Event,
        FleetResult,
        FleetRow,
        When,
    )


@command(PROJECTS, "casvault timeline skill/pdf", "casvault timeline skill/pdf --project ~/app --json")
def timeline(
    context: typer.Context,
    artifact: Annotated[str, typer.Argument(metavar="ARTIFACT", help="A path, or a short name such as skill/pdf.")],
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="DIR", help="By default the current one, else all.", show_default=False),
    ] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All projects, also from within one.")] = False,
    collection: CollectionOption = None,
) -> None:
    """Show what happened to an artifact in a project.

    When it was deployed, since when it is modified, and every time in which it was: when edits were seen first, and
    what they came to. The files are looked at, but nothing is recorded; `casvault drift` does that.
    """
    call = Call.of(context)
    vault = call.vault()
    where = project or (None if everywhere else vault.project_here())
    found = vault.timeline(artifact, where, collection=collection)
    call.answer({"timelines": plain(found)}, _timeline_lines(found), always=True)


@command(
    PROJECTS, "casvault fleet", "casvault fleet --behind", "casvault fleet --status modified --status conflict --json"
)
def fleet(
    context: typer.Context,
    statuses: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only what stands so; may be repeated.", show_default=False),
    ] = None,
    behind: Annotated[bool, typer.Option("--behind", help="Only what the collection has newer versions of.")] = False,
    artifact: Annotated[
        str | None, typer.Option("--artifact", metavar="ARTIFACT", help="Only this one.", show_default=False)
    ] = None,
    collection: CollectionOption = None,
) -> None:
    """Show what is deployed in all projects, and how it stands there.

    The same as `casvault drift --all`, with tags and filters, and nothing is recorded. Projects that are not where they
    were registered are named.
    """
    call = Call.of(context)
    # Not at the top: the façade imports most of casvault, which --help need not wait for.
    from casvault import Status

    found = call.vault().fleet(
        statuses=chosen(Status, statuses), behind=behind, artifact=artifact, collection=collection
    )
    document: Document = {
        "rows": [_fleet_document(row) for row in found.rows],
        "missing": plain(found.missing),
        "notes": plain(found.notes),
    }
    call.answer(document, _fleet_lines(found), always=True)
    for missing in found.missing:
        call.warn(
            f"project {missing.project} is not where it was registered ({missing.directory or 'nowhere'}): "
            f"{count(missing.deployments, 'deployment')} cannot be looked at"
        )
    for note in found.notes:
        call.warn(note)


def _at(when: "When | None") -> str:
    return "never" if when is None else moment(*when)[:16]


def _timeline_lines(found: "list[ArtifactTimeline]") -> Iterator[str]:
    for line in found:
        yield f"{coloured(quoted(line.artifact), bold=True)} in {line.project}: {_standing(line)}"
        if line.deployed is not None:
            versions = ("deployed", line.deployed), ("settled", line.settled), ("observed", line.observed)
            known = [f"{name} {short(oid)}" for name, oid in (*versions, ("parent", line.parent)) if oid is not None]
            yield f"  {', '.join(known)}{'' if line.pin is None else f', pinned to {line.pin}'}"
            yield f"  deployed at {_at(line.deployed_at)}, last checked at {_at(line.last_checked)}"
        yield from columns([_event_cells(event) for event in line.events])
        if line.episodes:
            yield "  modified"
            yield from columns([_episode_cells(episode) for episode in line.episodes])


def _standing(line: "ArtifactTimeline") -> str:
    if line.deployed is None:
        return "not deployed any more"
    if line.directory is None or line.modified is None:
        return "the project is not where it was registered"
    if not line.modified:
        return "not modified"
    since = "not recorded yet" if line.first_seen is None else f"since {_at(line.first_seen)}"
    return coloured(f"modified, {since}", "yellow")


def _event_cells(event: "Event") -> tuple[str, ...]:
    return (
        f"  {moment(*event.at)[:16]}",
        f"{event.operation:>4}",
        event.command,
        coloured(event.kind.value, bold=True),
        f"{short(event.before)} → {short(event.after)}",
        printable(event.author),
    )


def _episode_cells(episode: "Episode") -> tuple[str, ...]:
    ended = "still" if episode.ending is None else episode.ending.value
    until = "now" if episode.until is None else _at(episode.until)
    return f"    {_at(episode.since)}", f"to {until}", ended, count(episode.edits, "state")


def _fleet_document(row: "FleetRow") -> Document:
    # Not at the top: the façade imports most of casvault, which --help need not wait for.
    from casvault.vault.results.reports import When

    document = plain_table(row.drift)
    for key in ("last_deployed", "first_seen", "last_checked"):
        seconds = getattr(row.drift, key)
        document[key] = None if seconds is None else When(seconds).iso
    return {**document, "directory": plain(row.directory), "tags": plain(row.tags)}


def _fleet_lines(found: "FleetResult") -> Iterator[str]:
    if not found.rows:
        yield "nothing of that is deployed anywhere"
        return
    yield from columns([_fleet_cells(row) for row in found.rows])
    totals: dict[str, int] = {}
    for row in found.rows:
        totals[row.drift.status.value] = totals.get(row.drift.status.value, 0) + 1
    projects = len({row.drift.project for row in found.rows})
    listed = ", ".join(f"{number:,} {status}" for status, number in sorted(totals.items(), key=lambda item: -item[1]))
    yield f"{count(len(found.rows), 'artifact')} in {count(projects, 'project')}: {listed}"


def _fleet_cells(row: "FleetRow") -> tuple[str, ...]:
    drift = row.drift
    facts = []
    if drift.behind:
        facts.append(f"{count(drift.behind, 'version')} behind")
    if drift.first_seen is not None:
        facts.append(f"since {moment(drift.first_seen, '+0000')[:16]}")
    if drift.pin is not None:
        facts.append(f"pinned to {drift.pin}")
    version = f"{short(drift.deployed)}{''.join(f' {tag}' for tag in row.tags)}"
    colour = {"IN_SYNC": "green", "CONFLICT": "red", "DELETION_CONFLICT": "red"}.get(drift.status.name, "yellow")
    return (
        coloured(drift.project, bold=True),
        quoted(drift.artifact),
        coloured(drift.status.value, colour),
        version,
        ", ".join(facts),
    )
