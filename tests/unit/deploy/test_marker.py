from __future__ import annotations

import json
from pathlib import Path

import pytest

from casvault.deploy.marker import (
    COLLECTION_MARKER,
    PROJECT_MARKER,
    Marker,
    find_upwards,
    marker_snapshot,
    read_marker,
    write_marker,
)
from casvault.errors import MalformedError, UnsupportedError
from tests.support.objects import numbered_id

MARKER = Marker("/somewhere/.casvault", "ab" * 16, "my lib", "0123456789abcdef")
TABLE = {"format": 1, **MARKER._asdict()}


@pytest.mark.parametrize("snapshot", [None, numbered_id(1)])
@pytest.mark.parametrize("file_name", [COLLECTION_MARKER, PROJECT_MARKER])
def test_marker_round_trip(tmp_path: Path, file_name: str, snapshot: None) -> None:
    marker = MARKER._replace(snapshot=snapshot)
    write_marker(tmp_path, file_name, marker)
    assert read_marker(tmp_path, file_name) == marker


def test_read_marker_where_none_is(tmp_path: Path) -> None:
    assert [read_marker(place, PROJECT_MARKER) for place in (tmp_path, tmp_path / "none")] == [None, None]


def test_read_marker_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_marker(tmp_path / "file", PROJECT_MARKER) is None


def test_marker_snapshot_is_what_the_directory_holds(tmp_path: Path) -> None:
    before = marker_snapshot(tmp_path)
    write_marker(tmp_path, COLLECTION_MARKER, MARKER._replace(snapshot=numbered_id(2)))
    assert (before, marker_snapshot(tmp_path)) == (None, numbered_id(2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "5",
        "{}",
        json.dumps({**TABLE, "snapshot": "short"}),
        json.dumps({**TABLE, "snapshot": 5}),
        json.dumps({**TABLE, "snapshot": "zz" * 32}),
        json.dumps({**TABLE, "more": 1}),
        json.dumps({key: value for key, value in TABLE.items() if key != "name"}),
        json.dumps({key: value for key, value in TABLE.items() if key != "snapshot"}),
        json.dumps({key: value for key, value in TABLE.items() if key != "format"}),
        "<<<<<<< ours\n{}\n=======\n",
    ],
)
def test_read_marker_malformed(tmp_path: Path, text: str) -> None:
    (tmp_path / PROJECT_MARKER).write_text(text)
    with pytest.raises(MalformedError) as caught:
        read_marker(tmp_path, PROJECT_MARKER)
    assert caught.value.place == str(tmp_path / PROJECT_MARKER)


@pytest.mark.parametrize("key", ["name", "vault", "vault_id", "checkout"])
def test_read_marker_value_of_a_wrong_type(tmp_path: Path, key: str) -> None:
    (tmp_path / PROJECT_MARKER).write_text(json.dumps({**TABLE, key: 5}))
    with pytest.raises(MalformedError):
        read_marker(tmp_path, PROJECT_MARKER)


def test_read_marker_of_a_later_format(tmp_path: Path) -> None:
    (tmp_path / PROJECT_MARKER).write_text(json.dumps({**TABLE, "format": 2, "more": 1}))
    with pytest.raises(UnsupportedError, match="later version"):
        read_marker(tmp_path, PROJECT_MARKER)


def test_find_upwards_nearest(tmp_path: Path) -> None:
    deep = tmp_path / "a/b/c"
    deep.mkdir(parents=True)
    for place in (tmp_path, tmp_path / "a/b"):
        (place / PROJECT_MARKER).touch()
    (tmp_path / "a" / COLLECTION_MARKER).touch()
    found = [find_upwards(deep, names) for names in ((PROJECT_MARKER,), (COLLECTION_MARKER,), (PROJECT_MARKER, "x"))]
    assert found == [tmp_path / "a/b", tmp_path / "a", tmp_path / "a/b"]


def test_find_upwards_nothing(tmp_path: Path) -> None:
    assert find_upwards(tmp_path, ("no file has this name",)) is None
