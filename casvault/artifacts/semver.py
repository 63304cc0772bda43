"""Semantic versions: what a label says by https://semver.org (2.0.0), how such labels are ordered, and the next one.

A leading v or V is allowed and means nothing. What is no semantic version, as `1.2` or `stable`, is any other label.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import total_ordering
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = r"(0|[1-9][0-9]*)"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMANTIC = re.compile(
    rf"([vV]?){_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)


@total_ordering
class Bump(Enum):
    """How much a change is, by what it may break for those who rely on the version before."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    def __lt__(self, other: Bump) -> bool:
        known = list(Bump)
        return known.index(self) < known.index(other)


class SemanticVersion(NamedTuple):
    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: str = ""
    """It has no part in the order."""
    prefix: str = ""

    @property
    def rank(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        """By this they are ordered: a prerelease before its release, numbers in it as numbers and before words."""
        parts = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in self.prerelease)
        return self[:3], not self.prerelease, parts

    def __str__(self) -> str:
        text = f"{self.prefix}{self.major}.{self.minor}.{self.patch}"
        text += "-" + ".".join(self.prerelease) if self.prerelease else ""
        return f"{text}+{self.build}" if self.build else text

    def bumped(self, bump: Bump) -> SemanticVersion:
        """The next release. That of a prerelease is its release, where that is as much as is asked for.

        Before 1.0.0 nothing is promised to last, so there a major change raises the minor number as a minor one does,
        and 1.0.0 is somebody's decision.
        """
        if bump is Bump.MAJOR and self.major == 0:
            bump = Bump.MINOR
        major, minor, patch = self[:3]
        if bump is Bump.NONE or (self.prerelease and bump <= _weight(minor, patch)):
            return self if bump is Bump.NONE else SemanticVersion(major, minor, patch, prefix=self.prefix)
        numbers = {
            Bump.MAJOR: (major + 1, 0, 0),
            Bump.MINOR: (major, minor + 1, 0),
            Bump.PATCH: (major, minor, patch + 1),
        }
        return SemanticVersion(*numbers[bump], prefix=self.prefix)


FIRST = SemanticVersion(0, 1, 0, prefix="v")
"""What the first version tag is called where nobody says otherwise: it promises nothing yet."""


def parse_semantic(label: str) -> SemanticVersion | None:
    """What a label says as a semantic version; None if it is none."""
    found = _SEMANTIC.fullmatch(label)
    if found is None:
        return None
    prefix, major, minor, patch, prerelease, build = found.groups()
    parts = tuple(prerelease.split(".")) if prerelease else ()
    return SemanticVersion(int(major), int(minor), int(patch), parts, build or "", prefix)


def sort_labels(labels: Iterable[str]) -> list[str]:
    """Semantic versions first, the highest of them at the front; then the others by name."""
    known = [(parse_semantic(label), label) for label in labels]
    semantic = [(version.rank, label) for version, label in known if version is not None]
    others = (label for version, label in known if version is None)
    # Labels of one rank, as v1.0.0 and 1.0.0+build, stand in the order of their names.
    by_name = sorted(semantic, key=lambda each: each[1])
    return [*(label for _, label in sorted(by_name, key=lambda each: each[0], reverse=True)), *sorted(others)]


def _weight(minor: int, patch: int) -> Bump:
    """How much the release with these numbers is against the one before it."""
    if patch:
        return Bump.PATCH
    return Bump.MINOR if minor else Bump.MAJOR
