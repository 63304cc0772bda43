from casvault.graph import generations
from tests.support.graphs import Dag


def test_generations_count_the_longest_path() -> None:
    """
    a──b──c──d
     ╲______╱
    """
    assert generations(Dag("b:a c:b d:ac"), ["d"]) == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_generations_of_several_starts() -> None:
    assert generations(Dag("b:a c:a"), ["b", "c"]) == {"a": 1, "b": 2, "c": 2}


def test_generations_continue_from_known_ones() -> None:
    dag = Dag("b:a c:b")
    assert generations(dag, ["c"], known={"b": 7}) == {"c": 8}
    assert dag.asked.count("b") == 0


def test_generations_of_a_history_deeper_than_the_stack() -> None:
    depth = 200_000
    numbers = generations(lambda node: [node - 1] if node else [], [depth])
    assert numbers[depth] == depth + 1
