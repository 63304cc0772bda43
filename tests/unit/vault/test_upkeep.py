"""Operations as they are told."""

from __future__ import annotations

from pathlib import Path

from casvault import Vault


def test_a_name_as_long_as_an_id_is_shown_as_a_name(tmp_path: Path) -> None:
    """`casvault ops` showed every argument of 32 bytes in hexadecimal, paths and labels too."""
    name = "a" * 25
    place = tmp_path / "lib/skills" / name
    place.mkdir(parents=True)
    (place / "x").write_text("x\n")
    vault, _ = Vault.init(tmp_path / "lib")
    assert len(f"skills/{name}") == 32
    vault.remove([f"skills/{name}"])
    assert vault.operations()[0].arguments == ("lib", f"skills/{name}")
    vault.restore("@~1")
    assert vault.operations()[0].arguments == ("lib", vault.rev_parse("@~2").hex())
