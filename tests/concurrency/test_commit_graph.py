"""Several processes on one commit graph: each replaces it under the others' eyes, and all answers stay right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from casvault.history.commits import MANY_COMMITS
from casvault.repository import Repository

ROOT = Path(__file__).parents[2]
PROCESSES = 4
ROUNDS = 4

PROGRAM = f"""
import sys
from pathlib import Path
from casvault.objects import Commit, Root, FILE, Signature, write_blob, write_commit
from casvault.repository import Repository

who = Signature(b"Ada", b"ada@example.org", 0, b"+0000")
repository = Repository.open(Path(sys.argv[1]))
tips = []
for number in range({ROUNDS}):
    stage = repository.begin()
    root = Root(FILE, 1, write_blob(stage, b"x"))
    fork = tip = write_commit(stage, Commit(root, (), who, who, b"shared by all"))
    for step in range({MANY_COMMITS}):
        message = b"%s %d %d" % (sys.argv[2].encode(), number, step)
        tip = write_commit(stage, Commit(root, (tip,), who, who, message))
    stage.publish()
    tips.append(tip)
    for one in tips:
        assert repository.graph().merge_bases(one, tip) == [fork if one != tip else tip]
        assert repository.graph().count_ahead_behind(one, fork) == ({MANY_COMMITS}, 0)
"""


def test_processes_replace_each_others_graph(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path)
    assert repository.path is not None
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, str(repository.path)]
    running = [subprocess.Popen([*command, str(number)], env=environment) for number in range(PROCESSES)]
    assert [process.wait(timeout=120) for process in running] == [0] * PROCESSES
    assert repository.graph_cache is not None
    graph = repository.graph_cache.load()
    assert graph is not None
    # The last writer had everything of its own, and perhaps something of the others.
    assert graph.columns.commits > MANY_COMMITS
    assert [path.name for path in (repository.path / "cache").iterdir()] == ["commits.graph"]
