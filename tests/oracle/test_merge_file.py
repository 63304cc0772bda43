"""Text merges against `git merge-file` on 5,000 generated triples; seed and generator are fixed.

The normal run takes every sixteenth triple and all that are known to differ. All of them:

    CASVAULT_MERGE_STRIDE=1 pytest tests/oracle/test_merge_file.py
"""

import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from casvault.text.apart import merge_apart
from casvault.text.lines import split_lines
from casvault.text.markers import Labels, Style, render
from casvault.text.merge3 import merge_text

SEED = 20_240_229
TRIPLES = 5000
STRIDE = int(os.environ.get("CASVAULT_MERGE_STRIDE", "16"))
LABELS = Labels(base=b"base", ours=b"ours", theirs=b"theirs")

ONLY_GIT_CLEAN = "clean for git only"
ONLY_CASVAULT_CLEAN = "clean for casvault only"
OTHER_BYTES = "both clean, other bytes"
AGREED = "agreed"

KNOWN_DIFFERENCES = {
    1551: OTHER_BYTES,
    1878: ONLY_CASVAULT_CLEAN,
    2130: ONLY_GIT_CLEAN,
    2641: ONLY_GIT_CLEAN,
    4007: OTHER_BYTES,
    4369: OTHER_BYTES,
    4873: ONLY_GIT_CLEAN,
    4947: ONLY_CASVAULT_CLEAN,
}
"""Every triple on which the two disagree. All but one have one cause: a side holds the same block several times, two
diffs of equal length say which of them is new, and casvault's LCS takes another one of these than git's. In 1878 git
shows two conflicts of which the sides read the same if the line between them is read with them: they made one
edit."""

OPTIONS = {Style.MERGE: [], Style.DIFF3: ["--diff3"], Style.ZDIFF3: ["--zdiff3"]}

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")


@dataclass(frozen=True)
class Triple:
    """Three texts and the name of the recipe that made them."""

    recipe: str
    base: bytes
    ours: bytes
    theirs: bytes


Lines = list[bytes]


def code_lines(rng: random.Random, size: int) -> Lines:
    """Functions of a few statements: blank lines, braces and returns repeat, most of the rest does not."""
    lines: Lines = []
    while len(lines) < size:
        lines.append(b"def f%d(x):" % rng.randrange(1000))
        lines += [b"    v%d = g%d(x)" % (rng.randrange(40), rng.randrange(40)) for _ in range(rng.randrange(1, 7))]
        lines += rng.choice([[b"    return x", b""], [b"    }", b""], [b""], [b"", b""]])
    return lines


def prose_lines(rng: random.Random, size: int) -> Lines:
    """Paragraphs of unique lines."""
    return [b"" if rng.random() < 0.15 else b"sentence %d of the text" % rng.randrange(10**6) for _ in range(size)]


def table_lines(rng: random.Random, size: int) -> Lines:
    """Rows of few distinct values, the hardest case for any line matcher."""
    return [b"row %d" % rng.randrange(8) for _ in range(size)]


def config_lines(rng: random.Random, size: int) -> Lines:
    """Sections of keys, the same keys in many sections."""
    lines: Lines = []
    while len(lines) < size:
        lines.append(b"[section-%d]" % rng.randrange(100))
        lines += [b"key%d = %d" % (key, rng.randrange(3)) for key in range(rng.randrange(2, 8))]
        lines.append(b"")
    return lines


RECIPES: dict[str, Callable[[random.Random, int], Lines]] = {
    "code": code_lines,
    "prose": prose_lines,
    "config": config_lines,
    "table": table_lines,
}
WEIGHTS = (4, 3, 2, 1)


def edited(rng: random.Random, lines: Lines, fresh: Lines, edits: int) -> Lines:
    """Some edits: insert, delete, replace, duplicate or move a few lines."""
    lines = list(lines)
    for _ in range(edits):
        at, length = rng.randrange(len(lines) + 1), rng.choice((1, 1, 1, 2, 3, 6))
        start = rng.randrange(len(fresh))
        block = lines[at : at + length]
        match rng.choice(("insert", "delete", "replace", "replace", "duplicate", "move")):
            case "insert":
                lines[at:at] = fresh[start : start + length]
            case "delete":
                del lines[at : at + length]
            case "replace":
                lines[at : at + length] = fresh[start : start + length]
            case "duplicate":
                lines[at:at] = block
            case _:
                del lines[at : at + length]
                to = rng.randrange(len(lines) + 1)
                lines[to:to] = block
    return lines


