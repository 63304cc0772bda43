"""The rows of the table of drift with real files: an artifact that is a directory, and one that is a single file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault import Action, Author, Vault
from tests.story.scene import Scene, clock, picture, write

if TYPE_CHECKING:
    from casvault.vault.results.projects import DriftRow
    from tests.support.table import Row

LINES = "".join(f"{number}\n" for number in range(1, 9))
OTHER = "skills/other"

Files = dict[str, tuple[str, bytes]]
"""By path in the artifact, "" for one that is a file: "file", "exec" or "link", and content or target."""


def _text(**changes: str) -> bytes:
    text = LINES
    for number, value in changes.items():
        text = text.replace(number.removeprefix("line") + "\n", value + "\n")
    return text.encode()


class Kind(NamedTuple):
    """An artifact, and what it holds in the states of the table; XY is what X and Y come to."""

    path: str
    fork: str
    """Where a fork of it goes by itself."""
    contents: dict[str, Files]
    clashes: list[str]
    """The paths in conflict between X and Z."""
    differences: list[str]
    """The paths in conflict between A and X where there is no base: all that differ and are on both sides."""


_SKILL: Files = {
    "SKILL.md": ("file", _text()),
    "run.sh": ("file", b"#!/bin/sh\n"),
    "link": ("link", b"SKILL.md"),
    "data.bin": ("file", b"\0A"),
    "docs/old.txt": ("file", b"old\n"),
}
_X: Files = {
    "SKILL.md": ("file", _text(line2="update")),
    "run.sh": ("exec", b"#!/bin/sh\n"),
    "link": ("link", b"run.sh"),
    "docs/new/deep.txt": ("file", b"new\n"),
}
_Y: Files = {"SKILL.md": ("file", _text(line7="edit")), "data.bin": ("file", b"\0Y")}
_Z: Files = {"SKILL.md": ("file", _text(line2="clash")), "link": ("link", b"data.bin"), "run.sh": ("file", b"echo\n")}


def _without_old(files: Files) -> Files:
    return {path: state for path, state in files.items() if path != "docs/old.txt"}


DIRECTORY = Kind(
    "skills/pdf",
    "skills/pdf-app",
    {
        "A": _SKILL,
        "X": _SKILL | _X,
        "Y": _without_old(_SKILL | _Y),
        "Z": _SKILL | _Z,
        "XY": _without_old(_SKILL | _X | _Y | {"SKILL.md": ("file", _text(line2="update", line7="edit"))}),
    },
    ["skills/pdf/SKILL.md", "skills/pdf/link"],
    ["skills/pdf/SKILL.md", "skills/pdf/link", "skills/pdf/run.sh"],
)
FILE = Kind(
    "commands/review.md",
    "commands/review-app.md",
    {
        "A": {"": ("file", _text())},
        "X": {"": ("exec", _text(line2="update"))},
        "Y": {"": ("file", _text(line7="edit"))},
        "Z": {"": ("file", _text(line2="clash"))},
        "XY": {"": ("exec", _text(line2="update", line7="edit"))},
    },
    ["commands/review.md"],
    ["commands/review.md"],
)
KINDS = {"directory": DIRECTORY, "file": FILE}


def put(directory: Path, path: str, files: Files | None) -> None:
    """Make an artifact hold exactly this; None removes it."""
    place = directory / path
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    for name, (what, data) in (files or {}).items():
        if what == "link":
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).symlink_to(os.fsdecode(data))
            continue
        write(directory, f"{path}/{name}".rstrip("/"), data).chmod(0o755 if what == "exec" else 0o644)


def held(directory: Path, path: str) -> Files | None:
    """What an artifact holds now; None if it is not there."""
    place = directory / path
    if not os.path.lexists(place):
        return None
    if not place.is_dir():
        return {"": _state(place)}
    names = (found for found in sorted(place.rglob("*")) if found.is_symlink() or not found.is_dir())
    return {str(found.relative_to(place)): _state(found) for found in names}


def _state(place: Path) -> tuple[str, bytes]:
    if place.is_symlink():
        return "link", os.fsencode(os.readlink(place))
    return ("exec" if place.stat().st_mode & 0o100 else "file"), place.read_bytes()


class Stage(NamedTuple):
    """One artifact in one row, on disk."""

    scene: Scene
    kind: Kind
    row: Row
    vault: Vault

    @property
    def deployed(self) -> str:
        return f".claude/{self.kind.path}"

    def content(self, letter: str | None) -> Files | None:
        return None if letter is None else self.kind.contents[letter]

    def sides(self) -> tuple[Files | None, Files | None]:
        """What collection and project hold."""
        return held(self.scene.lib, self.kind.path), held(self.scene.app, self.deployed)

    def all(self) -> object:
        """Everything that a command may not touch that is refused, or only shows what it would do."""
        directories = [picture(place, own=True) for place in (self.scene.lib, self.scene.app)]
        places = self.vault.path
        assert places is not None
        registered = {path.name: path.read_bytes() for path in places.iterdir() if path.is_file()}
        return directories, registered, self.vault.refs(), len(self.vault.operations())

    def files(self) -> object:
        """All files of both sides, without casvault's own; and of the collection its directories, which it records."""
        app = picture(self.scene.app)
        return picture(self.scene.lib), {path: app[path] for path in app if not (self.scene.app / path).is_dir()}

    def drift(self, *, record: bool = False) -> DriftRow | None:
        rows = self.vault.drift(self.scene.app, untracked=True, record=record).rows
        return next((row for row in rows if row.artifact == self.kind.path), None)


def make_stage(root: Path, kind: Kind, row: Row, *, recorded: bool) -> Stage:
    """The row on disk, in a project that has another artifact too. With `recorded` nothing is left for a snapshot."""
    scene = Scene(root)
    author = Author("Ada", "ada@example.org")
    write(scene.lib, f"{OTHER}/SKILL.md", "other\n")
    first = row.base or row.collection
    put(scene.lib, kind.path, None if first is None else kind.contents[first])
    write(scene.app, "README.md", "the app\n")
    vault, _ = Vault.init(scene.lib, author=author, clock=clock)
    vault.deploy([OTHER], scene.app)
    if row.base is not None:
        vault.deploy([kind.path], scene.app)
    stage = Stage(scene, kind, row, vault)
    if row.collection != first:
        put(scene.lib, kind.path, stage.content(row.collection))
    put(scene.app, stage.deployed, stage.content(row.project))
    if recorded:
        vault.snapshot()
        vault.drift(scene.app)
    return stage


def project_afterwards(stage: Stage, action: Action) -> Files | None:
    """What the project holds after a deploy, undeploy or adopt."""
    row = stage.row
    if action in (Action.UPDATED, Action.DEPLOYED, Action.PUT_BACK, Action.REPLACED):
        return stage.content(row.collection)
    if action is Action.MERGED:
        return stage.content("XY")
    return None if action is Action.REMOVED else stage.content(row.project)


def collection_afterwards(stage: Stage, action: Action) -> Files | None:
    """What the collection holds after a pull."""
    row = stage.row
    if action in (Action.TAKEN, Action.OVERWRITTEN, Action.RESTORED, Action.IMPORTED):
        return stage.content(row.project)
    if action is Action.MERGED:
        return stage.content("XY")
    return None if action is Action.DELETED else stage.content(row.collection)
