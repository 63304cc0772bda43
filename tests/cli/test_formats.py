"""What scripts read: ls-tree, cat, rev-parse, hash, in the forms of git and b3sum."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from casvault import Vault

if TYPE_CHECKING:
    from .conftest import World

EMPTY_HASH = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
"""BLAKE3 of nothing, from the test vectors of BLAKE3."""

ODD = b'skills/pdf/\xff\ttab "quoted" back\\slash'


def test_ls_tree_prints_mode_kind_id_size_tab_path(world: World) -> None:
    lines = world.done("ls-tree", "-r", "@").out.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["commands/review.md", "skills/pdf/SKILL.md"]
    assert all(re.fullmatch(r"100644 blob [0-9a-f]{64} [0-9]+\t\S+", line) for line in lines)
    assert world.done("ls-tree", "@").out.startswith("040000 tree ")


def test_ls_tree_shows_an_artifact_as_a_link_to_its_version(world: World) -> None:
    version = world.done("rev-parse", "skill/pdf").out.strip()
    assert world.done("ls-tree", "@:skills").out == f"150000 commit {version} {world.skill.stat().st_size}\tpdf\n"


def test_ls_tree_quotes_odd_names_unless_told_otherwise(world: World) -> None:
    (world.library / ODD.decode(errors="surrogateescape")).write_bytes(b"x")
    (world.library / "skills/pdf/é.md").write_bytes(b"y")
    world.done("snapshot")
    listed = world.done("ls-tree", "-r", "@:skills/pdf").raw
    assert rb'"\377\ttab \"quoted\" back\\slash"' in listed
    assert "\té.md\n".encode() in listed
    entries = world.done("ls-tree", "-r", "-z", "@:skills/pdf").raw.split(b"\0")
    assert entries[-1] == b""
    assert sorted(entry.partition(b"\t")[2] for entry in entries[:-1]) == sorted(
        [b"SKILL.md", ODD.rpartition(b"/")[2], "é.md".encode()]
    )


def test_cat_prints_bytes_as_they_are(world: World) -> None:
    content = bytes(range(256)) * 3 + b"no line break at the end"
    (world.library / ODD.decode(errors="surrogateescape")).write_bytes(content)
    world.done("snapshot")
    assert world.done("cat", f"@:{ODD.decode(errors='surrogateescape')}").raw == content


def test_cat_of_a_version_that_is_a_file(world: World) -> None:
    assert world.done("cat", "command/review").raw == b"Review this.\n"


def test_cat_in_json_is_text_or_base64(world: World) -> None:
    (world.library / "skills/pdf/data").write_bytes(b"\xff\x00")
    world.done("snapshot")
    text = world.done("cat", "@:commands/review.md", "--json").document
    assert (text["encoding"], text["content"]) == ("utf-8", "Review this.\n")
    binary = world.done("cat", "@:skills/pdf/data", "--json").document
    assert (binary["encoding"], binary["content"], binary["size"]) == ("base64", "/wA=", 2)


def test_rev_parse_prints_a_full_id_that_can_be_used_again(world: World) -> None:
    oid = world.done("rev-parse", "@").out
    assert re.fullmatch(r"[0-9a-f]{64}\n", oid)
    assert world.done("rev-parse", oid[:12]).out == oid
    blob = world.done("rev-parse", "@:commands/review.md").out
    assert world.done("cat", blob.strip()).raw == b"Review this.\n"


def test_hash_needs_no_vault_and_knows_the_empty_file(empty: World) -> None:
    (empty.base / "nothing").touch()
    assert empty.done("hash", "nothing").out == f"{EMPTY_HASH}  nothing\n"


def test_hash_is_the_id_of_the_blob(world: World) -> None:
    blob = world.done("rev-parse", "@:commands/review.md").out.strip()
    assert world.done("hash", "commands/review.md").out == f"{blob}  commands/review.md\n"


def test_hash_prints_what_b3sum_prints(empty: World) -> None:
    if shutil.which("b3sum") is None:
        pytest.skip("b3sum is not installed")
    names = ["plain", "with space", "back\\slash", "line\nbreak"]
    for number, name in enumerate(names):
        (empty.base / name).write_bytes(bytes([number]) * 100_000 * number)
    expected = subprocess.run(["b3sum", *names], cwd=empty.base, capture_output=True, check=True).stdout
    assert empty.done("hash", *names).raw == expected


def test_hash_escapes_names_as_b3sum_does(empty: World) -> None:
    (empty.base / "line\nbreak").touch()
    (empty.base / "back\\slash").touch()
    assert empty.done("hash", "line\nbreak", "back\\slash").out == (
        f"\\{EMPTY_HASH}  line\\nbreak\n\\{EMPTY_HASH}  back\\\\slash\n"
    )


def test_hash_of_many_stops_at_one_that_is_not_there(empty: World) -> None:
    (empty.base / "one").touch()
    result = empty.run("hash", "one", "two")
    assert (result.code, result.out) == (3, f"{EMPTY_HASH}  one\n")


def test_a_diff_can_be_applied_by_git(world: World) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    before = world.skill.read_text()
    world.skill.write_text(before.replace("three", "THREE") + "six without an end")
    (world.library / "commands/new.md").write_text("new\n")
    after = world.skill.read_text()
    patch = world.done("diff").raw
    assert patch == world.done("diff", "@").raw
    world.skill.write_text(before)
    (world.library / "commands/new.md").unlink()
    subprocess.run(["git", "apply", "-"], input=patch, cwd=world.library, check=True)
    assert world.skill.read_text() == after
    assert (world.library / "commands/new.md").read_text() == "new\n"


def test_diff_takes_revisions_paths_and_counts(world: World) -> None:
    world.skill.write_text("one line\n")
    (world.library / "commands/review.md").write_text("Review this.\nAnd that.\n")
    world.done("snapshot")
    assert b"review.md" in world.done("diff", "@~1", "@").raw
    assert b"review.md" not in world.done("diff", "@~1", "@", "--", "skills").raw
    stat = world.done("diff", "@~1", "@", "--stat").out.splitlines()
    assert stat[0] == " commands/review.md  | 1 +"
    assert stat[-1] == " 2 files changed, 2 lines added, 7 removed"
    lines = world.done("diff", "@~1", "@", "--stat", "--json").document["lines"]
    assert lines == [{"added": 1, "removed": 0}, {"added": 1, "removed": 7}]


def test_log_and_lineage_go_back_to_the_beginning(world: World) -> None:
    world.skill.write_text("new\n")
    world.done("snapshot", "-m", "The second\n\nwith a body")
    text = world.done("log").out
    assert "    The second\n\n    with a body\n" in text
    assert "Author:   Ann <ann@example.org>" in text
    oneline = world.done("log", "--oneline").out.splitlines()
    assert len(oneline) == 2
    assert oneline[0].endswith("  The second")
    assert world.done("log", "--oneline", "-n", "1").out.splitlines() == oneline[:1]
    lineage = world.done("lineage", "skill/pdf", "--oneline").out.splitlines()
    assert [line.split()[3] for line in lineage] == ["edit", "import"]


def test_show_names_the_files_and_their_lines(world: World) -> None:
    world.skill.write_text("new\n")
    world.done("snapshot", "-m", "why")
    shown = world.done("show", "--patch").out
    assert "    why\n" in shown
    assert "  M  skills/pdf/SKILL.md\n" in shown
    assert "+new\n" in shown
    assert shown.startswith("snapshot ")
    assert world.done("show", "skill/pdf").out.startswith("version ")


def test_restore_brings_back_and_says_what_it_recorded_first(world: World) -> None:
    first = world.skill.read_text()
    world.skill.write_text("second\n")
    world.done("snapshot")
    world.skill.write_text("third, in no snapshot\n")
    said = world.done("restore", "@~1", "skills/pdf").out
    assert world.skill.read_text() == first
    assert "what the directory held before is in snapshot" in said
    assert world.done("cat", "@~1:skills/pdf/SKILL.md").raw == b"third, in no snapshot\n"
    world.done("restore", "@~2:skills/pdf", "--to", "../copy")
    assert (world.base / "copy/SKILL.md").read_text() == "second\n"
    assert world.skill.read_text() == first


def test_collections_come_and_go(world: World) -> None:
    prompts = world.base / "prompts/texts"
    prompts.mkdir(parents=True)
    (prompts / "hello.txt").write_text("Hello\n")
    assert "1 added" in world.done("collection", "add", "../prompts").out
    assert [line.split()[0] for line in world.done("collection", "list").out.splitlines()] == ["lib", "prompts"]
    assert world.done("status", at=world.base / "prompts").out.startswith("prompts: nothing has changed")
    assert world.done("collection", "remove", "prompts")
    assert world.run("status", at=world.base / "prompts").code == 3
    world.done("undo")
    assert world.done("status", "--collection", "prompts")
    assert (prompts / "hello.txt").exists()


def test_ops_show_who_did_what(world: World) -> None:
    world.skill.write_text("new\n")
    world.done("snapshot", "-m", "why")
    first = world.done("ops").out.splitlines()[0].split()
    assert first[0] == "2"
    assert first[3:] == ["snapshot", "lib", "·", "why"]
    assert len(world.done("ops", "-n", "1").out.splitlines()) == 1
    assert Vault.open(world.library).operations(1)[0].author == "Ann"


def test_the_author_comes_from_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def author() -> str:
        world.skill.write_text(world.skill.read_text() + "more\n")
        world.done("snapshot")
        return world.done("log", "-n", "1").out.splitlines()[1]

    assert author() == "Author:   Ann <ann@example.org>"
    monkeypatch.delenv("CASVAULT_AUTHOR_NAME")
    monkeypatch.delenv("CASVAULT_AUTHOR_MAIL")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Bob")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "bob@example.org")
    assert author() == "Author:   Bob <bob@example.org>"
    monkeypatch.delenv("GIT_AUTHOR_NAME")
    monkeypatch.delenv("GIT_AUTHOR_EMAIL")
    monkeypatch.setenv("LOGNAME", "carol")
    assert author().startswith("Author:   carol <carol@")
