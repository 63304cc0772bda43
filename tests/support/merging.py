"""Merges in progress in a vault, as a pull or a deploy that meets conflicts leaves them."""

from __future__ import annotations

from collections.abc import Mapping

from casvault import Vault
from casvault.artifacts.draft import Draft
from casvault.artifacts.names import typed
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.run import Command, run
from casvault.deploy.subject import Direction, Subject, subject_fields
from casvault.merge.trees import merge_states
from casvault.objects import FILE, ObjectStage, Root, write_blob
from casvault.oid import Oid
from casvault.pending import Moment, PendingMerge, handle_of, write_pending
from casvault.trees import edit_paths, empty_root

File = bytes | tuple[int, bytes]
"""Content, and the mode if it is not that of a plain file."""
Content = File | Mapping[str, File] | None
"""A file, a directory of files by path, or nothing."""


def begin_merge(
    vault: Vault,
    artifact: str,
    base: Content,
    ours: Content,
    theirs: Content,
    *,
    direction: Direction = Direction.PULL,
    project: str = "app",
    collection: str = "lib",
) -> str:
    """Leave a merge in progress of these three contents of an artifact; its handle."""
    subject = Subject(direction, typed(project), b".claude", typed(collection), typed(artifact), b"merge")

    def plan(draft: Draft) -> None:
        states = [_state(draft.stage, content) for content in (base, ours, theirs)]
        merged = merge_states(draft.stage, *states, path=subject.path)
        assert merged.conflicts
        root = _version(draft, subject, states[0], ())
        # The commit of a side that is absent is its last version.
        mine, other = (root if state is None else _version(draft, subject, state, (root,)) for state in states[1:])
        who = draft.draftsman.who
        pending = PendingMerge(
            subject.path,
            mine,
            other,
            states[0],
            merged.state,
            merged.conflicts,
            {},
            subject_fields(subject),
            Moment(who.seconds, who.zone),
        )
        draft.set_ref(subject.ref, write_pending(draft.stage, draft.draftsman, pending))

    stage = vault._repository.begin()
    run(vault._session("", {}), stage, Command(direction.value, (subject.collection, subject.project)), plan)
    return handle_of(subject.ref)


def _state(stage: ObjectStage, content: Content) -> Root | None:
    if content is None:
        return None
    if isinstance(content, bytes):
        content = FILE, content
    if isinstance(content, tuple):
        return Root(content[0], len(content[1]), write_blob(stage, content[1]))
    files = {typed(path): _state(stage, each) for path, each in content.items()}
    return edit_paths(stage, empty_root(), files)


def _version(draft: Draft, subject: Subject, content: Root | None, parents: tuple[Oid, ...]) -> Oid:
    return write_version(
        draft.stage,
        draft.draftsman,
        content or empty_root(),
        parents,
        collection=subject.collection,
        path=subject.path,
        origin=Origin.EDIT,
    )
