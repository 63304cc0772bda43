"""The façade's part for bringing a resolved merge to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import PROJECTS, show
from casvault.deploy.comparison import Comparison, Project
from casvault.deploy.continuing import plan_continue
from casvault.deploy.homes import Homes
from casvault.deploy.registration import Claim
from casvault.deploy.run import Command
from casvault.deploy.state import read_deployments
from casvault.deploy.subject import Direction
from casvault.deploy.subject import Subject as Deployed
from casvault.deploy.waiting import Waiting, read_waiting
from casvault.errors import NotFoundError, StaleError, UsageError
from casvault.pending import CONTINUE
from casvault.vault.merges import Merges
from casvault.vault.results.deployments import ContinueResult, pull_row
from casvault.vault.subjects import Subject, Subjects

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.deploy.actions import Planned


class Continuing(Merges, Subjects):
    def continue_merge(self, merge: str, *, follow: bool = False, message: str = "") -> ContinueResult:
        """Bring a merge to its end whose conflicts are all resolved: its result goes into the collection that was
        pulled to, or the project that was deployed to, together with what happened there since.

        ConflictError, with nothing changed, names what is still open. Where the receiving side has moved on and clashes
        with the result, that is a new conflict, which waits under the same name.
        """
        found = self._find_merge(merge)
        if not isinstance(found.subject, Deployed):
            remedy = (
                "branches end with `continue_branch`, updates with `continue_update`, reverts with `continue_revert`"
            )
            raise UsageError("neither a pull nor a deploy", place=merge, remedy=remedy)
        waiting = Waiting(found.ref, found.subject, found.merge)
        subject = self._waiting_subject(waiting)
        if waiting.subject.direction is Direction.DEPLOY and subject is None:
            raise NotFoundError(
                "the project is not where it was, and the result belongs in it",
                place=show(waiting.subject.project),
                remedy="mount or restore it; if it was moved, run this in it; or abort the merge",
            )
        subjects = [] if subject is None else [subject]
        with self._work(subjects, self._homes_of([waiting.place]), message=message, follow=follow) as work:
            project = Project(waiting.subject.project, PROJECTS + waiting.subject.project, {})
            if subject is not None:
                project = work.scan(subject, [waiting.place])
            rows: list[Planned] = []

            def plan(draft: Draft) -> None:
                standing = draft.ref(waiting.ref)
                if standing is None:
                    raise StaleError("somebody else has ended this merge", place=merge)
                snapshots = work.snapshots(draft)
                comparison = Comparison(draft, project, snapshots)
                current = read_waiting(draft, waiting.ref, standing)
                rows[:] = [plan_continue(comparison, Homes(draft, work.lines, snapshots), current)]

            arguments = (waiting.subject.project, waiting.place.path)
            outcome = self._carry_out(work, Command(CONTINUE, arguments), plan, dry_run=False)
            return ContinueResult(
                waiting.handle,
                waiting.subject.direction,
                show(waiting.subject.project),
                pull_row(work.reader, rows[0]),
                outcome,
            )

    def _waiting_subject(self, waiting: Waiting) -> Subject | None:
        """The project that a merge is about; None if nobody knows where it is."""
        ref = PROJECTS + waiting.subject.project
        place = self._project_directory(ref)
        if place is None:
            return None
        state = self._view().find(ref)
        return Subject(Claim(ref), place, state, read_deployments(self.reader, state))
