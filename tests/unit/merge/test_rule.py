import pytest

from casvault.merge.rule import Clash, Outcome, Resolution, resolve

TABLE = [
    # base, ours, theirs, outcome, value or clash; every pattern of equality and absence that there is
    (None, None, None, Outcome.UNCHANGED, None),
    ("A", "A", "A", Outcome.UNCHANGED, "A"),
    ("A", "X", "A", Outcome.OURS, "X"),
    ("A", None, "A", Outcome.OURS, None),
    (None, "X", None, Outcome.OURS, "X"),
    ("A", "A", "X", Outcome.THEIRS, "X"),
    ("A", "A", None, Outcome.THEIRS, None),
    (None, None, "X", Outcome.THEIRS, "X"),
    ("A", "X", "X", Outcome.SAME, "X"),
    ("A", None, None, Outcome.SAME, None),
    (None, "X", "X", Outcome.SAME, "X"),
    ("A", "X", "Y", Outcome.CONFLICT, Clash.BOTH_CHANGED),
    ("A", None, "X", Outcome.CONFLICT, Clash.OURS_DELETED),
    ("A", "X", None, Outcome.CONFLICT, Clash.THEIRS_DELETED),
    (None, "X", "Y", Outcome.CONFLICT, Clash.BOTH_ADDED),
]

clean = [row for row in TABLE if row[3] is not Outcome.CONFLICT]
contested = [row for row in TABLE if row[3] is Outcome.CONFLICT]


@pytest.mark.parametrize(("base", "ours", "theirs", "outcome", "value"), clean)
def test_resolve_clean(base: str | None, ours: str | None, theirs: str | None, outcome: Outcome, value: object) -> None:
    resolution = resolve(base, ours, theirs)
    assert resolution == Resolution(outcome, base, ours, theirs)
    assert resolution.is_clean
    assert resolution.value == value
    assert resolution.clash is None


@pytest.mark.parametrize(("base", "ours", "theirs", "outcome", "clash"), contested)
def test_resolve_conflict(
    base: str | None, ours: str | None, theirs: str | None, outcome: Outcome, clash: Clash
) -> None:
    resolution = resolve(base, ours, theirs)
    assert resolution.outcome is outcome
    assert not resolution.is_clean
    assert resolution.clash is clash
    with pytest.raises(ValueError, match="conflict"):
        _ = resolution.value


def test_the_table_is_complete() -> None:
    """Three values out of absent, A, X, Y make 15 patterns once their names are forgotten."""
    values = (None, "A", "X", "Y")
    patterns = {pattern(base, ours, theirs) for base in values for ours in values for theirs in values}
    assert {pattern(*row[:3]) for row in TABLE} == patterns


def pattern(*values: object) -> tuple[int | None, ...]:
    """The values numbered by first appearance; absent stays absent."""
    present = list(dict.fromkeys(value for value in values if value is not None))
    return tuple(None if value is None else present.index(value) for value in values)
