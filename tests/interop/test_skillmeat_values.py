"""Times and tables: every form is read, kept when written again, and refused by file and key where it is wrong."""

from __future__ import annotations

from datetime import datetime

import pytest
import tomlkit

from casvault.errors import MalformedError
from casvault.interop.skillmeat.deployed import Layout, parse_deployed
from casvault.interop.skillmeat.rendering import render_deployed
from casvault.interop.skillmeat.stamps import Stamp, find_stamp, find_stamp_of_id, snapshot_id, write_like
from casvault.interop.skillmeat.tables import parse_table

NOON = Stamp(1_739_361_600)  # 2025-02-12T12:00:00Z


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2025-02-12T12:00:00", NOON),
        ("2025-02-12T12:00:00Z", NOON),
        ("2025-02-12 12:00:00.250000", Stamp(NOON.seconds, 250_000)),
        ("2025-02-12T12:00:00.250000+05:30", Stamp(NOON.seconds - 19_800, 250_000, 330)),
        ("2025-02-12T12:00:00-03:00", Stamp(NOON.seconds + 10_800, 0, -180)),
        ("1960-01-01T00:00:00.500000", Stamp(-315_619_200, 500_000)),
        (datetime.fromisoformat("2025-02-12T12:00:00Z"), NOON),
        (datetime.fromisoformat("2025-02-12T12:00:00"), NOON),
    ],
)
def test_a_time_is_read_and_written_in_its_form(text: object, stamp: Stamp) -> None:
    assert find_stamp(text) == stamp
    assert write_like(stamp, text) == text


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("2000-01-01T00:00:00Z", "2025-02-12T12:00:00Z"),
        ("2000-01-01T00:00:00.000001Z", "2025-02-12T12:00:00.000000Z"),
        ("2000-01-01 00:00:00", "2025-02-12 12:00:00"),
        ("2000-01-01T00:00:00-03:00", "2025-02-12T09:00:00-03:00"),
        (None, "2025-02-12T12:00:00"),
        ("not a time", "2025-02-12T12:00:00"),
    ],
)
def test_another_time_takes_the_form(model: object, expected: str) -> None:
    assert write_like(NOON, model) == expected


@pytest.mark.parametrize("wrong", ["soon", "", 5, None, True, ["2025-02-12T12:00:00"], "2025-13-01T00:00:00"])
def test_what_is_no_time(wrong: object) -> None:
    assert find_stamp(wrong) is None


def test_zones_are_written_as_commits_have_them() -> None:
    assert [Stamp(0, 0, offset).zone for offset in (0, 330, -90)] == [b"+0000", b"+0530", b"-0130"]


def test_the_id_of_a_snapshot_is_its_time() -> None:
    stamp = find_stamp_of_id("20250212-120000-250000")
    assert stamp == Stamp(NOON.seconds, 250_000)
    assert snapshot_id(Stamp(NOON.seconds, 250_000, 330)) == "20250212-120000-250000"
    assert [find_stamp_of_id(wrong) for wrong in ("20251312-120000-250000", "20250212-120000", "x")] == [None] * 3


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b'a = "1"\nb = "cut', "f: b"),
        (b'[[deployed]]\nx = [\n "1",\n "2"', "f: x"),
        (b"[[deployed]]\nx = 1\n[[deplo", "f: deplo"),
        (b'a = "1"\nb = "\xff"\n', "f: b"),
        (b'"quoted" = \n', 'f: "quoted"'),
        (b"{", "f"),
    ],
)
def test_what_is_not_toml_names_the_last_key(text: bytes, place: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_table(text, "f")
    assert caught.value.place == place


RECORD = {
    "artifact_name": "a",
    "artifact_type": "skill",
    "from_collection": "lib",
    "deployed_at": "2025-02-12T12:00:00",
    "artifact_path": "skills/a",
    "content_hash": "0" * 64,
}


@pytest.mark.parametrize("key", RECORD)
def test_each_required_key_is_missed_by_name(key: str) -> None:
    table = {"deployed": [{name: value for name, value in RECORD.items() if name != key}]}
    with pytest.raises(MalformedError) as caught:
        parse_deployed(tomlkit.dumps(table).encode(), b".claude/f", "f")
    named = "collection_sha" if key == "content_hash" else key
    assert str(caught.value) == f"f: deployed[0].{named}: `{named}` is missing"


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("artifact_name", ""),
        ("artifact_name", 1),
        ("deployed_at", "soon"),
        ("content_hash", "0" * 63),
        ("content_hash", "A" * 64),
        ("parent_hash", "x"),
        ("version_lineage", "0" * 64),
        ("version_lineage", ["x"]),
        ("merge_base_snapshot", "20250212"),
        ("profile_root_dir", "/etc"),
        ("artifact_path", "skills/../.."),
        ("artifact_path", ".casvault/vault.toml"),
    ],
)
def test_each_wrong_value_is_named(key: str, wrong: object) -> None:
    table = {"deployed": [{**RECORD, key: wrong}]}
    with pytest.raises(MalformedError) as caught:
        parse_deployed(tomlkit.dumps(table).encode(), b".claude/f", "f")
    assert caught.value.place == f"f: deployed[0].{key}"


@pytest.mark.parametrize("text", [b"", b"x = 1\n", b"deployed = 1\n", b"deployed = [1]\n", b"artifacts = 5\n"])
def test_a_file_without_records_is_none(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_deployed(text, b".claude/f", "f")


def test_one_path_stands_in_one_record() -> None:
    with pytest.raises(MalformedError, match="stands twice"):
        parse_deployed(tomlkit.dumps({"deployed": [RECORD, RECORD]}).encode(), b".claude/f", "f")


def test_an_empty_list_of_records_takes_the_first() -> None:
    out = render_deployed(
        b"# mine\ndeployed = []\n", Layout.DEPLOYED, {}, [], [{"artifact_name": "a", "parent_hash": None}]
    )
    assert out == b'# mine\n[[deployed]]\nartifact_name = "a"\n'


def test_everything_around_a_change_stays() -> None:
    text = b'# top\n[[deployed]]\na = 1 # one\nb = "x"\n\n[[deployed]]\na = 2\n\n[other]\nkey = "kept"\n'
    out = render_deployed(text, Layout.DEPLOYED, {0: {"b": "y"}}, [1], [{"a": 3}])
    assert out.startswith(b'# top\n[[deployed]]\na = 1 # one\nb = "y"\n')
    assert b"a = 2" not in out
    assert b'[other]\nkey = "kept"\n' in out
    table = parse_table(out, "f")
    assert [each.values["a"] for each in table.tables("deployed")] == [1, 3]
