"""Tags of artifacts: names that stay with one version each.

version-tags/<collection>/<escaped path>/<escaped label> -> a tag object -> the version

The path is one component of the ref's name, so that no label can be taken for a part of a path. Tags that came from git
are refs of their own, under tags/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.objects import read_tag
from casvault.objects.names import escape, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import ObjectReader, Signature
    from casvault.oid import Oid
    from casvault.refs import View

VERSION_TAGS = b"version-tags/"
MAJOR = b"major"
"""The field of a tag whose version breaks with those before."""


class ArtifactTag(NamedTuple):
    """A tag, read."""

    label: str
    version: Oid
    id: Oid
    """Of the tag object."""
    tagger: Signature | None
    message: str
    is_major: bool


def tags_of(collection: bytes, path: bytes) -> bytes:
    """The directory of refs in which an artifact's tags are."""
    return VERSION_TAGS + collection + b"/" + escape(path)


def tag_ref(collection: bytes, path: bytes, label: str) -> bytes:
    return tags_of(collection, path) + b"/" + escape(label.encode(errors="surrogateescape"))


def iter_tags(reader: ObjectReader, view: View, collection: bytes, path: bytes) -> Iterator[ArtifactTag]:
    """All tags of one artifact, by the bytes of their refs."""
    for name, oid in view.iter_refs(tags_of(collection, path)):
        tag = read_tag(reader, oid)
        label = show(unescape(name.rpartition(b"/")[2]))
        is_major = any(key == MAJOR for key, _ in tag.fields)
        yield ArtifactTag(label, tag.target, oid, tag.tagger, show(tag.message), is_major)


def labels_by_version(reader: ObjectReader, view: View, collection: bytes, path: bytes) -> dict[Oid, tuple[str, ...]]:
    """The labels of each version of an artifact that has any."""
    labels: dict[Oid, tuple[str, ...]] = {}
    for tag in iter_tags(reader, view, collection, path):
        labels[tag.version] = (*labels.get(tag.version, ()), tag.label)
    return labels
