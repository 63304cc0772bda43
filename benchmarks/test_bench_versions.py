"""Versions and snapshots read off a long history, and the daily work on a collection of 500 artifacts.

Each round opens the vault anew, so that nothing but the operating system remembers the round before. The index of
changes is made once, which takes about a millisecond for each snapshot: its tree differs from the one before in about
three nodes below two directories. `index_seconds` says how long that was.
"""

from __future__ import annotations

import os
import random
import time
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from casvault import Vault
from casvault.artifacts.draft import Draft
from casvault.artifacts.names import collection_ref
from casvault.artifacts.recording import Change, NewVersion, record_changes
from casvault.artifacts.snapshot import Snapshot
from casvault.artifacts.version import Draftsman
from casvault.objects import FILE, Root, Signature, write_blob
from casvault.refs import Context, Plan, RefEdit, View
from casvault.repository import Repository
from casvault.trees import empty_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 5
ARTIFACTS, SNAPSHOTS, VERSIONS = 10_000, 20_000, 100
BUSY = "skills/s00000.md"
"""The artifact of which there are VERSIONS."""
QUIET = "skills/s04242.md"
"""One that was changed now and then."""
LIBRARY_ARTIFACTS, LIBRARY_BYTES = 500, 65_000_000
EDITED = 50

_seconds = count(1_700_000_000)


def draftsman() -> Draftsman:
    return Draftsman(Signature(b"Ada", b"ada@example.org", next(_seconds), b"+0000"))


