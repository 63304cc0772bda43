import pytest

from casvault.graph import generations, independent, is_ancestor
from tests.support.graphs import Dag

DRAWING = "b:a c:b d:b e:cd g:f"
"""
      c
     ╱ ╲
a──b    e     f──g
     ╲ ╱
      d
"""


@pytest.mark.parametrize(
    ("ancestor", "descendant", "expected"),
    [
        ("a", "e", True),
        ("d", "e", True),
        ("e", "e", True),
        ("e", "d", False),
        ("c", "d", False),
        ("a", "g", False),
        ("g", "e", False),
    ],
)
def test_is_ancestor(ancestor: str, descendant: str, expected: bool) -> None:
    dag = Dag(DRAWING)
    numbers = generations(dag, ["e", "g"])
    assert is_ancestor(dag, ancestor, descendant) is expected
    assert is_ancestor(dag, ancestor, descendant, generation_of=numbers.__getitem__) is expected


def test_is_ancestor_with_generations_does_not_walk_below_the_ancestor() -> None:
    dag = Dag("b:a c:b d:c x:c y:d")
    numbers = generations(dag, ["x", "y"])
    dag.asked.clear()
    assert not is_ancestor(dag, "x", "y", generation_of=numbers.__getitem__)
    assert set(dag.asked) == {"y"}


def test_is_ancestor_without_generations_ends_where_the_two_have_met() -> None:
    asked = []

    def parents_of(node: int) -> list[int]:
        asked.append(node)
        return [99_999] if node == -1 else [node - 1] if node else []

    assert not is_ancestor(parents_of, -1, 100_000)
    assert len(asked) < 20


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        ("", []),
        ("b", ["b"]),
        ("bb", ["b"]),
        ("cd", ["c", "d"]),
        ("aecg", ["e", "g"]),
        ("abfg", ["b", "g"]),
    ],
)
def test_independent(commits: str, expected: list[str]) -> None:
    dag = Dag(DRAWING)
    numbers = generations(dag, ["e", "g"])
    assert independent(dag, commits) == expected
    assert independent(dag, commits, generation_of=numbers.__getitem__) == expected
