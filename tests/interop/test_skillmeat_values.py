"""Times and tables: every form is read, kept when written again, and refused by file and key where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.errors import CasvaultError, MalformedError
from casvault.interop.skillmeat.deployed import Layout, parse_deployed
from casvault.interop.skillmeat.home import parse_listing, parse_lock, parse_manifest
from casvault.interop.skillmeat.rendering import render_deployed
from casvault.interop.skillmeat.stamps import Stamp, find_stamp, find_stamp_of_id, snapshot_id, write_like
from casvault.interop.skillmeat.tables import parse_table

from .skillmeat_home import SHAPES, Fixture, make_fixture

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


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    return make_fixture(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(
    "wrong",
    [
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59-23:00",
        "soon",
        "",
        5,
        None,
        True,
        ["2025-02-12T12:00:00"],
        "2025-13-01T00:00:00",
    ],
)
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


def texts_of_all_files(fixture: Fixture) -> list[tuple[bytes, Callable[[bytes], object]]]:
    """Every text of a home and its projects, and what reads it."""
    read: list[tuple[Path, Callable[[bytes], object]]] = [
        (fixture.lib / "collection.toml", lambda text: parse_manifest(text, "f")),
        (fixture.lib / "collection.lock", lambda text: parse_lock(text, "f")),
        (fixture.snapshots / "snapshots.toml", lambda text: parse_listing(text, Path("f"))),
    ]
    read += [(fixture.deployed(shape), lambda text: parse_deployed(text, b".claude/f", "f")) for shape in SHAPES]
    return [(path.read_bytes(), function) for path, function in read]


def place_of_error(read: Callable[[bytes], object], text: bytes) -> str | None:
    """Where casvault's own error says that the text is wrong; None if it is not. Any other error goes on."""
    try:
        read(text)
    except CasvaultError as error:
        return str(error.place)
    return None


def is_between_values(text: bytes, size: int) -> bool:
    """Whether what stands before and after this place in its line is nothing, or a comment."""
    before, after = text[:size].rpartition(b"\n")[2].strip(), text[size:].partition(b"\n")[0].strip()
    return not before or not after or b"#" in before or after.startswith(b"#")


def test_a_text_that_is_cut_off_anywhere_names_its_file(fixture: Fixture) -> None:
    """Or it is cut off between two values of which the second is not required, and says less."""
    for text, read in texts_of_all_files(fixture):
        places = {size: place_of_error(read, text[:size]) for size in range(len(text))}
        assert {place[0] for place in places.values() if place is not None} == {"f"}
        assert [size for size, place in places.items() if place is None and not is_between_values(text, size)] == []


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_byte_that_is_wrong_is_a_crash(fixture: Fixture, data: st.DataObject) -> None:
    text, read = data.draw(st.sampled_from(texts_of_all_files(fixture)))
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"[", b"]", b"=", b"\n", b"0" * 5000, b"[" * 2000]))
    place = place_of_error(read, text[:at] + new + text[at + 1 :])
    assert place is None or place.startswith("f")


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
