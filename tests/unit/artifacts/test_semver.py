"""Semantic versions: what is one, their order (https://semver.org, 2.0.0, rule 11), and the next one."""

from __future__ import annotations

import itertools
import random

import pytest

from casvault.artifacts.semver import FIRST, Bump, parse_semantic, sort_labels

ORDER = [
    "0.0.0", "0.0.1-0", "0.0.1", "0.1.0", "0.9.0", "0.10.0",
    "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0--", "1.0.0-0a", "1.0.0-Beta", "1.0.0-alpha", "1.0.0-alpha.1",
    "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
    "1.0.1", "1.2.0", "1.10.0", "2.0.0-0.3.7", "2.0.0", "10.0.0", "99999999999999999999.0.0",
]  # fmt: skip
"""From the lowest to the highest."""


@pytest.mark.parametrize(("low", "high"), list(itertools.pairwise(ORDER)))
def test_order(low: str, high: str) -> None:
    one, other = parse_semantic(low), parse_semantic(high)
    assert one is not None
    assert other is not None
    assert one.rank < other.rank


def test_labels_are_sorted_from_the_highest_with_or_without_a_v() -> None:
    labels = [label if number % 2 else f"v{label}" for number, label in enumerate(ORDER)]
    mixed = random.Random(3).sample([*labels, "stable", "1.2", "beta"], len(labels) + 3)
    assert sort_labels(mixed) == [*reversed(labels), "1.2", "beta", "stable"]


def test_labels_of_one_rank_are_sorted_by_name() -> None:
    assert sort_labels(["v1.0.0", "1.0.0+b", "1.0.0+a", "1.0.0"]) == ["1.0.0", "1.0.0+a", "1.0.0+b", "v1.0.0"]


@pytest.mark.parametrize(
    "label",
    [
        "1.0.0", "v1.0.0", "V1.0.0", "0.0.0", "1.0.0-alpha", "1.0.0-0.x-y.7", "1.0.0+001", "1.0.0-a+b.c-d",
        "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "1.0.0-0A.is.legal", "1.0.0--1",
    ],
)  # fmt: skip
def test_what_is_one_is_written_as_it_was(label: str) -> None:
    assert str(parse_semantic(label)) == label


@pytest.mark.parametrize(
    "label",
    [
        "", "v", "1", "1.2", "1.2.3.4", "01.0.0", "1.01.0", "1.0.00", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+",
        "1.0.0+a..b", "1.0.0-a_b", "vv1.0.0", " 1.0.0", "1.0.0\n", "-1.0.0", "1.0.0+a+b", "a1.0.0", "١.0.0", "1.0.0-é",
    ],
)  # fmt: skip
def test_what_is_none(label: str) -> None:
    assert parse_semantic(label) is None


@pytest.mark.parametrize(
    ("label", "patch", "minor", "major"),
    [
        ("v1.2.3", "v1.2.4", "v1.3.0", "v2.0.0"),
        ("1.2.3+build", "1.2.4", "1.3.0", "2.0.0"),
        ("0.3.1", "0.3.2", "0.4.0", "0.4.0"),
        ("0.0.1", "0.0.2", "0.1.0", "0.1.0"),
        ("2.0.0-rc.1", "2.0.0", "2.0.0", "2.0.0"),
        ("1.3.0-rc.1", "1.3.0", "1.3.0", "2.0.0"),
        ("1.3.1-rc.1", "1.3.1", "1.4.0", "2.0.0"),
        ("0.4.0-rc.1", "0.4.0", "0.4.0", "0.4.0"),
    ],
)
def test_the_next_one(label: str, patch: str, minor: str, major: str) -> None:
    version = parse_semantic(label)
    assert version is not None
    assert [str(version.bumped(bump)) for bump in (Bump.PATCH, Bump.MINOR, Bump.MAJOR)] == [patch, minor, major]
    assert version.bumped(Bump.NONE) == version


def test_bumps_are_ordered() -> None:
    assert sorted([Bump.MAJOR, Bump.NONE, Bump.MINOR, Bump.PATCH]) == list(Bump)
    assert max(Bump.PATCH, Bump.MINOR) is Bump.MINOR


def test_the_first_one_promises_nothing() -> None:
    assert str(FIRST) == "v0.1.0"
