"""The façade's part for what reports are about: artifacts and projects by name, those that are gone included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import COLLECTIONS, PROJECTS, show, typed
from casvault.artifacts.revision import pick_path
from casvault.artifacts.snapshot import find_version, iter_links, open_snapshot
from casvault.artifacts.version import COLLECTION, ORIGIN, PATH, Origin
from casvault.deploy.drift import Source
from casvault.deploy.registration import find_directory
from casvault.deploy.state import Place, read_deployments
from casvault.errors import NotFoundError, UsageError
from casvault.objects.names import unescape
from casvault.reports.changes import Kind, iter_changes, iter_steps
from casvault.trees import iter_entries
from casvault.vault.drifting import Drifting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.artifacts.moves import Address
    from casvault.oid import Oid
    from casvault.reports.changes import Change


class OfArtifact(NamedTuple):
    """Whether a change is about an artifact, under any of the names that it had."""

    addresses: frozenset[Address]

    def matches(self, change: Change) -> bool:
        return (change.collection, change.path) in self.addresses


class OfProject(NamedTuple):
    """Whether a change is about a project."""

    name: bytes

    def matches(self, change: Change) -> bool:
        return change.project == self.name


class Concerning(Drifting):
    def _known_states(self) -> Iterator[tuple[bytes, Oid, Path | None]]:
        """Every project with its state, and where it is if it is there."""
        places = self._repository.places.all()
        for ref, state in self._view().iter_refs(PROJECTS.rstrip(b"/")):
            yield ref.removeprefix(PROJECTS), state, find_directory(self._repository, places, ref)

    def _project_states(self) -> dict[bytes, Oid]:
        return {name: state for name, state, _ in self._known_states()}

    def _project_name(self, project: Path | str) -> bytes:
        """A project by its name, or by its directory."""
        known = self._project_states()
        if isinstance(project, str) and not Path(project).is_dir() and typed(project) in known:
            return typed(project)
        return self._subject(project, writing=False).name

    def _places(
        self, names: Iterable[bytes], artifact: str, collection: str | None
    ) -> Iterator[tuple[bytes, list[Place]]]:
        """Where an artifact of this name is deployed in the projects; or was, if it is nowhere any more."""
        wanted = list(names)
        states = self._project_states()
        found = False
        for name in wanted:
            places = self._pick_places(read_deployments(self.reader, states.get(name)), artifact, collection)
            found = found or bool(places)
            yield name, places
        if not found:
            former = self._former_places()
            for name in wanted:
                yield name, self._pick_places(former.get(name, ()), artifact, collection)

    def _pick_places(self, places: Iterable[Place], artifact: str, collection: str | None) -> list[Place]:
        known = [place for place in sorted(places) if collection in (None, show(place.collection))]
        own = {place: Source(place.collection, place.path) for place in known}
        return self._pick_among(own, artifact) or self._pick_among(self._sources(known), artifact)

    def _former_places(self) -> dict[bytes, set[Place]]:
        """Every place at which anything was ever deployed, by project."""
        found: dict[bytes, set[Place]] = {}
        for step in iter_steps(self._repository.log):
            for change in iter_changes(self.reader, step, frozenset({Kind.DEPLOYMENT})):
                if change.project is not None:
                    place = Place(change.root or b"", change.collection or b"", change.path or b"")
                    found.setdefault(change.project, set()).add(place)
        return found

    def _concern(self, subject: str, collection: str | None) -> OfArtifact | OfProject:
        """Whether a change is about the artifact or project of this name."""
        is_project = typed(subject) in self._project_states()
        addresses = self._find_addresses(subject, collection)
        if is_project and addresses:
            listed = ", ".join([f"project {subject}", *(show(path) for _, path in sorted(addresses))])
            remedy = "use the artifact's path, or the directory of the project"
            raise UsageError(f"the name is ambiguous: {listed}", place=subject, remedy=remedy)
        if addresses:
            return OfArtifact(addresses)
        if not is_project and not Path(subject).is_dir():
            raise NotFoundError(
                "no artifact and no project of this name", place=subject, remedy="see `casvault project list`"
            )
        return OfProject(self._project_name(subject))

    def _addresses(self, artifact: str, collection: str | None) -> frozenset[Address]:
        found = self._find_addresses(artifact, collection)
        if not found:
            raise NotFoundError("no artifact of this name", place=artifact, remedy="see `casvault ls-tree -r @`")
        return found

    def _find_addresses(self, artifact: str, collection: str | None) -> frozenset[Address]:
        """Where an artifact of this name is, or was, and where it came from by being moved; empty if there is none.

        UsageError that lists the candidates if several collections have one.
        """
        found: dict[Address, Oid | None] = {}
        former: dict[Address, Oid | None] = {}
        for ref, tip in self._view().iter_refs(COLLECTIONS.rstrip(b"/")):
            name = ref.removeprefix(COLLECTIONS)
            if collection in (None, show(name)):
                present, gone = self._find_in_collection(name, tip, artifact)
                found |= present
                former |= gone
        known = found or former
        if len(known) > 1:
            listed = ", ".join(f"{show(name)}: {show(path)}" for name, path in sorted(known))
            raise UsageError(f"the name is ambiguous: {listed}", place=artifact, remedy="name it with --collection")
        return frozenset(each for address, version in known.items() for each in self._iter_homes(address, version))

    def _find_in_collection(
        self, name: bytes, tip: Oid, artifact: str
    ) -> tuple[dict[Address, Oid | None], dict[Address, Oid | None]]:
        """The artifact that has this name in a collection; and if none has, the one that had it."""
        snapshot, rules = open_snapshot(self.reader, tip), self._rules(show(name))
        path = typed(artifact).strip(b"/")
        version = find_version(self.reader, snapshot, path) if path else None
        if version is not None:
            return {(name, path): version}, {}
        links = {each: entry.id for each, entry in iter_links(self.reader, snapshot)}
        picked = pick_path(links, rules, artifact)
        if picked is not None:
            return {(name, picked): links[picked]}, {}
        gone = {unescape(entry.name): entry.id for entry in iter_entries(self.reader, snapshot.former.id)}
        picked = pick_path(gone, rules, artifact)
        return {}, {} if picked is None else {(name, picked): gone[picked]}

    def _iter_homes(self, address: Address, version: Oid | None) -> Iterator[Address]:
        """An artifact's places, back to where it was first, or was forked."""
        yield address
        if version is None:
            return
        for _, commit in self._repository.graph().iter_first_parents(version):
            yield commit.field(COLLECTION) or b"", commit.field(PATH) or b""
            if commit.field(ORIGIN) == Origin.FORK.value.encode():
                return
