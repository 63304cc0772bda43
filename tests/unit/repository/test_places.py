from __future__ import annotations

import threading
from pathlib import Path

import pytest

from casvault.errors import MalformedError
from casvault.repository import Places
from casvault.repository.places import LocalPlaces, MemoryPlaces


@pytest.fixture(params=["local", "memory"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    return LocalPlaces(tmp_path / "places.json") if request.param == "local" else MemoryPlaces()


def test_places_none_at_first(places: Places) -> None:
    assert places.all() == {}


def test_places_set_replace_and_forget(places: Places) -> None:
    found = []
    for name, directory in (("a", "/1"), ("b", "/2"), ("a", "/3"), ("b", None), ("c", None)):
        places.set(name, directory)
        found.append(places.all())
    assert found == [{"a": "/1"}, {"a": "/1", "b": "/2"}, {"a": "/3", "b": "/2"}, {"a": "/3"}, {"a": "/3"}]


def test_places_names_of_any_bytes(places: Places) -> None:
    places.set("projects/\udcff é", "/dir/\udcff")
    assert places.all() == {"projects/\udcff é": "/dir/\udcff"}


def test_places_answer_is_the_callers_own(places: Places) -> None:
    places.set("a", "/1")
    places.all()["b"] = "/2"
    assert places.all() == {"a": "/1"}


def test_local_places_are_seen_by_others(tmp_path: Path) -> None:
    LocalPlaces(tmp_path / "places.json").set("a", "/1")
    assert LocalPlaces(tmp_path / "places.json").all() == {"a": "/1"}


def test_local_places_threads_lose_nothing(tmp_path: Path) -> None:
    def work(name: str) -> None:
        for number in range(5):
            LocalPlaces(tmp_path / "places.json").set(f"{name}{number}", "/x")

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(LocalPlaces(tmp_path / "places.json").all()) == 10


@pytest.mark.parametrize("text", ["", "{", "[]", '"a"', "5", '{"a": 5}', '{"a": null}', '{"a": ["/x"]}'])
def test_local_places_malformed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "places.json"
    path.write_text(text)
    with pytest.raises(MalformedError) as caught:
        LocalPlaces(path).all()
    assert caught.value.place == str(path)
