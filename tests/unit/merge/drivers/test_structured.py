"""What structured merges come out as, to the byte."""

from __future__ import annotations

import textwrap

import pytest

from casvault.limits import STRUCTURED_BYTES, STRUCTURED_DEPTH
from casvault.merge.content import ContentConflict, ContentConflictKind, MergedContent, merge_content
from casvault.merge.drivers.registry import Binding, DriverName, Drivers
from casvault.text.merge3 import Conflict

JSON, TOML, YAML, FRONT = DriverName.JSON, DriverName.TOML, DriverName.YAML, DriverName.FRONT_MATTER


def merge(name: DriverName, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
    return Drivers([Binding("*", name)]).find(b"x").merge(base, ours, theirs)


def doc(text: str) -> bytes:
    return textwrap.dedent(text).lstrip("\n").encode()


CLEAN = {
    "json: keys added at one place, in ours' style, with the commas that it takes": (
        JSON,
        '{\n    "a": 1\n}\n',
        '{\n    "a": 1,\n    "x": {"deep": [1]}\n}\n',
        '{\n    "a": 1,\n    "y": {\n        "q": 1.50\n    }\n}\n',
        '{\n    "a": 1,\n    "x": {"deep": [1]},\n    "y": {\n        "q": 1.50\n    }\n}\n',
    ),
    "json: reordered on one side, changed on the other": (
        JSON,
        '{"a": 1, "b": 2}',
        '{"b": 2, "a": 1}',
        '{"a": 1, "b": 12345678901234567890.10}',
        '{"b": 12345678901234567890.10, "a": 1}',
    ),
    "json: elements of a list that are apart": (
        JSON, '{"l":[1,2,3,4]}', '{"l":[0,1,2,3,4]}', '{"l":[1,2,3,5]}', '{"l":[0,1,2,3,5]}',
    ),
    "json: a list emptied, a key beside it added": (
        JSON, '{"l": [ 1 ], "m": 1}', '{"l": [ 1 ], "m": 1, "n": 2}', '{"l": [ ], "m": 1}', '{"l": [], "m": 1, "n": 2}',
    ),
    "json: carriage returns": (
        JSON,
        '{\r\n  "a": 1\r\n}',
        '{\r\n  "a": 1,\r\n  "b": 2\r\n}',
        '{\r\n  "a": 1,\r\n  "c": 3\r\n}',
        '{\r\n  "a": 1,\r\n  "b": 2,\r\n  "c": 3\r\n}',
    ),
    "toml: comments of both sides": (
        TOML,
        "a = 1\nb = 2\n",
        "a = 1\nb = 2\nc = 3 # mine\n",
        "a = 5\nb = 2\n# about d\nd = 4 # theirs\n",
        "a = 5\nb = 2\nc = 3 # mine\n# about d\nd = 4 # theirs\n",
    ),
    "toml: tables added at the end of both": (
        TOML,
        "[a]\nx = 1 # one\n",
        "[a]\nx = 1 # one\n\n[b]\ny = 2\n",
        "[a]\nx = 1 # one\n\n[c]\nz = 3\n",
        "[a]\nx = 1 # one\n\n[b]\ny = 2\n\n[c]\nz = 3\n",
    ),
    "yaml: comments, quotes and indentation of both sides": (
        YAML,
        "# head\na: 1 # one\nb: 'two'\n",
        '# head\na: 1 # one\nb: \'two\'\nc: "3"\n',
        "# head\na: 2 # one\nb: 'two'\n# about d\nd:\n    - x\n    - y: 1\n      z: 2\n",
        "# head\na: 2 # one\nb: 'two'\nc: \"3\"\n# about d\nd:\n    - x\n    - y: 1\n      z: 2\n",
    ),
    "yaml: of two keys, each side removed one": (YAML, "a: 1\nb: 1\n", "a: 1\n", "b: 1\n", "{}\n"),
    "yaml: the same inside": (
        YAML, "k:\n  a: 1\n  b: 1\n", "k:\n  a: 1\n", "k:\n  b: 1\n", "k:\n  {}\n",
    ),
    "yaml: in a block here, in brackets there": (
        YAML, "a: 1\nb: 1\nc: 1\n", "a: 1\nb: 1\nc: 1\nd: 1\n", "{a: 2, b: 1, e: x}\n", "a: 2\nb: 1\nd: 1\ne: x\n",
    ),
    "yaml: a key removed in a block, another one in brackets": (
        YAML, "a: 1\nb: {}\nc: 1\n", "{a: 1, b: {}}\n", "a: 1\nc: 1\n", "{a: 1}\n",
    ),
    "yaml: a block text, reordered": (
        YAML, "a: 1\nb: |\n  foo\n  bar\n", "b: |\n  foo\n  bar\na: 1", "a: 2\nb: |\n  foo\n  # no comment\n",
        "b: |\n  foo\n  # no comment\na: 2",
    ),
    "yaml: a key that only one side has, indented otherwise": (
        YAML,
        "m:\n  a: 1\n",
        "m:\n  a: 1\n  b: 2\n",
        "m:\n    a: 1\n    c:\n        d: 3\n",
        "m:\n  a: 1\n  b: 2\n  c:\n      d: 3\n",
    ),
    "front matter: keys added on both sides, and the body merged by lines": (
        FRONT,
        "---\nname: x\n---\none\ntwo\nthree\n",
        "---\nname: x\nmodel: m\n---\nONE\ntwo\nthree\n",
        "---\nname: x\ntools: [a, b]\n---\none\ntwo\nTHREE\n",
        "---\nname: x\nmodel: m\ntools: [a, b]\n---\nONE\ntwo\nTHREE\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CLEAN.values(), ids=CLEAN)
def test_a_structured_merge_where_lines_conflict(case: tuple[DriverName, str, str, str, str]) -> None:
    name, *versions, expected = case
    base, ours, theirs = (text.encode() for text in versions)
    assert isinstance(merge_content(base, ours, theirs), ContentConflict)
    assert merge(name, base, ours, theirs) == MergedContent(expected.encode())


TEXTS = {
    "json: a value changed differently": (JSON, '{"a": 1, "b": 1}', '{"a": 2, "b": 1}', '{"a": 3, "b": 2}'),
    "json: a key added differently": (JSON, "{}", '{"a": {"b": 1}}', '{"a": {"c": 1}}'),
    "json: removed and changed": (JSON, '{"a": 1}', "{}", '{"a": 2}'),
    "json: elements side by side": (JSON, '{"a": [1]}', '{"a": [1, 2]}', '{"a": [1, 3]}'),
    "json: a key twice": (JSON, '{"a": 1}', '{"a": 1, "b": 1}', '{"a": 1, "c": 1, "c": 2}'),
    "json: comments": (JSON, '{"a": 1}', '{"a": 1, "b": 1}', '{"a": 1, "c": 1} // no'),
    "json: no number": (JSON, '{"a": 1}', '{"a": 1, "b": 1}', '{"a": 1, "c": NaN}'),
    "json: true is not 1": (JSON, '{"a": 1}', '{"a": true}', '{"a": 1.0}'),
    "json: line ends differ": (JSON, '{"a": 1}\n', '{"a": 1, "b": 2}\r\n', '{"a": 1, "c": 2}\n'),
    "toml: a date moved twice": (TOML, "a = 2001-01-01\n", "a = 2001-01-02\n", "a = 2001-01-03\n"),
    "toml: not well-formed": (TOML, "a = 1\n", "a = 1\nb = 1\n", "a = 1\nc = \n"),
    "yaml: anchors": (YAML, "a: &x 1\n", "a: &x 1\nb: 2\n", "a: &x 1\nc: *x\n"),
    "yaml: merge keys": (YAML, "a: 1\n", "a: 1\nb: 2\n", "a: 1\n<<: {q: 1}\n"),
    "yaml: tags": (YAML, "a: 1\n", "a: 1\nb: 2\n", "a: 1\nc: !secret x\n"),
    "yaml: two documents": (YAML, "a: 1\n", "a: 1\nb: 2\n", "a: 1\n---\nc: 2\n"),
    "yaml: a key twice": (YAML, "a: 1\n", "a: 1\nb: 2\n", "a: 1\nc: 2\nc: 3\n"),
    "yaml: a comment on what the other side changed, and one the other way round": (
        YAML, "a: 1\nb: 1\n", "a: 1 # mine\nb: 2\n", "a: 2\nb: 1 # theirs\n",
    ),
    "front matter: the body": (FRONT, "---\na: 1\n---\nx\n", "---\na: 1\nb: 1\n---\ny\n", "---\na: 1\nc: 1\n---\nz\n"),
    "front matter: none on a side": (FRONT, "---\na: 1\n---\nx\n", "---\na: 1\nb: 1\n---\nx\n", "x\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS.values(), ids=TEXTS)
def test_the_conflict_of_the_texts_stands(case: tuple[DriverName, str, str, str]) -> None:
    name, *versions = case
    base, ours, theirs = (text.encode() for text in versions)
    expected = merge_content(base, ours, theirs)
    assert isinstance(expected, ContentConflict)
    assert merge(name, base, ours, theirs) == expected


def test_a_comment_that_only_one_side_added_chooses_the_side_that_is_edited() -> None:
    """The comment of theirs was lost where ours was edited; it is there if theirs is."""
    merged = merge(YAML, b"a: 1\nb: 1\n", b"a: 1\nb: 2\n", b"a: 3\nb: 1 # why\n")
    assert merged == MergedContent(b"a: 3\nb: 2 # why\n")


def test_a_clean_text_merge_that_says_a_key_twice_does_not_stand() -> None:
    """Both sides added the same key at places that are apart, and lines know no keys."""
    base = doc("""
        a: 1
        b: 2
        c: 3
        d: 4
    """)
    ours, theirs = b"x: 9\n" + base, base + b"x: 9\n"
    assert merge_content(base, ours, theirs) == MergedContent(b"x: 9\n" + base + b"x: 9\n")
    assert merge(YAML, base, ours, theirs) == MergedContent(ours)


@pytest.mark.parametrize(
    ("name", "base", "ours", "theirs"),
    [
        (YAML, b"b: []\n", b"b: []\na: 1\n", b"a: 0\nb: []\n"),
        (TOML, b"b = []\n", b"b = []\na = 1\n", b"a = 0\nb = []\n"),
        (FRONT, b"---\nb: []\n---\nx\n", b"---\nb: []\na: 1\n---\nx\n", b"---\na: 0\nb: []\n---\nx\n"),
    ],
    ids=["yaml", "toml", "front matter"],
)
def test_a_clean_text_merge_that_nobody_can_read_is_a_conflict(
    name: DriverName, base: bytes, ours: bytes, theirs: bytes
) -> None:
    """Both sides added a key with another value; the text with both of them was a success."""
    assert isinstance(merge_content(base, ours, theirs), MergedContent)
    found, back = merge(name, base, ours, theirs), merge(name, base, theirs, ours)
    assert isinstance(found, ContentConflict)
    assert isinstance(back, ContentConflict)
    (chunk,) = found.chunks
    assert isinstance(chunk, Conflict)
    assert [b"".join(lines) for lines in chunk] == [base, ours, theirs]


def test_a_clean_text_merge_that_says_the_right_thing_stands_as_it_is() -> None:
    """With a key order and blanks that no edit of a side would have."""
    versions = (b'{"a":1,\n\n"b":2}', b'{"a" : 1,\n\n"b":2}', b'{"a":1,\n\n"b" : 3}')
    assert merge(JSON, *versions) == merge_content(*versions) == MergedContent(b'{"a" : 1,\n\n"b" : 3}')


def test_a_clean_text_merge_stands_where_the_meanings_conflict() -> None:
    """Two elements were added next to each other in the list, but not in the text."""
    base, ours, theirs = b"[\n1,\n\n2\n]", b"[\n1,\n3,\n\n2\n]", b"[\n1,\n\n4,\n2\n]"
    assert merge(JSON, base, ours, theirs) == merge_content(base, ours, theirs)


@pytest.mark.parametrize("name", [JSON, TOML, YAML, FRONT])
def test_files_that_both_sides_added_are_texts(name: DriverName) -> None:
    merged = merge(name, None, b'{"a": 1}', b'{"b": 1}')
    assert isinstance(merged, ContentConflict)
    assert merged.kind is ContentConflictKind.BOTH_ADDED


@pytest.mark.parametrize("name", [JSON, YAML])
@pytest.mark.parametrize("depth", [STRUCTURED_DEPTH, 5000])
def test_nesting_without_end_is_text(name: DriverName, depth: int) -> None:
    """The parsers raised RecursionError."""
    deep = b"[" * depth + b"1" + b"]" * depth
    versions = (b'{"a": 1, "z": %b}' % deep, b'{"a": 1, "b": 2, "z": %b}' % deep, b'{"a": 1, "c": 3, "z": %b}' % deep)
    assert merge(name, *versions) == merge_content(*versions)


def test_toml_nested_without_end_is_text() -> None:
    """The parser raised RecursionError."""
    deep = b"z = " + b"[" * 5000 + b"]" * 5000
    versions = (b"a = 1\n" + deep, b"b = 1\n" + deep, b"c = 1\n" + deep)
    assert merge(TOML, *versions) == merge_content(*versions)


def test_the_deepest_nesting_that_is_read() -> None:
    deep = b"[" * (STRUCTURED_DEPTH - 1) + b"]" * (STRUCTURED_DEPTH - 1)
    versions = (b'{"z": %b}' % deep, b'{"b": 2, "z": %b}' % deep, b'{"c": 3, "z": %b}' % deep)
    assert merge(JSON, *versions) == MergedContent(b'{"b": 2, "c": 3, "z": %b}' % deep)


def test_files_beyond_the_limit_are_texts() -> None:
    filler = b'"' + b"x" * STRUCTURED_BYTES + b'"'
    versions = (b'{"z": %b}' % filler, b'{"b": 2, "z": %b}' % filler, b'{"c": 3, "z": %b}' % filler)
    assert merge(JSON, *versions) == merge_content(*versions)
