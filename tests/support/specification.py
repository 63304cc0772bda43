"""The machine-readable examples in `objects_spec.md`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

SPECIFICATION = Path(__file__).parents[2] / "objects_spec.md"
_BLOCK = re.compile(r"^```example ([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    kind: str
    line: int
    """Where it begins in the document."""
    fields: dict[str, str]

    def hex(self, key: str) -> bytes:
        return bytes.fromhex(self.fields[key])

    def number(self, key: str) -> int:
        return int(self.fields[key])

    def value(self, key: str) -> Any:
        """The value that is written as JSON, with bytes for strings."""
        return _with_bytes(json.loads(self.fields[key]))


def read_examples() -> list[Example]:
    text = SPECIFICATION.read_text(encoding="utf-8")
    return [
        Example(match[1], text.count("\n", 0, match.start()) + 1, _parse(match[2])) for match in _BLOCK.finditer(text)
    ]


def read_block(language: str) -> str:
    """What stands in the one block of the document that is in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", SPECIFICATION.read_text(encoding="utf-8"), re.M | re.S)
    assert isinstance(found, str)
    return found


def _parse(body: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    key = ""
    for line in body.splitlines():
        if line.startswith("  "):
            fields[key] += line[1:]
        else:
            key, _, value = line.partition(":")
            assert key not in fields
            fields[key] = value.strip()
    return fields


def _with_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_bytes(item) for item in value]
    if isinstance(value, str):
        return bytes.fromhex(value[4:]) if value.startswith("hex:") else value.encode("ascii")
    return value
