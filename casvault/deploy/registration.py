"""Which project a directory is: found by its marker, told from copies of it, or new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import project_ref, show
from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, read_marker
from casvault.errors import NotFoundError, RefusedError
from casvault.objects import read_parents

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from casvault.deploy.marker import Marker
    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.refs import View
    from casvault.repository import Repository


class Claim(NamedTuple):
    """What a directory that is about to be written to is."""

    ref: bytes
    is_new: bool = False
    """It has to be registered under this ref, and nothing is deployed there yet."""
    copied_from: bytes | None = None
    """It is a copy of this project, and has to be registered under a ref of its own with the same deployments."""


def find_project(repository: Repository, directory: Path) -> tuple[bytes, Marker]:
    """The project in a directory, as its marker says; NotFoundError if it is none of this vault."""
    marker = read_marker(directory, PROJECT_MARKER)
    if marker is None or marker.vault_id != repository.config.id.hex():
        raise NotFoundError(
            "not a project of this vault",
            place=str(directory),
            remedy="deploy something to it first, or adopt what is there: `casvault adopt --project DIR`",
        )
    return project_ref(marker.name), marker


def find_directory(repository: Repository, places: Mapping[str, str], ref: bytes) -> Path | None:
    """Where a project is; None if it is not where it was registered, be another directory there now or none."""
    place = Path(places.get(show(ref), ""))
    marker = read_marker(place, PROJECT_MARKER) if place.is_absolute() and place.is_dir() else None
    if marker is None or (marker.vault_id, project_ref(marker.name)) != (repository.config.id.hex(), ref):
        return None
    return place


def is_copy(repository: Repository, directory: Path, marker: Marker) -> bool:
    """Whether another directory is registered under the name, and still carries it."""
    known = repository.places.all().get(show(project_ref(marker.name)))
    if known is None or known == str(directory) or not Path(known).is_dir():
        return False
    other = read_marker(Path(known), PROJECT_MARKER)
    return other is not None and other.name == marker.name


def claim(repository: Repository, view: View, directory: Path, *, writing: bool) -> Claim:
    """What a directory is that a command is about.

    A project that was moved is found again here; a copy of one gets a name of its own. `writing` is False for a command
    that only looks, and then nothing is changed anywhere.
    """
    if not directory.is_dir():
        raise NotFoundError("not a directory", place=str(directory), remedy="create the project's directory first")
    _check_outside_collections(repository, directory)
    marker = read_marker(directory, PROJECT_MARKER)
    if marker is None:
        return Claim(_free_ref(repository, view, directory.name or "project", directory), is_new=True)
    if marker.vault_id != repository.config.id.hex():
        raise RefusedError("this project belongs to another vault", place=str(directory))
    ref = project_ref(marker.name)
    if not is_copy(repository, directory, marker):
        if writing:
            repository.places.set(show(ref), str(directory))
        return Claim(ref)
    other = read_marker(Path(repository.places.all()[show(ref)]), PROJECT_MARKER)
    if other is not None and other.checkout == marker.checkout:
        states = set(_iter_states(repository.objects, view.find(ref)))
        return Claim(_free_ref(repository, view, marker.name, directory, states), copied_from=ref)
    # Two directories have taken one name: the one that is registered keeps it.
    return Claim(_free_ref(repository, view, marker.name, directory), is_new=True)


def _check_outside_collections(repository: Repository, directory: Path) -> None:
    """A project within a collection's directory would itself be recorded as content of the collection."""
    for above in (directory, *directory.parents):
        marker = read_marker(above, COLLECTION_MARKER)
        if marker is not None and marker.vault_id == repository.config.id.hex():
            raise RefusedError(
                f"this directory is in the collection {marker.name}, so it cannot be a project",
                place=str(directory),
                remedy="name a project's directory with --project",
            )


def _iter_states(reader: ObjectReader, state: Oid | None) -> Iterator[Oid]:
    """A state of a project and those before it."""
    while state is not None:
        yield state
        state = next(iter(read_parents(reader, state)), None)


def _free_ref(repository: Repository, view: View, wanted: str, directory: Path, states: Container[Oid] = ()) -> bytes:
    """The ref of a name that no project has, as close as possible to the one that is wanted.

    A registration of this directory that was cut off is taken up again: the name is registered for it already, and if
    it is a copy, its state may stand, which is then one of the original's `states`.
    """
    places = repository.places.all()
    base = "".join(sign if sign.isprintable() and sign not in "/:~^\\" else "-" for sign in wanted).strip(" .-@")
    base = base or "project"
    number, name = 1, base
    while True:
        ref = project_ref(name)
        place, state = places.get(show(ref)), view.find(ref)
        if place == str(directory) and (state is None or state in states):
            return ref
        if place is None and state is None:
            return ref
        number += 1
        name = f"{base}-{number}"
