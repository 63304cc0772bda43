"""Revisions: what people type to name an object. Every command that takes one understands all of it.

REV[:PATH]    REV = NAME, then any number of ~n (n times the first parent) and ^n (the n-th parent)

NAME = @                        the collection's newest snapshot
     | COLLECTION               that of another one
     | ARTIFACT                 its newest version; a path (skills/pdf), a short name (skill/pdf) or the last part (pdf)
     | ARTIFACT@LABEL           the version that a tag of the artifact names
     | ARTIFACT@{in:PROJECT}    the version that was deployed to a project last
     | NAME@{DATE}, @{DATE}     the newest version or snapshot at or before: 2026-01-31, 2026-01-31T12:00, 3 days ago
     | a ref                    branches/main, tags/v1
     | an id, or a prefix of it of at least four digits

Where a command has been given the artifact, LABEL, ~n, ^n, @{DATE} and @{in:PROJECT} are enough.

What is a name as a whole, with all its signs, goes before what is put together, and a name before an abbreviated id.
Where several names can be meant, that is an error which lists them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.moments import parse_moment
from casvault.artifacts.names import COLLECTIONS, show, typed
from casvault.artifacts.snapshot import find_content, find_version, is_snapshot, iter_links, open_snapshot
from casvault.artifacts.tags import find_tagged, iter_tagged_paths
from casvault.errors import NotFoundError, UsageError
from casvault.objects import FILE, TREE, Kind, Root, decode_commit, decode_node, read_commit, read_parents, read_tag
from casvault.oid import HEX_SIZE, Oid
from casvault.trees import find_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from casvault.artifacts.rules import Rules
    from casvault.objects import ObjectReader
    from casvault.refs import View

MIN_PREFIX = 4
_SUFFIX = re.compile(r"(?:[~^][0-9]*)+\Z")
_STEP = re.compile(r"([~^])([0-9]*)")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_IN = "in:"


def no_deployments(collection: bytes, path: bytes, project: str) -> dict[str, Oid]:
    raise NotFoundError("no such project", place=project)


def no_clock() -> tuple[int, int]:
    raise UsageError("dates are counted from now, and there is no clock here")


class Names(NamedTuple):
    """What names are looked up in."""

    reader: ObjectReader
    find_prefix: Callable[[str], list[Oid]]
    view: View
    collection: str | None
    """The one that artifacts and @ are meant in."""
    rules: Rules
    find_deployed: Callable[[bytes, bytes, str], dict[str, Oid]] = no_deployments
    """The versions of an artifact that a project has, by its roots."""
    clock: Callable[[], tuple[int, int]] = no_clock


class Chosen(NamedTuple):
    """A version that was chosen, and the tag by which it was, if that is how."""

    version: Oid
    label: str | None = None


class _Meaning(NamedTuple):
    """One of the things that a name can mean."""

    id: Oid
    what: str
    """For messages, in a form that means nothing else."""


def resolve(names: Names, text: str) -> Oid:
    """The object that a revision names, without following it: REV alone gives a commit's id."""
    revision, path = split_path(names, text)
    if path is None:
        return resolve_commitish(names, text)
    return resolve_state(names, revision, typed(path)).id


def split_path(names: Names, text: str) -> tuple[str, str | None]:
    """REV and PATH of a revision; None without a path. Colons in braces and in the labels of tags are none of that."""
    ends = [end for end, sign in enumerate(text) if sign == ":" and text.count("{", 0, end) <= text.count("}", 0, end)]
    if "@" in text.strip("@"):
        for end in (len(text), *reversed(ends)):
            if any(_iter_tagged(names, text[:end])):
                return text[:end], text[end + 1 :] if end < len(text) else None
    return (text[: ends[0]], text[ends[0] + 1 :]) if ends else (text, None)


def resolve_path(names: Names, text: str) -> Root:
    """The state that REV[:PATH] names; snapshots and versions stand for what they hold."""
    revision, path = split_path(names, text)
    return resolve_state(names, revision, typed(path or ""))


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
    found = _find_commitish(names, text)
    if found is None:
        raise NotFoundError(
            "no such revision: neither a collection, ref, artifact nor id",
            place=text,
            remedy="see `casvault log` and `casvault ls-tree -r @`",
        )
    return found


