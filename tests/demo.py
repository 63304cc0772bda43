"""The main job on real files, step by step: `make demo`, or `python -m tests.demo`.

Packages of the Python standard library, which any machine has, are the skills of a library; the real command does all
the work in a temporary directory. Every step is checked; the first one that does not hold ends the demo with an error.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

from casvault import Vault

PACKAGES = ("email", "http", "json", "logging", "unittest")
COMMANDS = {
    "review.md": "Review the change. Look for what is missing, not only for what is wrong.\n",
    "release.md": "Write the changelog, tag the version, and check that the tag builds.\n",
}
SHOWN = 16
"""Lines of a command's output that are shown."""


class Demo:
    """Tells what it does, does it, and shows the outcome."""

    def __init__(self, base: Path) -> None:
        self.library = base / "library"
        self.project = base / "app"
        self._steps = 0

    def step(self, title: str, text: str) -> None:
        self._steps += 1
        print(f"\n{self._steps}. {title}\n")
        print(textwrap.indent(textwrap.fill(text, 76), "   ") + "\n")

    def run(self, *arguments: str, code: int = 0, show: bool = True) -> str:
        """Run a command in the library; its output. It must end with this exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "casvault", *arguments], cwd=self.library, capture_output=True, check=False
        )
        output = (done.stdout + done.stderr).decode()
        if show:
            print(f"   $ casvault {shlex.join(arguments)}")
            lines = output.splitlines()
            print(textwrap.indent("\n".join(lines[:SHOWN]), "   "))
            if len(lines) > SHOWN:
                print(f"   … {len(lines) - SHOWN} more lines")
            print(f"   [exit code {done.returncode}]\n" if done.returncode else "")
        assert done.returncode == code, output
        return output

    def ask(self, *arguments: str) -> Any:
        """What a command answers in JSON."""
        return json.loads(self.run(*arguments, "--json", show=False))

    def edit(self, path: Path, *, first: str = "", last: str = "") -> None:
        """Put a line at the top or at the end of a file."""
        path.write_text(first + path.read_text() + last)
        for line in (first, last):
            if line:
                where = "the top" if line is first else "the end"
                print(f"   (a line at {where} of {path.relative_to(self.library.parent)}: {line.strip()})\n")

    def drift_of(self, artifact: str) -> str:
        rows = self.ask("drift", "--project", "../app")["rows"]
        return next(row["status"] for row in rows if row["artifact"] == artifact)

    @property
    def skill(self) -> Path:
        return self.library / "skills/json/__init__.py"

    @property
    def deployed(self) -> Path:
        return self.project / ".claude/skills/json/__init__.py"


def make_library(demo: Demo) -> int:
    """Copy packages of the standard library as skills; how many files there are."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        ignored = shutil.ignore_patterns("__pycache__", "test", "tests")
        shutil.copytree(Path(spec.origin).parent, demo.library / "skills" / name, ignore=ignored)
    (demo.library / "commands").mkdir()
    for name, text in COMMANDS.items():
        (demo.library / "commands" / name).write_text(text)
    demo.project.mkdir()
    return sum(path.is_file() for path in demo.library.rglob("*"))


def put_under_version_control(demo: Demo) -> None:
    files = make_library(demo)
    demo.step(
        "A library is put under version control",
        f"The packages {', '.join(PACKAGES)} of Python's standard library stand in for skills, and two files for "
        f"commands: {files} real files. One command makes a vault and the first snapshot.",
    )
    demo.run("init", "--name", "library")
    assert demo.ask("status")["clean"]
    assert len(demo.ask("ls-tree", "-r", "@")["entries"]) == files


def look_and_go_back(demo: Demo) -> None:
    demo.step(
        "A change, a look at it, and the way back",
        "A skill is edited. status and diff show what is in no snapshot yet; snapshot records it; restore goes back to "
        "the first snapshot as a new one; undo takes that back too. Nothing is lost on the way.",
    )
    before = demo.skill.read_text()
    demo.edit(demo.skill, last="# note: prefer the C scanner\n")
    after = demo.skill.read_text()
    demo.run("status")
    demo.run("diff")
    demo.run("snapshot", "-m", "A note on the scanner")
    demo.run("restore", "@~1")
    assert demo.skill.read_text() == before
    demo.run("undo")
    assert demo.skill.read_text() == after
    demo.run("undo", show=False)
    demo.skill.write_text(before)
    assert demo.ask("status")["clean"]


