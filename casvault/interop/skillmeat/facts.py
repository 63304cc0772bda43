"""What SkillMeat's records say, read off the history: hashes, lineage, merge base, snapshot."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.moves import find_moved
from casvault.artifacts.names import COLLECTIONS, PROJECTS, show, typed
from casvault.artifacts.rules import Rules
from casvault.artifacts.snapshot import find_content, open_snapshot
from casvault.artifacts.version import read_version
from casvault.deploy.state import read_deployments
from casvault.deploy.times import deployed_at, last_deployed, places_that_differ
from casvault.errors import RefusedError
from casvault.history import CommitGraph
from casvault.interop.skillmeat.home import MANIFEST, parse_manifest
from casvault.interop.skillmeat.kept import COLLECTIONS as KEPT_COLLECTIONS
from casvault.interop.skillmeat.kept import FILES, read_kept_collection, read_kept_project
from casvault.interop.skillmeat.kept import PROJECTS as KEPT_PROJECTS
from casvault.interop.skillmeat.matching import Hashes
from casvault.interop.skillmeat.stamps import Stamp, snapshot_id
from casvault.objects import FILE_MODES, LINK, Kind, object_id, read_blob, read_commit, read_parents
from casvault.trees import diff_paths, empty_root, find_path

if TYPE_CHECKING:
    from casvault import Vault
    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.state import Deployment, Deployments, Place
    from casvault.interop.skillmeat.home import Listed
    from casvault.interop.skillmeat.kept import KeptCollection, KeptProject
    from casvault.objects import ObjectReader
    from casvault.oid import Oid


class Tag(NamedTuple):
    """The tag of a version."""

    name: str
    is_major: bool


class Facts(NamedTuple):
    """A deployment as SkillMeat would have recorded it."""

    place: Place
    hash: str
    lineage: tuple[str, ...]
    """Of what was deployed there, the newest first, as far as it is known."""
    base: str
    snapshot: str | None
    """The id of the snapshot that the deployed version came with."""
    tag: Tag | None
    deployed_at: Stamp


class History:
    """Answers from one vault, each worked out once."""

    def __init__(self, vault: Vault) -> None:
        self.reader = vault.reader
        self._vault = vault
        self._hashes = Hashes(self.reader)
        self._kept: dict[bytes, KeptCollection] = {}
        self._snapshot_ids: dict[bytes, dict[Oid, str]] = {}
        self._first: dict[bytes, dict[Oid, str]] = {}
        self._manifests: dict[bytes, tuple[Listed, ...]] = {}
        self._rules = Rules()

    def state(self, project: str) -> Oid | None:
        return self._vault.find_ref(PROJECTS.decode() + project)

    def tip(self, collection: str) -> Oid | None:
        return self._vault.find_ref(COLLECTIONS.decode() + collection)

    def kept_project(self, name: str) -> KeptProject:
        return read_kept_project(self.reader, self._vault.find_ref(KEPT_PROJECTS.decode() + name))

    def has_kept(self, name: str, path: bytes, text: bytes) -> bool:
        """Whether this was the text of a project's file once, and is in the vault still."""
        wanted = object_id(Kind.BLOB, text)
        if self.reader.find_infos([wanted]) == [None]:
            return False
        current = self._vault.find_ref(KEPT_PROJECTS.decode() + name)
        while current is not None:
            commit = read_commit(self.reader, current)
            found = find_path(self.reader, commit.root, FILES + b"/" + path)
            if found is not None and found.id == wanted:
                return True
            current = commit.parents[0] if commit.parents else None
        return False

    def manifest(self, collection: bytes) -> tuple[Listed, ...]:
        """The artifacts that the manifest lists which the collection's newest snapshot has; none if it has none."""
        if collection not in self._manifests:
            tip = self.tip(show(collection))
            text = None if tip is None else find_plain(self.reader, tip, MANIFEST)
            self._manifests[collection] = (
                () if text is None else parse_manifest(text, f"{show(collection)}: {MANIFEST}")
            )
        return self._manifests[collection]

    def names(self, collection: bytes, path: bytes) -> tuple[str, str]:
        """Type and name of an artifact: as its manifest has them, else as its path says."""
        listed = next((each for each in self.manifest(collection) if each.path == path), None)
        if listed is not None:
            return listed.type, listed.name
        kind, _, name = show(self._rules.short_name(path)).partition("/")
        return kind, name or kind

    def kept(self, collection: bytes) -> KeptCollection:
        if collection not in self._kept:
            oid = self._vault.find_ref((KEPT_COLLECTIONS + collection).decode(errors="surrogateescape"))
            self._kept[collection] = read_kept_collection(self.reader, oid)
        return self._kept[collection]

    def hash(self, version: Oid) -> str:
        """SkillMeat's hash of a version."""
        found = self._find_hash(version)
        if found is None:
            place = read_version(self.reader, version).path.decode(errors="replace")
            raise RefusedError(
                "SkillMeat's hash of it does not follow from its content: a symlink in it leads elsewhere, a name is "
                f"not UTF-8, or something of version {version.short} was purged",
                place=place,
                remedy="take that out of the artifact and deploy it again, or undeploy it",
            )
        return found

    def _find_hash(self, version: Oid) -> str | None:
        found = self._hashes.find(read_commit(self.reader, version).root)
        if found is None:
            known = self.kept(typed(read_version(self.reader, version).collection)).hashes
            found = next((text for text, oid in known.items() if oid == version), None)
        return found

    def facts(self, state: Oid) -> dict[Place, Facts]:
        """What is deployed in a project by its state."""
        deployments = read_deployments(self.reader, state)
        times = last_deployed(self.reader, state, deployments)
        sequences = self._sequences(state, deployments)
        return {
            place: self._facts(place, deployment, sequences[place], Stamp(times[place]))
            for place, deployment in deployments.items()
        }

    def _facts(self, place: Place, deployment: Deployment, sequence: list[Oid], stamp: Stamp) -> Facts:
        deployed = deployment.deployed
        return Facts(
            place,
            self.hash(deployed),
            self._lineage(sequence),
            self.hash(deployment.settled),
            self._snapshot_of(deployed),
            self._tag_of(place, deployed),
            stamp,
        )

    def _lineage(self, sequence: list[Oid]) -> tuple[str, ...]:
        """The hashes of what was deployed, down to a version that has none: what was before it only a record knows."""
        known = takewhile(lambda found: found is not None, map(self._find_hash, sequence))
        return tuple(found for found in known if found is not None)

    def _tag_of(self, place: Place, version: Oid) -> Tag | None:
        """The first tag of a version, the highest semantic version before others; it is with the artifact, which may
        have moved.
        """
        address = find_moved(self.reader, self._snapshot, place.collection, place.path)
        if address is None:
            return None
        found = self._vault.tags(show(address[1]), collection=show(address[0]))
        return next((Tag(tag.label, tag.major) for tag in found if tag.version == version and not tag.former), None)

    def _snapshot(self, collection: bytes) -> Snapshot | None:
        tip = self.tip(show(collection))
        return None if tip is None else open_snapshot(self.reader, tip)

    def _sequences(self, state: Oid, deployments: Deployments) -> dict[Place, list[Oid]]:
        """The versions that were deployed at these places, the newest first."""
        found = {place: [deployment.deployed] for place, deployment in deployments.items()}
        commit = read_commit(self.reader, state)
        while parents := read_parents(self.reader, state):
            state = parents[0]
            before = read_commit(self.reader, state)
            for place in places_that_differ(self.reader, commit, before) & found.keys():
                there = deployed_at(self.reader, before, place)
                if there not in (None, found[place][-1]):
                    found[place].append(there)
            commit = before
        return found

    def _snapshot_of(self, version: Oid) -> str | None:
        """The id of the oldest snapshot with this version; None if its collection never had it."""
        collection = typed(read_version(self.reader, version).collection)
        if collection not in self._first:
            self._first[collection] = self._find_first(collection)
        return self._first[collection].get(version)

    def _find_first(self, collection: bytes) -> dict[Oid, str]:
        """For each version the oldest snapshot that has it."""
        found: dict[Oid, str] = {}
        before = empty_root()
        for oid, name in self.snapshot_ids(collection).items():
            content = open_snapshot(self.reader, oid).content
            for _, _, after in diff_paths(self.reader, before, content):
                if after is not None and after.mode == LINK:
                    found.setdefault(after.id, name)
            before = content
        return found

    def snapshot_ids(self, collection: bytes) -> dict[Oid, str]:
        """The ids of a collection's snapshots, the oldest first: those that SkillMeat gave, or made of their times."""
        if collection not in self._snapshot_ids:
            self._snapshot_ids[collection] = self._name_snapshots(collection)
        return self._snapshot_ids[collection]

    def _name_snapshots(self, collection: bytes) -> dict[Oid, str]:
        names = {oid: text for text, oid in sorted(self.kept(collection).snapshots.items())}
        tip = self.tip(collection.decode(errors="surrogateescape"))
        chain = [] if tip is None else list(CommitGraph(self.reader).iter_first_parents(tip))
        taken = set(names.values())
        for oid, commit in reversed(chain):
            if oid in names:
                continue
            # Several in one second are told apart, in their order, by what SkillMeat takes for microseconds.
            micros = 0
            while (name := snapshot_id(Stamp(commit.committer.seconds, micros))) in taken:
                micros += 1
            names[oid] = name
            taken.add(name)
        return dict(sorted(names.items(), key=lambda pair: pair[1]))


def find_plain(reader: ObjectReader, snapshot: Oid, name: str) -> bytes | None:
    """The text of a file of a collection that is in no artifact."""
    state = find_content(reader, open_snapshot(reader, snapshot), name.encode())
    return read_blob(reader, state.id) if state is not None and state.mode in FILE_MODES else None
