"""Write down what git answers: `python -m tests.oracle.make_answers`. It takes some minutes.

    {"git": version, "small": {size: answers}, "drawn": [[base, …], …]}

The answers on all small histories of a size are bytes by number, packed with zlib, in base64: bit b of a byte says that
commit b is a merge base.
"""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import compress, decompress

from tests.oracle.histories import (
    DRAWN,
    SMALL_SIZES,
    History,
    ask_merge_bases,
    count_small,
    drawn,
    git,
    small,
    write_repository,
)

ANSWERS = Path(__file__).with_name("merge_bases.json")


def read_answers() -> tuple[dict[int, list[list[int]]], list[list[int]]]:
    """Of the small histories by size and number, and of the drawn ones."""
    document = json.loads(ANSWERS.read_text())
    packed = {int(size): decompress(b64decode(text)) for size, text in document["small"].items()}
    return {size: [_bits(mask) for mask in masks] for size, masks in packed.items()}, document["drawn"]


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(8) if mask >> bit & 1]


def _ask(histories: list[History]) -> list[list[int]]:
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as workers:
        names = write_repository(Path(name), histories)
        return list(workers.map(lambda each: ask_merge_bases(Path(name), each), names))


def main() -> None:
    packed = {}
    for size in SMALL_SIZES:
        answers = _ask([small(size, number) for number in range(count_small(size))])
        masks = bytes(sum(1 << base for base in bases) for bases in answers)
        packed[str(size)] = b64encode(compress(masks, 9)).decode()
    document = {
        "git": git(Path(), "version").strip(),
        "small": packed,
        "drawn": _ask([drawn(number) for number in range(DRAWN)]),
    }
    ANSWERS.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