def deploy(demo: Demo) -> str:
    demo.step(
        "Two skills and a command go out to a project",
        "They are copied to .claude/ in the project ../app, and the vault remembers which versions these are. Call the "
        "content of skills/json now H1.",
    )
    demo.run("deploy", "skill/json", "skill/logging", "command/review", "--project", "../app")
    assert demo.deployed.read_text() == demo.skill.read_text()
    return demo.ask("rev-parse", "skill/json")["id"]


def edit_both_sides(demo: Demo) -> str:
    demo.step(
        "Both sides move on",
        "The library's json gets a line at the top (H2), the project's copy another one at the end (H3). drift sees "
        "that both changed since the deploy. Nothing is written: the project keeps its edit.",
    )
    demo.edit(demo.skill, first="# H2: the library moved on\n")
    demo.run("snapshot", "-m", "The library moves on")
    demo.edit(demo.deployed, last="# H3: the project's own edit\n")
    local = demo.deployed.read_text()
    demo.run("drift", "--project", "../app")
    assert demo.drift_of("skills/json") == "conflict"
    assert demo.drift_of("skills/logging") == "in_sync"
    assert demo.deployed.read_text() == local
    return demo.ask("rev-parse", "skill/json")["id"]


def pull(demo: Demo, h1: str, h2: str) -> str:
    demo.step(
        "The project's edit comes home",
        "pull finds the base of the merge in the graph of versions: H1, where both sides were last the same. --preview "
        "shows what would happen; the pull itself makes H4, whose parents are the versions of H2 and H3.",
    )
    demo.run("pull", "skill/json", "--project", "../app", "--preview")
    assert demo.ask("rev-parse", "skill/json")["id"] == h2
    demo.run("pull", "skill/json", "--project", "../app", "-m", "The app's edit")
    merged = demo.skill.read_text()
    assert merged.startswith("# H2: the library moved on\n")
    assert merged.endswith("# H3: the project's own edit\n")
    h4 = demo.ask("rev-parse", "skill/json")["id"]
    parents = demo.ask("show", h4)["commit"]["parents"]
    assert parents[0] == h2
    assert demo.ask("merge-base", *parents)["bases"] == [h1]
    demo.run("lineage", "skill/json", "--oneline")
    return h4


def deploy_again(demo: Demo, h1: str, h4: str) -> None:
    demo.step(
        "The next deploy is a fast-forward",
        "The project gets H4, which has its own edit in it. Its deployments now read H4, H1.",
    )
    demo.run("deploy", "skill/json", "--project", "../app")
    assert demo.deployed.read_text() == demo.skill.read_text()
    assert demo.drift_of("skills/json") == "in_sync"
    versions = [oid.hex() for oid in Vault.open(demo.library).deployments(demo.project, "skill/json")]
    assert versions == [h4, h1]
    print(f"   (from the Python API: deployments are {', '.join(version[:12] for version in versions)})")


def pull_again(demo: Demo, h4: str) -> None:
    demo.step(
        "A further edit is measured from what was pulled",
        "Another line in the project, another pull: the base is H4 now, not H1, so this is a fast-forward.",
    )
    demo.edit(demo.deployed, last="# and one more\n")
    demo.run("pull", "skill/json", "--project", "../app")
    assert demo.skill.read_text() == demo.deployed.read_text()
    assert demo.ask("show", "skill/json")["commit"]["parents"] == [h4]


