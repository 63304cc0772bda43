"""Pure algorithms on directed acyclic graphs, given as `parents_of`; they know no objects and do no I/O.

A node is anything hashable that can be ordered (order only makes results deterministic). `parents_of` must answer for
every node that can be reached, with the same parents each time, and must not contain a cycle. Dates are never trusted
for an answer, only for the order of a listing. `generation_of`, where it is taken, must give each node a number greater
than each of its parents'; it cuts walks short and changes no answer.
"""

from casvault.graph.ahead_behind import count_ahead_behind
from casvault.graph.ancestry import independent, is_ancestor
from casvault.graph.dominance import DominatorTree, is_ancestor_across, merge_bases_across
from casvault.graph.generation import generations
from casvault.graph.merge_base import merge_bases
from casvault.graph.node import GenerationOf, ParentsOf
from casvault.graph.walk import iter_by_rank, iter_first_parents, iter_topological

__all__ = [
    "DominatorTree",
    "GenerationOf",
    "ParentsOf",
    "count_ahead_behind",
    "generations",
    "independent",
    "is_ancestor",
    "is_ancestor_across",
    "iter_by_rank",
    "iter_first_parents",
    "iter_topological",
    "merge_bases",
    "merge_bases_across",
]
