"""The files in which SkillMeat keeps what it deployed to a project, read and checked.

They are called `.skillmeat-deployed.toml` and lie in a profile's root (`.claude`) or in the project itself, and have
one of two layouts. `[[deployed]]`, one table for each artifact:

    artifact_name, artifact_type, from_collection, deployed_at, artifact_path      always
    collection_sha                                                                 the only hash in the oldest
    content_hash, parent_hash, version_lineage                                     since contents have versions
    merge_base_snapshot                                                            a content's hash, or a snapshot's id
    deployment_profile_id, platform, profile_root_dir                              since there are several profiles

Before that, `[deployment]` with `collection` and `deployed-at`, and `[[artifacts]]` with `name`, `type` and `sha`;
its keys have dashes. `artifact_path` is relative to the root of the profile, and what it says is taken: it is never
put together from the name. The older layout need not have it, and then the collection's own manifest says where the
artifact is.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.deploy.state import DEFAULT_ROOT
from casvault.errors import NotFoundError
from casvault.files import find_file
from casvault.interop.skillmeat.tables import is_hash, parse_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from casvault.interop.skillmeat.stamps import Stamp
    from casvault.interop.skillmeat.tables import Table

DEPLOYED_FILE = ".skillmeat-deployed.toml"


class Layout(Enum):
    DEPLOYED = "deployed"
    """`[[deployed]]`; the value is the key of the array."""
    ARTIFACTS = "artifacts"
    """`[deployment]` and `[[artifacts]]`."""

    def key(self, name: str) -> str:
        """A key of the first layout as this one has it."""
        return name if self is Layout.DEPLOYED else _OLD_KEYS.get(name, name.replace("_", "-"))


_OLD_KEYS = {"artifact_name": "name", "artifact_type": "type", "content_hash": "sha"}


class Record(NamedTuple):
    """What was deployed once."""

    table: Table
    layout: Layout
    name: str
    type: str
    collection: str
    root: bytes
    """Of its profile, in the project."""
    path: bytes | None
    """Relative to the root."""
    stamp: Stamp | None
    content: str | None
    """The hash of what was deployed; None if what is recorded is no such hash."""
    base: str | None
    """The hash of the merge base, or the id of the snapshot that has it."""
    tag: str | None = None
    """The name of the version."""

    @property
    def file_path(self) -> bytes | None:
        return None if self.path is None else self.root + b"/" + self.path

    @property
    def claim(self) -> tuple[object, ...]:
        """What it says of the deployment itself; other keys change whenever SkillMeat looks at it."""
        hashes = tuple(map(self.value, ("content_hash", "collection_sha")))
        return (self.layout, self.file_path, self.collection, *hashes, self.base)

    def value(self, name: str) -> object:
        return self.table.values.get(self.layout.key(name))


class DeployedFile(NamedTuple):
    relative: bytes
    """To the project."""
    text: bytes
    layout: Layout
    records: tuple[Record, ...]


def find_projects(directories: Iterable[Path]) -> list[Path]:
    """The projects that have such a file: each directory itself, or those in it; NotFoundError if there is none."""
    found: dict[Path, None] = {}
    for directory in directories:
        if not directory.is_dir():
            raise NotFoundError("not a directory", place=str(directory))
        projects = [directory] if find_files(directory) else _below(directory)
        if not projects:
            raise NotFoundError(
                f"no {DEPLOYED_FILE} here, nor in the directories in it",
                place=str(directory),
                remedy="name the directories of projects with --projects",
            )
        found.update((project.resolve(), None) for project in projects)
    return list(found)


def _below(directory: Path) -> list[Path]:
    return [each for each in sorted(directory.iterdir()) if each.is_dir() and find_files(each)]


def find_files(project: Path) -> list[Path]:
    """The files of a project: its own, and those of its profiles."""
    directories = [project, *sorted(each for each in project.iterdir() if each.is_dir())]
    return [each / DEPLOYED_FILE for each in directories if (each / DEPLOYED_FILE).is_file()]


def read_files(project: Path) -> list[DeployedFile]:
    found = []
    for path in find_files(project):
        relative = path.relative_to(project).as_posix().encode(errors="surrogateescape")
        found.append(parse_deployed(find_file(path) or b"", relative, str(path)))
    return found


def parse_deployed(text: bytes, relative: bytes, file: str) -> DeployedFile:
    """The records of one file; MalformedError names the file and the key that is wrong."""
    table = parse_table(text, file)
    if table.find_key("deployed", "deployment", "artifacts") is None:
        raise table.wrong("deployed", "is missing")
    layout = Layout.DEPLOYED if table.find_key("deployed") is not None else Layout.ARTIFACTS
    root = relative.rpartition(b"/")[0] or DEFAULT_ROOT
    tables = table.tables(layout.value)
    if layout is Layout.DEPLOYED:
        records = [_parse_record(each, root) for each in tables]
    else:
        common = table.table("deployment")
        records = [_parse_old_record(each, common, root) for each in tables]
    _check_once(records)
    return DeployedFile(relative, text, layout, tuple(records))


def _parse_record(table: Table, root: bytes) -> Record:
    content = table.find_content_hash("content_hash")
    old = table.text("collection_sha") if content is None else table.find_text("collection_sha")
    table.find_content_hash("parent_hash")
    table.check_lineage("version_lineage")
    return Record(
        table,
        Layout.DEPLOYED,
        table.text("artifact_name"),
        table.text("artifact_type"),
        table.text("from_collection"),
        table.find_path("profile_root_dir") or root,
        table.path("artifact_path"),
        table.stamp("deployed_at"),
        content or _as_hash(old),
        table.find_base("merge_base_snapshot"),
        table.find_text("version_tag"),
    )


def _parse_old_record(table: Table, common: Table, root: bytes) -> Record:
    """In this layout a hash may be that of a commit elsewhere, which says nothing about a content."""
    table.check_lineage("version-lineage")
    return Record(
        table,
        Layout.ARTIFACTS,
        table.text("name"),
        table.text("type"),
        table.find_text("from-collection") or common.text("collection"),
        table.find_path("profile-root-dir") or root,
        table.find_path("artifact-path"),
        table.find_stamp("deployed-at") or common.find_stamp("deployed-at"),
        _as_hash(table.text("sha", "content-hash")),
        table.find_base("merge-base-snapshot"),
        table.find_text("version-tag"),
    )


def _as_hash(text: str | None) -> str | None:
    return text if text is not None and is_hash(text) else None


def _check_once(records: Iterable[Record]) -> None:
    """Two records of one path would be two truths about it."""
    seen: set[bytes] = set()
    for record in records:
        if record.file_path is None:
            continue
        if record.file_path in seen:
            key = record.layout.key("artifact_path")
            raise record.table.wrong(key, f"stands twice: {record.file_path.decode(errors='replace')!r}")
        seen.add(record.file_path)
