"""Several threads with one vault: transactions on different things all stand, on the same one exactly one wins."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from casvault import DeployStrategy, How, Merging, Status, Vault
from casvault.errors import NotFoundError, RefusedError, StaleError
from casvault.oid import Oid

THREADS = 4
TURNS = 25


def in_threads(work: Callable[[int], object]) -> list[BaseException]:
    """Run `work(number)` in each of the threads, started as closely as can be; what they raised."""
    ready = threading.Barrier(THREADS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            ready.wait(30)
            work(number)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return errors


@pytest.fixture(params=["memory", "disk"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    if request.param == "memory":
        return Vault.in_memory()
    (tmp_path / "lib/skills/seed").mkdir(parents=True)
    (tmp_path / "lib/skills/seed/SKILL.md").write_text("seed\n")
    return Vault.init(tmp_path / "lib")[0]


def test_different_artifacts_and_refs_are_all_there(vault: Vault) -> None:
    def work(number: int) -> None:
        for turn in range(TURNS):
            with vault.transaction(f"{number}-{turn}") as tx:
                tx.collection("api").put(f"skills/s{number}-{turn}", {"SKILL.md": b"%d %d" % (number, turn)})
                tx.collection("api").put(f"skills/own{number}", {"SKILL.md": b"turn %d" % turn})
                commit = tx.write_commit(tx.write_directory({"a": b"%d %d" % (number, turn)}))
                tx.set_ref(f"branches/b{number}-{turn}", commit)

    start = len(vault.operations())
    assert in_threads(work) == []
    expected = {f"skills/s{number}-{turn}" for number in range(THREADS) for turn in range(TURNS)}
    expected |= {f"skills/own{number}" for number in range(THREADS)}
    assert {path for path, _ in vault.iter_artifacts("api")} == expected
    for number in range(THREADS):
        own = f"skills/own{number}"
        assert vault.read_files("api", own) == {"SKILL.md": b"turn %d" % (TURNS - 1)}
        version, length = dict(vault.iter_artifacts("api"))[own], 1
        while parents := vault.read_commit(version).parents:
            version, length = parents[0], length + 1
        assert length == TURNS
    assert len(vault.refs("branches")) == THREADS * TURNS
    assert len(vault.operations()) == start + THREADS * TURNS
    assert vault.fsck().problems == ()


def test_one_artifact_has_one_winner(vault: Vault) -> None:
    """All have seen the same version when they begin to commit."""
    with vault.transaction() as tx:
        tx.collection("api").put("skills/one", b"0")
    for turn in range(6):
        all_read = threading.Barrier(THREADS)

        def work(number: int, turn: int = turn, all_read: threading.Barrier = all_read) -> None:
            with vault.transaction() as tx:
                tx.collection("api").put("skills/one", b"%d of turn %d" % (number, turn))
                all_read.wait(30)

        before = len(vault.operations())
        errors = in_threads(work)
        assert [type(error) for error in errors] == [StaleError] * (THREADS - 1)
        assert len(vault.operations()) == before + 1
    assert vault.fsck().problems == ()


def test_one_ref_has_one_winner(vault: Vault) -> None:
    for turn in range(6):
        all_read = threading.Barrier(THREADS)

        def work(number: int, turn: int = turn, all_read: threading.Barrier = all_read) -> None:
            with vault.transaction() as tx:
                tx.set_ref("branches/main", tx.write_commit(tx.write_directory({"a": b"%d %d" % (number, turn)})))
                all_read.wait(30)

        errors = in_threads(work)
        assert [type(error) for error in errors] == [StaleError] * (THREADS - 1)
    assert len(vault.refs("branches")) == 1


def test_a_refused_transaction_over_several_refs_changes_none(vault: Vault) -> None:
    all_read = threading.Barrier(THREADS)

    def work(number: int) -> None:
        with vault.transaction() as tx:
            commit = tx.write_commit(tx.write_directory({"a": b"%d" % number}))
            tx.set_ref("branches/main", commit)
            tx.set_ref(f"branches/own{number}", commit)
            tx.collection("api").put(f"skills/own{number}", b"%d" % number)
            all_read.wait(30)

    assert len(in_threads(work)) == THREADS - 1
    assert len(vault.refs("branches")) == 2
    assert len(list(vault.iter_artifacts("api"))) == 1


def test_deploys_and_snapshots_of_one_directory(tmp_path: Path) -> None:
    """Whole commands, each with its own project, while the collection's files change."""
    lib = tmp_path / "lib"
    skill = lib / "skills/pdf/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("start\n")
    vault, _ = Vault.init(lib)
    apps = [tmp_path / f"app{number}" for number in range(THREADS)]
    for app in apps:
        app.mkdir()

    def work(number: int) -> None:
        for turn in range(5):
            if number == 0:
                skill.write_text(f"turn {turn}\n")
                vault.snapshot()
            vault.deploy(["skills/pdf"], apps[number])
            vault.drift(apps[number])
            vault.status()

    assert in_threads(work) == []
    for app in apps:
        vault.deploy(["skills/pdf"], app)
        assert (app / ".claude/skills/pdf/SKILL.md").read_text() == "turn 4\n"
    assert vault.fsck().problems == ()
    assert len(vault.projects()) == THREADS


