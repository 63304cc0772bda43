"""Merge bases of random histories against `git merge-base --all`."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from casvault.graph import generations, independent, merge_bases
from tests.support.graphs import random_parents

SEED = 5_071_982
HISTORIES = 250

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *arguments], cwd=directory, input=stdin, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode()


def history(number: int) -> list[list[int]]:
    rng = random.Random(SEED + number)
    return random_parents(rng, rng.randint(2, 60))


def fast_import_stream(histories: list[list[list[int]]]) -> bytes:
    """All histories in one repository. Dates are random, so that an answer that trusts them is wrong."""
    rng = random.Random(SEED)
    lines, mark = [], 0
    for parents in histories:
        first = mark + 1
        for names in parents:
            mark += 1
            lines += [f"commit refs/heads/m{mark}", f"mark :{mark}"]
            lines += [f"committer c <c@x> {rng.randrange(10**9)} +0000", f"data <<E\n{mark}\nE\n"]
            lines += [f"{'merge' if at else 'from'} :{first + name}" for at, name in enumerate(names)]
            lines.append("")
    return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The directory, and the commit id of each mark in order."""
    directory = tmp_path_factory.mktemp("merge_base")
    git(directory, "init", "-q", "--bare", ".")
    stream = fast_import_stream([history(number) for number in range(HISTORIES)])
    git(directory, "fast-import", "--quiet", "--export-marks=marks", stdin=stream)
    marks = dict(line.split() for line in (directory / "marks").read_text().splitlines())
    return directory, [marks[f":{mark}"] for mark in range(1, len(marks) + 1)]


def test_merge_bases_equal_those_of_git(repository: tuple[Path, list[str]]) -> None:
    """The last two commits of each history; ids of git serve as the nodes."""
    directory, ids = repository
    offset, several = 0, 0
    for number in range(HISTORIES):
        parents = history(number)
        names = ids[offset : offset + len(parents)]
        offset += len(parents)
        by_id = {name: [names[p] for p in ps] for name, ps in zip(names, parents, strict=True)}
        numbers = generations(by_id.__getitem__, names).__getitem__
        a, b = names[-2:]
        expected = sorted(git(directory, "merge-base", "--all", a, b).split())
        assert merge_bases(by_id.__getitem__, a, b) == expected
        assert merge_bases(by_id.__getitem__, a, b, generation_of=numbers) == expected
        several += len(expected) > 1
    assert several >= HISTORIES // 20, "the sample holds too few criss-crosses to prove anything"


def test_independent_equals_git(repository: tuple[Path, list[str]]) -> None:
    directory, ids = repository
    offset = 0
    for number in range(40):
        parents = history(number)
        names = ids[offset : offset + len(parents)]
        offset += len(parents)
        by_id = {name: [names[p] for p in ps] for name, ps in zip(names, parents, strict=True)}
        chosen = names[-5::2]
        expected = sorted(git(directory, "merge-base", "--independent", *chosen).split())
        assert independent(by_id.__getitem__, chosen) == expected
