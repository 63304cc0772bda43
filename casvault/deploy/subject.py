"""What a merge in progress is about: which deployment and which way its content was to go, or which branches."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, UnsupportedError
from casvault.pending import pending_ref
from casvault.text.markers import Labels

if TYPE_CHECKING:
    from casvault.objects import Field
    from casvault.pending import PendingMerge

BRANCHES = b"branches/"
_DIRECTION = b"direction"
_BRANCH_KEY = b"@branch"
"""Where a project's name stands in the key of another merge, which begins with no @; and the same for the next."""
_UPSTREAM_KEY = b"@upstream"
_REVERT_KEY = b"@revert"


class Direction(Enum):
    PULL = "pull"
    """Into the collection: ours is the collection's side, theirs the project's."""
    DEPLOY = "deploy"
    """Into the project: ours is the project's side, theirs the collection's."""
    BRANCH = "branch"
    """Into a branch: ours is that branch, theirs what is merged into it."""
    UPSTREAM = "update"
    """Into the collection: ours is the collection's side, theirs what came from upstream."""
    REVERT = "revert"
    """Out of an artifact: ours is its newest version, theirs the one before the version that is to be taken back."""


class Subject(NamedTuple):
    """The caller's fields of a merge in progress, all but the first as they stand there."""

    direction: Direction
    project: bytes
    root: bytes
    collection: bytes
    path: bytes
    strategy: bytes

    @property
    def about(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Project, root, collection and artifact; empty where there is none of the kind."""
        return self.project, self.root, self.collection, self.path

    @property
    def arguments(self) -> tuple[bytes, ...]:
        """What operations on the merge name."""
        return self.collection, self.project

    @property
    def ref(self) -> bytes:
        """One artifact in one project has one merge in progress, whichever way it goes."""
        return pending_ref((self.project, self.root, self.collection, self.path))

    @property
    def labels(self) -> Labels:
        """What the sides are called in conflict markers."""
        collection, project = b"collection " + self.collection, b"project " + self.project
        if self.direction is Direction.PULL:
            return Labels(b"base", collection, project)
        return Labels(b"base", project, collection)


class Branching(NamedTuple):
    """The same for a merge into a branch."""

    direction: Direction
    into: bytes
    source: bytes
    """The branch that is merged, or the id of a commit in hexadecimal."""
    strategy: bytes

    @property
    def about(self) -> tuple[bytes, bytes, bytes, bytes]:
        """The branch stands for the artifact."""
        return b"", b"", b"", self.into

    @property
    def arguments(self) -> tuple[bytes, ...]:
        return self.into, self.source

    @property
    def ref(self) -> bytes:
        return pending_ref((_BRANCH_KEY, self.into, self.source))

    @property
    def labels(self) -> Labels:
        return Labels(b"base", b"branch " + self.into, b"branch " + self.source)


class Incoming(NamedTuple):
    """The same for an artifact that is updated from upstream."""

    direction: Direction
    collection: bytes
    path: bytes
    source: bytes
    """Where it came from, for people."""
    strategy: bytes

    @property
    def about(self) -> tuple[bytes, bytes, bytes, bytes]:
        return b"", b"", self.collection, self.path

    @property
    def arguments(self) -> tuple[bytes, ...]:
        return self.collection, self.path

    @property
    def ref(self) -> bytes:
        return pending_ref((_UPSTREAM_KEY, self.collection, self.path))

    @property
    def labels(self) -> Labels:
        return Labels(b"base", b"collection " + self.collection, b"upstream " + self.source)


class Reverting(NamedTuple):
    """The same for a version that is taken out of an artifact."""

    direction: Direction
    collection: bytes
    path: bytes
    source: bytes
    """The version's id in hexadecimal."""
    strategy: bytes

    @property
    def about(self) -> tuple[bytes, bytes, bytes, bytes]:
        return b"", b"", self.collection, self.path

    @property
    def arguments(self) -> tuple[bytes, ...]:
        return self.collection, self.path

    @property
    def ref(self) -> bytes:
        return pending_ref((_REVERT_KEY, self.collection, self.path, self.source))

    @property
    def labels(self) -> Labels:
        short = self.source[:12]
        return Labels(b"version " + short, b"collection " + self.collection, b"before " + short)


AnySubject = Subject | Branching | Incoming | Reverting
_SHAPES: dict[bytes, type[Branching] | type[Incoming] | type[Reverting]] = {
    Direction.BRANCH.value.encode(): Branching,
    Direction.UPSTREAM.value.encode(): Incoming,
    Direction.REVERT.value.encode(): Reverting,
}


def subject_fields(subject: AnySubject) -> tuple[Field, ...]:
    """The fields for the commit of the merge."""
    rest = zip(subject._fields[1:], subject[1:], strict=True)
    return ((_DIRECTION, subject.direction.value.encode()), *((key.encode(), value) for key, value in rest))


def read_subject(merge: PendingMerge, place: str) -> AnySubject:
    """What the merge is about; MalformedError where it does not say so."""
    found: dict[bytes, bytes] = {}
    for key, value in merge.fields:
        if found.setdefault(key, value) != value:
            raise MalformedError(f"merge in progress: the field {key!r} stands more than once", place=place)
    shape = _SHAPES.get(found.get(_DIRECTION, b""), Subject)
    values = [found.get(key.encode()) for key in shape._fields]
    known = [value for value in values if value]
    if len(known) != len(values):
        missing = next(key for key, value in zip(shape._fields, values, strict=True) if not value)
        raise MalformedError(f"merge in progress: it has no {missing}", place=place)
    direction = next((each for each in Direction if each.value.encode() == known[0]), None)
    if direction is None:
        raise UnsupportedError(
            f"merge in progress: the unknown direction {known[0]!r}",
            place=place,
            remedy="use a later version of casvault",
        )
    return shape(direction, *known[1:])
