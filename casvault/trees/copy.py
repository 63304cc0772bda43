"""Taking a state out of an overlay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import TREE, Leaf, read_node
from casvault.oid import trusted_oid

if TYPE_CHECKING:
    from casvault.objects import ObjectWriter, Overlay, Root
    from casvault.oid import Oid


def copy_added(overlay: Overlay, state: Root | None, writer: ObjectWriter) -> None:
    """Write what the state holds and only the overlay has; what else was tried there is left behind.

    Links are not followed: whoever made a commit in an overlay knows whether it is wanted.
    """
    if state is None:
        return
    wanted: dict[Oid, None] = {}
    pending = [(state.id, state.mode == TREE)]
    while pending:
        oid, is_tree = pending.pop()
        if oid in wanted or oid not in overlay.added:
            continue
        wanted[oid] = None
        if is_tree:
            node = read_node(overlay, oid)
            if isinstance(node, Leaf):
                entries = zip(node.ids, node.modes, strict=True)
                pending += [(trusted_oid(each), mode == TREE) for each, mode in entries if each in overlay.added]
            else:
                pending += [(trusted_oid(each), True) for each in node.ids]
    if wanted:
        writer.write_many(overlay.added.read_many(wanted))
