import pytest

from casvault.text.change import Change, Run, compact, line_changes


def changes(old: str, new: str) -> list[Change]:
    return line_changes(*([letter.encode() for letter in text] for text in (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("abc", "abc", []),
        ("", "ab", [Change(0, 0, 0, 2)]),
        ("ab", "", [Change(0, 2, 0, 0)]),
        ("abc", "axc", [Change(1, 2, 1, 2)]),
        ("abcd", "xabdy", [Change(0, 0, 0, 1), Change(2, 3, 3, 3), Change(4, 4, 4, 5)]),
    ],
)
def test_line_changes(old: str, new: str, expected: list[Change]) -> None:
    assert changes(old, new) == expected


def test_an_insertion_slides_down() -> None:
    """f{}g{}: the new function is g{} behind f{}, not {}g before the last brace."""
    assert changes("f{}", "f{}g{}") == [Change(3, 3, 3, 6)]
    assert changes("{a}z", "{a}{a}z") == [Change(3, 3, 3, 6)]


def test_a_run_slides_to_where_it_faces_the_other_text() -> None:
    """x became y before the second a: the removal of one of two blank lines goes there too, to make one change."""
    assert compact([0, 1, 1, 2], [Run(1, 1)], {1}) == [Run(1, 1)]
    assert compact([0, 1, 1, 2], [Run(1, 1)], set()) == [Run(2, 1)]


def test_runs_that_meet_become_one() -> None:
    """In a b b b b c, two removed b slide together to the end of the row."""
    assert compact(list(b"abbbbc"), [Run(1, 1), Run(2, 1)], set()) == [Run(3, 2)]


def test_a_merged_run_slides_as_a_whole() -> None:
    """Removing the second and the fourth x y of four: each slides by its own pair, the two together as one."""
    assert compact(list(b"axyxyxyb"), [Run(1, 2), Run(3, 2)], set()) == [Run(3, 4)]


def test_compact_keeps_the_number_of_changed_lines() -> None:
    lines = [0] * 50
    runs = [Run(rank, 1) for rank in range(0, 40, 4)]
    assert compact(lines, runs, set()) == [Run(40, 10)]
