"""The façade's part for versions of one artifact: compare them, take one back, bring one back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.names import show, typed
from casvault.artifacts.revision import find_artifact_path, split_path
from casvault.artifacts.tags import iter_tags, labels_by_version
from casvault.deploy.run import Command, run
from casvault.deploy.subject import Reverting
from casvault.deploy.versions import plan_continue_revert, plan_restore_version, plan_revert
from casvault.errors import StaleError, UsageError
from casvault.oid import Oid
from casvault.pending import CONTINUE, read_pending
from casvault.reports.changelog import read_changelog
from casvault.vault.history import file_diff
from casvault.vault.merges import Merges
from casvault.vault.naming import NamingVault, renames_note, version_change
from casvault.vault.results.changelogs import Changelog, ChangelogSection, changelog_version
from casvault.vault.results.changes import FileChange
from casvault.vault.results.deployments import conflict_rows
from casvault.vault.results.versions import VersionChange, VersionComparison, VersionResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casvault.artifacts.draft import Draft
    from casvault.deploy.snapshots import Line
    from casvault.deploy.versions import Remade

    RemakePlan = Callable[[Draft, Line, bytes, Oid], Remade]


class Versions(Merges, NamingVault):
    def split_revision(self, revision: str, *, collection: str | None = None) -> tuple[str, str | None]:
        """REV and PATH of REV:PATH, None without a path; a colon in a tag's label or in braces belongs to REV."""
        return split_path(self._names(collection), revision)

    def compare(
        self, artifact: str, old: str, new: str | None = None, *, collection: str | None = None
    ) -> VersionComparison:
        """The files that differ between two versions of an artifact, renames found; the newest one unless named."""
        subject = self._artifact(artifact, collection)
        one, other = (self._version(subject, text).version for text in (old, new))
        found, notes = self._compare_versions(one, other)
        labels = labels_by_version(self.reader, subject.names.view, *subject.home)
        changes = tuple(version_change(subject, each) for each in found.changes)
        home = (subject.collection, show(subject.path))
        return VersionComparison(*home, one, other, labels.get(one, ()), labels.get(other, ()), changes, notes)

    def compare_text(
        self, artifact: str, old: str, new: str | None = None, *, collection: str | None = None
    ) -> Iterator[bytes]:
        """The same as a unified diff in git's form."""
        for change in self.compare(artifact, old, new, collection=collection).changes:
            yield from self._patch(change)

    def changelog(
        self, artifact: str, *, since: str | None = None, until: str | None = None, collection: str | None = None
    ) -> Changelog:
        """What came with each tag of an artifact, the newest first, and what has come since the last one.

        With `since` only what that version does not have, with `until` only what that one has.
        """
        subject = self._artifact(artifact, collection)
        newest = self._version(subject, until).version
        oldest = None if since is None else self._version(subject, since).version
        tags = iter_tags(self.reader, subject.names.view, *subject.home)
        found = read_changelog(self.reader, self._repository.graph(), tags, newest, oldest)
        sections = tuple(
            ChangelogSection(
                *section[:8],
                tuple(map(changelog_version, section.versions)),
                tuple(version_change(subject, each) for each in section.changes),
            )
            for section in found
        )
        notes = dict.fromkeys(note for section in found for note in renames_note(section.too_many))
        return Changelog(subject.collection, show(subject.path), sections, tuple(notes))

    def revert(self, artifact: str, version: str, *, collection: str | None = None, message: str = "") -> VersionResult:
        """Take back what one version of an artifact changed, as a new version; what came later stays.

        A three-way merge of the newest version with the parent of that one (the first one, of a merge). What the
        collection's directory holds is recorded first. Where something later stands against it, the artifact stays as
        it is and the merge waits, to be resolved and brought to its end by `continue_revert`.
        """
        return self._remake("revert", plan_revert, artifact, version, collection, message)

    def continue_revert(self, merge: str, *, message: str = "") -> VersionResult:
        """Bring a revert to its end whose conflicts are all resolved, together with what came to the artifact since.

        ConflictError, with nothing changed, names what is still open. Where the artifact has moved on and clashes with
        the result, that is a new conflict, which waits under the same name.
        """
        found = self._find_merge(merge)
        subject = found.subject
        if not isinstance(subject, Reverting):
            raise UsageError("no revert; `continue_merge` brings it to its end", place=merge)

        def plan(draft: Draft, line: Line) -> Remade:
            standing = draft.ref(found.ref)
            if standing is None:
                raise StaleError("somebody else has ended this merge", place=merge)
            return plan_continue_revert(draft, line, subject, read_pending(draft.stage, standing))

        command = Command(CONTINUE, subject.arguments)
        return self._run(command, plan, show(subject.collection), Oid.from_hex(show(subject.source)), message)

    def restore_version(
        self, artifact: str, version: str, *, collection: str | None = None, message: str = ""
    ) -> VersionResult:
        """Give an artifact the content of one of its versions again, as a new version.

        What the collection's directory holds is recorded first, and stays in the history.
        """
        return self._remake("restore", plan_restore_version, artifact, version, collection, message)

    def find_versioned(self, revision: str, *, collection: str | None = None) -> str | None:
        """The artifact, if a revision begins with the name of one that is there, as in skill/pdf@v1 or skill/pdf~2."""
        names = self._names(collection)
        if names.collection is None:
            return None
        ends = [end for end, sign in enumerate(revision) if sign in "@~^" and end]
        for end in (len(revision), *reversed(ends)):
            path = find_artifact_path(names, revision[:end])
            if path is not None:
                return show(path)
        return None

    def _remake(
        self, kind: str, plan: RemakePlan, artifact: str, version: str, collection: str | None, message: str
    ) -> VersionResult:
        subject = self._artifact(artifact, collection)
        source = self._version(subject, version).version
        command = Command(kind, (*subject.home, source))
        return self._run(
            command, lambda draft, line: plan(draft, line, subject.path, source), subject.collection, source, message
        )

    def _run(
        self, command: Command, plan: Callable[[Draft, Line], Remade], collection: str, source: Oid, message: str
    ) -> VersionResult:
        """Run a command whose second argument is the artifact's path."""
        session = self._session(message, self._directories(collection))
        made: list[Remade] = []
        with self._stage() as stage, self._line(collection, session, stage) as line:

            def planned(draft: Draft) -> None:
                made[:] = [plan(draft, line)]

            outcome = run(session, stage, command, planned)
        (remade,) = made
        path = command.arguments[1]
        changes = iter_file_changes(self.reader, remade.old, remade.new, path)
        files = tuple(FileChange(show(each.path), each.old, each.new) for each in changes)
        is_new = remade.old != remade.new
        rows = conflict_rows(remade.conflicts)
        home = (collection, show(path))
        return VersionResult(*home, source, remade.version, is_new, files, rows, remade.merge, outcome)

    def _patch(self, change: VersionChange) -> Iterator[bytes]:
        old_path = None if change.old_path is None else typed(change.old_path)
        return file_diff(self.reader, FileChange(change.path, change.old, change.new), old_path=old_path)
