import pytest

from casvault.graph import count_ahead_behind, generations
from tests.support.graphs import Dag


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("c", "d", (1, 1)), ("d", "b", (1, 0)), ("a", "d", (0, 2)), ("d", "d", (0, 0)), ("d", "x", (3, 1))],
)
def test_count_ahead_behind(one: str, other: str, expected: tuple[int, int]) -> None:
    """
    a──b──c    x
        ╲
         d
    """
    dag = Dag("b:a c:b d:b x:")
    assert count_ahead_behind(dag, one, other) == expected
    assert count_ahead_behind(dag, other, one) == expected[::-1]


@pytest.mark.parametrize("with_numbers", [False, True])
def test_count_ahead_behind_when_a_long_way_leads_to_a_node_that_one_side_sees_at_once(with_numbers: bool) -> None:
    """
    x has the parents b and f, y has the parent f: b is below f, though from x it is nearer.

         ╭────────────╮
      a──b──c──d──e──f──x
                      ╰──y
    """
    dag = Dag("b:a c:b d:c e:d f:e x:bf y:f")
    numbers = generations(dag, ["x", "y"]).__getitem__ if with_numbers else None
    assert count_ahead_behind(dag, "x", "y", generation_of=numbers) == (1, 1)


def test_count_ahead_behind_with_generations_ends_where_all_is_common() -> None:
    asked = []

    def parents_of(node: int) -> list[int]:
        asked.append(node)
        return {-1: [-2], -2: [99_990]}.get(node) or [node - 1]

    levels = {-1: 99_992, -2: 99_991}
    counts = count_ahead_behind(parents_of, 100_000, -1, generation_of=lambda node: levels.get(node, node))
    assert counts == (10, 2)
    assert len(asked) == 12
