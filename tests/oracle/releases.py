"""Successive source releases of three projects: real histories, from the package index by way of pip.

    CASVAULT_RELEASES=DIRECTORY python -m tests.oracle.releases

fetches what is missing in the directory. The sources are kept there and nowhere else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import cycle
from pathlib import Path

from tests.oracle.tree_changes import File, Files

TABLE = """
bottle 0.9.1 0.9.2 0.9.3 0.9.4 0.9.5 0.9.6 0.9.7 0.10.1 0.10.2 0.10.3 0.10.4 0.10.5 0.10.6 0.10.7 0.10.8 0.10.9 0.10.10
bottle 0.10.11 0.10.12
click 0.1 0.2 0.3 0.4 0.5 0.5.1 0.6 0.7 1.0 1.1 2.0 2.1 2.2 2.3 2.4 2.5 2.6 3.0 3.1 3.2 3.3 4.0 4.1 5.0 5.1 6.0 6.1 6.2
click 6.3 6.4 6.5 6.6 6.7 7.0 7.1 7.1.1 7.1.2 8.0.0 8.0.1 8.0.2 8.0.3 8.0.4
tabulate 0.7 0.7.1 0.7.2 0.7.3 0.7.4 0.7.5 0.7.7 0.8.0 0.8.1 0.8.2 0.8.3 0.8.4 0.8.5 0.8.6 0.8.7 0.8.8 0.8.9 0.8.10
"""
ROWS = [line.split() for line in TABLE.split("\n") if line]
VERSIONS = {project: [version for row in ROWS if row[0] == project for version in row[1:]] for project, *_ in ROWS}
"""The releases in order."""

OPTIONS = ("--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation")


def find_cache() -> Path | None:
    """Where the releases are, or are to go."""
    name = os.environ.get("CASVAULT_RELEASES")
    return None if name is None else Path(name)


def find_archive(cache: Path, project: str, version: str) -> Path | None:
    return next(iter(sorted((cache / project / version).glob("*.tar.gz"))), None)


def has_all(cache: Path | None) -> bool:
    return cache is not None and all(find_archive(cache, *release) for release in iter_releases())


def iter_releases() -> Iterator[tuple[str, str]]:
    return ((project, version) for project, versions in VERSIONS.items() for version in versions)


def fetch(cache: Path) -> None:
    """Download what is not there. Pip looks at the metadata, for which it wants these packages where it runs."""
    pip = (str(cache / "environment/bin/python"), "-m", "pip")
    if not Path(pip[0]).exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache / "environment")], check=True)
        subprocess.run([*pip, "install", "--quiet", "setuptools", "wheel"], check=True)
    for project, version in iter_releases():
        if find_archive(cache, project, version) is None:
            target = str(cache / project / version)
            subprocess.run([*pip, "download", *OPTIONS, "--dest", target, f"{project}=={version}"], check=True)


def read_release(cache: Path, project: str, version: str) -> Files:
    """The files of a release, without the directory in which all of them are."""
    archive = find_archive(cache, project, version)
    assert archive is not None
    files: Files = {}
    with tarfile.open(archive) as source:
        for member in source:
            path = member.name.removeprefix("./").partition("/")[2]
            if member.issym():
                files[path] = File(member.linkname.encode(), 0o120000)
            elif member.isfile():
                content = source.extractfile(member)
                assert content is not None
                files[path] = File(content.read(), 0o100755 if member.mode & 0o100 else 0o100644)
    return files


def read_state(cache: Path, project: str, name: str) -> Files:
    """A release by its version, or one of the two branches `1.0-1.1-even` and `1.0-1.1-odd` between two releases:
    of what changed, file by file and hunk by hunk, each has every other thing.
    """
    first, dash, rest = name.partition("-")
    if not dash:
        return read_release(cache, project, name)
    second, _, parity = rest.partition("-")
    before, after = read_release(cache, project, first), read_release(cache, project, second)
    turn = cycle((parity == "even", parity == "odd"))
    files = ((path, _half(before.get(path), after.get(path), turn)) for path in sorted(before.keys() | after.keys()))
    return {path: file for path, file in files if file is not None}


def _half(before: File | None, after: File | None, turn: Iterator[bool]) -> File | None:
    """The file with the changes whose turn it is."""
    if before == after:
        return before
    if before is None or after is None or b"\0" in before.content + after.content:
        return after if next(turn) else before
    old, new = (file.content.splitlines(keepends=True) for file in (before, after))
    lines = []
    for kind, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        lines += new[new_start:new_end] if kind != "equal" and next(turn) else old[old_start:old_end]
    return File(b"".join(lines), before.mode)


if __name__ == "__main__":
    place = find_cache()
    assert place is not None, "set CASVAULT_RELEASES to a directory"
    fetch(place)
