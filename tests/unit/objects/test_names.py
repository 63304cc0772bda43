from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casvault.objects import check_name
from casvault.objects.names import escape, unescape


@given(st.binary(min_size=1, max_size=64))
def test_escape_any_bytes_round_trip(path: bytes) -> None:
    assert unescape(escape(path)) == path


@given(st.binary(min_size=1, max_size=64))
def test_escape_any_bytes_is_one_name_of_a_tree(path: bytes) -> None:
    assert check_name(escape(path)) is None


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_escape_different_paths_have_different_names(one: bytes, other: bytes) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"skills/pdf", b"skills%2Fpdf"),
        (b".", b"%2E"),
        (b"..", b"%2E."),
        (b"...", b"..."),
        (b"a b~c", b"a b~c"),
        (b"50%", b"50%25"),
        (b"\xff\0", b"%FF%00"),
    ],
)
def test_escape_known_path(path: bytes, name: bytes) -> None:
    assert escape(path) == name
