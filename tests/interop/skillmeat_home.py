"""A home of SkillMeat with a collection, its snapshots and five projects, one in each shape of their files.

skills/pdf     H1 (first snapshot) ── H2 (second snapshot) ── H3 (the directory now)
"""

from __future__ import annotations

import hashlib
import itertools
import tarfile
from pathlib import Path
from typing import NamedTuple

from casvault import Author, Vault

FIRST, SECOND = "20250110-093000-000001", "20250211-101500-250000"
H1 = {"SKILL.md": "# pdf\n\none\ntwo\nthree\nfour\nfive\n", "scripts/run.py": "print('one')\n"}
H2 = {**H1, "SKILL.md": H1["SKILL.md"].replace("one", "one, improved")}
H3 = {**H2, "SKILL.md": H2["SKILL.md"].replace("three", "three, improved")}
EDITED = {**H2, "SKILL.md": H2["SKILL.md"].replace("five", "five, as here")}
REVIEW = "Review this.\n"
HELPER = "---\nname: helper\n---\nHelp.\n"
SHAPES = ("sha_only", "lineage", "base_hash", "base_snapshot", "profiles", "older")

_seconds = itertools.count(1_700_000_000)


def clock() -> tuple[int, int]:
    return next(_seconds) + 50_000_000, 0


def old_hash(path: Path) -> str:
    """The hash, word for word as it is described."""
    digest = hashlib.sha256()
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    for each in sorted(path.rglob("*")):
        if each.is_file():
            digest.update(each.relative_to(path).as_posix().encode("utf-8"))
            digest.update(each.read_bytes())
    return digest.hexdigest()


