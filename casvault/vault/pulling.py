"""The façade's part for bringing things home: pull, fork, and the merges that wait in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show, typed
from casvault.artifacts.revision import pick_path
from casvault.deploy.actions import Planned, check_refusals
from casvault.deploy.homes import Homes
from casvault.deploy.pulling import PullOptions, PullStrategy, Wanted, plan_pull
from casvault.deploy.run import Command
from casvault.deploy.scanning import iter_untracked
from casvault.deploy.state import DEFAULT_ROOT, Place
from casvault.errors import NotFoundError, UsageError
from casvault.vault.results.deployments import PullResult, pull_row
from casvault.vault.subjects import Subject, Subjects, Work, check_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.rules import Rules


class Pulling(Subjects):
    def pull(
        self,
        artifacts: Iterable[str],
        project: Path | str,
        *,
        strategy: PullStrategy | None = None,
        delete: bool = False,
        fork_as: str | None = None,
        relink: bool = False,
        preview: bool = False,
        collection: str | None = None,
        root: str | None = None,
        follow: bool = False,
        message: str = "",
    ) -> PullResult:
        """Bring a project's edits of these artifacts into their collections; with none named, of all that is deployed.

        The base of the merge is the merge base of the two sides' versions. An artifact whose sides clash is left byte
        for byte as it was on both, its row says what clashes, and the merge waits to be resolved. RefusedError, with
        nothing changed, where something that was named needs another decision: a deletion (`delete` takes it), or
        content without a base (`strategy`). With `preview` nothing is changed in any case.
        """
        subject = self._subject(project, writing=not preview)
        chosen_root = None if root is None else typed(root)
        wanted, homes = self._wanted(subject, list(check_names(artifacts)), collection, chosen_root)
        if fork_as is not None and (strategy is not PullStrategy.FORK or len(wanted) != 1):
            raise UsageError("a name for the fork goes with the strategy fork and exactly one artifact", place=fork_as)
        fork_path = None if fork_as is None else typed(fork_as)
        options = PullOptions(strategy, delete, fork_path, relink)
        with self._work([subject], homes, message=message, follow=follow) as work:
            return self._pull(work, subject, wanted, options, preview=preview)

    def _pull(
        self, work: Work, subject: Subject, wanted: Sequence[Wanted], options: PullOptions, *, preview: bool
    ) -> PullResult:
        project = work.scan(subject, [one.place for one in wanted])
        rows: list[Planned] = []

        def plan(draft: Draft) -> None:
            snapshots = work.snapshots(draft)
            comparison = work.compare(draft, project, subject, snapshots)
            left = [one for one in wanted if one.named or not subject.has_lost(comparison, one.place)]
            rows[:] = plan_pull(comparison, Homes(draft, work.lines, snapshots), left, options)
            if not preview:
                check_refusals(rows)

        arguments = (*work.lines, subject.name, *(one.place.path for one in wanted))
        outcome = self._carry_out(work, Command("pull", arguments), plan, [subject], dry_run=preview)
        found = tuple(pull_row(work.reader, row) for row in rows)
        return PullResult(show(subject.name), preview, found, outcome)

    def _wanted(
        self, subject: Subject, names: Sequence[str], collection: str | None, root: bytes | None
    ) -> tuple[list[Wanted], set[bytes]]:
        """What to pull, and the collections that it goes to. What was never deployed must be named."""
        if not names:
            places = [
                place
                for place in sorted(subject.deployments)
                if collection in (None, show(place.collection)) and root in (None, place.root)
            ]
            if not places:
                raise UsageError("nothing is deployed here that could be pulled", place=str(subject.directory))
            return [Wanted(place, named=False) for place in places], self._homes_of(places)
        found: list[Place] = []
        for name in names:
            places = self._pick_deployed(subject, name, collection, root)
            if len(places) > 1:
                listed = ", ".join(show(place.file_path) for place in places)
                raise UsageError(f"it is deployed more than once: {listed}", place=name, remedy="name one with --root")
            found += places or [self._untracked_place(subject, name, collection, root or DEFAULT_ROOT)]
        return [Wanted(place) for place in dict.fromkeys(found)], self._homes_of(found)

    def _untracked_place(self, subject: Subject, name: str, collection: str | None, root: bytes) -> Place:
        """Something in a project that was never deployed there; it goes to the collection that is meant."""
        home = self._collection_name(collection)
        rules: Rules = self._rules(home)
        paths = list(iter_untracked(subject.directory / show(root), rules))
        path = pick_path(paths, rules, name)
        if path is None:
            raise NotFoundError(
                f"nothing of this name is in project {show(subject.name)}",
                place=name,
                remedy="see `casvault drift --project DIR --untracked`",
            )
        return Place(root, typed(home), path)