def resolve_version(names: Names, path: bytes, text: str) -> Chosen:
    """The version of the artifact at a path that a revision names; a label of a tag of its own is enough.

    NotFoundError, UsageError for what names nothing, or something else than a commit. Whether it is a version of this
    artifact is not looked at.
    """
    for name, steps in _iter_cuts(text):
        tagged = None if names.collection is None else _tagged_at(names, path, name)
        if tagged is not None:
            oid = follow_steps(names.reader, tagged, steps, text)
            return Chosen(oid, None if steps else name)
    here = is_steps(text) or text.startswith("@{")
    whole = show(path) + text if here else text
    label = None if here else _label_of(names, text)
    found = _find_commitish(names, whole)
    if found is None:
        raise NotFoundError(
            "no such version: neither a tag of the artifact nor an id",
            place=text,
            remedy=f"see `casvault tag {show(path)}` and `casvault lineage {show(path)}`",
        )
    return Chosen(peel(names.reader, found, text), label)


def _label_of(names: Names, text: str) -> str | None:
    """The label, if this is a tag of an artifact, whole."""
    return next((text[at + 1 :] for at, _ in _iter_tagged(names, text)), None)


def peel(reader: ObjectReader, oid: Oid, place: str) -> Oid:
    """The commit that an id or a chain of tags leads to; UsageError if it leads to something else."""
    info = reader.find_infos([oid])[0]
    while info is not None and info.kind is Kind.TAG:
        oid = read_tag(reader, oid).target
        info = reader.find_infos([oid])[0]
    if info is None or info.kind is not Kind.COMMIT:
        raise UsageError("not a commit", place=place, remedy="name a snapshot or a version")
    return oid


def is_steps(text: str) -> bool:
    """Whether this is nothing but ~n and ^n: a way from something else."""
    return bool(text) and _SUFFIX.fullmatch(text) is not None


def follow_steps(reader: ObjectReader, oid: Oid, steps: str, place: str) -> Oid:
    """The commit to which ~n and ^n lead from one; `place` is what messages name."""
    found = _STEP.findall(steps)
    oid = peel(reader, oid, place) if found else oid
    for sign, number in found:
        oid = _step(reader, oid, sign, int(number or 1), place)
    return oid


def _step(reader: ObjectReader, oid: Oid, sign: str, number: int, text: str) -> Oid:
    if sign == "^":
        parents = read_parents(reader, oid)
        if number > len(parents):
            raise NotFoundError(f"{oid.short} has {len(parents)} parents", place=text)
        return parents[number - 1] if number else oid
    for _ in range(number):
        parents = read_parents(reader, oid)
        if not parents:
            raise NotFoundError(f"history begins at {oid.short}", place=text)
        oid = parents[0]
    return oid


def _find_commitish(names: Names, text: str) -> Oid | None:
    if len(text) == HEX_SIZE and _HEX.match(text):
        return _find_id(names, text.lower())
    for name, steps in _iter_cuts(text):
        found = _find_name(names, name or "@")
        if found is not None:
            return follow_steps(names.reader, found, steps, text)
    return None


def _iter_cuts(text: str) -> Iterator[tuple[str, str]]:
    """A revision as a name and steps, the longest name first: names may end like steps."""
    yield text, ""
    suffix = _SUFFIX.search(text)
    if suffix:
        for step in reversed(list(_STEP.finditer(text, suffix.start()))):
            yield text[: step.start()], text[step.start() :]


def _find_name(names: Names, name: str) -> Oid | None:
    """What a name means; UsageError that lists the meanings if there are several."""
    meanings = list(_iter_meanings(names, name))
    if len({meaning.id for meaning in meanings}) > 1:
        listed = ", ".join(f"{meaning.what} ({meaning.id.short})" for meaning in meanings)
        raise UsageError(f"the name is ambiguous: {listed}", place=name, remedy="use the longer name of one of them")
    if meanings:
        return meanings[0].id
    return _find_id(names, name.lower()) if _HEX.match(name) else None


