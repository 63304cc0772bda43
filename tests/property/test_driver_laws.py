"""Laws of merge drivers, on documents of every format in which both sides edit, add, remove and reorder."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import tomlkit
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from casvault.merge.content import ContentConflict, MergedContent
from casvault.merge.drivers.registry import Binding, Driver, DriverName, Drivers

LAWS = settings(deadline=None, max_examples=60)
KEYS = st.sampled_from(["a", "b", "c", "d e", "f"])
SCALARS = st.integers(-2, 3) | st.booleans() | st.sampled_from(["", "x", "two words", "# no comment", "1", "true", "é"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)
Mapping = dict[str, Any]


def driver(name: DriverName) -> Driver:
    return Drivers([Binding("*", name)]).find(b"x")


def to_json(value: Mapping) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def to_dense_json(value: Mapping) -> bytes:
    return json.dumps(value).encode()


def to_yaml(value: Mapping) -> bytes:
    stream = io.BytesIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()


def to_block_yaml(value: Mapping) -> bytes:
    stream = io.BytesIO()
    yaml = YAML(typ="rt", pure=True)
    yaml.indent(mapping=4, sequence=4, offset=2)
    yaml.dump(value, stream)
    return stream.getvalue()


def to_toml(value: Mapping) -> bytes:
    return tomlkit.dumps(value).encode()


def to_front_matter(value: Mapping) -> bytes:
    return b"---\n" + to_block_yaml(value) + b"---\nThe body.\n"


def from_yaml(data: bytes) -> Any:
    return YAML(typ="safe", pure=True).load(data)


def from_toml(data: bytes) -> Any:
    return tomllib.loads(data.decode())


def from_front_matter(data: bytes) -> Any:
    _, front, body = data.split(b"---\n")
    assert body == b"The body.\n"
    return from_yaml(front)


Style = tuple[DriverName, Callable[[Mapping], bytes], Callable[[bytes], Any]]
STYLES: list[Style] = [
    (DriverName.JSON, to_json, json.loads),
    (DriverName.JSON, to_dense_json, json.loads),
    (DriverName.TOML, to_toml, from_toml),
    (DriverName.YAML, to_yaml, from_yaml),
    (DriverName.YAML, to_block_yaml, from_yaml),
    (DriverName.FRONT_MATTER, to_front_matter, from_front_matter),
]
NAMES = ["json", "dense json", "toml", "yaml", "block yaml", "front matter"]
styles = pytest.mark.parametrize("style", STYLES, ids=NAMES)
names = pytest.mark.parametrize("name", list(DriverName), ids=lambda name: name.value)


@st.composite
def edits(draw: st.DrawFn, base: Mapping) -> Mapping:
    """The mapping after what people do to files of settings."""
    found = dict(base)
    for _ in range(draw(st.integers(0, 3))):
        key = draw(KEYS)
        match draw(st.sampled_from(["set", "set inside", "remove", "reorder", "append"])):
            case "set":
                found[key] = draw(VALUES)
            case "set inside" if isinstance(found.get(key), dict):
                found[key] = draw(edits(found[key]))
            case "remove" if len(found) > 1:
                found.pop(key, None)
            case "reorder":
                found = dict(draw(st.permutations(sorted(found.items(), key=str))))
            case "append" if isinstance(found.get(key), list):
                found[key] = [*found[key], draw(VALUES)]
    return found


@st.composite
def triples(draw: st.DrawFn) -> tuple[Mapping, Mapping, Mapping]:
    base = draw(MAPPINGS)
    return base, draw(edits(base)), draw(edits(base))


ABSENT = object()


class ClashError(Exception):
    pass


def naive(base: Any, ours: Any, theirs: Any) -> Any:
    """The semantic merge as it is said in one breath; lists are atomic. Python's True is not 1 here."""
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    if not all(isinstance(each, dict) for each in (base, ours, theirs)):
        raise ClashError
    merged = {key: naive(*(each.get(key, ABSENT) for each in (base, ours, theirs))) for key in {**ours, **theirs}}
    return {key: value for key, value in merged.items() if value is not ABSENT}


