"""Which driver merges which path."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from casvault.merge.drivers.front_matter import FrontMatter
from casvault.merge.drivers.json_layout import Json
from casvault.merge.drivers.simple import Binary, Text, Union
from casvault.merge.drivers.structured import Structured
from casvault.merge.drivers.toml_edits import Toml
from casvault.merge.drivers.yaml_layout import Yaml
from casvault.objects.patterns import compile_path, matches, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault.merge.content import ContentConflict, MergedContent


class Driver(Protocol):
    """Merges contents; `base` None means that both sides added the file. Pure, and total: it never raises.

    A side equal to the base gives way, and equal sides agree, byte by byte, whatever the contents are.
    """

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict: ...


class DriverName(Enum):
    TEXT = "text"
    BINARY = "binary"
    UNION = "union"
    JSON = "json"
    TOML = "toml"
    YAML = "yaml"
    FRONT_MATTER = "frontmatter"


_DRIVERS: Final[dict[DriverName, Driver]] = {
    DriverName.TEXT: Text(),
    DriverName.BINARY: Binary(),
    DriverName.UNION: Union(),
    DriverName.JSON: Structured(Json()),
    DriverName.TOML: Structured(Toml()),
    DriverName.YAML: Structured(Yaml()),
    DriverName.FRONT_MATTER: FrontMatter(),
}


class Binding(NamedTuple):
    """Files whose path matches are merged by this driver. A pattern without a slash is one of names, wherever."""

    pattern: str
    driver: DriverName


BUILT_IN: Final = (
    Binding("*.json", DriverName.JSON),
    Binding("*.toml", DriverName.TOML),
    Binding("*.yaml", DriverName.YAML),
    Binding("*.yml", DriverName.YAML),
    Binding("*.md", DriverName.FRONT_MATTER),
)
"""All of the structured ones are on: where the text merge is right they leave it alone, byte by byte. Union and binary
are never guessed, because they answer where lines conflict, or make a conflict where none do."""


class Drivers:
    """An ordered list of bindings, of which the first that matches holds; where none does, the text driver."""

    def __init__(self, bindings: Sequence[Binding] = BUILT_IN) -> None:
        self.bindings = tuple(bindings)
        self._compiled = tuple(
            (compile_path(pattern if "/" in pattern else f"**/{pattern}"), _DRIVERS[name])
            for pattern, name in self.bindings
        )

    def find(self, path: bytes) -> Driver:
        names = names_of(path)
        found = (driver for patterns, driver in self._compiled if matches(patterns, names))
        return next(found, _DRIVERS[DriverName.TEXT])


DEFAULT_DRIVERS: Final = Drivers()