def make_history(directory: Path) -> None:
    """Always whole: the figures that the promise is about are small. One operation has all snapshots."""
    repository = Repository.create(directory)
    stage = repository.begin()
    nothing = View(stage, empty_root())

    def file(content: str) -> NewVersion:
        data = content.encode()
        return NewVersion(Root(FILE, len(data), write_blob(stage, data)))

    def record(parent: Snapshot, changes: dict[bytes, Change]) -> Snapshot:
        return record_changes(Draft(stage, nothing, draftsman()), b"lib", parent, changes)

    paths = [b"skills/s%05d.md" % number for number in range(ARTIFACTS)]
    tip = record(Snapshot(None, empty_root(), empty_root()), {path: file(f"{path!r}") for path in paths})
    chance = random.Random(5)
    for number in range(1, SNAPSHOTS):
        is_busy = number % (SNAPSHOTS // VERSIONS) == 0
        path = paths[0] if is_busy else paths[chance.randrange(1, ARTIFACTS)]
        tip = record(tip, {path: file(f"{path!r} {number}")})
    context = Context(draftsman().who, lambda: os.urandom(16))
    edit = RefEdit(collection_ref("lib"), None, tip.id)
    assert repository.log.commit(stage, context, lambda view: Plan([edit], "import")) is not None


@pytest.fixture(scope="module")
def history(place: Path) -> Path:
    make_history(place / "history")
    return place / "history"


class Indexed(NamedTuple):
    place: Path
    seconds: float
    """What the first question about paths took, which made the index."""
    size: int
    """Bytes of its file."""


@pytest.fixture(scope="module")
def indexed(history: Path) -> Indexed:
    start = time.perf_counter()
    Vault.open(history).log(paths=[QUIET])
    seconds = time.perf_counter() - start
    Vault.open(history).versions_with(Vault.open(history).lineage(QUIET)[0].content)
    return Indexed(history, seconds, (history / ".casvault/cache/changes.index").stat().st_size)


def measured(benchmark: Any, vault: Path, ask: Callable[[Vault], Any]) -> Any:
    """The answer of a vault that was opened just before, and the time that it took to answer."""
    return benchmark.pedantic(ask, setup=lambda: ((Vault.open(vault),), {}), rounds=ROUNDS, warmup_rounds=1)


def test_lineage_among_many_artifacts_and_snapshots(benchmark: Any, history: Path) -> None:
    """Goal: 20 ms."""
    found = measured(benchmark, history, lambda vault: vault.lineage(QUIET))
    assert {info.path for info in found} == {QUIET}
    assert len(found) > 1


def test_lineage_by_its_short_name(benchmark: Any, history: Path) -> None:
    """Goal: 20 ms."""
    assert len(measured(benchmark, history, lambda vault: vault.lineage("skill/s04242.md"))) > 1


def test_lineage_of_a_hundred_versions(benchmark: Any, history: Path) -> None:
    """Goal: 50 ms."""
    assert len(measured(benchmark, history, lambda vault: vault.lineage(BUSY))) == VERSIONS


def test_lineage_with_all_holders(benchmark: Any, indexed: Indexed) -> None:
    found = measured(benchmark, indexed.place, lambda vault: vault.lineage(BUSY, where=True))
    assert sum(info.where.snapshots[0].number for info in found) == SNAPSHOTS


def test_log_of_a_path(benchmark: Any, indexed: Indexed) -> None:
    """A hundred lines; nothing of the index is read but what they need."""
    assert len(measured(benchmark, indexed.place, lambda vault: vault.log(paths=[BUSY]))) == VERSIONS
    benchmark.extra_info.update(index_seconds=round(indexed.seconds, 1), index_bytes=indexed.size)


def test_versions_with_a_content(benchmark: Any, indexed: Indexed) -> None:
    content = Vault.open(indexed.place).lineage(QUIET)[0].content
    assert len(measured(benchmark, indexed.place, lambda vault: vault.versions_with(content))) == 1


def test_base_lookup_for_a_pull(benchmark: Any, history: Path) -> None:
    """Of the newest version and of an unedited project that is ten versions behind. Goal: 1 ms."""
    versions = [info.id for info in Vault.open(history).lineage(BUSY)]
    repository = Repository.open(history / ".casvault")
    found = benchmark.pedantic(
        lambda: repository.graph().merge_bases(versions[0], versions[10]),
        rounds=ROUNDS,
        iterations=10,
        warmup_rounds=1,
    )
    assert found == [versions[10]]


@pytest.fixture(scope="module")
def library(place: Path) -> Path:
    """500 artifacts of 65 MB, one fifth of it text, in two snapshots that differ in a tenth of the artifacts."""
    directory = place / "library"
    chance = random.Random(7)
    for number in range(LIBRARY_ARTIFACTS):
        home = directory / f"skills/s{number:03}"
        home.mkdir(parents=True)
        words = " ".join(str(chance.randrange(1000)) for _ in range(LIBRARY_BYTES // LIBRARY_ARTIFACTS // 20))
        (home / "SKILL.md").write_text(words)
        (home / "data.bin").write_bytes(chance.randbytes(LIBRARY_BYTES // LIBRARY_ARTIFACTS - len(words)))
    vault, _ = Vault.init(directory)
    edit(directory, 0)
    assert vault.snapshot().created
    return directory


def edit(library: Path, turn: int) -> None:
    for number in range(0, LIBRARY_ARTIFACTS, LIBRARY_ARTIFACTS // EDITED):
        with (library / f"skills/s{number:03}/SKILL.md").open("a") as out:
            out.write(f"\nturn {turn}\n")


def test_snapshot_of_a_library(benchmark: Any, library: Path) -> None:
    """A tenth of the artifacts was edited. Goal: 0.5 s."""
    turns = count(1)

    def prepare() -> tuple[tuple[Vault], dict[str, Any]]:
        edit(library, next(turns))
        return (Vault.open(library),), {}

    result = benchmark.pedantic(Vault.snapshot, setup=prepare, rounds=ROUNDS, warmup_rounds=1)
    assert len(result.changes) == EDITED


def test_diff_of_a_library(benchmark: Any, library: Path) -> None:
    """Two snapshots, as text. Goal: 0.5 s."""
    found = measured(benchmark, library, lambda vault: list(vault.diff_text("@~1", "@")))
    assert sum(line.startswith(b"diff --git") for line in found) == EDITED


def test_diff_of_a_library_with_its_directory(benchmark: Any, library: Path) -> None:
    """Nothing was changed since the newest snapshot, so this is the scan. Goal: 0.5 s."""
    assert measured(benchmark, library, lambda vault: vault.diff("@")) == []


def test_restore_of_a_library(benchmark: Any, library: Path) -> None:
    """Back to the snapshot before, and forth again in the next round. Goal: 0.5 s."""
    outcome = measured(benchmark, library, lambda vault: vault.restore("@~1"))
    assert outcome.written == EDITED


def test_restore_of_a_library_into_an_empty_directory(benchmark: Any, library: Path, place: Path) -> None:
    """All 65 MB. Goal: 0.5 s."""
    numbers = count()
    applied = benchmark.pedantic(
        lambda vault, there: vault.restore_to(there),
        setup=lambda: ((Vault.open(library), place / f"restored-{next(numbers)}"), {}),
        rounds=ROUNDS,
        warmup_rounds=1,
    )
    assert sum(path.endswith((b".md", b".bin")) for path in applied.written) == 2 * LIBRARY_ARTIFACTS