def write_files(directory: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return directory


MANIFEST = """\
[collection]
name = "lib"
version = "1.0.0"
created = "2025-01-01T08:00:00"
updated = "2025-02-11T10:15:00.123456"
colour = "green"  # a key that nobody knows

[[artifacts]]
name = "pdf"
type = "skill"
path = "skills/pdf"
origin = "github"
upstream = "https://example.org/skills/pdf"
added = "2025-01-01T08:00:00"

[artifacts.metadata]
title = "PDF"

[[artifacts]]
name = "review"
type = "command"
path = "commands/review.md"
origin = "local"
added = "2025-01-01T08:00:00"

[[artifacts]]
name = "helper"
type = "agent"
path = "agents/helper.md"
origin = "local"
added = "2025-01-01T08:00:00"
"""


class Fixture(NamedTuple):
    base: Path
    hashes: dict[str, str]
    """Of H1, H2, H3, review and helper."""
    collection: str = "lib"

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def lib(self) -> Path:
        return self.home / "collections" / self.collection

    @property
    def snapshots(self) -> Path:
        return self.home / "snapshots" / self.collection

    @property
    def projects(self) -> Path:
        return self.base / "projects"

    def project(self, name: str) -> Path:
        return self.projects / name

    def deployed(self, shape: str) -> Path:
        """The file of the project of this shape."""
        root = {"profiles": ".codex"}.get(shape, ".claude")
        return self.project(shape) / root / ".skillmeat-deployed.toml"

    def vault(self, name: str = "own") -> Vault:
        """A new vault, whose first collection is an empty directory."""
        (self.base / name).mkdir()
        (self.base / name / "README.md").write_text("mine\n")
        return Vault.init(self.base / name, author=Author("Ada", "ada@example.org"), clock=clock)[0]


def make_fixture(base: Path, collection: str = "lib") -> Fixture:
    hashes = {}
    for name, files in (("H1", H1), ("H2", H2), ("H3", H3)):
        hashes[name] = old_hash(write_files(base / "contents" / name, files))
    hashes["review"] = hashlib.sha256(REVIEW.encode()).hexdigest()
    hashes["helper"] = hashlib.sha256(HELPER.encode()).hexdigest()
    fixture = Fixture(base, hashes, collection)
    _make_home(fixture)
    for shape in SHAPES:
        _make_project(fixture, shape)
    return fixture


def _make_home(fixture: Fixture) -> None:
    others = {"commands/review.md": REVIEW, "agents/helper.md": HELPER, "collection.toml": MANIFEST}
    fixture.snapshots.mkdir(parents=True)
    for snapshot, files in ((FIRST, H1), (SECOND, H2)):
        state = {**others, **{f"skills/pdf/{path}": text for path, text in files.items()}}
        directory = write_files(fixture.base / "states" / snapshot / fixture.collection, state)
        with tarfile.open(fixture.snapshots / f"{snapshot}.tar.gz", "w:gz") as tar:
            tar.add(directory, arcname=fixture.collection)
    (fixture.snapshots / "snapshots.toml").write_text(LISTING)
    state = {**others, **{f"skills/pdf/{path}": text for path, text in H3.items()}}
    lock = LOCK.format(**fixture.hashes)
    write_files(fixture.lib, {**state, "collection.lock": lock})


LISTING = f"""\
[[snapshots]]
id = "{FIRST}"
timestamp = "2025-01-10T09:30:00.000001"
message = "before sync"
artifact_count = 3
tarball_path = "/home/ada/.skillmeat/snapshots/lib/{FIRST}.tar.gz"

[[snapshots]]
id = "{SECOND}"
timestamp = "2025-02-11T10:15:00.250000"
message = "pdf improved"
artifact_count = 3
tarball_path = "/home/ada/.skillmeat/snapshots/lib/{SECOND}.tar.gz"
"""

LOCK = """\
[lock]
version = "1.0.0"

[lock.entries."pdf::skill"]
content_hash = "{H3}"
fetched = "2025-02-11T10:14:00"
resolved_sha = "0123456789abcdef0123456789abcdef01234567"

[lock.entries."review::command"]
content_hash = "{review}"
fetched = "2025-01-01T08:00:00"

[lock.entries."helper::agent"]
content_hash = "{helper}"
fetched = "2025-01-01T08:00:00"
"""

_FILES = {
    "sha_only": """\
[[deployed]]
artifact_name = "pdf"
artifact_type = "skill"
from_collection = "lib"
deployed_at = "2025-01-20T12:00:00.500000"
artifact_path = "skills/pdf"
collection_sha = "{H1}"
local_modifications = false

[[deployed]]
artifact_name = "review"
artifact_type = "command"
from_collection = "lib"
deployed_at = "2025-01-20T12:00:01"
artifact_path = "commands/review.md"
collection_sha = "{review}"
local_modifications = false
""",
    "lineage": """\
# written by hand once

[[deployed]]
artifact_name = "pdf"
artifact_type = "skill"
from_collection = "lib"
deployed_at = "2025-02-12T12:00:00+01:00"
artifact_path = "skills/pdf"
content_hash = "{H2}"
local_modifications = false
parent_hash = "{H1}"
version_lineage = [
    "{H2}",
    "{H1}",
]
last_modified_check = "2025-02-13T12:00:00+01:00"
collection_sha = "{H2}"
favourite = {{ rank = 1 }}
""",
    "base_hash": """\
[[deployed]]
artifact_name = "pdf"
artifact_type = "skill"
from_collection = "lib"
deployed_at = "2025-02-12T12:00:00Z"
artifact_path = "skills/pdf"
content_hash = "{H2}"
version_lineage = ["{H2}", "{H1}"]
merge_base_snapshot = "{H1}"
snapshot_id = "20250211-101500-250000"
version_tag = "v1.1.0"
is_major_change = false
""",
    "base_snapshot": """\
[[deployed]]
artifact_name = "pdf"
artifact_type = "skill"
from_collection = "lib"
deployed_at = 2025-02-12T12:00:00Z
artifact_path = "skills/pdf"
content_hash = "{H2}"
version_lineage = ["{H2}"]
merge_base_snapshot = "20250110-093000-000001"
""",
    "profiles": """\
[[deployed]]
artifact_name = "pdf-tools"
artifact_type = "skill"
from_collection = "lib"
deployed_at = "2025-01-20T12:00:00"
artifact_path = "skills/pdf"
content_hash = "{H1}"
version_lineage = ["{H1}"]
merge_base_snapshot = "{H1}"
deployment_profile_id = "codex"
platform = "codex"
profile_root_dir = ".codex"

[[deployed]]
artifact_name = "helper"
artifact_type = "agent"
from_collection = "lib"
deployed_at = "2025-01-20T12:00:00"
artifact_path = "team/agents/helper.md"
content_hash = "{helper}"
version_lineage = ["{helper}"]
deployment_profile_id = "cursor"
platform = "cursor"
profile_root_dir = ".cursor"
""",
    "older": """\
[deployment]
collection = "lib"
deployed-at = "2025-01-20T12:00:00Z"
skillmeat-version = "0.2.0-alpha"

[[artifacts]]
name = "pdf"
type = "skill"
source = "github:ada/skills/pdf"
version = "1.0.0"
sha = "{H1}"
deployed-at = "2025-01-20T12:00:00Z"
deployed-from = "/home/ada/.skillmeat/collections/lib"
""",
}

_CONTENTS = {
    "sha_only": {".claude/skills/pdf": H1, ".claude/commands": {"review.md": REVIEW}},
    "lineage": {".claude/skills/pdf": H2},
    "base_hash": {".claude/skills/pdf": EDITED},
    "base_snapshot": {".claude/skills/pdf": EDITED},
    "profiles": {".codex/skills/pdf": H1, ".cursor/team/agents": {"helper.md": HELPER}},
    "older": {".claude/skills/pdf": H1},
}


def _make_project(fixture: Fixture, shape: str) -> None:
    for directory, files in _CONTENTS[shape].items():
        write_files(fixture.project(shape) / directory, files)
    place = fixture.deployed(shape)
    place.parent.mkdir(parents=True, exist_ok=True)
    text = _FILES[shape].format(**fixture.hashes)
    place.write_text(text.replace('"lib"', f'"{fixture.collection}"'))
