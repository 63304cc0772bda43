"""Ancestry through the façade, in memory.

  b──d
 ╱ ╲╱
a  ╱╲
 ╲╱  ╲
  c───e      g stands alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from casvault import Vault
from casvault.errors import NotFoundError
from casvault.vault.results.history import PairBases

if TYPE_CHECKING:
    from casvault.oid import Oid

EDGES = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "cb", "g": ""}


@pytest.fixture(scope="module")
def vault() -> Vault:
    vault = Vault.in_memory()
    with vault.transaction() as tx:
        made: dict[str, Oid] = {}
        for name, parents in EDGES.items():
            root = tx.write_directory({"f": name.encode()})
            made[name] = tx.write_commit(root, parents=[made[parent] for parent in parents])
            tx.set_ref(f"kept/{name}", made[name])
    return vault


@pytest.fixture(scope="module")
def ids(vault: Vault) -> dict[str, str]:
    return {name: str(vault.rev_parse(f"kept/{name}")) for name in EDGES}


def spell(ids: dict[str, str], found: list[Oid]) -> str:
    names = {oid: name for name, oid in ids.items()}
    return "".join(names[str(oid)] for oid in found)


@pytest.mark.parametrize(
    ("question", "bases"), [("de", "bc"), ("db", "b"), ("dg", ""), ("bde", "b"), ("bac", "a"), ("gde", "")]
)
def test_merge_bases(vault: Vault, ids: dict[str, str], question: str, bases: str) -> None:
    found = vault.merge_bases(*(ids[name] for name in question))
    assert sorted(spell(ids, found)) == sorted(bases)


def test_iter_merge_bases_answers_as_it_is_asked(vault: Vault, ids: dict[str, str]) -> None:
    asked = []

    def pairs():  # type: ignore[no-untyped-def]
        for pair in ("bc", "db"):
            asked.append(pair)
            yield tuple(ids[name] for name in pair)

    answers = vault.iter_merge_bases(pairs())
    assert next(answers) == PairBases(ids["b"], ids["c"], [vault.rev_parse(ids["a"])])
    assert asked == ["bc"]
    assert [spell(ids, answer.bases) for answer in answers] == ["b"]


@pytest.mark.parametrize(("question", "answer"), [("ad", True), ("dd", True), ("da", False), ("ga", False)])
def test_is_ancestor(vault: Vault, ids: dict[str, str], question: str, answer: bool) -> None:
    assert vault.is_ancestor(*(ids[name] for name in question)) is answer


@pytest.mark.parametrize(("question", "heads"), [("abdge", "dge"), ("gba", "gb"), ("aa", "a"), ("edbd", "ed")])
def test_independent_in_the_order_of_the_question(vault: Vault, ids: dict[str, str], question: str, heads: str) -> None:
    assert spell(ids, vault.independent(ids[name] for name in question)) == heads


@pytest.mark.parametrize(
    ("question", "counts"), [("de", (1, 1)), ("da", (3, 0)), ("ad", (0, 3)), ("dg", (4, 1)), ("ee", (0, 0))]
)
def test_count_ahead_behind(vault: Vault, ids: dict[str, str], question: str, counts: tuple[int, int]) -> None:
    assert vault.count_ahead_behind(*(ids[name] for name in question)) == counts


def test_a_revision_that_names_nothing(vault: Vault, ids: dict[str, str]) -> None:
    with pytest.raises(NotFoundError):
        vault.is_ancestor(ids["a"], "0" * 64)