def has_listed_tables(value: Any) -> bool:
    """Whether there is a mapping in a list anywhere."""
    if isinstance(value, list):
        return any(isinstance(each, dict) or has_listed_tables(each) for each in value)
    return isinstance(value, dict) and any(map(has_listed_tables, value.values()))


def same(one: Any, other: Any) -> bool:
    if one is ABSENT or other is ABSENT:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@styles
@LAWS
@given(versions=triples())
def test_what_has_a_semantic_merge_comes_out_as_that(style: Style, versions: tuple[Mapping, Mapping, Mapping]) -> None:
    name, show, read = style
    try:
        expected = naive(*versions)
    except ClashError:
        return
    # TOML writes an empty list as a value and one of tables as sections: where the sides differ in that, it is a text.
    assume(name is not DriverName.TOML or not any(map(has_listed_tables, versions)))
    merged = driver(name).merge(*map(show, versions))
    assert isinstance(merged, MergedContent), [show(version).decode() for version in versions]
    assert same(read(merged.data), expected)


@styles
@LAWS
@given(versions=triples())
def test_swapping_the_sides_changes_nothing_that_the_result_says(
    style: Style, versions: tuple[Mapping, Mapping, Mapping]
) -> None:
    name, show, read = style
    base, ours, theirs = map(show, versions)
    there, back = driver(name).merge(base, ours, theirs), driver(name).merge(base, theirs, ours)
    assert type(there) is type(back)
    if isinstance(there, MergedContent) and isinstance(back, MergedContent):
        assert same(read(there.data), read(back.data))


FRAGMENTS = st.sampled_from(
    [
        "{", "}", "[", "]", ":", ",", '"', "'", "a", "b: ", "- ", "\n", "  ", "\r\n", "#c", "=", "1", "0x", "&a ", "*a",
        "!!t ", "---\n", "...\n", "|\n", ">-\n", "? ", "%YAML 1.1\n", "<<: ", "\t", "\x85", "\u2028", "\ufeff",
        "[[h]]\n", "a = 1\n", "2001-01-01", "1e999", "\\ud800", '"""', "'''", "\0", "null", "~", "NaN",
    ]
)  # fmt: skip
ODD = st.binary(max_size=20) | st.lists(FRAGMENTS, max_size=12).map(lambda parts: "".join(parts).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A document with something else in the midst of it."""
    _, show, _ = draw(st.sampled_from(STYLES))
    whole = show(draw(MAPPINGS))
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + draw(ODD) + whole[at + draw(st.integers(0, 3)) :]


CONTENTS = ODD | damaged()


@names
@settings(deadline=None, max_examples=200)
@given(base=st.none() | CONTENTS, ours=CONTENTS, theirs=CONTENTS)
def test_no_input_raises(name: DriverName, base: bytes | None, ours: bytes, theirs: bytes) -> None:
    merged = driver(name).merge(base, ours, theirs)
    assert isinstance(merged, MergedContent | ContentConflict)
    assert merged == driver(name).merge(base, ours, theirs)


@names
@LAWS
@given(base=CONTENTS, ours=CONTENTS)
def test_an_unchanged_side_gives_way_and_equal_sides_agree(name: DriverName, base: bytes, ours: bytes) -> None:
    """Byte by byte, whether or not anybody can read it."""
    for versions in ((base, ours, base), (base, base, ours), (base, ours, ours), (None, ours, ours)):
        assert driver(name).merge(*versions) == MergedContent(ours)


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n"]), max_size=6).map(b"".join)


@LAWS
@given(base=LINES, ours=LINES, theirs=LINES)
def test_a_union_loses_no_line_that_a_side_added(base: bytes, ours: bytes, theirs: bytes) -> None:
    merged = driver(DriverName.UNION).merge(base, ours, theirs)
    assert isinstance(merged, MergedContent)
    known, kept = (set(text.splitlines()) for text in (base, merged.data))
    assert set(ours.splitlines()) - known <= kept
    assert set(theirs.splitlines()) - known <= kept
