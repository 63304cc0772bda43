from __future__ import annotations

from pathlib import Path

import pytest

from casvault.errors import MalformedError, UnsupportedError
from casvault.limits import KEEP_RECORDS
from casvault.repository.config import Config, create_config, read_config

ID = "0123456789abcdef" * 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.toml"


def test_create_config_reads_back(path: Path) -> None:
    made = create_config(path)
    assert (read_config(path), made.keep_records, len(made.id)) == (made, KEEP_RECORDS, 16)


def test_create_config_ids_differ(path: Path, tmp_path: Path) -> None:
    assert create_config(path).id != create_config(tmp_path / "other.toml").id


def test_read_config_settings(path: Path) -> None:
    path.write_text(f'format = 1\nid = "{ID}"\n[settings]\nkeep_records = 16\nobserve_max_size = 1000\n')
    assert read_config(path) == Config(bytes.fromhex(ID), 16, 1000)


def test_read_config_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_config(path)


@pytest.mark.parametrize(
    "text", ['format = 2\nid = "later"\nmore = 1\n', f'format = "1"\nid = "{ID}"\n', f'id = "{ID}"\n']
)
def test_read_config_of_another_format(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(UnsupportedError, match="vault format"):
        read_config(path)


@pytest.mark.parametrize(
    "text",
    [
        "format = ",
        "format = 1\n",
        "format = 1\nid = 5\n",
        'format = 1\nid = "xyz"\n',
        'format = 1\nid = "00"\n',
        f'format = 1\nid = "{ID}"\n[settings]\nkeep_records = 3\n',
        f'format = 1\nid = "{ID}"\n[settings]\nkeep_records = "many"\n',
        f'format = 1\nid = "{ID}"\n[settings]\nobserve_max_size = []\n',
    ],
)
def test_read_config_malformed(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(MalformedError) as caught:
        read_config(path)
    assert caught.value.place == str(path)


def test_read_config_that_is_not_utf8(path: Path) -> None:
    path.write_bytes(b"format = 1 # \xff\n")
    with pytest.raises(MalformedError, match="not TOML"):
        read_config(path)


@pytest.mark.xfail(strict=True, reason="settings are taken for a table")
def test_read_config_settings_that_are_no_table(path: Path) -> None:
    path.write_text(f'format = 1\nid = "{ID}"\nsettings = 5\n')
    with pytest.raises(MalformedError):
        read_config(path)


@pytest.mark.xfail(strict=True, reason="numbers are made of whatever int() takes, and never looked at")
@pytest.mark.parametrize(
    "line", ["keep_records = 9.7", "keep_records = '64'", "observe_max_size = -1", "keep_record = 16"]
)
def test_read_config_setting_that_means_nothing(path: Path, line: str) -> None:
    path.write_text(f'format = 1\nid = "{ID}"\n[settings]\n{line}\n')
    with pytest.raises(MalformedError):
        read_config(path)
