"""The error tree, grouped by what the caller will do about it.

    CasvaultError
    ├─ UsageError          the request itself makes no sense: change it
    ├─ NotFoundError       what was named is not there: name something else
    │  └─ PurgedError          its bytes were taken out of the vault on purpose
    ├─ RefusedError        it would lose or mix up something: decide, then ask again
    │  ├─ ConflictError        both sides changed; neither was touched
    │  ├─ LocalEditsError      there are changes that the command would replace
    │  ├─ StaleError           a ref does not hold the value that was expected
    │  └─ InterruptedTargetError   an earlier command was cut off: run `casvault recover` first
    ├─ DamageError         stored bytes are not what they must be: run `casvault fsck`
    │  ├─ MalformedError       bytes that are not a valid encoding
    │  └─ MissingObjectError   something refers to an object that no pack holds
    └─ FailureError        the machine would not: no space, no permission, a file that vanished
       ├─ ReadOnlyError        the vault cannot be written
       └─ UnsupportedError     a format or a feature of a later version

Each class has a stable `code`, which is what `--json` shows. A message names the object; `place` says where it was met
(a path, an id, a byte offset) and `remedy` what to do.
"""

from __future__ import annotations

from typing import ClassVar


class CasvaultError(Exception):
    """The root of all errors that casvault raises on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, place: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message if self.place is None else f"{self.place}: {self.message}"


class UsageError(CasvaultError):
    code = "usage"


class NotFoundError(CasvaultError):
    code = "not-found"


class PurgedError(NotFoundError):
    code = "purged"


class RefusedError(CasvaultError):
    code = "refused"


class ConflictError(RefusedError):
    """A merge met a conflict.

    `conflicts` holds one line a conflict, ready to be shown: "path: what clashes".
    """

    code = "conflict"

    def __init__(
        self, message: str, *, conflicts: tuple[str, ...] = (), place: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.conflicts = conflicts


class LocalEditsError(RefusedError):
    code = "local-edits"


class StaleError(RefusedError):
    code = "stale"


class InterruptedTargetError(RefusedError):
    code = "interrupted"


class DamageError(CasvaultError):
    code = "damage"


class MalformedError(DamageError):
    code = "malformed"


class MissingObjectError(DamageError):
    code = "missing-object"


class FailureError(CasvaultError):
    code = "failure"


class ReadOnlyError(FailureError):
    code = "read-only"


class UnsupportedError(FailureError):
    code = "unsupported"
