"""Revisions: what people type to name an object.

REV[:PATH]    REV = NAME, then any number of ~n (n times the first parent) and ^n (the n-th parent)
NAME = @ (the collection's newest snapshot) | a collection | a ref | an artifact (path or short name) | an id or its
prefix
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import COLLECTIONS, show, typed
from casvault.artifacts.snapshot import find_content, is_snapshot, iter_links, open_snapshot
from casvault.errors import NotFoundError, UsageError
from casvault.objects import FILE, LINK, TREE, Kind, Root, decode_commit, decode_node, read_commit, read_tag
from casvault.oid import HEX_SIZE
from casvault.trees import find_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from casvault.artifacts.rules import Rules
    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.refs import View

MIN_PREFIX = 4
_SUFFIX = re.compile(r"(?:[~^][0-9]*)+\Z")
_STEP = re.compile(r"([~^])([0-9]*)")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")


class Names(NamedTuple):
    """What names are looked up in."""

    reader: ObjectReader
    find_prefix: Callable[[str], list[Oid]]
    view: View
    collection: str | None
    """The one that artifacts and @ are meant in."""
    rules: Rules


def resolve(names: Names, text: str) -> Oid:
    """The object that a revision names, without following it: REV alone gives a commit's id."""
    revision, colon, path = text.partition(":")
    if not colon:
        return resolve_commitish(names, text)
    return resolve_state(names, revision, typed(path)).id


def resolve_state(names: Names, revision: str, path: bytes = b"") -> Root:
    """The state at a path of what a revision names; snapshots and versions stand for what they hold."""
    oid = resolve_commitish(names, revision)
    state = find_state(names.reader, oid, path.strip(b"/"))
    if state is None:
        raise NotFoundError(
            f"no such path in {revision}", place=show(path), remedy=f"see `casvault ls-tree -r {revision}`"
        )
    return state


def find_state(reader: ObjectReader, oid: Oid, path: bytes = b"") -> Root | None:
    """What stands at a path of a commit, tag, tree or blob."""
    kind, data = next(reader.read_many((oid,)))
    if kind is Kind.TAG:
        return find_state(reader, read_tag(reader, oid).target, path)
    if kind is Kind.COMMIT:
        commit = decode_commit(data)
        if is_snapshot(commit):
            return find_content(reader, open_snapshot(reader, oid), path)
        return find_path(reader, commit.root, path)
    root = Root(FILE, len(data), oid) if kind is Kind.BLOB else Root(TREE, decode_node(data).size, oid)
    return find_path(reader, root, path)


def resolve_commitish(names: Names, text: str) -> Oid:
    suffix = _SUFFIX.search(text)
    if suffix and names.collection is not None and (whole := find_artifact(names, text)) is not None:
        return whole[1]
    base = text[: suffix.start()] if suffix else text
    return follow_steps(names.reader, _resolve_name(names, base or "@"), suffix.group() if suffix else "", text)


def is_steps(text: str) -> bool:
    """Whether this is nothing but ~n and ^n: a way from something else."""
    return bool(text) and _SUFFIX.fullmatch(text) is not None


def follow_steps(reader: ObjectReader, oid: Oid, steps: str, place: str) -> Oid:
    """The commit to which ~n and ^n lead from one; `place` is what messages name."""
    for sign, number in _STEP.findall(steps):
        oid = _step(reader, oid, sign, int(number or 1), place)
    return oid


def _step(reader: ObjectReader, oid: Oid, sign: str, number: int, text: str) -> Oid:
    if sign == "^":
        parents = read_commit(reader, oid).parents
        if number > len(parents):
            raise NotFoundError(f"{oid.short} has {len(parents)} parents", place=text)
        return parents[number - 1] if number else oid
    for _ in range(number):
        parents = read_commit(reader, oid).parents
        if not parents:
            raise NotFoundError(f"history begins at {oid.short}", place=text)
        oid = parents[0]
    return oid


def _resolve_name(names: Names, name: str) -> Oid:
    found = _find_ref(names, name)
    if found is None and names.collection is not None:
        artifact = find_artifact(names, name)
        found = None if artifact is None else artifact[1]
    if found is None and _HEX.match(name):
        found = _find_id(names, name.lower())
    if found is None:
        raise NotFoundError(
            "no such revision: neither a collection, ref, artifact nor id",
            place=name,
            remedy="see `casvault log` and `casvault ls-tree -r @`",
        )
    return found


def _find_ref(names: Names, name: str) -> Oid | None:
    if name in ("@", "HEAD"):
        if names.collection is None:
            raise UsageError("say which collection is meant: --collection NAME", place=name)
        return names.view.find(COLLECTIONS + typed(names.collection))
    raw = typed(name)
    candidates = [raw, COLLECTIONS + raw] if raw and b"//" not in raw and not raw.startswith(b"/") else []
    return next((found for ref in candidates if (found := names.view.find(ref)) is not None), None)


def _find_id(names: Names, prefix: str) -> Oid | None:
    if len(prefix) < MIN_PREFIX or len(prefix) > HEX_SIZE:
        return None
    found = names.find_prefix(prefix)
    if len(found) > 1:
        listed = ", ".join(oid.hex()[: len(prefix) + 8] for oid in found[:5])
        raise UsageError(f"the id is ambiguous: {listed}{', …' if len(found) > 5 else ''}", place=prefix)
    return found[0] if found else None


def find_artifact(names: Names, name: str) -> tuple[bytes, Oid] | None:
    """Path and version of an artifact in the collection's newest snapshot, by path, short name or last name.

    UsageError that lists the paths if the name is ambiguous.
    """
    tip = names.view.find(COLLECTIONS + typed(names.collection or ""))
    if tip is None:
        return None
    snapshot = open_snapshot(names.reader, tip)
    raw = typed(name).strip(b"/")
    exact = find_path(names.reader, snapshot.content, raw) if raw else None
    if exact is not None and exact.mode == LINK:
        return raw, exact.id
    links = {path: entry.id for path, entry in iter_links(names.reader, snapshot)}
    path = pick_path(links, names.rules, name)
    return None if path is None else (path, links[path])


def pick_path(paths: Iterable[bytes], rules: Rules, name: str) -> bytes | None:
    """The artifact of this path, short name or last name; UsageError that lists the paths if there are several."""
    known, raw = list(paths), typed(name).strip(b"/")
    if raw in known:
        return raw
    found = [path for path in known if rules.short_name(path) == raw]
    found = found or [path for path in known if rules.short_name(path).rpartition(b"/")[2] == raw]
    if len(found) > 1:
        listed = ", ".join(map(show, sorted(found)))
        raise UsageError(f"the name is ambiguous: {listed}", place=name, remedy="use the path")
    return found[0] if found else None
