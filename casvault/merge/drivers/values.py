"""What structured files say, apart from how they are written, and the three-way merge of it.

Mappings are merged key by key, lists element by element, by the rule and by the text merge that files and lines are
merged by. The order of keys is no part of what a mapping says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from casvault.merge.rule import Resolution, resolve
from casvault.text.merge3 import Resolved, merge3

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Tag(Enum):
    """The types of scalars. What a format tells apart is never equal: 1, 1.0, "1" and true are four values."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    NULL = "null"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Scalar:
    tag: Tag
    literal: str
    """A number as it is written where the format leaves its precision open."""


Value: TypeAlias = "Scalar | dict[Scalar, Value] | tuple[Value, ...]"


class Clash(Enum):
    """The sides contradict each other somewhere inside."""

    CLASH = "clash"


CLASH: Final = Clash.CLASH


def string(literal: str) -> Scalar:
    return Scalar(Tag.STRING, literal)


def merge_values(base: Value | None, ours: Value | None, theirs: Value | None) -> Value | Clash | None:
    """The semantic three-way merge; None stands for absent. What both sides added must be equal."""
    decided: Resolution[Value] = resolve(base, ours, theirs)
    if decided.is_clean:
        return decided.value
    if isinstance(base, dict) and isinstance(ours, dict) and isinstance(theirs, dict):
        return _merge_mappings(base, ours, theirs)
    if isinstance(base, tuple) and isinstance(ours, tuple) and isinstance(theirs, tuple):
        return _merge_lists(base, ours, theirs)
    return CLASH


def _merge_mappings(
    base: dict[Scalar, Value], ours: dict[Scalar, Value], theirs: dict[Scalar, Value]
) -> dict[Scalar, Value] | Clash:
    merged: dict[Scalar, Value] = {}
    for key in {**ours, **theirs}:
        value = merge_values(base.get(key), ours.get(key), theirs.get(key))
        if value is CLASH:
            return CLASH
        if value is not None:
            merged[key] = value
    return merged


def _merge_lists(
    base: tuple[Value, ...], ours: tuple[Value, ...], theirs: tuple[Value, ...]
) -> tuple[Value, ...] | Clash:
    known: dict[bytes, Value] = {}
    names: list[list[bytes]] = []
    for values in (base, ours, theirs):
        names.append([fingerprint(value) for value in values])
        known.update(zip(names[-1], values, strict=True))
    chunks = merge3(*names)
    resolved = [chunk for chunk in chunks if isinstance(chunk, Resolved)]
    if len(resolved) < len(chunks):
        return CLASH
    return tuple(known[name] for chunk in resolved for name in chunk.lines)


def fingerprint(value: Value) -> bytes:
    """Equal for equal values, and for no others."""
    return _shown(value).encode()


def _shown(value: Value) -> str:
    if isinstance(value, Scalar):
        return f"{value.tag.value} {value.literal!a}"
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{_shown(key)}: {_shown(each)}" for key, each in value.items())) + "}"
    return "[" + ", ".join(map(_shown, value)) + "]"


def order_keys(host: Sequence[Scalar], donor: Sequence[Scalar], wanted: Iterable[Scalar]) -> list[Scalar]:
    """The wanted keys in the order of the host, those that only the donor has behind the neighbours they have there.

    Where the host has new keys at the same place, too, those come first.
    """
    kept = set(wanted)
    order = [key for key in host if key in kept]
    own, given = set(order), set(donor)
    followers: dict[Scalar | None, list[Scalar]] = {}
    neighbour: Scalar | None = None
    for key in donor:
        if key in own:
            neighbour = key
        elif key in kept:
            followers.setdefault(neighbour, []).append(key)
    placed: list[Scalar] = []
    waiting = followers.get(None, [])
    for key in order:
        if key in given:
            placed += waiting
            waiting = followers.get(key, [])
        placed.append(key)
    return placed + waiting
