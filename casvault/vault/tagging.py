"""The façade's part for tags of artifacts: make, list and delete them, and what the next one should be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.contents import suggest_bump
from casvault.artifacts.names import show, typed
from casvault.artifacts.revision import find_artifact_path
from casvault.artifacts.semver import FIRST, Bump, parse_semantic, sort_labels
from casvault.artifacts.tags import (
    FORMER_TAGS,
    VERSION_TAGS,
    NewTag,
    check_label,
    find_highest,
    iter_tags,
    plan_tag,
    tag_ref,
)
from casvault.deploy.run import Command, run
from casvault.errors import NotFoundError, RefusedError
from casvault.vault.naming import NamingVault, Subject, shown_path
from casvault.vault.results.tags import BumpInfo, BumpReason, TagInfo, TagResult, tag_info

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.artifacts.tags import ArtifactTag
    from casvault.oid import Oid


class Tagging(NamingVault):
    def tags(self, artifact: str, *, collection: str | None = None) -> list[TagInfo]:
        """The tags of an artifact, the highest semantic version first, the others after them by name.

        Also of one that was removed. At the end are the former tags: those of what was at its path before it.
        """
        name = self._collection_name(collection)
        path = find_artifact_path(self._names(name), artifact, tagged=True)
        if path is None:
            raise NotFoundError(
                f"no such artifact in collection {name}", place=artifact, remedy=f"see `casvault ls-tree -r {name}`"
            )
        found = []
        for kind in (VERSION_TAGS, FORMER_TAGS):
            tags = {tag.label: tag for tag in iter_tags(self.reader, self._view(), typed(name), path, kind)}
            found += [tag_info(tags[label], former=kind is FORMER_TAGS) for label in sort_labels(tags)]
        return found

    def tag(
        self,
        artifact: str,
        label: str,
        version: str | None = None,
        *,
        major: bool = False,
        force: bool = False,
        message: str = "",
        collection: str | None = None,
    ) -> TagResult:
        """Give a version of an artifact a name that stays with it; the newest one unless another is named.

        May be repeated. RefusedError if another version has the name, or this one has it with other words, unless
        `force`; then the tag says which version had it before. `major` marks a version that breaks with those before.
        """
        check_label(label)
        subject = self._artifact(artifact, collection)
        chosen = self._version(subject, version).version
        notes = self._unrecorded_note(subject) if version is None else ()
        new = NewTag(label, chosen, message, major)
        return self._tag(subject, new, None, force=force, notes=notes)

    def tag_next(
        self, artifact: str, *, strict: bool = False, message: str = "", collection: str | None = None
    ) -> TagResult:
        """Tag the newest version of an artifact as `bump` suggests; the first tag is v0.1.0.

        RefusedError if nothing has changed since the last version tag.
        """
        suggestion = self.bump(artifact, strict=strict, collection=collection)
        if suggestion.next is None:
            raise RefusedError(
                f"nothing has changed since {suggestion.current}",
                place=suggestion.artifact,
                remedy="name the tag yourself if there is to be another one",
            )
        subject = self._artifact(artifact, collection)
        is_major = suggestion.bump is Bump.MAJOR and suggestion.current is not None
        new = NewTag(suggestion.next, suggestion.new, message, is_major)
        return self._tag(subject, new, suggestion, force=False, notes=suggestion.notes)

    def delete_tag(self, artifact: str, label: str, *, message: str = "", collection: str | None = None) -> TagResult:
        """Forget a tag; its version stays, and `undo` brings the tag back. NotFoundError if there is none."""
        name = self._collection_name(collection)
        path = find_artifact_path(self._names(name), artifact, tagged=True)
        tags = [] if path is None else list(iter_tags(self.reader, self._view(), typed(name), path))
        tag = next((each for each in tags if each.label == label), None)
        if path is None or tag is None:
            raise NotFoundError(
                "no such tag", place=f"{artifact}@{label}", remedy=f"see `casvault tag {artifact} --list`"
            )
        ref = tag_ref(typed(name), path, label)
        with self._stage() as stage:
            command = Command("tag delete", (typed(name), path, typed(label), tag.version))
            outcome = run(self._session(message, {}), stage, command, lambda draft: draft.set_ref(ref, None))
        version, is_major = tag.version, tag.is_major
        return TagResult(name, show(path), label, version, False, is_major, None, None, outcome)

    def bump(
        self,
        artifact: str,
        old: str | None = None,
        new: str | None = None,
        *,
        strict: bool = False,
        collection: str | None = None,
    ) -> BumpInfo:
        """Whether the next version of an artifact is a major, minor or patch step, and why.

        Compares the version with the highest semantic tag in the lineage with the newest one, or the two that are
        named. Removed files are major, added ones minor, others patch; a rename is minor, but with `strict` it counts
        as removed and added.
        """
        subject = self._artifact(artifact, collection)
        newer = self._version(subject, new).version
        named = None if old is None else self._version(subject, old).version
        last = self._last_tag(subject, named or newer)
        older = named if named is not None or last is None else last.version
        if older is None:
            notes = self._unrecorded_note(subject) if new is None else ()
            home = (subject.collection, show(subject.path))
            return BumpInfo(*home, None, newer, Bump.MINOR, None, str(FIRST), (), notes)
        changes, notes = self._compare_versions(older, newer)
        suggestion = suggest_bump(changes.changes, strict=strict)
        reasons = tuple(
            BumpReason(
                bump,
                each.kind,
                shown_path(subject, each.path),
                None if each.old_path in (None, each.path) else shown_path(subject, each.old_path or b""),
            )
            for bump, each in suggestion.reasons
        )
        notes = (*notes, *(self._unrecorded_note(subject) if new is None else ()))
        label = None if last is None else last.label
        following = _following(label, suggestion.bump)
        home = (subject.collection, show(subject.path))
        return BumpInfo(*home, older, newer, suggestion.bump, label, following, reasons, notes)

    def _last_tag(self, subject: Subject, newest: Oid) -> ArtifactTag | None:
        """The highest version tag of those that a version comes from."""
        graph = self._repository.graph()
        tags = iter_tags(self.reader, subject.names.view, *subject.home)
        semantic = [tag for tag in tags if parse_semantic(tag.label) is not None]
        return find_highest(tag for tag in semantic if graph.is_ancestor(tag.version, newest))

    def _tag(
        self, subject: Subject, new: NewTag, suggestion: BumpInfo | None, *, force: bool, notes: tuple[str, ...]
    ) -> TagResult:
        replaced: list[ArtifactTag | None] = []

        def plan(draft: Draft) -> None:
            replaced[:] = [plan_tag(draft, *subject.home, new, force=force)]

        arguments = (*subject.home, typed(new.label), new.version, *((b"--force",) if force else ()))
        with self._stage() as stage:
            outcome = run(self._session(new.message, {}), stage, Command("tag", arguments), plan)
        old = replaced[0]
        return TagResult(
            subject.collection,
            show(subject.path),
            new.label,
            new.version,
            outcome.operation is not None,
            new.is_major,
            None if old is None else old.version,
            suggestion,
            outcome._replace(notes=(*outcome.notes, *notes)),
        )


def _following(label: str | None, bump: Bump) -> str | None:
    """The label that comes next; None if nothing has changed."""
    if label is None:
        return str(FIRST)
    known = parse_semantic(label)
    return None if known is None or bump is Bump.NONE else str(known.bumped(bump))
