from __future__ import annotations

import pytest

from casvault.merge.drivers.json_layout import Json
from casvault.merge.drivers.values import CLASH, Clash, Value, fingerprint, merge_values, order_keys, string


def value(text: str | None) -> Value | None:
    return None if text is None else Json().read(text.encode())


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ('{"a": 1}', '{"a": 1, "b": 1}', '{"a": 1, "c": 1}', '{"a": 1, "b": 1, "c": 1}'),
        ('{"a": {"b": 1, "c": 1}}', '{"a": {"b": 2, "c": 1}}', '{"a": {"b": 1, "c": 2}}', '{"a": {"b": 2, "c": 2}}'),
        ('{"a": 1, "b": 1}', '{"b": 1}', '{"a": 1}', "{}"),
        ('{"a": 1}', '{"b": 1}', '{"b": 1}', '{"b": 1}'),
        ("[1, 2, 3]", "[0, 1, 2, 3]", "[1, 2, 4]", "[0, 1, 2, 4]"),
        ("[1]", "[1]", "[2]", "[2]"),
        ('[{"a": 1}, 2, 3]', '[{"a": 2}, 2, 3]', '[{"a": 1}, 2]', '[{"a": 2}, 2]'),
        ("1", "2", "3", None),
        (None, "{}", "[]", None),
        ('{"a": 1}', "{}", '{"a": 2}', None),
        ("[1]", "[1, 2]", "[1, 3]", None),
        ('{"a": 1}', '{"a": {"b": 1}}', '{"a": [1]}', None),
        ("{}", '{"a": {"b": 1}}', '{"a": {"c": 1}}', None),
    ],
)
def test_merge_values(base: str | None, ours: str, theirs: str, merged: str | None) -> None:
    expected: Value | Clash | None = CLASH if merged is None else value(merged)
    assert merge_values(value(base), value(ours), value(theirs)) == expected
    assert merge_values(value(base), value(theirs), value(ours)) == expected


def test_what_a_format_tells_apart_is_never_equal() -> None:
    texts = ["1", "1.0", '"1"', "true", '"true"', "null", '"null"', "[]", "{}", "[[]]", '""', '["a", "b"]', '["a, b"]']
    assert len({fingerprint(found) for text in texts if (found := value(text)) is not None}) == len(texts)


def test_a_fingerprint_knows_no_order_of_keys() -> None:
    one, other = value('{"a": 1, "b": [1]}'), value('{"b": [1], "a": 1}')
    assert one is not None
    assert other is not None
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("host", "donor", "wanted", "order"),
    [
        ("ab", "abx", "abx", "abx"),
        ("ab", "xab", "xab", "xab"),
        ("ab", "axb", "abx", "axb"),
        ("aob", "axb", "aobx", "aoxb"),
        ("ba", "abx", "abx", "bxa"),
        ("abc", "ac", "ac", "ac"),
        ("a", "xyz", "xyz", "xyz"),
        ("ob", "xbyz", "obxyz", "oxbyz"),
    ],
)
def test_new_keys_come_behind_the_neighbours_that_they_have(host: str, donor: str, wanted: str, order: str) -> None:
    found = order_keys(*([string(key) for key in keys] for keys in (host, donor, wanted)))
    assert "".join(key.literal for key in found) == order
