"""Below `pending` nothing knows what a vault is used for: the words of the domain do not occur, comments included."""

from __future__ import annotations

import io
import re
import token
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import files_of, layers_below, place

WORDS = re.compile(r"(?i)\b(artifact|collection|project|deployment)s?\b")
OTHERS_NAMES = {"collections", "Collection", "BufferWithSegmentsCollection"}
"""Identifiers of the standard library and of zstandard."""
OTHERS_MODULES = re.compile(r"\bcollections\.\w+")
FILE_NAMES = re.compile(r"\.casvault-project\b")
REF_NAMES = re.compile(r'"collections(/\w*)*"')
"""A ref namespace, quoted as an example."""


def domain_words(source: str) -> Iterator[tuple[int, str]]:
    """The words of the domain in names, comments and strings, with their lines."""
    for item in tokenize.generate_tokens(io.StringIO(source).readline):
        if item.type == token.NAME:
            text = "" if item.string in OTHERS_NAMES else " ".join(_parts(item.string))
        elif item.type in (token.COMMENT, token.STRING) or token.tok_name[item.type] == "FSTRING_MIDDLE":
            text = item.string
            for allowed in (OTHERS_MODULES, FILE_NAMES, REF_NAMES):
                text = allowed.sub("", text)
        else:
            continue
        for found in WORDS.finditer(text):
            yield item.start[0] + text[: found.start()].count("\n"), found.group()


def _parts(name: str) -> list[str]:
    """The words of an identifier: snake_case and CamelCase."""
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)


def wrong_words(path: Path) -> list[str]:
    return [f"{place(path, line)}: {word}" for line, word in domain_words(path.read_text())]


def test_the_domain_does_not_occur_below_pending() -> None:
    assert [wrong for path in files_of(layers_below("pending")) for wrong in wrong_words(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        "# an artifact",
        '"""Holds the\nprojects."""',
        "def find_collection(): pass",
        "class ArtifactError: pass",
        'x = f"the deployment {y}"',
        "collection = 1",
        '"a collections of things"',
    ],
)
def test_a_word_of_the_domain_is_found(source: str) -> None:
    assert len(list(domain_words(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from collections.abc import Collection",
        "from collections import Counter",
        "# as in collections.abc, a projection",
        "x: zstandard.BufferWithSegmentsCollection",
        'NAME = b".casvault-project"',
        '"""Refs below a directory ("collections/lib")."""',
        "def projected(): pass",
    ],
)
def test_other_words_are_not(source: str) -> None:
    assert list(domain_words(source)) == []
