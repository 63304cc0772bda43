"""Merge tools, by git's conventions: the versions are files, which BASE, LOCAL, REMOTE and MERGED name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from casvault.cli.editing import run_program, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from casvault.vault.results.merges import ConflictFiles

VERSIONS = ("BASE", "LOCAL", "REMOTE")

TOOLS = {
    "araxis": 'compare -wait -merge -3 -a1 "$BASE" "$LOCAL" "$REMOTE" "$MERGED"',
    "bc": 'bcompare "$LOCAL" "$REMOTE" "$BASE" -mergeoutput="$MERGED"',
    "code": 'code --wait --merge "$REMOTE" "$LOCAL" "$BASE" "$MERGED"',
    "diffuse": 'diffuse "$LOCAL" "$MERGED" "$REMOTE" "$BASE"',
    "gvimdiff": 'gvim -f -d -c "4wincmd w | wincmd J" "$LOCAL" "$BASE" "$REMOTE" "$MERGED"',
    "kdiff3": 'kdiff3 --auto -o "$MERGED" "$BASE" "$LOCAL" "$REMOTE"',
    "meld": 'meld --output="$MERGED" "$LOCAL" "$BASE" "$REMOTE"',
    "nvimdiff": 'nvim -d -c "4wincmd w | wincmd J" "$LOCAL" "$BASE" "$REMOTE" "$MERGED"',
    "opendiff": 'opendiff "$LOCAL" "$REMOTE" -ancestor "$BASE" -merge "$MERGED" | cat',
    "p4merge": 'p4merge "$BASE" "$REMOTE" "$LOCAL" "$MERGED"',
    "smerge": 'smerge mergetool "$BASE" "$LOCAL" "$REMOTE" -o "$MERGED"',
    "tkdiff": 'tkdiff -a "$BASE" -o "$MERGED" "$LOCAL" "$REMOTE"',
    "vimdiff": 'vim -f -d -c "4wincmd w | wincmd J" "$LOCAL" "$BASE" "$REMOTE" "$MERGED"',
    "xxdiff": 'xxdiff -X --show-merged-pane --merged-file "$MERGED" "$LOCAL" "$BASE" "$REMOTE"',
}
"""How the tools that casvault knows take their files. Each is run by the shell, as a command of the user's own is."""


def merged_by(tool: str, files: ConflictFiles, name: str, *, aside: bool) -> AbstractContextManager[bytes]:
    """What a tool made of the three versions, to be used within the block; see `written`.

    LOCAL is ours, REMOTE theirs; a version that is absent is an empty file. MERGED begins with the text with markers
    or, where there is none, with ours.
    """
    start = files.marked.text if files.marked is not None else files.ours or b""

    def run(file: Path) -> None:
        contents = (files.base, files.ours, files.theirs)
        variables = dict(zip(VERSIONS, map(str, _write(file, contents)), strict=True))
        command = ["/bin/sh", "-c", TOOLS.get(tool, tool)]
        run_program(command, f"the merge tool {tool}", aside=aside, variables={**variables, "MERGED": str(file)})

    return written(start, name, "by the merge tool", run)


def _write(merged: Path, contents: tuple[bytes | None, ...]) -> Iterator[Path]:
    """The versions beside the result, each named after it with the suffix by which tools know how to show it."""
    stem, suffix = os.path.splitext(merged.name)
    for version, content in zip(VERSIONS, contents, strict=True):
        file = merged.with_name(f"{stem}_{version}{suffix}")
        file.write_bytes(content or b"")
        yield file