def _iter_meanings(names: Names, name: str) -> Iterator[_Meaning]:
    yield from _iter_refs(names, name)
    if name in ("@", "HEAD"):
        return
    if names.collection is not None and (artifact := find_artifact(names, name)) is not None:
        yield _Meaning(artifact[1], f"artifact {show(artifact[0])}")
    tagged = list(_iter_tagged(names, name))
    for at, oid in tagged:
        yield _Meaning(oid, f"tag {name[at + 1 :]} of {name[:at]}")
    if not tagged and name.endswith("}") and "@{" in name:
        at = name.rindex("@{")
        yield _Meaning(_resolve_braces(names, name[:at], name[at + 2 : -1]), name)


def _iter_refs(names: Names, name: str) -> Iterator[_Meaning]:
    if name in ("@", "HEAD"):
        if names.collection is None:
            raise UsageError("say which collection is meant: --collection NAME", place=name)
        tip = names.view.find(COLLECTIONS + typed(names.collection))
        if tip is not None:
            yield _Meaning(tip, f"collection {names.collection}")
        return
    raw = typed(name)
    if raw and b"//" not in raw and not raw.startswith(b"/"):
        for ref in (raw, COLLECTIONS + raw):
            found = names.view.find(ref)
            if found is not None:
                yield _Meaning(found, show(ref))


def _iter_tagged(names: Names, name: str) -> Iterator[tuple[int, Oid]]:
    """Where to cut a name into an artifact and a label of it, and the version; there may be several ways."""
    if names.collection is None:
        return
    for at, sign in enumerate(name):
        if sign == "@" and 0 < at < len(name) - 1:
            path = find_artifact_path(names, name[:at], tagged=True)
            oid = None if path is None else _tagged_at(names, path, name[at + 1 :])
            if oid is not None:
                yield at, oid


def _tagged_at(names: Names, path: bytes, label: str) -> Oid | None:
    return find_tagged(names.reader, names.view, typed(names.collection or ""), path, label)


def find_artifact_path(names: Names, name: str, *, tagged: bool = False) -> bytes | None:
    """The path of an artifact; with `tagged` also of one that was removed and has tags."""
    found = find_artifact(names, name)
    if found is not None or not tagged:
        return None if found is None else found[0]
    return pick_path(iter_tagged_paths(names.view, typed(names.collection or "")), names.rules, name)


def _resolve_braces(names: Names, name: str, text: str) -> Oid:
    """NAME@{in:PROJECT} and NAME@{DATE}."""
    if text.startswith(_IN):
        return _resolve_deployed(names, name, text.removeprefix(_IN))
    moment = parse_moment(text, names.clock())
    start = _find_name(names, name or "@")
    if start is None:
        raise NotFoundError("no such artifact or collection", place=name, remedy="see `casvault ls-tree -r @`")
    oid: Oid | None = peel(names.reader, start, name)
    while oid is not None:
        commit = read_commit(names.reader, oid)
        if commit.committer.seconds <= moment:
            return oid
        oid = next(iter(read_parents(names.reader, oid)), None)
    raise NotFoundError("it begins later", place=f"{name}@{{{text}}}", remedy=f"see `casvault log {name or '@'}`")


def _resolve_deployed(names: Names, name: str, project: str) -> Oid:
    path = None if names.collection is None else find_artifact_path(names, name)
    if path is None:
        raise NotFoundError("no such artifact in the collection", place=name, remedy="see `casvault ls-tree -r @`")
    found = names.find_deployed(typed(names.collection or ""), path, project)
    if not found:
        raise NotFoundError(
            f"nothing of this name is deployed in project {project}", place=name, remedy="see `casvault drift --all`"
        )
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{root} ({oid.short})" for root, oid in found.items())
        raise UsageError(
            f"project {project} has it in several roots, in several versions: {listed}",
            place=name,
            remedy="name one of the ids",
        )
    return next(iter(found.values()))


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
    exact = find_version(names.reader, snapshot, raw) if raw else None
    if exact is not None:
        return raw, exact
    if b"/" in raw:
        # A short name says where to look; among thousands of artifacts that matters.
        paths = names.rules.paths_of(raw)
        links = {path: oid for path in paths if (oid := find_version(names.reader, snapshot, path)) is not None}
    else:
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