def clash(demo: Demo) -> None:
    demo.step(
        "A true conflict touches nothing, and waits",
        "Now the same line is changed on both sides. pull names the file and exits with 4; both sides stay byte for "
        "byte as they are until somebody has decided. Then the merge is continued. All of it can be undone.",
    )
    review, copy = demo.library / "commands/review.md", demo.project / ".claude/commands/review.md"
    review.write_text("Review it twice.\n")
    copy.write_text("Do not review it.\n")
    demo.run("pull", "command/review", "--project", "../app", code=4)
    assert review.read_text() == "Review it twice.\n"
    assert copy.read_text() == "Do not review it.\n"
    demo.run("merges", "list")
    demo.run("resolve", "command/review", "commands/review.md", "--theirs")
    demo.run("merges", "continue", "command/review")
    assert review.read_text() == copy.read_text() == "Do not review it.\n"
    assert demo.drift_of("commands/review.md") == "in_sync"
    for kind in ("merge continue", "resolve", "pull"):
        assert demo.ask("undo")["undone"] == kind
    assert review.read_text() == "Review it twice.\n"
    review.write_text(COMMANDS["review.md"])
    copy.write_text(COMMANDS["review.md"])


def undo_it_all(demo: Demo, h2: str) -> None:
    demo.step(
        "Undo goes back through all of it, files included",
        "Before that came a pull, a deploy and a pull. Three times undo, and the collection is at H2 again; "
        "the project's later edit is kept, because no undo throws work away. redo brings the last one again.",
    )
    for _ in range(3):
        demo.run("undo")
    assert demo.ask("rev-parse", "skill/json")["id"] == h2
    assert "# H3" not in demo.skill.read_text()
    assert demo.deployed.read_text().endswith("# and one more\n")
    demo.run("redo")
    assert demo.skill.read_text().endswith("# H3: the project's own edit\n")
    demo.run("ops", "-n", "5")


def name_versions(demo: Demo, h1: str) -> None:
    demo.step(
        "Versions get names, and the history tells the rest",
        "A tag stays with its version. bump says how large the next step is and why; changelog, lineage, timeline and "
        "audit are read off the same commits, and so is the record of the conflict above.",
    )
    demo.run("tag", "skill/json", "v1.0.0", h1, "-m", "As it came")
    assert demo.ask("bump", "skill/json")["bump"] == "patch"
    demo.run("tag", "skill/json", "--auto", "-m", "With the app's edit")
    assert demo.ask("rev-parse", "skill/json@v1.0.1")["id"] == demo.ask("rev-parse", "skill/json")["id"]
    demo.run("lineage", "skill/json", "--graph", "--oneline")
    demo.run("changelog", "skill/json")
    demo.run("timeline", "skill/json", "--project", "../app")
    demo.run("audit", "skill/json", "-n", "6")
    assert demo.ask("audit", "--verify")["ok"]


def check(demo: Demo) -> None:
    demo.step(
        "Everything is what it says",
        "An id is the BLAKE3 hash of the content, the same that b3sum prints. fsck reads every object of the vault.",
    )
    printed = demo.run("hash", "commands/release.md")
    assert printed.split()[0] == demo.ask("rev-parse", "@:commands/release.md")["id"]
    assert "no problems" in demo.run("fsck")


def main() -> None:
    os.environ.update(CASVAULT_AUTHOR_NAME="Demo", CASVAULT_AUTHOR_MAIL="demo@example.org")
    os.environ.pop("CASVAULT_VAULT", None)
    started = time.monotonic()
    print("casvault: the main job on real files. All commands run in library/, a temporary directory.")
    with tempfile.TemporaryDirectory(prefix="casvault-demo-") as base:
        demo = Demo(Path(base).resolve())
        put_under_version_control(demo)
        look_and_go_back(demo)
        h1 = deploy(demo)
        h2 = edit_both_sides(demo)
        h4 = pull(demo, h1, h2)
        deploy_again(demo, h1, h4)
        pull_again(demo, h4)
        clash(demo)
        undo_it_all(demo, h2)
        name_versions(demo, h1)
        check(demo)
    print(f"\nAll steps held, in {time.monotonic() - started:.0f} s. The temporary directory is gone.\n")
    print("Where to look next:")
    print("  casvault --help      all commands; each has examples: casvault deploy --help")
    print("  README.md            how to install it, and the Python API")
    print("  objects_spec.md      the formats, byte by byte")


if __name__ == "__main__":
    main()
