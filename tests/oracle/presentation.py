"""What stands between the lines of a marked-up text, brought into one form: how long markers are, how they end,
and what they call the base."""

from __future__ import annotations

import re

from tests.oracle.tree_changes import File, Files

OPENING = re.compile(rb"^(<{7,}) ours", re.MULTILINE)
SIZE = 7


def plain(files: Files) -> Files:
    r"""The files with all markers of one length and ended by \n.

    Those of casvault are longer than whatever looks like one in the text, and end as the line before does. Git's are
    7 signs long, or 8 where both sides renamed the file, and end as the first line of the base does. Git calls the base
    by the first digits of its id.
    """
    return {path: File(plain_text(file.content), file.mode) for path, file in files.items()}


def plain_text(content: bytes) -> bytes:
    first = OPENING.search(content)
    if first is None:
        return content
    marker = re.compile(rb"([<|=>])\1{%d}( .*)?" % (len(first[1]) - 1))
    lines: list[bytes] = []
    for line in content.split(b"\n"):
        found = marker.fullmatch(line.removesuffix(b"\r"))
        if found is None:
            lines.append(line)
            continue
        if lines:
            lines[-1] = lines[-1].removesuffix(b"\r")  # a last line without an end got that of the markers
        lines.append(found[1] * SIZE + (b"" if found[1] == b"|" or found[2] is None else found[2]))
    return b"\n".join(lines)
