"""One run of the command: what was asked for in general, the vault it works on, and how it answers."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from casvault.cli.documents import print_document
from casvault.cli.environment import read_author, read_vault
from casvault.cli.progress import ProgressLine
from casvault.cli.terminal import say, warn, write_bytes
from casvault.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self

    import typer

    from casvault import Vault
    from casvault.vault.results.upkeep import Outcome
    from casvault.vault.status import CollectionsView


class Call:
    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self._vault_path: str | None = None
        self._progress = ProgressLine()

    @classmethod
    def of(cls, context: typer.Context) -> Self:
        call = context.find_object(cls)
        assert call is not None
        return call

    def take(self, *, vault: str | None, directory: str | None, json: bool | None, quiet: bool | None) -> None:
        """Add what was asked for in one place of the command line."""
        if directory is not None:
            _change_directory(directory)
        if vault is not None:
            self._vault_path = os.path.abspath(vault)
        self.json = self.json or bool(json)
        self.quiet = self.quiet or bool(quiet)

    def vault(self) -> Vault:
        """The vault that is meant, open."""
        # The façade imports most of casvault, which commands without a vault need not wait for.
        from casvault import Vault

        return Vault.discover(".", vault=self._vault_path or read_vault(), **self.options())

    def view(self) -> CollectionsView:
        """The same vault for a look at its collections, which needs only a part of the façade."""
        from casvault.vault.status import CollectionsView

        return CollectionsView.discover(".", vault=self._vault_path or read_vault(), **self.options())

    def options(self) -> dict[str, Any]:
        """What every vault is opened with; from here on there may be garbage to collect."""
        gc.enable()
        # A large scan makes a million small objects that live to its end; looking through them again and again took a
        # sixth of its time.
        gc.set_threshold(100_000, 20, 20)
        return {"author": read_author(), "progress": self._progress}

    def project(self, vault: Vault, directory: str | None) -> str:
        """The project that is meant: the one named, or the one at or above the current directory."""
        found = directory or self.find_project(vault)
        if found is None:
            raise UsageError("say which project is meant", remedy="name its directory with --project DIR")
        return str(found)

    def find_project(self, vault: Vault) -> Path | None:
        return vault.project_here()

    def answer(self, document: dict[str, object], lines: Iterable[str], *, always: bool = False) -> None:
        """The result, as JSON or in words; with --quiet the words are said only if they are what was asked for."""
        self.clear()
        if self.json:
            print_document(document)
        elif always or not self.quiet:
            for line in lines:
                say(line)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Bytes that were asked for, as they are."""
        self.clear()
        write_bytes(pieces)

    def clear(self) -> None:
        """Remove what is shown of the progress, so that something else can be said."""
        self._progress.clear()

    def warn(self, message: str, hint: str | None = None) -> None:
        """A warning; it is part of the document where there is one, so that nothing is said twice."""
        if not self.json:
            self.clear()
            warn(message, hint)

    def warn_interrupted(self, directories: Iterable[Path]) -> None:
        for directory in directories:
            self.warn(
                f"{directory}: an earlier command was cut off while it wrote files here",
                "`casvault recover` finishes it, `casvault recover --back` takes it back",
            )

    def warn_of(self, outcome: Outcome) -> None:
        """Say what a command did not touch."""
        for path in outcome.kept:
            self.warn(f"{path}: left alone, because it was changed meanwhile")
        for note in outcome.notes:
            self.warn(note)
        for path in outcome.left:
            self.warn(f"{path}: not removed, because something else is in it")


def _change_directory(directory: str) -> None:
    try:
        os.chdir(directory)
    except FileNotFoundError as error:
        raise NotFoundError("no such directory", place=directory) from error
    except NotADirectoryError as error:
        raise UsageError("not a directory", place=directory) from error
