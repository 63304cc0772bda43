from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casvault.artifacts.names import check_line_name, collection_ref, project_ref, show, typed
from casvault.errors import UsageError


@given(st.binary(max_size=64))
def test_show_any_bytes_can_be_typed_back(path: bytes) -> None:
    assert typed(show(path)) == path


@pytest.mark.parametrize("name", ["lib", "my lib", "büro", "a.b-c_d@e", "-".join("abc"), "名"])
def test_check_line_name_good(name: str) -> None:
    assert check_line_name(name, "collection") == name.encode()


@pytest.mark.parametrize(
    "name",
    ["", " lib", "lib ", ".", "..", ".lib", "-lib", "@", "@lib", "a/b", "a:b", "a~1", "a^", "a\\b", "a\nb", "\0"],
)
def test_check_line_name_that_could_not_be_typed_again(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a project"):
        check_line_name(name, "project")


@pytest.mark.parametrize("text", [chr(0xD800), f"a{chr(0xDC7F)}b", chr(0xDFFF)])
def test_typed_what_no_bytes_are_decoded_to(text: str) -> None:
    """The encoder's own error came through, which no caller expects."""
    with pytest.raises(UsageError, match="not text"):
        typed(text)


def test_refs_of_a_name_are_in_their_own_directories() -> None:
    assert (collection_ref("x"), project_ref("x")) == (b"collections/x", b"projects/x")
