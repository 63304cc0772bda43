"""What a merge in progress is about, as fields of its commit."""

from __future__ import annotations

import pytest

from casvault.deploy.subject import Branching, Direction, Subject, read_subject, subject_fields
from casvault.errors import MalformedError, UnsupportedError
from casvault.objects import Field, MemoryObjects
from casvault.pending import PendingMerge
from casvault.text.markers import Labels
from tests.support.pending import example_merge

SUBJECT = Subject(Direction.PULL, b"app", b".claude", b"lib", b"skills/caf\xe9", b"merge")
FIELDS = subject_fields(SUBJECT)


def merge(*fields: Field) -> PendingMerge:
    return example_merge(MemoryObjects())._replace(fields=fields)


BRANCHING = Branching(Direction.BRANCH, b"main", b"feature/x", b"merge")


def test_branching_round_trip() -> None:
    assert read_subject(merge(*subject_fields(BRANCHING), (b"more", b"kept")), "place") == BRANCHING


def test_branching_ref_is_none_that_a_deployment_can_have() -> None:
    assert BRANCHING.ref == b"merges/%40branch/main/feature%2Fx"
    assert BRANCHING.labels == Labels(b"base", b"branch main", b"branch feature/x")


@pytest.mark.parametrize("key", Branching._fields[1:])
def test_read_subject_of_branches_without_a_field(key: str) -> None:
    fields = [field for field in subject_fields(BRANCHING) if field[0] != key.encode()]
    with pytest.raises(MalformedError, match=f"place: merge in progress: it has no {key}"):
        read_subject(merge(*fields), "place")


@pytest.mark.parametrize("direction", [Direction.PULL, Direction.DEPLOY])
def test_subject_round_trip(direction: Direction) -> None:
    subject = SUBJECT._replace(direction=direction)
    assert read_subject(merge(*subject_fields(subject), (b"more", b"kept")), "place") == subject


def test_subject_ref_is_that_of_the_deployment() -> None:
    assert SUBJECT.ref == b"merges/app/.claude/lib/skills%2Fcaf%E9"
    assert SUBJECT._replace(direction=Direction.DEPLOY, strategy=b"other").ref == SUBJECT.ref


def test_subject_labels_follow_the_direction() -> None:
    assert SUBJECT.labels == Labels(b"base", b"collection lib", b"project app")
    assert SUBJECT._replace(direction=Direction.DEPLOY).labels == Labels(b"base", b"project app", b"collection lib")


@pytest.mark.parametrize("key", Subject._fields)
@pytest.mark.parametrize("value", [None, b""])
def test_read_subject_without_a_field(key: str, value: bytes | None) -> None:
    fields = [field for field in FIELDS if field[0] != key.encode()]
    fields += [] if value is None else [(key.encode(), value)]
    with pytest.raises(MalformedError, match=f"place: merge in progress: it has no {key}"):
        read_subject(merge(*fields), "place")


def test_read_subject_with_a_field_twice() -> None:
    with pytest.raises(MalformedError, match="more than once"):
        read_subject(merge(*FIELDS, (b"path", b"other")), "place")


def test_read_subject_of_a_later_version() -> None:
    with pytest.raises(UnsupportedError, match="unknown direction b'sideways'"):
        read_subject(merge((b"direction", b"sideways"), *FIELDS[1:]), "place")
