"""Moving in: SkillMeat's collections with their past, and what it deployed, in one operation.

Everything is read and checked before the first thing is written. What was taken over before and has not changed since
is left as it is, so that a second import of the same directories changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.deploy.state import Place
from casvault.interop.skillmeat.deployed import find_projects, read_files
from casvault.interop.skillmeat.facts import History
from casvault.interop.skillmeat.hashing import hash_path
from casvault.interop.skillmeat.home import read_homes
from casvault.interop.skillmeat.kept import COLLECTIONS, plan_kept_collection, read_kept_collection
from casvault.interop.skillmeat.matching import Hashes, Matching
from casvault.interop.skillmeat.pasts import Found, Lineage, find_wrong_locks, hash_units, plan_collection, scan_archive
from casvault.interop.skillmeat.records import Planned, ProjectFiles, locate, plan_project, resolve
from casvault.interop.skillmeat.results import ImportedCollection, ImportResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault import Vault
    from casvault.artifacts.draft import Draft
    from casvault.deploy.run import Outcome
    from casvault.interop.skillmeat.home import Home
    from casvault.interop.skillmeat.records import Manifests
    from casvault.vault.taking import Taking

KIND = "skillmeat-import"


class _Wanted(NamedTuple):
    """What the files say, all of it checked."""

    homes: list[Home]
    projects: list[ProjectFiles]
    manifests: Manifests


def import_skillmeat(vault: Vault, home: Path | str | None, projects: Iterable[Path | str] = ()) -> ImportResult:
    """Take over the collections of a home directory, where they are, and what is deployed in projects.

    `projects` are directories of projects, or such that have projects in them. A hash that was recorded and that is of
    a content of the collection becomes the base from which edits are merged; one that is not is kept and named.
    MalformedError, with nothing imported, for a file that is damaged or says what cannot be.
    """
    wanted = _read(None if home is None else Path(home), map(Path, projects))
    directories = {each.name: each.directory for each in wanted.homes}
    places = {each.directory: [*_places(each, wanted.manifests)] for each in wanted.projects}
    with vault.take_in(KIND, directories, places, "from SkillMeat") as taking:
        lineages = [_scan(vault, taking, each) for each in wanted.homes]
        hashes = Hashes(taking.stage)
        planned: list[Planned] = []

        def plan(draft: Draft) -> None:
            planned[:] = _plan(draft, taking, wanted, lineages, hashes)

        outcome = taking.run(plan)
    return _result(wanted, taking, lineages, planned, outcome)


def _read(home: Path | None, directories: Iterable[Path]) -> _Wanted:
    homes = [] if home is None else read_homes(home)
    projects = [ProjectFiles(each, tuple(read_files(each))) for each in find_projects(directories)]
    manifests = {
        each.name.encode(): {(listed.name, listed.type): listed.path for listed in each.manifest} for each in homes
    }
    return _Wanted(homes, projects, manifests)


def _places(project: ProjectFiles, manifests: Manifests) -> Iterator[Place]:
    """Where records say that something is; the root may turn out to be a longer one, the file is the same."""
    for record in project.records:
        path = locate(record, manifests)
        if path is not None:
            yield Place(record.root, record.collection.encode(errors="surrogateescape"), path)


def _scan(vault: Vault, taking: Taking, home: Home) -> Lineage:
    line = taking.line(home.name)
    kept = read_kept_collection(taking.stage, vault.find_ref((COLLECTIONS + line.name).decode()))
    # What casvault has exported of its own history is there already.
    known = {*kept.snapshots, *History(vault).snapshot_ids(line.name).values()}
    pasts = [scan_archive(taking.stage, home, each) for each in home.archives if each.id not in known]
    units = () if line.scan is None else line.scan.units
    return Lineage(home, line, tuple(pasts), hash_units(home.directory, units))


def _plan(
    draft: Draft, taking: Taking, wanted: _Wanted, lineages: Sequence[Lineage], hashes: Hashes
) -> Iterator[Planned]:
    kept = {
        name.removeprefix(COLLECTIONS): read_kept_collection(draft.stage, oid)
        for name, oid in draft.view.iter_refs(COLLECTIONS.rstrip(b"/"))
    }
    before = Matching(draft, hashes, kept)
    for lineage in lineages:
        found = list(_find_deployed(taking, wanted, lineage, hashes, before))
        old = kept.get(lineage.name) or read_kept_collection(draft.stage, None)
        kept[lineage.name] = plan_collection(draft, lineage, old, hashes, found)
    matching = Matching(draft, hashes, kept)
    for lineage in lineages:
        wrong = find_wrong_locks(lineage, matching)
        plan_kept_collection(draft, lineage.name, kept[lineage.name], wrong)
        yield Planned([], wrong, [])
    for project in wanted.projects:
        yield plan_project(draft, matching, taking.projects[project.directory], project, wanted.manifests)


def _find_deployed(
    taking: Taking, wanted: _Wanted, lineage: Lineage, hashes: Hashes, before: Matching
) -> Iterator[Found]:
    """Contents of a collection that nothing but a project has, unedited since it was deployed there."""
    if not wanted.projects:
        return
    seen, paths = lineage.known_hashes(hashes), lineage.paths
    for project in wanted.projects:
        states = taking.projects[project.directory].scan.states
        for record in project.records:
            if record.collection != lineage.home.name or record.content is None or record.stamp is None:
                continue
            place = resolve(record, wanted.manifests, lambda _, path: path in paths)
            state = None if place is None else states.get(place.file_path)
            if place is None or state is None or (place.path, record.content) in seen:
                continue
            is_unedited = _hash_of(project, place) == record.content
            if is_unedited and before.find(lineage.name, place.path, record.content, None) is None:
                seen.add((place.path, record.content))
                yield Found(record.stamp, place.path, state)


def _hash_of(project: ProjectFiles, place: Place) -> str:
    return hash_path(project.directory / os.fsdecode(place.file_path))


def _result(
    wanted: _Wanted, taking: Taking, lineages: Iterable[Lineage], planned: Iterable[Planned], outcome: Outcome
) -> ImportResult:
    plans = list(planned)
    collections = (
        ImportedCollection(
            each.home.name, each.home.directory, tuple(past.archive.id for past in each.pasts), each.home.missing
        )
        for each in lineages
    )
    names = (taking.projects[each.directory].subject.name.decode() for each in wanted.projects)
    return ImportResult(
        tuple(collections),
        tuple(names),
        tuple(row for each in plans for row in each.deployments),
        tuple(row for each in plans for row in each.legacy),
        tuple(row for each in plans for row in each.left_out),
        outcome,
    )
