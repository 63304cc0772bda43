"""Archives of others: unpacked as they are, or refused before anything is outside."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from casvault.errors import CasvaultError, MalformedError, RefusedError
from casvault.interop.skillmeat.archives import pack, unpack
from casvault.limits import ARCHIVE_BYTES
from casvault.objects import MemoryObjects
from casvault.worktree.scan import scan_path

Member = tuple[str, bytes, str]
"""Name, type, and content or what it links to."""

FILE, LINK, SYMLINK, DIRECTORY = tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE


def archive(path: Path, *members: Member, size: int | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, text in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == FILE:
                info.size = len(text) if size is None else size
                tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT)) if size else tar.addfile(
                    info, io.BytesIO(text.encode())
                )  # type: ignore[union-attr]
            else:
                info.linkname = text
                tar.addfile(info)
    return path


def picture(place: Path) -> dict[str, str]:
    return {
        str(path.relative_to(place)): f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
        for path in sorted(place.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_files_links_and_directories(tmp_path: Path, out: Path) -> None:
    members: list[Member] = [
        ("./lib/", DIRECTORY, ""),
        ("lib/collection.toml", FILE, "x"),
        ("lib/skills/a/SKILL.md", FILE, "text"),
        ("lib/skills/a/same", LINK, "lib/skills/a/SKILL.md"),
        ("lib/skills/b", SYMLINK, "a"),
        ("lib/skills/a/up", SYMLINK, "../../collection.toml"),
        ("lib/.casvault/vault.toml", FILE, "a vault of its own"),
        ("lib/.git/config", FILE, "passed over"),
    ]
    place = unpack(archive(tmp_path / "x.tar.gz", *members), out, "lib")
    assert place == out / "lib"
    assert picture(place) == {
        "collection.toml": "x",
        "skills/a/SKILL.md": "text",
        "skills/a/same": "text",
        "skills/a/up": "-> ../../collection.toml",
        "skills/b": "-> a",
    }


def test_a_collection_without_a_directory_around_it(tmp_path: Path, out: Path) -> None:
    members: list[Member] = [("collection.toml", FILE, "x"), ("lib/f", FILE, "a kind of its own")]
    assert unpack(archive(tmp_path / "x.tar.gz", *members), out, "lib") == out


@pytest.mark.parametrize(
    "members",
    [
        [("../x", FILE, "1")],
        [("/x", FILE, "1")],
        [("lib/../../x", FILE, "1")],
        [("lib/x", SYMLINK, "/etc/passwd")],
        [("lib/x", SYMLINK, "../../x")],
        [("lib/x", SYMLINK, "y/../../../x")],
        [("lib/x", LINK, "../x")],
        [("lib/x", LINK, "/etc/passwd")],
        [("lib/x", LINK, "lib/nothing")],
        [("lib/x", SYMLINK, "."), ("lib/x/y", FILE, "through the link")],
        [("a/b/c", SYMLINK, "../.."), ("a/b/c/d", SYMLINK, "../../../x")],
        [("a/b/c/d", SYMLINK, "../../../x"), ("a/b/c", SYMLINK, "../..")],
        [("lib/x", FILE, "1"), ("lib/x", FILE, "2")],
        [("lib/x", SYMLINK, "y"), ("lib/x", FILE, "2")],
        [("lib/x", FILE, "1"), ("lib/x/y", FILE, "2")],
        [("lib/x", FILE, "1"), ("lib/x", DIRECTORY, "")],
        [("lib/x", DIRECTORY, ""), ("lib/x", SYMLINK, "y")],
        [("lib/x", tarfile.CHRTYPE, "")],
        [("lib/x", tarfile.BLKTYPE, "")],
        [("lib/x", tarfile.FIFOTYPE, "")],
        [("/".join(["d"] * 500) + "/x", FILE, "1")],
    ],
)
def test_what_leads_elsewhere_or_is_no_file_is_refused(tmp_path: Path, out: Path, members: list[Member]) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if out not in path.parents)
    source = archive(tmp_path / "x.tar.gz", *members)
    with pytest.raises(RefusedError) as caught:
        unpack(source, out, "lib")
    assert str(caught.value.place).startswith(f"{source}: ")
    assert sorted(path for path in tmp_path.rglob("*") if out not in path.parents) == sorted([*before, source])


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path, out: Path) -> None:
    """The size that a member claims is judged before a byte of it is written."""
    source = archive(tmp_path / "x.tar.gz", ("lib/x", FILE, "small"), size=ARCHIVE_BYTES + 1)
    with pytest.raises(RefusedError, match="more than"):
        unpack(source, out, "lib")
    assert picture(out) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"no archive",
        lambda data: data[:40] + bytes([data[40] ^ 0xFF]) + data[41:],
        lambda data: data[:-8] + bytes(4) + data[-4:],
    ],
)
def test_damage_is_named(tmp_path: Path, out: Path, damage: Callable[[bytes], bytes]) -> None:
    source = archive(tmp_path / "x.tar.gz", *((f"lib/{number}", FILE, f"text {number}" * 50) for number in range(40)))
    source.write_bytes(damage(source.read_bytes()))
    with pytest.raises(MalformedError) as caught:
        unpack(source, out, "lib")
    assert str(caught.value.place).startswith(str(source))


def test_cut_off_anywhere_it_is_never_taken_for_whole(tmp_path: Path) -> None:
    source = archive(tmp_path / "x.tar.gz", *((f"lib/{number}", FILE, f"text {number}") for number in range(5)))
    whole = source.read_bytes()
    for size in range(len(whole)):
        source.write_bytes(whole[:size])
        place = tmp_path / f"out{size}"
        place.mkdir()
        with pytest.raises(CasvaultError):
            unpack(source, place, "lib")


def test_equal_snapshots_are_equal_bytes_and_come_back(tmp_path: Path, out: Path) -> None:
    place = tmp_path / "made"
    (place / "skills/a/empty").mkdir(parents=True)
    (place / "skills/a/run").write_text("run\n")
    (place / "skills/a/run").chmod(0o755)
    (place / ("long" * 40)).write_text("x" * 3_000_000)
    os.symlink("run", place / "skills/a/link")
    stage = MemoryObjects()
    state = scan_path(place, stage)
    assert state is not None
    first, second = io.BytesIO(), io.BytesIO()
    pack(stage, state, "lib", 1_700_000_000, first)
    pack(stage, state, "lib", 1_700_000_000, second)
    assert first.getvalue() == second.getvalue()
    (tmp_path / "x.tar.gz").write_bytes(first.getvalue())
    assert scan_path(unpack(tmp_path / "x.tar.gz", out, "lib"), stage) == state
