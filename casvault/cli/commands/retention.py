"""retention show, set, plan, apply."""

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import OPERATIONS, MessageOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import columns, count
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.retention import Limit, Policy, RetentionPlan, RetentionResult

_LIMIT = re.compile(r"([1-9][0-9]{0,17})(?:,([1-9][0-9]{0,8})d)?\Z|([1-9][0-9]{0,8})d\Z")

OperationsOption = Annotated[
    str | None,
    typer.Option("--operations", metavar="LIMIT", help="1000, 180d, 1000,180d or all.", show_default=False),
]
StatesOption = Annotated[
    str | None, typer.Option("--states", metavar="LIMIT", help="The same for projects.", show_default=False)
]


@command(OPERATIONS, "casvault retention show")
def show(context: typer.Context) -> None:
    """Show how many operations and project states are to be kept."""
    call = Call.of(context)
    policy = call.vault().retention()
    call.answer(_policy_document(policy), _policy_lines(policy), always=True)


@command(
    OPERATIONS, "casvault retention set --operations 10000,180d --states 100", "casvault retention set --states all"
)
def set_policy(
    context: typer.Context,
    operations: OperationsOption = None,
    states: StatesOption = None,
    message: MessageOption = "",
) -> None:
    """Say how many operations and project states are to be kept.

    A LIMIT is a number (the newest ones), days (180d: what is not older), or both with a comma between them (whatever
    either of them keeps); `all` keeps everything. Nothing is let go by this: `casvault retention plan` shows what would
    go.
    """
    call = Call.of(context)
    if operations is None and states is None:
        raise UsageError("name a limit: --operations or --states", remedy="see `casvault retention set --help`")
    vault = call.vault()
    policy = _changed(vault.retention(), operations, states)
    outcome = vault.set_retention(policy, message=message)
    call.answer({**_policy_document(policy), **outcome_document(outcome)}, _policy_lines(policy))
    call.warn_of(outcome)


@command(OPERATIONS, "casvault retention plan", "casvault retention plan --operations 1000 --json")
def plan(context: typer.Context, operations: OperationsOption = None, states: StatesOption = None) -> None:
    """Show what the policy would let go, and what keeps the rest; with limits, what these would.

    Nothing is changed: `casvault retention apply` takes it out of the vault.
    """
    call = Call.of(context)
    vault = call.vault()
    result = vault.plan_retention(_changed(vault.retention(), operations, states))
    call.answer(_plan_document(result), _plan_lines(result), always=True)


@command(OPERATIONS, "casvault retention apply --dry-run", "casvault retention apply --yes -m 'yearly'")
def apply(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    message: MessageOption = "",
) -> int:
    """Let go what the policy does not keep, for good.

    Old operations, old states of projects, and what only they lead to. Every version of a collection stays, with its
    whole lineage, and so does what is deployed, tagged or waiting in a merge; the ids of all that stays are the same.
    Undo, the audit and the timelines end at the oldest operation that is kept, and say so.

    Without a terminal and without --yes it is only shown, and the exit code is 4. Nothing undoes it.
    """
    call = Call.of(context)
    vault = call.vault()
    plan = vault.plan_retention()
    if dry_run or not (yes or _confirms(call, plan)):
        lines = _plan_lines(plan) if dry_run or not _can_ask(call) else ()
        call.answer({"done": False, **_plan_document(plan)}, lines, always=True)
        if not dry_run:
            call.warn("nothing was let go", "`--yes` does it; it cannot be undone")
        return 0 if dry_run else CONFLICT
    result = vault.apply_retention(message=message)
    document = {key: plain(value) for key, value in result._asdict().items() if key not in ("policy", "outcome")}
    document |= {"done": True, **_policy_document(result.policy), **outcome_document(result.outcome)}
    call.answer(document, _result_lines(result))
    call.warn_of(result.outcome)
    return 0


def _can_ask(call: Call) -> bool:
    return not call.json and sys.stdin.isatty() and sys.stdout.isatty()


def _confirms(call: Call, plan: "RetentionPlan") -> bool:
    if not _can_ask(call):
        return False
    call.answer({}, _plan_lines(plan), always=True)
    return typer.confirm("let this go for good?", default=False)


def _result_lines(result: "RetentionResult") -> Iterator[str]:
    if not result.objects:
        yield "there is nothing to let go"
        return
    yield (
        f"{count(result.objects, 'object')} let go: the packs had {result.bytes_before:,} bytes and have "
        f"{result.bytes_after:,}"
    )
    yield f"the oldest operation is {result.first_kept} now"


def _plan_document(result: "RetentionPlan") -> dict[str, object]:
    document = {**_policy_document(result.policy), "bytes_going": result.bytes_going, "rows": plain(result.rows)}
    return document | {"first_kept": result.first_kept, "always_kept": result.always_kept}


def _changed(policy: "Policy", operations: str | None, states: str | None) -> "Policy":
    if operations is not None:
        policy = policy._replace(operations=_limit(operations, type(policy.operations)))
    if states is not None:
        policy = policy._replace(states=_limit(states, type(policy.states)))
    return policy


def _limit(text: str, made: "type[Limit]") -> "Limit":
    if text == "all":
        return made()
    match = _LIMIT.match(text)
    if match is None:
        raise UsageError("not a limit", place=text, remedy="a number, days such as 180d, both (1000,180d), or all")
    number, more_days, days = match.groups()
    found = more_days or days
    return made(int(number) if number else None, int(found) if found else None)


def _policy_document(policy: "Policy") -> dict[str, object]:
    return {key: plain(value) for key, value in policy._asdict().items()}


def _policy_lines(policy: "Policy") -> Iterator[str]:
    yield f"operations: {_say(policy.operations)}"
    yield f"project states: {_say(policy.states)}"


def _say(limit: "Limit") -> str:
    parts = [] if limit.newest is None else [f"the newest {limit.newest:,}"]
    parts += [] if limit.days is None else [f"those of the last {count(limit.days, 'day')}"]
    return " and ".join(parts) + (" are kept" if parts else "all are kept")


def _plan_lines(result: "RetentionPlan") -> Iterator[str]:
    yield from _policy_lines(result.policy)
    if result.first_kept is not None:
        yield f"the oldest operation kept would be {result.first_kept}; the newest {result.always_kept} always are"
    rows = [("", "all", "would go", "bytes", "kept: in use", "kept: operations")]
    rows += [
        (
            row.what.value,
            f"{row.total:,}",
            f"{row.going:,}",
            f"{row.bytes_going:,}",
            f"{row.kept_by_refs:,}",
            f"{row.kept_by_operations:,}",
        )
        for row in result.rows
    ]
    yield from columns(rows)
    yield f"{result.bytes_going:,} bytes would go; nothing was changed"
