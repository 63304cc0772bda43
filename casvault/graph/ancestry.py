"""Who descends from whom."""

from collections.abc import Iterable

from casvault.graph.node import GenerationOf, N, ParentsOf
from casvault.graph.paint import RIGHT, Painter


def is_ancestor(
    parents_of: ParentsOf[N], ancestor: N, descendant: N, *, generation_of: GenerationOf[N] | None = None
) -> bool:
    """Whether `descendant` reaches `ancestor` by zero or more steps to parents.

    Without generation numbers a yes costs about the nodes between the two, a no the history since the two parted.
    """
    if generation_of is not None:
        return ancestor in _reached(parents_of, [descendant], {ancestor}, generation_of)
    painter = Painter(parents_of, ancestor, descendant)
    while not painter.is_common(ancestor):
        # Ancestors common to both cannot lead to `ancestor`: it would be its own.
        if not painter.has_frontier(RIGHT):
            return False
        painter.step()
    return True


def independent(
    parents_of: ParentsOf[N], commits: Iterable[N], *, generation_of: GenerationOf[N] | None = None
) -> list[N]:
    """The commits that none of the others reaches, sorted, each once.

    Without generation numbers this walks the whole history below them unless one is left early.
    """
    wanted = set(commits)
    parents = [parent for commit in wanted for parent in parents_of(commit)]
    return sorted(wanted - _reached(parents_of, parents, wanted, generation_of, spare=1))


def _reached(
    parents_of: ParentsOf[N],
    starts: Iterable[N],
    targets: set[N],
    generation_of: GenerationOf[N] | None,
    *,
    spare: int = 0,
) -> set[N]:
    """Which of `targets` are among `starts` or below them; ends as soon as all but `spare` are."""
    floor = min(map(generation_of, targets), default=0) if generation_of else 0
    found: set[N] = set()
    seen: set[N] = set()
    stack = list(starts)
    while stack and len(found) < len(targets) - spare:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in targets:
            found.add(node)
        if generation_of is None or generation_of(node) > floor:
            stack += parents_of(node)
    return found
