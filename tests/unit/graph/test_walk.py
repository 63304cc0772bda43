from itertools import islice

import pytest

from casvault.graph import generations, iter_by_rank, iter_first_parents, iter_topological
from tests.support.graphs import Dag

DRAWING = "b:a c:b d:a e:cd"
"""
a──b──c──e
 ╲______╱     with d on the lower line
"""


def ranks(**by_node: int) -> "dict[str, int]":
    return by_node


def test_iter_by_rank_goes_by_date() -> None:
    dates = ranks(a=1, b=2, d=3, c=4, e=5)
    assert list(iter_by_rank(Dag(DRAWING), "e", dates.__getitem__)) == ["e", "c", "d", "b", "a"]


def test_iter_by_rank_yields_each_node_once() -> None:
    dates = ranks(a=1, b=2, d=3, c=4, e=5)
    assert list(iter_by_rank(Dag(DRAWING), "ece", dates.__getitem__)) == ["e", "c", "d", "b", "a"]


def test_iter_by_rank_asks_only_for_what_is_wanted() -> None:
    dag = Dag("b:a c:b d:c")
    assert list(islice(iter_by_rank(dag, "d", ord), 2)) == ["d", "c"]
    assert dag.asked == ["d"]


def test_iter_by_rank_with_a_skewed_clock_gives_all() -> None:
    dates = ranks(a=9, b=1, c=5, d=7, e=2)
    assert list(iter_by_rank(Dag(DRAWING), "e", dates.__getitem__)) == ["e", "d", "a", "c", "b"]


@pytest.mark.parametrize("with_generations", [False, True])
@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (ranks(a=1, b=2, d=3, c=4, e=5), "ecdba"),
        (ranks(a=1, d=2, b=3, c=4, e=5), "ecbda"),
        (ranks(a=9, b=8, c=1, d=2, e=0), "edcba"),
    ],
)
def test_iter_topological_gives_children_first(dates: dict[str, int], expected: str, with_generations: bool) -> None:
    dag = Dag(DRAWING)
    of = generations(dag, "e").__getitem__ if with_generations else None
    assert "".join(iter_topological(dag, "e", dates.__getitem__, generation_of=of)) == expected


@pytest.mark.parametrize("with_generations", [False, True])
def test_iter_topological_with_a_start_below_another(with_generations: bool) -> None:
    dag = Dag(DRAWING)
    of = generations(dag, "e").__getitem__ if with_generations else None
    assert "".join(iter_topological(dag, "bebd", ord, generation_of=of)) == "edcba"


def test_iter_topological_breaks_ties_by_the_order_of_discovery() -> None:
    assert "".join(iter_topological(Dag("d:bac"), "d", lambda _: 0)) == "dbac"


def test_iter_topological_of_nothing() -> None:
    assert list(iter_topological(Dag("b:a"), "", ord)) == []


def test_iter_topological_with_generations_is_lazy() -> None:
    dag = Dag("b:a c:b d:c e:d f:e")
    of = generations(dag, "f").__getitem__
    dag.asked.clear()
    assert list(islice(iter_topological(dag, "f", ord, generation_of=of), 2)) == ["f", "e"]
    assert set(dag.asked) == {"f", "e"}


def test_iter_first_parents() -> None:
    assert list(iter_first_parents(Dag(DRAWING), "e")) == ["e", "c", "b", "a"]
