"""What a merge in progress is about: which deployment, and which way its content was to go."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, UnsupportedError
from casvault.pending import pending_ref
from casvault.text.markers import Labels

if TYPE_CHECKING:
    from casvault.objects import Field
    from casvault.pending import PendingMerge

_DIRECTION = b"direction"


class Direction(Enum):
    PULL = "pull"
    """Into the collection: ours is the collection's side, theirs the project's."""
    DEPLOY = "deploy"
    """Into the project: ours is the project's side, theirs the collection's."""


class Subject(NamedTuple):
    """The caller's fields of a merge in progress, all but the first as they stand there."""

    direction: Direction
    project: bytes
    root: bytes
    collection: bytes
    path: bytes
    strategy: bytes

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


def subject_fields(subject: Subject) -> tuple[Field, ...]:
    """The fields for the commit of the merge."""
    rest = zip(Subject._fields[1:], subject[1:], strict=True)
    return ((_DIRECTION, subject.direction.value.encode()), *((key.encode(), value) for key, value in rest))


def read_subject(merge: PendingMerge, place: str) -> Subject:
    """What the merge is about; MalformedError where it does not say so."""
    found: dict[bytes, bytes] = {}
    for key, value in merge.fields:
        if found.setdefault(key, value) != value:
            raise MalformedError(f"merge in progress: the field {key!r} stands more than once", place=place)
    values = [found.get(key.encode()) for key in Subject._fields]
    known = [value for value in values if value]
    if len(known) != len(values):
        missing = next(key for key, value in zip(Subject._fields, values, strict=True) if not value)
        raise MalformedError(f"merge in progress: it has no {missing}", place=place)
    direction = next((each for each in Direction if each.value.encode() == known[0]), None)
    if direction is None:
        raise UnsupportedError(
            f"merge in progress: the unknown direction {known[0]!r}",
            place=place,
            remedy="use a later version of casvault",
        )
    return Subject(direction, *known[1:])
