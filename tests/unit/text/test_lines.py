import pytest

from casvault.text.lines import BINARY_PROBE, intern_lines, is_binary, split_lines


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a\n"]),
        (b"\n\n", [b"\n", b"\n"]),
        (b"a\r\nb\rc\n", [b"a\r\n", b"b\rc\n"]),
        (b"a\x0bb\x0c\xc2\x85\n", [b"a\x0bb\x0c\xc2\x85\n"]),
    ],
)
def test_split_lines(data: bytes, lines: list[bytes]) -> None:
    assert split_lines(data) == lines


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        (b"", False),
        (b"\xff\xfe text \xe9", False),
        (b"a\0b", True),
        (b"a" * (BINARY_PROBE - 1) + b"\0", True),
        (b"a" * BINARY_PROBE + b"\0", False),
    ],
)
def test_is_binary(data: bytes, binary: bool) -> None:
    assert is_binary(data) is binary


def test_intern_lines_gives_equal_lines_equal_numbers_across_files() -> None:
    old, new = intern_lines([b"x", b"y", b"x"], [b"y", b"z"])
    assert old[0] == old[2]
    assert old[1] == new[0]
    assert len({old[0], old[1], new[1]}) == 3
