"""What a project's records become: deployments with the versions that their hashes name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.deploy.projects import find_owner_refusal
from casvault.deploy.state import Deployment, Place, set_deployments
from casvault.interop.skillmeat.deployed import DeployedFile, Record, parse_deployed
from casvault.interop.skillmeat.kept import PROJECTS, Legacy, plan_kept_project, read_kept_project
from casvault.interop.skillmeat.results import ImportedDeployment, LeftOut
from casvault.interop.skillmeat.tables import is_hash

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.interop.skillmeat.matching import Matching
    from casvault.oid import Oid
    from casvault.vault.taking import TakenProject

Manifests = Mapping[bytes, Mapping[tuple[str, str], bytes]]
"""By collection: where the artifact of a name and type is."""


class ProjectFiles(NamedTuple):
    directory: Path
    files: tuple[DeployedFile, ...]

    @property
    def records(self) -> Iterator[Record]:
        for file in self.files:
            yield from file.records


class Planned(NamedTuple):
    """What becomes of one project's records."""

    deployments: list[ImportedDeployment]
    legacy: list[Legacy]
    left_out: list[LeftOut]


def locate(record: Record, manifests: Manifests) -> bytes | None:
    """Where a record says that its artifact is, relative to its root."""
    if record.path is not None:
        return record.path
    return manifests.get(record.collection.encode(errors="surrogateescape"), {}).get((record.name, record.type))


def resolve(record: Record, manifests: Manifests, is_known: Callable[[bytes, bytes], bool]) -> Place | None:
    """The place of a record: the collection has an artifact at its path, or at the end of that, in a longer root."""
    path, collection = locate(record, manifests), record.collection.encode(errors="surrogateescape")
    if path is None:
        return None
    starts = [0, *(end + 1 for end, sign in enumerate(path) if sign == 0x2F)]
    found = next((start for start in starts if is_known(collection, path[start:])), None)
    if found is None:
        return None
    above = path[: max(found - 1, 0)]
    return Place(record.root + b"/" + above if above else record.root, collection, path[found:])


def plan_project(
    draft: Draft, matching: Matching, taken: TakenProject, project: ProjectFiles, manifests: Manifests
) -> Planned:
    """Plan the deployments of those records that are new or have changed since the last import."""
    return _Planning(draft, matching, taken, manifests).plan(project)


class _Planning:
    def __init__(self, draft: Draft, matching: Matching, taken: TakenProject, manifests: Manifests) -> None:
        self._draft = draft
        self._matching = matching
        self._taken = taken
        self._manifests = manifests
        self._changes: dict[Place, Deployment | None] = {}
        self._planned = Planned([], [], [])

    def plan(self, project: ProjectFiles) -> Planned:
        draft, subject = self._draft, self._taken.subject
        if subject.claim.copied_from is not None and draft.ref(subject.ref) is None:
            draft.set_ref(subject.ref, subject.state)
        kept = read_kept_project(draft.stage, draft.ref(PROJECTS + subject.name))
        texts = {file.relative: file.text for file in project.files}
        if texts == kept.files and draft.ref(subject.ref) is not None:
            return self._planned
        before = [parse_deployed(text, path, show(path)) for path, text in kept.files.items()]
        old = {_key(record): record for file in before for record in file.records}
        for file in project.files:
            for record in file.records:
                known = old.pop(_key(record), None)
                if known is None or known.claim != record.claim:
                    self._take(record)
        for record in old.values():
            self._drop(record)
        set_deployments(draft, subject.ref, self._changes)
        plan_kept_project(draft, subject.name, subject.ref, texts, self._planned.legacy)
        return self._planned

    def _take(self, record: Record) -> None:
        place = resolve(record, self._manifests, self._is_known)
        if place is None:
            self._leave(record, self._reason(record))
            return
        seconds = None if record.stamp is None else record.stamp.seconds
        content = None if record.content is None else self._match(place, record.content, seconds)
        base = None if record.base is None else self._match(place, record.base, seconds)
        self._planned.legacy.extend(self._legacies(record, place, content, base))
        state = self._taken.scan.states.get(place.file_path)
        recognised = None
        if content is None and base is None and state is not None:
            recognised = self._matching.find_content(place.collection, place.path, state)
        deployed, settled = content or base or recognised, base or content or recognised
        if deployed is None or settled is None:
            self._leave(record, "no version of the artifact has a hash that is recorded, nor the project's content")
            return
        if content is not None and state is not None and self._matching.has_content(content, state):
            # What nobody has edited is the version that was deployed, whatever it was once to be merged over.
            settled = content
        self._settle(record, place, deployed, settled, recognised=recognised is not None)

    def _settle(self, record: Record, place: Place, deployed: Oid, settled: Oid, *, recognised: bool) -> None:
        subject = self._taken.subject
        refusal = find_owner_refusal({**subject.deployments, **self._changes}, place)
        if refusal is not None:
            raise refusal
        old = subject.deployments.get(place)
        self._changes[place] = Deployment(deployed, settled, None, None if old is None else old.pin)
        project, root, collection, path = map(show, (subject.name, *place))
        self._planned.deployments.append(
            ImportedDeployment(project, root, collection, path, deployed, settled, recognised, record.tag)
        )

    def _drop(self, record: Record) -> None:
        """What SkillMeat does not list any more is deployed no longer, unless it is still there."""
        place = resolve(record, self._manifests, self._is_known)
        directory = self._taken.subject.directory
        if place in self._taken.subject.deployments and not (directory / show(place.file_path)).exists():
            self._changes[place] = None

    def _is_known(self, collection: bytes, path: bytes) -> bool:
        return bool(self._matching.lineage(collection, path))

    def _match(self, place: Place, text: str, not_after: int | None) -> Oid | None:
        """The version that a hash or the id of a snapshot names."""
        if is_hash(text):
            return self._matching.find(place.collection, place.path, text, not_after)
        return self._matching.find_in_snapshot(place.collection, text, place.path)

    def _legacies(self, record: Record, place: Place, content: Oid | None, base: Oid | None) -> Iterator[Legacy]:
        """The recorded hashes that no imported content has."""
        layout, table = record.layout, record.table
        if content is None:
            key = table.find_key(layout.key("content_hash"), "content-hash", "collection_sha")
            yield Legacy(table.file, table.name + (key or ""), table.text(key or ""))
        if base is None and record.base is not None:
            yield Legacy(table.file, table.name + layout.key("merge_base_snapshot"), record.base)
        others = [("parent_hash", record.value("parent_hash"))]
        lineage = record.value("version_lineage")
        others += [
            (f"version_lineage[{at}]", text) for at, text in enumerate(lineage if isinstance(lineage, list) else ())
        ]
        for key, text in others:
            if isinstance(text, str) and text != record.content and self._match(place, text, None) is None:
                yield Legacy(table.file, table.name + layout.key(key), text)

    def _leave(self, record: Record, reason: str) -> None:
        path = locate(record, self._manifests)
        name = f"{record.type} {record.name}" if path is None else show(path)
        self._planned.left_out.append(LeftOut(record.table.file, name, reason))

    def _reason(self, record: Record) -> str:
        if not self._matching.has_collection(record.collection.encode(errors="surrogateescape")):
            return f"there is no collection {record.collection!r}"
        return f"collection {record.collection!r} never had an artifact at this path"


def _key(record: Record) -> tuple[bytes, str, str, str]:
    """What tells records of one project from one another."""
    return (record.file_path or b"", record.collection, record.type, record.name)
