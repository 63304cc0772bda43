"""The progress callback protocol: what long work tells whoever wants to show it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from the thread that does the work, often; it must return at once and must not raise."""

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        """`phase` is a short word such as "scan" or "write"; `total` is None while it is unknown."""


def silent(phase: str, done: int, total: int | None) -> None:
    """The progress of callers that do not want to know."""
