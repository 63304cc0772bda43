"""Tags of artifacts: names that stay with one version each.

version-tags/<collection>/<escaped path>/<escaped label> -> a tag object -> the version
former-tags/<collection>/<escaped path>/<escaped label>  -> the same, of an artifact that was at the path before

The path is one component of the ref's name, so that no label can be taken for a part of a path. Tags that came from git
are refs of their own, under tags/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from casvault.artifacts.names import show, typed
from casvault.artifacts.semver import parse_semantic, sort_labels
from casvault.artifacts.version import COLLECTION, PATH, TYPE
from casvault.errors import RefusedError, UsageError
from casvault.objects import Kind, Tag, decode_tag, read_kind, read_tag, write_tag
from casvault.objects.names import escape, unescape
from casvault.oid import Oid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.artifacts.draft import Draft
    from casvault.objects import ObjectReader, Signature
    from casvault.refs import View

VERSION_TAGS = b"version-tags/"
FORMER_TAGS = b"former-tags/"
VERSION_TAG = b"version-tag"
MAJOR = b"major"
"""The field of a tag whose version breaks with those before."""
REPLACES = b"replaces"
"""The field of a tag that was put in the place of another one: the version which that one named."""
MAX_LABEL = 1024
_FULL_ID = re.compile(r"[0-9a-fA-F]{64}")


class Refs(Protocol):
    """A view, or a draft on one."""

    def iter_refs(self, prefix: bytes = ...) -> Iterable[tuple[bytes, Oid]]: ...


class ArtifactTag(NamedTuple):
    """A tag, read."""

    label: str
    version: Oid
    id: Oid
    """Of the tag object."""
    tagger: Signature | None
    message: str
    is_major: bool
    replaced: Oid | None
    """The version that the label named before it was given to this one."""


class NewTag(NamedTuple):
    """A tag that is to be made."""

    label: str
    version: Oid
    message: str = ""
    is_major: bool = False


def tags_of(collection: bytes, path: bytes, kind: bytes = VERSION_TAGS) -> bytes:
    """The directory of refs in which an artifact's tags are."""
    return kind + collection + b"/" + escape(path)


def tag_ref(collection: bytes, path: bytes, label: str) -> bytes:
    return tags_of(collection, path) + b"/" + escape(typed(label))


def check_label(label: str) -> None:
    """UsageError for what cannot be the label of a tag."""
    raw = typed(label)
    if not label.strip():
        raise UsageError("a tag needs a name")
    if any(sign in label for sign in "\0\n\r"):
        raise UsageError("no line break or NUL can be in the name of a tag", place=ascii(label))
    if len(raw) > MAX_LABEL:
        raise UsageError(f"the name of a tag has at most {MAX_LABEL} bytes", place=label[:40] + "…")
    if _FULL_ID.fullmatch(label):
        raise UsageError("this would be taken for an id", place=label, remedy="choose a shorter name")


def iter_tags(
    reader: ObjectReader, refs: Refs, collection: bytes, path: bytes, kind: bytes = VERSION_TAGS
) -> Iterator[ArtifactTag]:
    """All tags of one artifact, by the bytes of their refs."""
    found = list(refs.iter_refs(tags_of(collection, path, kind)))
    objects = read_kind(reader, (oid for _, oid in found), Kind.TAG)
    for (name, oid), data in zip(found, objects, strict=True):
        tag = decode_tag(data)
        fields = dict(tag.fields)
        replaced = fields.get(REPLACES)
        label = show(unescape(name.rpartition(b"/")[2]))
        before = None if replaced is None else Oid(replaced)
        yield ArtifactTag(label, tag.target, oid, tag.tagger, show(tag.message), MAJOR in fields, before)


def find_tagged(reader: ObjectReader, view: View, collection: bytes, path: bytes, label: str) -> Oid | None:
    """The version that an artifact's tag names; None if it has no such tag."""
    raw = label.encode(errors="surrogateescape")
    if not raw or len(raw) > MAX_LABEL:
        return None
    found = view.find(tags_of(collection, path) + b"/" + escape(raw))
    return None if found is None else read_tag(reader, found).target


def iter_tagged_paths(refs: Refs, collection: bytes) -> Iterator[bytes]:
    """The paths that have tags, also those at which nothing is any more."""
    above = VERSION_TAGS + collection
    last = None
    for name, _ in refs.iter_refs(above):
        escaped = name[len(above) + 1 :].partition(b"/")[0]
        if escaped != last:
            last = escaped
            yield unescape(escaped)


def labels_by_version(reader: ObjectReader, refs: Refs, collection: bytes, path: bytes) -> dict[Oid, tuple[str, ...]]:
    """The labels of each version of an artifact that has any, the highest semantic version first."""
    labels: dict[Oid, list[str]] = {}
    for tag in iter_tags(reader, refs, collection, path):
        labels.setdefault(tag.version, []).append(tag.label)
    return {version: tuple(sort_labels(found)) for version, found in labels.items()}


class Labels:
    """The labels of versions, looked up artifact by artifact; of refs that do not change meanwhile."""

    def __init__(self, reader: ObjectReader, refs: Refs) -> None:
        self._reader = reader
        self._refs = refs
        self._known: dict[tuple[bytes, bytes], dict[Oid, tuple[str, ...]]] = {}

    def of(self, collection: bytes, path: bytes, version: Oid | None) -> tuple[str, ...]:
        """Those of one version of an artifact, the highest semantic version first."""
        if version is None:
            return ()
        home = (collection, path)
        if home not in self._known:
            self._known[home] = labels_by_version(self._reader, self._refs, *home)
        return self._known[home].get(version, ())


def find_highest(tags: Iterable[ArtifactTag]) -> ArtifactTag | None:
    """The tag of the highest semantic version; None if no label is one."""
    by_label = {tag.label: tag for tag in tags if parse_semantic(tag.label) is not None}
    return by_label[sort_labels(by_label)[0]] if by_label else None


def plan_tag(draft: Draft, collection: bytes, path: bytes, new: NewTag, *, force: bool) -> ArtifactTag | None:
    """Plan to give a label to a version; the tag that had it, if another one did.

    RefusedError if the label is taken, by another version or with other words, unless `force`.
    """
    ref = tag_ref(collection, path, new.label)
    old = next((tag for tag in iter_tags(draft.stage, draft, collection, path) if tag.label == new.label), None)
    if old is not None:
        if (old.version, old.message, old.is_major) == (new.version, new.message, new.is_major):
            return None
        if not force:
            raise RefusedError(
                f"this tag names version {old.version.short} already, and tags do not move"
                if old.version != new.version
                else "this version has the tag already, with other words to it",
                place=f"{show(path)}@{new.label}",
                remedy="choose another name; or give this one to the new version with --force, which is recorded",
            )
    fields = [(TYPE, VERSION_TAG), (COLLECTION, collection), (PATH, path)]
    fields += [(MAJOR, b"")] if new.is_major else []
    fields += [(REPLACES, bytes(old.version))] if old is not None else []
    name, message = typed(new.label), typed(new.message)
    tag = Tag(Kind.COMMIT, new.version, name, draft.draftsman.who, message, fields=tuple(fields))
    draft.set_ref(ref, write_tag(draft.stage, tag))
    return old
