"""Moving out: the files of projects, as SkillMeat writes them.

A record whose deployment is what it was when its text was kept stays as it stands; one that has changed gets the
hashes, the lineage and the times that the history says, and keeps the rest. A file that somebody has changed since it
was kept is not overwritten: what it says has to be imported first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.deploy.run import Outcome
from casvault.deploy.state import DEFAULT_ROOT, Place, read_deployments
from casvault.errors import NotFoundError, RefusedError, StaleError
from casvault.files import find_file, make_directory, write_file
from casvault.interop.skillmeat.deployed import DEPLOYED_FILE, DeployedFile, Layout, Record, parse_deployed
from casvault.interop.skillmeat.facts import History
from casvault.interop.skillmeat.hashing import hash_path
from casvault.interop.skillmeat.homing import plan_homes, write_home
from casvault.interop.skillmeat.kept import PROJECTS, write_project_root
from casvault.interop.skillmeat.rendering import render_deployed
from casvault.interop.skillmeat.results import ExportedFile, ExportResult
from casvault.interop.skillmeat.stamps import write_like

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault import Vault
    from casvault.deploy.state import Deployments
    from casvault.interop.skillmeat.facts import Facts
    from casvault.interop.skillmeat.kept import KeptProject
    from casvault.interop.skillmeat.rendering import Values
    from casvault.oid import Oid
    from casvault.vault.backend import Transaction

KIND = "skillmeat-export"
_EMPTY = b"deployed = []\n"
_DEFAULT_FILE = DEFAULT_ROOT + b"/" + DEPLOYED_FILE.encode()


def export_skillmeat(
    vault: Vault,
    home: Path | str | None = None,
    projects: Iterable[Path | str] = (),
    *,
    collections: Iterable[str] = (),
    all_snapshots: bool = False,
    force: bool = False,
) -> ExportResult:
    """Write SkillMeat's files: into the directories of projects, all of them if none is named, and the vault's
    collections, or those that are named, into a home directory, if one is given.

    With `all_snapshots` those that casvault has taken become archives there, too, and not only SkillMeat's own.
    RefusedError, with nothing written, where a file says what the vault does not know, unless `force` is given: then
    what it says is kept.
    """
    history = History(vault)
    jobs = [_plan_project(history, each) for each in _find_projects(vault, list(map(Path, projects)))]
    wrong = [str(write.path) for job in jobs for write in job.writes if not write.is_known]
    if wrong and not force:
        raise RefusedError(
            "changed since it was imported, and what it says would be lost",
            place=", ".join(wrong),
            remedy="`casvault skillmeat import` takes it over; --force replaces it, and keeps it in the vault",
        )
    homes = [] if home is None else plan_homes(vault, history, Path(home), collections, all_snapshots=all_snapshots)
    with vault.transaction("to SkillMeat", kind=KIND) as transaction:
        for job in jobs:
            _keep(vault, transaction, job)
    files = [written for each in homes for written in write_home(vault, each)]
    files += [_write(write) for job in jobs for write in job.writes]
    return ExportResult(tuple(files), transaction.outcome or Outcome(None))


class _Project(NamedTuple):
    name: str
    directory: Path


class _Write(NamedTuple):
    path: Path
    relative: bytes
    old: bytes | None
    new: bytes
    is_known: bool
    """Whether the vault has what stands there."""


class _Job(NamedTuple):
    project: _Project
    state: Oid
    kept: KeptProject
    writes: list[_Write]


def _find_projects(vault: Vault, directories: list[Path]) -> list[_Project]:
    known = {each.directory: _Project(each.name, each.directory) for each in vault.projects() if each.directory}
    if not directories:
        return [each for each in known.values() if each.directory.is_dir()]
    missing = [str(each) for each in directories if Path(os.path.realpath(each)) not in known]
    if missing:
        raise NotFoundError(
            "not a project of this vault", place=", ".join(missing), remedy="see `casvault project list`"
        )
    return [known[Path(os.path.realpath(each))] for each in directories]


def _plan_project(history: History, project: _Project) -> _Job:
    state = history.state(project.name)
    if state is None:
        raise NotFoundError("not a project of this vault", place=project.name)
    kept = history.kept_project(project.name)
    writer = _Writer(history, project, state, kept)
    writes = []
    for relative, new in writer.texts().items():
        path = project.directory / show(relative)
        if os.path.realpath(path.parent) != str(path.parent):
            raise RefusedError("its directory is a symlink", place=str(path), remedy="make it a directory of its own")
        if path.is_symlink():
            raise RefusedError(
                "a symlink, which would be replaced", place=str(path), remedy="make it a file of its own"
            )
        old = find_file(path)
        is_known = old is None or old == new or history.has_kept(project.name, relative, old)
        writes.append(_Write(path, relative, old, new, is_known))
    return _Job(project, state, kept, writes)


def _keep(vault: Vault, transaction: Transaction, job: _Job) -> None:
    """Keep the new texts, and before them what stands there that nobody knew."""
    name = f"{PROJECTS.decode()}{job.project.name}"
    tip = vault.find_ref(name)
    found = {write.relative: write.old for write in job.writes if write.old is not None and not write.is_known}
    if found:
        root = write_project_root(transaction.stage, {**job.kept.files, **found}, job.kept.state)
        tip = transaction.write_commit(root, () if tip is None else (tip,), "as it was found")
    files = {**job.kept.files, **{write.relative: write.new for write in job.writes}}
    if files != job.kept.files or found:
        root = write_project_root(transaction.stage, files, job.state)
        transaction.set_ref(name, transaction.write_commit(root, () if tip is None else (tip,), "to SkillMeat"))


def _write(write: _Write) -> ExportedFile:
    if write.old != write.new:
        if find_file(write.path) != write.old:
            raise StaleError(
                "somebody has changed it since it was looked at, so it was left alone",
                place=str(write.path),
                remedy="run the export again",
            )
        make_directory(write.path.parent)
        write_file(write.path, write.new)
    return ExportedFile(write.path, write.old != write.new)


class _Writer:
    """The files of one project."""

    def __init__(self, history: History, project: _Project, state: Oid, kept: KeptProject) -> None:
        self._history = history
        self._project = project
        self._before = read_deployments(history.reader, kept.state)
        self._now = read_deployments(history.reader, state)
        self._facts = history.facts(state)
        self._kept = kept
        self._left = set(self._now)
        """Deployments that no record was met for yet."""

    def texts(self) -> dict[bytes, bytes]:
        """What each file has to say."""
        files = [parse_deployed(text, relative, show(relative)) for relative, text in self._kept.files.items()]
        changes = {file.relative: self._compare(file) for file in files}
        if not files and self._left:
            files = [parse_deployed(_EMPTY, _DEFAULT_FILE, show(_DEFAULT_FILE))]
            changes = {_DEFAULT_FILE: _Changes({}, [], [])}
        for place in sorted(self._left):
            file = _file_for(files, place)
            changes[file.relative].added.append(self._new_record(file, place))
        return {file.relative: _render(file, changes[file.relative]) for file in files}

    def _compare(self, file: DeployedFile) -> _Changes:
        """What has become of the records of a file."""
        changes = _Changes({}, [], [])
        for number, record in enumerate(file.records):
            place = _find_place(self._now, record) or self._find_by_name(self._now, record)
            if place is not None:
                self._left.discard(place)
                if self._has_changed(place) or self._is_tagged_anew(record, place):
                    changes.changed[number] = self._changed_record(record, place)
            elif _find_place(self._before, record) or self._find_by_name(self._before, record):
                changes.removed.append(number)
        return changes

    def _has_changed(self, place: Place) -> bool:
        before, now = self._before.get(place), self._now[place]
        return before is None or (before.deployed, before.settled) != (now.deployed, now.settled)

    def _is_tagged_anew(self, record: Record, place: Place) -> bool:
        tag = self._facts[place].tag
        return tag is not None and tag.name != record.tag

    def _find_by_name(self, deployments: Deployments, record: Record) -> Place | None:
        """The deployment of a record that does not say where it is."""
        if record.path is not None:
            return None
        wanted = (record.root, record.collection, record.type, record.name)
        found = (place for place in deployments if (place.root, show(place.collection), *self._names(place)) == wanted)
        return next(found, None)

    def _names(self, place: Place) -> tuple[str, str]:
        """Type and name of an artifact."""
        return self._history.names(place.collection, place.path)

    def _changed_record(self, record: Record, place: Place) -> Values:
        facts, before = self._facts[place], self._before.get(place)
        is_same = before is not None and before.deployed == self._now[place].deployed
        if is_same:
            values: Values = dict(_tag_values(facts)) if facts.tag is not None else {}
            if self._has_changed(place):
                values["merge_base_snapshot"] = facts.base
        else:
            values = self._identity(facts, _continued(facts.lineage, record), record.value("deployed_at"))
        if "local_modifications" in record.table.values:
            values["local_modifications"] = self._is_modified(facts)
        if record.table.find_key("collection_sha") is not None and not is_same:
            values["collection_sha"] = facts.hash
        return values

    def _new_record(self, file: DeployedFile, place: Place) -> Values:
        facts = self._facts[place]
        kind, name = self._names(place)
        model = next((record.value("deployed_at") for record in file.records), None)
        values: Values = {
            "artifact_name": name,
            "artifact_type": kind,
            "from_collection": show(place.collection),
            "deployed_at": None,
            "artifact_path": show(place.path),
            **self._identity(facts, list(facts.lineage), model),
        }
        if file.layout is Layout.DEPLOYED:
            values["local_modifications"] = self._is_modified(facts)
            values["collection_sha"] = facts.hash
        if place.root != (file.relative.rpartition(b"/")[0] or DEFAULT_ROOT):
            values["profile_root_dir"] = show(place.root)
        return values

    def _identity(self, facts: Facts, lineage: list[str], model: object) -> Values:
        """All that a new version changes."""
        return {
            "deployed_at": write_like(facts.deployed_at, model),
            "content_hash": facts.hash,
            "parent_hash": lineage[1] if len(lineage) > 1 else None,
            "version_lineage": lineage,
            "merge_base_snapshot": facts.base,
            "snapshot_id": facts.snapshot,
            **_tag_values(facts),
        }

    def _is_modified(self, facts: Facts) -> bool:
        """Whether SkillMeat would find that the files are not what was deployed."""
        path = self._project.directory / show(facts.place.file_path)
        return path.exists() and hash_path(path) != facts.hash


def _tag_values(facts: Facts) -> Values:
    return {
        "version_tag": None if facts.tag is None else facts.tag.name,
        "is_major_change": None if facts.tag is None else facts.tag.is_major,
    }


class _Changes(NamedTuple):
    changed: dict[int, Values]
    removed: list[int]
    added: list[Values]


def _render(file: DeployedFile, changes: _Changes) -> bytes:
    if not any(changes):
        return file.text
    return render_deployed(file.text, file.layout, *changes)


def _find_place(deployments: Iterable[Place], record: Record) -> Place | None:
    found = (
        place
        for place in deployments
        if place.file_path == record.file_path and show(place.collection) == record.collection
    )
    return next(found, None)


def _file_for(files: Iterable[DeployedFile], place: Place) -> DeployedFile:
    """The file for a new record: that of its root, else the first that has the newer layout."""
    ordered = sorted(
        files,
        key=lambda file: (file.relative.rpartition(b"/")[0] != place.root, file.layout is not Layout.DEPLOYED),
    )
    return ordered[0]


def _continued(lineage: tuple[str, ...], record: Record) -> list[str]:
    """What was deployed, and behind it what the record knows from before: it begins with what both know."""
    known = record.value("version_lineage")
    earlier = list(known) if isinstance(known, list) else [each for each in (record.content,) if each is not None]
    shared = next(
        (size for size in range(min(len(lineage), len(earlier)), 0, -1) if [*lineage[-size:]] == earlier[:size]), 0
    )
    return [*lineage, *earlier[shared:]]
