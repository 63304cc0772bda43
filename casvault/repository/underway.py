"""Transactions under way, and the moments in which there must be none.

A transaction may rely on objects that it has not written, because they are there already. So each holds a share of a
lock for as long as it lives, and whoever takes away what nothing reaches holds that lock alone.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from casvault.errors import RefusedError
from casvault.files import lock_file, share_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from casvault.files import Lock


class Participation:
    """Ends what it was made for when it is called, or when nobody knows it any more; once."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def __call__(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def __del__(self) -> None:
        self()


class Underway:
    """The transactions of one open vault. One share serves all of them, so that nobody waits for himself."""

    def __init__(self, path: Path | None) -> None:
        """Without a path, for a vault in memory, other threads alone are kept away."""
        self._path = path
        # What was never ended is collected at any moment, also within these methods.
        self._mutex = threading.RLock()
        self._idle = threading.Condition(self._mutex)
        self._threads: Counter[int] = Counter()
        self._share: Lock | None = None

    def join(self) -> Participation:
        """Begin a transaction, when nobody is alone; what is answered ends it when it is called."""
        thread = threading.get_ident()
        participation = Participation(lambda: self._leave(thread))
        with self._mutex:
            self._threads[thread] += 1
            if self._share is None and self._path is not None:
                self._share = share_file(self._path)
        return participation

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody has a transaction under way, and let nobody begin one meanwhile.

        RefusedError inside of a transaction of the same thread, which would wait for itself.
        """
        if self._threads[threading.get_ident()]:
            raise RefusedError("a transaction is under way here", remedy="end it first")
        if self._path is not None:
            with lock_file(self._path):
                yield
            return
        with self._mutex:
            self._idle.wait_for(lambda: not self._threads)
            yield

    def _leave(self, thread: int) -> None:
        with self._mutex:
            self._threads[thread] -= 1
            self._threads = +self._threads
            if not self._threads:
                share, self._share = self._share, None
                if share is not None:
                    share.release()
                self._idle.notify_all()
