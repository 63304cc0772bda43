from __future__ import annotations

import pytest

from casvault.errors import RefusedError
from casvault.worktree.names import check_path, is_control_name

CONTROL = [
    b".git", b".GIT", b".gIt", b".casvault", b".CASVAULT", b".casvault-project", b".Casvault-tmp-12", b".casvault-",
    ".g\u200cit".encode(), ".git\ufeff".encode(), ".\u202ecasvault".encode(), ".ca\u00adsvault".encode(),
    "\uff0egit".encode(), ".ca\u017fvault".encode(), ".\ufe0fgit".encode(), ".git\U000e0001".encode(),
    b".git.", b".git ", b".git . .", b".casvault...", b".git::$INDEX_ALLOCATION", b".git:x", b".casvault .:y",
    b"git~1", b"GIT~1", b"git~12", b"CASVAU~1", b"casvau~3 ", b"ca12fe~1", b"a\\.git", b".git\\hooks",
]  # fmt: skip
ORDINARY = [
    b".gitignore", b".github", b"git", b"casvault", b"casvault.toml", b".casvaultignore", b".casvaults", b"x.git",
    b"git~", b"git~x", b" .git", b"..git", b".g it", b"cafe~1", b"caf\xc3\xa9", b".gi\xff", b"a\\b", b"mygit~1",
]  # fmt: skip


@pytest.mark.parametrize("name", CONTROL)
def test_is_control_name_sees_through(name: bytes) -> None:
    assert is_control_name(name)


@pytest.mark.parametrize("name", ORDINARY)
def test_is_control_name_leaves(name: bytes) -> None:
    assert not is_control_name(name)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (b"", "empty name"),
        (b"/etc", "empty name"),
        (b"a//b", "empty name"),
        (b"a/../b", "'..'"),
        (b"./a", "'.'"),
        (b"a\0b", "NUL"),
        (b"a/.GIT/b", "control directory"),
        (b"a/git~1", "control directory"),
        (b"/".join([b"d"] * 201), "more than 200"),
    ],
)
def test_check_path_refuses(path: bytes, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        check_path(path)


def test_check_path_accepts_any_other_bytes() -> None:
    check_path(b"sk ills/\xff\xfe/.casvaultignore")
