"""Timing a call on pytest-benchmark, with types."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

T = TypeVar("T")


def measure(
    benchmark: BenchmarkFixture,
    target: Callable[..., T],
    *,
    before: Callable[[], tuple[object, ...] | None] | None = None,
    rounds: int = 5,
    warmup_rounds: int = 0,
) -> T:
    """The result of the last of these rounds. `before` is not timed; it may return the arguments of the round."""

    def setup() -> tuple[tuple[object, ...], dict[str, object]]:
        return (before and before()) or (), {}

    result: T = benchmark.pedantic(target, setup=setup, rounds=rounds, warmup_rounds=warmup_rounds)  # type: ignore[no-untyped-call]
    return result