def test_pulls_deploys_and_observations_of_one_project(tmp_path: Path) -> None:
    """All work in the same project and collection at once: each edit ends in the collection, and none of them twice."""
    skill = tmp_path / "lib/skills/pdf/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("".join(f"line {number}\n" for number in range(THREADS * 2)))
    vault, _ = Vault.init(tmp_path / "lib")
    app = tmp_path / "app"
    app.mkdir()
    vault.deploy(["skills/pdf"], app)
    copy = app / ".claude/skills/pdf/SKILL.md"
    writing = threading.Lock()

    def edit(number: int, turn: int) -> None:
        """One line, in the project or in the collection, written whole."""
        path = copy if number % 2 else skill
        with writing:
            lines = path.read_text().splitlines(keepends=True)
            lines[2 * number] = f"edit {number}-{turn}\n"
            path.with_name("editor~").write_text("".join(lines))
            path.with_name("editor~").replace(path)

    def work(number: int) -> None:
        for turn in range(6):
            edit(number, turn)
            todo = (
                lambda: vault.pull([], app),
                lambda: vault.deploy([], app, strategy=DeployStrategy.MERGE),
                lambda: vault.drift(app),
                lambda: vault.deploy_locked(app),
            )[(number + turn) % 4]
            # An edit may come in between the look and the write; then the command says so and has changed nothing, or
            # has been cut off and is taken back.
            with contextlib.suppress(RefusedError, StaleError):
                todo()
            with contextlib.suppress(RefusedError, StaleError):
                vault.recover(back=True)

    assert in_threads(work) == []
    assert vault.interrupted() == []
    result = vault.pull([], app)
    assert result.is_complete
    vault.deploy([], app, strategy=DeployStrategy.MERGE)
    expected = [f"edit {number}-5" for number in range(THREADS)]
    assert skill.read_text().splitlines()[::2] == copy.read_text().splitlines()[::2] == expected
    assert [row.status for row in vault.drift(app).rows] == [Status.IN_SYNC]
    assert vault.fsck().problems == ()


def read_chain(vault: Vault, tip: Oid) -> list[bytes]:
    """The messages of a branch by first parents, the newest first."""
    found = []
    while True:
        commit = vault.read_commit(tip)
        found.append(commit.message)
        if not commit.parents:
            return found
        tip = commit.parents[0]


def open_lib(tmp_path: Path) -> Vault:
    """A vault of a thread's own, as another process has it."""
    return Vault.open(tmp_path / "lib")


