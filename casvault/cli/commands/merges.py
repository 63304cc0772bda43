"""merges list, show, continue, abort; resolve."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.artifacts import (
    FollowOption,
    action_word,
    detail_lines,
    row_document,
    undecided,
    waiting_lines,
)
from casvault.cli.call import Call
from casvault.cli.command import PROJECTS, MessageOption, command
from casvault.cli.commands.branches import merge_document, merge_lines
from casvault.cli.commands.updating import answer_update
from casvault.cli.commands.versions import answer_revert
from casvault.cli.documents import plain
from casvault.cli.editing import edited
from casvault.cli.failures import CONFLICT
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted, short
from casvault.cli.tools import TOOLS, merged_by
from casvault.errors import FailureError, NotFoundError, UsageError

if TYPE_CHECKING:
    from casvault import How, Take, Vault
    from casvault.vault.results.deployments import ContinueResult
    from casvault.vault.results.merges import ConflictInfo, EarlierChoice, Marked, MergeInfo, MergeResult

BRANCH, UPSTREAM, REVERT = "BRANCH", "UPSTREAM", "REVERT"
"""The directions of merges of branches, of updates and of reverts."""
MERGE_HELP = "Its handle, as `casvault merges list` shows it, or the name of the artifact or branch."
MergeArgument = Annotated[str, typer.Argument(metavar="MERGE", help=MERGE_HELP)]
TOOL_HELP = f"Merge it in a tool ({', '.join(TOOLS)}), or by a command with $BASE, $LOCAL, $REMOTE and $MERGED."
ToolOption = Annotated[str | None, typer.Option("--tool", metavar="T", help=TOOL_HELP, show_default=False)]
HUNKS_HELP = "Choose for hunk N, as `merges show` numbers them: ours, theirs, base or union. One for each hunk."
HunksOption = Annotated[list[str] | None, typer.Option("--hunk", metavar="N=SIDE", help=HUNKS_HELP, show_default=False)]


@command(PROJECTS, "casvault merges list", "casvault merges list --json")
def list_merges(context: typer.Context) -> None:
    """List the merges that met conflicts and are not done yet."""
    call = Call.of(context)
    found = call.vault().merges()
    call.answer({"merges": [_document(info) for info in found]}, _list_lines(found), always=True)


@command(PROJECTS, "casvault merges show 3f2a", "casvault merges show skill/pdf --json")
def show(context: typer.Context, merge: MergeArgument) -> None:
    """Show what clashes in a merge, and what is settled.

    Open conflicts of texts are shown with markers: first what ours has, then the base, then what theirs has.
    """
    call = Call.of(context)
    vault = call.vault()
    info = vault.merge_info(merge)
    document = _document(info)
    if call.json:
        texts, earlier = vault.iter_conflict_texts(info.handle), vault.earlier_choices(info.handle)
        document["conflicts"] = [_conflict_document(*each) for each in zip(info.conflicts, texts, earlier, strict=True)]
    call.answer(document, _show_lines(vault, info), always=True)


@command(PROJECTS, "casvault merges continue 3f2a", "casvault merges continue skill/pdf -m 'Both tables'")
def continue_merge(
    context: typer.Context, merge: MergeArgument, follow: FollowOption = False, message: MessageOption = ""
) -> int:
    """Finish a merge of which every conflict is settled.

    The result goes into the collection that was pulled to, updated or reverted in, the project that was deployed to, or
    the branch that was merged into, together with what happened there since. If that clashes, it is a new conflict,
    which waits under the same name.
    """
    call = Call.of(context)
    vault = call.vault()
    direction = vault.merge_info(merge).direction.name
    if direction == UPSTREAM:
        return answer_update(call, vault.continue_update(merge, follow=follow, message=message))
    if direction == REVERT:
        return answer_revert(call, vault.continue_revert(merge, message=message))
    if direction == BRANCH:
        ended = vault.continue_branch(merge, message=message)
        call.answer(merge_document(ended), merge_lines(ended))
        call.warn_of(ended.outcome)
        return 0 if ended.is_complete else CONFLICT
    result = vault.continue_merge(merge, follow=follow, message=message)
    document = {
        "merge": result.merge,
        "direction": plain(result.direction),
        "artifact": row_document(result.artifact),
        **outcome_document(result.outcome),
    }
    call.answer(document, _continued_lines(result))
    for line in undecided([result.artifact]):
        call.warn(line)
    call.warn_of(result.outcome)
    return 0 if result.is_complete else CONFLICT


@command(PROJECTS, "casvault merges abort 3f2a")
def abort(context: typer.Context, merge: MergeArgument, message: MessageOption = "") -> None:
    """Give a merge up, with what was settled of it.

    Neither the collection nor the project is touched, as they were not before.
    """
    call = Call.of(context)
    result = call.vault().abort_merge(merge, message=message)
    lines = [f"{_title(result.merge)}: aborted", "neither side was touched; `casvault undo` brings the merge back"]
    call.answer({**_document(result.merge), **outcome_document(result.outcome)}, lines)
    call.warn_of(result.outcome)


@command(
    PROJECTS,
    "casvault resolve 3f2a SKILL.md --ours",
    "casvault resolve skill/pdf SKILL.md --edit",
    "casvault resolve skill/pdf SKILL.md --hunk 1=ours --hunk 2=union",
    "casvault resolve skill/pdf SKILL.md --tool meld",
    "casvault resolve skill/pdf SKILL.md --file merged.md",
)
def resolve(
    context: typer.Context,
    merge: MergeArgument,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A path that clashes; relative to the artifact, or whole.")
    ],
    ours: Annotated[bool, typer.Option("--ours", help="Take ours, deletion included.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="Take theirs, deletion included.")] = False,
    base: Annotated[bool, typer.Option("--base", help="Take what was there before both changes.")] = False,
    file: Annotated[
        str | None, typer.Option("--file", metavar="F", help="Take the content of this file.", show_default=False)
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Write it in $VISUAL or $EDITOR, from both sides.")] = False,
    reuse: Annotated[bool, typer.Option("--reuse", help="Take what settled the same conflict before.")] = False,
    tool: ToolOption = None,
    hunks: HunksOption = None,
    message: MessageOption = "",
) -> None:
    """Settle one conflict of a merge.

    `casvault merges show MERGE` says which side is ours and which is theirs. The last choice for a path stands; nothing
    is written anywhere before `casvault merges continue`.
    """
    from casvault import How

    chosen = {
        How.OURS: ours,
        How.THEIRS: theirs,
        How.BASE: base,
        How.FILE: file is not None,
        How.EDIT: edit,
        How.TOOL: tool is not None,
        How.HUNKS: bool(hunks),
        How.REUSE: reuse,
    }
    asked = [how for how, is_asked in chosen.items() if is_asked]
    if len(asked) != 1:
        remedy = "with one of --ours, --theirs, --base, --hunk N=SIDE, --reuse, --edit, --tool T and --file F"
        raise UsageError("say how it is settled", remedy=remedy)
    call = Call.of(context)
    vault = call.vault()
    if edit:
        result = _resolve_in_editor(call, vault, merge, path, message)
    elif tool is not None:
        result = _resolve_by_tool(call, vault, merge, path, tool, message)
    elif hunks:
        result = vault.resolve_hunks(merge, path, _takes(hunks), message=message)
    else:
        content = None if file is None else _read(file)
        result = vault.resolve(merge, path, asked[0], content, message=message)
    lines = _resolve_lines(vault, result, asked[0], path)
    call.answer({**_document(result.merge), **outcome_document(result.outcome)}, lines)
    call.warn_of(result.outcome)


def _resolve_in_editor(call: Call, vault: "Vault", merge: str, path: str, message: str) -> "MergeResult":
    from casvault import How

    marked = vault.conflict_text(merge, path)
    if marked is None:
        raise UsageError(
            "it cannot be edited: it is binary, or no lines clash in it",
            place=path,
            remedy="take a side with --ours or --theirs, or give the result with --file",
        )
    call.clear()
    with edited(marked.text, path, aside=call.json) as content:
        return vault.resolve(merge, path, How.EDIT, content, message=message)


def _resolve_by_tool(call: Call, vault: "Vault", merge: str, path: str, tool: str, message: str) -> "MergeResult":
    from casvault import How

    files = vault.conflict_files(merge, path)
    call.clear()
    with merged_by(tool, files, path, aside=call.json) as content:
        return vault.resolve(merge, path, How.TOOL, content, message=message)


def _takes(hunks: list[str]) -> "dict[int, Take]":
    """The choices by the numbers of the hunks, as they were typed: 2=theirs."""
    from casvault import Take

    takes: dict[int, Take] = {}
    for typed in hunks:
        number, _, word = typed.partition("=")
        take = next((each for each in Take if each.value == word), None)
        if take is None or not (number.isascii() and number.isdecimal()):
            raise UsageError("not N=ours, N=theirs, N=base or N=union", place=f"--hunk {typed}")
        if takes.setdefault(int(number), take) is not take:
            raise UsageError("two choices for one hunk", place=f"--hunk {typed}")
    return takes


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("no such file", place=file) from error
    except OSError as error:
        raise FailureError(error.strerror or "cannot be read", place=file) from error


def _document(info: "MergeInfo") -> dict[str, object]:
    document = plain(info)
    assert isinstance(document, dict)
    return {**document, "open": len(info.open)}


def _conflict_document(conflict: "ConflictInfo", marked: "Marked | None", earlier: "EarlierChoice | None") -> object:
    text = None if marked is None else marked.text.decode(errors="surrogateescape")
    return plain({**conflict._asdict(), "marked_up": text, "earlier": earlier})


def _list_lines(found: "list[MergeInfo]") -> list[str]:
    if not found:
        return ["no merges in progress"]
    rows = [
        (
            coloured(info.handle, "yellow"),
            info.direction.value,
            coloured(quoted(info.artifact), bold=True),
            f"{_source(info)} → {_target(info)}",
            _left(info),
        )
        for info in found
    ]
    return columns(rows)


def _source(info: "MergeInfo") -> str:
    """The side whose changes were on their way."""
    return quoted(info.theirs_name)


def _target(info: "MergeInfo") -> str:
    return quoted(info.ours_name)


def _left(info: "MergeInfo") -> str:
    left = len(info.open)
    return coloured(f"{left:,} open", "red") if left else coloured("all settled", "green")


def _continued_lines(result: "ContinueResult") -> Iterator[str]:
    row = result.artifact
    home = f"project {result.project}" if result.direction.name == "DEPLOY" else f"collection {row.collection}"
    yield f"{coloured(quoted(row.artifact), bold=True)}: {action_word(row)}, in {home}"
    yield from detail_lines(row, files=True)
    yield from waiting_lines([row], preview=False)


def _title(info: "MergeInfo") -> str:
    what = "merge into" if info.direction.name == BRANCH else f"{info.direction.value} of"
    return f"{coloured(info.handle, 'yellow')} {what} {coloured(quoted(info.artifact), bold=True)}"


def _show_lines(vault: "Vault", info: "MergeInfo") -> Iterator[str]:
    yield f"{_title(info)} from {_source(info)} into {_target(info)}"
    yield f"met {moment(info.seconds, info.zone)} · {count(len(info.conflicts), 'conflict')}, {_left(info)}"
    yield f"ours:   {quoted(info.ours_name)} at {short(info.ours)}"
    yield f"theirs: {quoted(info.theirs_name)} at {short(info.theirs)}"
    settled = [conflict for conflict in info.conflicts if conflict.how is not None]
    yield from columns([(f"  {quoted(each.path)}", each.kind.value, f"settled: {_choice(each)}") for each in settled])
    texts, earlier = vault.iter_conflict_texts(info.handle), vault.earlier_choices(info.handle)
    for conflict, marked, choice in zip(info.conflicts, texts, earlier, strict=True):
        if conflict.how is not None:
            continue
        yield ""
        yield f"{coloured(quoted(conflict.path), bold=True)}: {coloured(conflict.kind.value, 'red')}"
        yield from columns(_side_rows(conflict))
        yield from _hunk_lines(marked)
        yield from _earlier_lines(choice)
    yield ""
    if info.open:
        yield f"settle them: casvault resolve {info.handle} PATH --ours (or --theirs, --base, --edit, …)"
    else:
        yield f"finish it: casvault merges continue {info.handle}"


def _choice(conflict: "ConflictInfo") -> str:
    how = "" if conflict.how is None else conflict.how.value
    return how if conflict.chosen is not None else f"{how} (absent)"


def _side_rows(conflict: "ConflictInfo") -> list[tuple[str, ...]]:
    sides = (("base", conflict.base), ("ours", conflict.ours), ("theirs", conflict.theirs))
    return [
        (f"  {name}", "absent", "", "")
        if state is None
        else (f"  {name}", f"{state.mode:06o}", short(state.id), count(state.size, "byte"))
        for name, state in sides
    ]


def _earlier_lines(choice: "EarlierChoice | None") -> Iterator[str]:
    if choice is not None:
        result = "absent" if choice.chosen is None else short(choice.chosen.id)
        who = f" by {printable(choice.author)}, {moment(choice.seconds, choice.zone)[:10]}" if choice.author else ""
        what = f"{choice.how.value}: {result}"
        yield f"resolved before, in operation {choice.operation}{who} ({what}): take it with --reuse"


def _hunk_lines(marked: "Marked | None") -> Iterator[str]:
    for number, hunk in enumerate(() if marked is None else marked.hunks, 1):
        lines = hunk.text.decode(errors="surrogateescape").split("\n")
        yield coloured(f"@@ hunk {number}, line {hunk.line} of the text with markers @@", "cyan")
        yield from (printable(line.removesuffix("\r")) for line in (lines if lines[-1] else lines[:-1]))


def _resolve_lines(vault: "Vault", result: "MergeResult", how: "How", path: str) -> Iterator[str]:
    info = result.merge
    verb = "settled" if result.outcome.operation is not None else "was settled already"
    yield f"{quoted(path)}: {verb} by {how.value} · {_left(info)}"
    if info.open:
        yield f"next: {quoted(info.open[0].path)}"
        yield from _earlier_lines(vault.earlier_choices(info.handle)[info.conflicts.index(info.open[0])])
    else:
        yield f"finish it: casvault merges continue {info.handle}"
