"""The bytes of odd trees, as fields of the commits and tags that lead to them.

A commit keeps the odd trees below it that none of its parents has at the same path: with its ancestors it has all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import DamageError
from casvault.interop.git.fields import MISSING, RAW_TREE
from casvault.interop.git.trees import parse_tree, plan_mode
from casvault.objects import FOREIGN, TREE, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.interop.git.ids import GitId
    from casvault.interop.git.intake import Intake
    from casvault.interop.git.trees import RawEntry
    from casvault.objects import Field

REMEMBERED = 4096
"""Trees that are not read again for the next commit."""


class KeptTrees:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._contents: dict[GitId, bytes | None] = {}

    def fields(self, tree: GitId, others: Iterable[GitId]) -> tuple[Field, ...]:
        """The odd trees at and below `tree`, the outermost first, but for those that are in one of the `others` too;
        and what is missing from them.
        """
        kept: dict[GitId, bytes] = {}
        missing: dict[GitId, None] = {}
        stack = [(tree, set(others))]
        while stack:
            git_id, beside = stack.pop()
            if git_id in beside or git_id in kept:
                continue
            content = self._find(git_id)
            if content is None:
                raise DamageError("a git tree that an earlier import has read is missing now", place=git_id.hex())
            kept[git_id] = content
            entries = self._split(content)
            found = self._intake.find_many({child for text, _, child in entries if plan_mode(text) != FOREIGN})
            children = {child: known for child, known in found.items() if known.kind in (Kind.BLOB, Kind.TREE)}
            same: dict[bytes, set[GitId]] = {}
            for other in filter(None, map(self._find, beside)):
                for text, name, child in self._split(other):
                    if plan_mode(text) == TREE:
                        same.setdefault(name, set()).add(child)
            for text, name, child in reversed(entries):
                if plan_mode(text) != FOREIGN and child not in children:
                    missing[child] = None
                elif child in children and children[child].is_kept:
                    stack.append((child, same.get(name, set())))
        return (*((RAW_TREE, content) for content in kept.values()), *((MISSING, git_id) for git_id in missing))

    def _split(self, content: bytes) -> list[RawEntry]:
        return parse_tree(content, self._intake.form).split(self._intake.form)

    def _find(self, git_id: GitId) -> bytes | None:
        """The tree as git has it; None if the source does not have it."""
        if git_id not in self._contents:
            if len(self._contents) >= REMEMBERED:
                self._contents.clear()
            found = next(self._intake.reader.read_many([git_id]))[1]
            self._contents[git_id] = found.content if found is not None and found.kind is Kind.TREE else None
        return self._contents[git_id]