def make_lib(tmp_path: Path) -> Vault:
    (tmp_path / "lib/skills/seed").mkdir(parents=True)
    (tmp_path / "lib/skills/seed/SKILL.md").write_text("seed\n")
    return Vault.init(tmp_path / "lib")[0]


def test_snapshots_of_several_directories_on_one_branch(tmp_path: Path) -> None:
    """Each that was told to be recorded is in the branch, once, and none else; whoever was too late is told so."""
    vault = make_lib(tmp_path)
    told: list[bytes] = []

    def work(number: int) -> None:
        own, directory = open_lib(tmp_path), tmp_path / f"notes{number}"
        directory.mkdir()
        for turn in range(6):
            (directory / "a.md").write_text(f"{number} {turn}\n")
            with contextlib.suppress(StaleError):
                assert own.snapshot_branch("notes", directory, f"{number} {turn}").created
                told.append(b"%d %d" % (number, turn))

    assert in_threads(work) == []
    assert len(told) >= THREADS
    (branch,) = vault.branches()
    chain = [message.strip() for message in read_chain(vault, branch.tip)]
    assert sorted(chain) == sorted(told)
    for number in range(THREADS):
        turns = [message for message in reversed(chain) if message.startswith(b"%d " % number)]
        assert turns == sorted(turns)
    assert vault.fsck().problems == ()


def test_merges_into_one_branch(tmp_path: Path) -> None:
    """Nobody is refused: who loses plans again on what the others did. No edit is lost, and none is a conflict."""
    vault, lines = make_lib(tmp_path), [f"line {number}\n" for number in range(4 * THREADS)]
    for name in ("main", *(f"own{number}" for number in range(THREADS))):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "a.md").write_text("".join(lines))
        if name == "main":
            vault.snapshot_branch(name, directory)
        else:
            vault.create_branch(name, "main")

    def work(number: int) -> None:
        own, directory = open_lib(tmp_path), tmp_path / f"own{number}"
        mine = list(lines)
        for turn in range(4):
            mine[4 * number] = f"edit {number} {turn}\n"
            (directory / "a.md").write_text("".join(mine))
            own.snapshot_branch(f"own{number}", directory)
            merged = own.merge_branch(f"own{number}", "main")
            assert merged.action in (Merging.MERGED, Merging.FAST_FORWARD)

    assert in_threads(work) == []
    expected = [f"edit {number // 4} 3\n" if number % 4 == 0 else line for number, line in enumerate(lines)]
    assert b"".join(vault.cat("branches/main:a.md")).decode() == "".join(expected)
    assert vault.merges() == []
    assert vault.fsck().problems == ()


def test_one_conflict_is_continued_once(tmp_path: Path) -> None:
    """Of several that bring the same merge to its end, or give it up, one does; to the others it is gone."""
    vault = make_lib(tmp_path)
    for turn in range(3):
        directory = tmp_path / f"notes{turn}"
        directory.mkdir()
        into, source = f"main{turn}", f"try{turn}"
        (directory / "a.md").write_text("base\n")
        vault.snapshot_branch(into, directory)
        vault.create_branch(source, into)
        for name in (into, source):
            (directory / "a.md").write_text(f"{name}\n")
            vault.snapshot_branch(name, directory)
        merge = vault.merge_branch(source, into).merge
        assert merge is not None
        vault.resolve(merge, "a.md", How.FILE, b"both\n")
        before = len(vault.operations())

        def work(number: int, merge: str = merge) -> None:
            own = open_lib(tmp_path)
            if number % 2:
                own.continue_branch(merge)
            else:
                own.abort_merge(merge)

        errors = in_threads(work)
        assert len(errors) == THREADS - 1
        assert {type(error) for error in errors} <= {StaleError, NotFoundError}
        assert len(vault.operations()) == before + 1
        assert b"".join(vault.cat(f"branches/{into}:a.md")) in (b"both\n", f"{into}\n".encode())
    assert vault.merges() == []
    assert vault.fsck().problems == ()