def ended(rng: random.Random, lines: Lines, end: bytes) -> bytes:
    """Joined; one text in ten lacks the final newline."""
    text = b"".join(line + end for line in lines)
    return text.removesuffix(end) if rng.random() < 0.1 else text


def triple(number: int) -> Triple:
    """Triple `number` of the fixed series."""
    rng = random.Random(SEED * 1_000_003 + number)
    (recipe,) = rng.choices(list(RECIPES), WEIGHTS)
    make = RECIPES[recipe]
    base = make(rng, rng.choice((4, 12, 40, 120)))
    shared = edited(rng, base, make(rng, 40), rng.choice((0, 0, 1)))
    ours, theirs = (edited(rng, shared, make(rng, 40), rng.choice((0, 1, 1, 2, 3, 6))) for _ in range(2))
    end = rng.choice((b"\n", b"\n", b"\n", b"\r\n"))
    return Triple(recipe, *(ended(rng, lines, end) for lines in (base, ours, theirs)))


def git_merge(directory: Path, number: int, case: Triple, *options: str) -> tuple[bool, bytes]:
    """Whether git merges cleanly, and what it writes."""
    names = {"ours": case.ours, "base": case.base, "theirs": case.theirs}
    for name, data in names.items():
        (directory / f"{number}.{name}").write_bytes(data)
    labels = [part for name in names for part in ("-L", name)]
    command = ["git", "merge-file", "-p", *options, *labels, *(f"{number}.{name}" for name in names)]
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    assert 0 <= done.returncode < 128, done.stderr
    return done.returncode == 0, done.stdout


def compare(case: Triple, git_clean: bool, git_bytes: bytes) -> str:
    """The class of agreement or difference."""
    content = merge_text(case.base, case.ours, case.theirs).content
    if content is None:
        return ONLY_GIT_CLEAN if git_clean else AGREED
    if not git_clean:
        return ONLY_CASVAULT_CLEAN
    return AGREED if content == git_bytes else OTHER_BYTES


def test_merges_agree_with_git_but_for_the_known_differences(tmp_path: Path) -> None:
    def check(number: int) -> str:
        case = triple(number)
        return compare(case, *git_merge(tmp_path, number, case))

    numbers = sorted({*range(0, TRIPLES, STRIDE), *KNOWN_DIFFERENCES})
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(numbers, pool.map(check, numbers), strict=True))
    assert {number: result for number, result in results.items() if result != AGREED} == KNOWN_DIFFERENCES


def test_merges_without_a_comparison_of_lines_are_no_others() -> None:
    """They are left out above, where all texts are compared by lines; a good part of the clean ones is answered."""
    answers = []
    for number in range(0, TRIPLES, STRIDE):
        case = triple(number)
        apart = merge_apart(*map(split_lines, (case.base, case.ours, case.theirs)))
        answers.append(apart)
        assert apart is None or apart == merge_text(case.base, case.ours, case.theirs).content, number
    assert sum(answer is not None for answer in answers) >= len(answers) // 10


def test_known_differences_are_below_one_in_a_hundred() -> None:
    """Of 5,000 verdicts, and of the 2,860 triples that both merge cleanly."""
    verdicts = [result for result in KNOWN_DIFFERENCES.values() if result != OTHER_BYTES]
    assert len(verdicts) <= TRIPLES // 100
    assert len(KNOWN_DIFFERENCES) - len(verdicts) <= 2860 // 100


@pytest.mark.parametrize("style", Style)
def test_conflicts_are_shown_as_git_shows_them(style: Style, tmp_path: Path) -> None:
    """The same bytes in at least 19 of 20 conflicts; the others are marked up from another diff of equal length."""

    def check(number: int) -> bool | None:
        case = triple(number)
        merged = merge_text(case.base, case.ours, case.theirs)
        if merged.content is not None:
            return None
        return render(merged.chunks, style, LABELS) == git_merge(tmp_path, number, case, *OPTIONS[style])[1]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = Counter(pool.map(check, range(0, TRIPLES, STRIDE)))
    assert results[True] >= 100
    assert results[True] >= 19 * results[False]
