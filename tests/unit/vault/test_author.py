"""Who signs: names and messages of any bytes survive, and what stands for no bytes is refused."""

from __future__ import annotations

import pytest

from casvault import Author, Vault
from casvault.errors import UsageError
from tests.story.scene import Scene, change_line, clock


def put(vault: Vault, message: str = "") -> None:
    with vault.transaction(message) as tx:
        tx.collection("lib").put("skills/a", b"a")


def test_author_whose_name_is_not_utf8_survives() -> None:
    vault = Vault.in_memory(author=Author("Zo\udceb", "zo\udceb@example.org"), clock=clock)
    put(vault, "caf\udce9")
    info = vault.show("@")
    assert (info.author, info.mail, info.message) == ("Zo\udceb", "zo\udceb@example.org", "caf\udce9")


@pytest.mark.parametrize("author", [Author("Zo\ud800"), Author("Zo", "zo@\udfff")])
def test_author_with_a_lone_surrogate(author: Author) -> None:
    """A UnicodeEncodeError came out of the library."""
    vault = Vault.in_memory(author=author, clock=clock)
    with pytest.raises(UsageError, match="not text"):
        put(vault)
    assert vault.refs() == []


def test_message_with_a_lone_surrogate(scene: Scene) -> None:
    vault = scene.vault()
    change_line(scene.lib / "commands/review.md", 1, "edited")
    with pytest.raises(UsageError, match="not text"):
        vault.snapshot("\ud800")
    with pytest.raises(UsageError, match="not text"), vault.transaction() as tx:
        tx.write_commit(tx.write_directory({"f": b"f"}), (), "\ud800")
    assert (len(vault.operations()), len(vault.status().changes)) == (1, 1)
