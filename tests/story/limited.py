"""A snapshot, a deploy and a pull by a process whose files may not grow beyond a limit: `python -m … LIMIT ROOT`.

Prints what became of each of them, a line each: "done" or the code of the error.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from casvault.errors import CasvaultError
from tests.story.scene import Scene


def main(limit: int, root: Path) -> None:
    scene = Scene(root)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    for step in (
        lambda: scene.vault().snapshot(),
        lambda: scene.vault().deploy(["commands/review.md"], scene.app),
        lambda: scene.vault().pull(["skills/pdf"], scene.app),
    ):
        try:
            step()
        except CasvaultError as error:
            sys.stdout.write(f"{error.code}\n")
        else:
            sys.stdout.write("done\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
