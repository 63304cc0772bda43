"""Which paths of a collection are artifacts: a list of rules in `casvault.toml`, of which the first match wins.

    [[rules]]
    path = "prompts/**/*.txt"     # * within a name, ** for any number of directories
    kind = "prompt"
    suffix = ".txt"               # dropped in short names; optional

The rules of the file come before the defaults; `defaults = false` at its top leaves these out. Artifacts never nest:
below a path that is one, nothing is looked for.

The same file says how files are merged, where the built-in choice by suffix is not the right one; the first match wins.

    [[merge]]
    path = "**/CHANGES.txt"       # as above, with the path in the collection; without a slash a name anywhere
    driver = "union"              # text, binary, union, json, toml, yaml, frontmatter
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import UsageError
from casvault.merge.drivers.registry import BUILT_IN, DEFAULT_DRIVERS, Binding, DriverName, Drivers
from casvault.objects.patterns import compile_path, matches, names_of
from casvault.worktree.node import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES_FILE = b"casvault.toml"
REMEMBERED = 4096
"""Paths whose rule is remembered: in a fleet of projects the same ones come again and again."""


class Rule(NamedTuple):
    path: str
    kind: str
    suffix: str = ""

    @property
    def home(self) -> bytes:
        """The first component, which no wildcard has a part in."""
        return self.path.split("/", 1)[0].encode()


DEFAULTS = (
    Rule("skills/*", "skill"),
    Rule("commands/**/*.md", "command", ".md"),
    Rule("agents/**/*.md", "agent", ".md"),
    Rule("hooks/*", "hook"),
    Rule("mcp/*", "mcp"),
    Rule("workflows/*", "workflow"),
    Rule("composites/*", "composite"),
    Rule("plugins/*", "plugin"),
)


class Rules:
    """The rules of one collection, compiled."""

    def __init__(self, rules: Sequence[Rule] = DEFAULTS, drivers: Drivers = DEFAULT_DRIVERS) -> None:
        self.drivers = drivers
        """How files of the collection are merged."""
        self._rules = [(rule, compile_path(rule.path)) for rule in rules]
        self.homes = {rule.home for rule in rules}
        """The directories, directly below the root, in which the rules know artifacts."""
        self._found: dict[bytes, Rule | None] = {}

    def find(self, path: bytes) -> Rule | None:
        """The rule that makes this path an artifact."""
        if path not in self._found:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[path] = self._search(path)
        return self._found[path]

    def _search(self, path: bytes) -> Rule | None:
        names = names_of(path)
        for rule, patterns in self._rules:
            if matches(patterns, names):
                return rule
        home, slash, rest = path.partition(b"/")
        if slash and b"/" not in rest and home not in self.homes:
            return Rule("*/*", _singular(home.decode(errors="surrogateescape")))
        return None

    def classify(self, path: bytes, is_directory: bool) -> Role:
        """What a scan does at this path."""
        if self.find(path) is not None:
            return Role.UNIT
        return Role.DESCEND if is_directory else Role.PLAIN

    def kind(self, path: bytes) -> str:
        rule = self.find(path)
        return "file" if rule is None else rule.kind

    def short_name(self, path: bytes) -> bytes:
        """`skill/pdf` for `skills/pdf`; the path itself where no rule makes it an artifact."""
        rule = self.find(path)
        if rule is None:
            return path
        rest = path.partition(b"/")[2]
        suffix = rule.suffix.encode()
        if suffix and rest.endswith(suffix):
            rest = rest[: -len(suffix)]
        return _encoded(rule.kind) + b"/" + rest

    def paths_of(self, short: bytes) -> list[bytes]:
        """Every path that can have this short name."""
        kind, slash, rest = short.partition(b"/")
        if not slash or not rest:
            return []
        homes = {(rule.home, rule.suffix) for rule, _ in self._rules if _encoded(rule.kind) == kind}
        homes |= {(kind, ""), (kind + b"s", "")}
        found = {home + b"/" + rest + end.encode() for home, suffix in homes for end in ("", suffix)}
        return sorted(path for path in found if self.find(path) is not None and self.short_name(path) == short)

    def expand(self, name: bytes, like: bytes) -> bytes:
        """The path that a new name means: for a short name the path that has it, for a bare name one beside the
        artifact at `like`, with its suffix; any other name is the path.
        """
        model = self.find(like)
        directory, slash, _ = like.rpartition(b"/")
        kind, is_long, rest = name.partition(b"/")
        if not is_long:
            return directory + slash + _with_suffix(name, model)
        # The kinds of directories that no rule names are known by the artifact alone.
        homes = [] if model is None else [(model, like.partition(b"/")[0])]
        for rule, home in (*homes, *((rule, rule.home) for rule, _ in self._rules)):
            path = home + b"/" + _with_suffix(rest, rule)
            if _encoded(rule.kind) == kind and self.find(path) == rule:
                return path
        return name

    def admits(self, path: bytes) -> bool:
        """Whether an artifact can be at this path: a rule says so, and none of the directories above is one."""
        above = [path[:end] for end, sign in enumerate(path) if sign == 0x2F]
        return self.find(path) is not None and not any(map(self.find, above))


def parse_rules(text: bytes, place: str) -> Rules:
    """The rules of a `casvault.toml`; UsageError naming the place for what they cannot say."""
    try:
        table = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not TOML: {error}", place=place) from error
    if unknown := sorted(table.keys() - {"rules", "defaults", "merge"}):
        raise UsageError(
            f"unknown: {', '.join(unknown)}",
            place=place,
            remedy="the file has `defaults` and tables [[rules]] and [[merge]]",
        )
    entries, defaults = table.get("rules", []), table.get("defaults", True)
    if not isinstance(defaults, bool):
        raise UsageError("`defaults` is neither true nor false", place=place)
    if not isinstance(entries, list):
        raise UsageError("`rules` is not a list of tables ([[rules]])", place=place)
    own = [_parse_rule(entry, place) for entry in entries]
    return Rules([*own, *(DEFAULTS if defaults else ())], _parse_drivers(table.get("merge", []), place))


def _parse_rule(entry: object, place: str) -> Rule:
    if not isinstance(entry, dict) or not {"path", "kind"} <= entry.keys() <= {"path", "kind", "suffix"}:
        raise UsageError("a rule has `path`, `kind` and perhaps `suffix`", place=place)
    rule = Rule(*(entry.get(key, "") for key in Rule._fields))
    if not all(isinstance(value, str) for value in rule):
        raise UsageError("the values of a rule are strings", place=place)
    parts = rule.path.split("/")
    if len(parts) < 2 or not all(parts) or any(sign in parts[0] for sign in "*?["):
        raise UsageError(f"the path {rule.path!r} must begin with a plain name and a slash", place=place)
    if parts[-1] == "**" or {".", ".."} & set(parts):
        raise UsageError(
            f"the path {rule.path!r} must end with the pattern of a name, and no part be . or ..",
            place=place,
            remedy=f"** stands for directories: {parts[0]}/**/* is every file and directory in {parts[0]}",
        )
    if not rule.kind.isprintable() or not rule.kind.strip() or "/" in rule.kind:
        raise UsageError(f"the kind {rule.kind!r} must be a word", place=place)
    if "/" in rule.suffix:
        raise UsageError(f"the suffix {rule.suffix!r} must be the end of a name, without a slash", place=place)
    return rule


def _parse_drivers(entries: object, place: str) -> Drivers:
    if not isinstance(entries, list):
        raise UsageError("`merge` is not a list of tables ([[merge]])", place=place)
    own = [_parse_binding(entry, place) for entry in entries]
    return Drivers([*own, *BUILT_IN]) if own else DEFAULT_DRIVERS


def _parse_binding(entry: object, place: str) -> Binding:
    if not isinstance(entry, dict) or entry.keys() != {"path", "driver"}:
        raise UsageError("a merge rule has `path` and `driver`", place=place)
    path, name = entry["path"], entry["driver"]
    if not isinstance(path, str) or not isinstance(name, str):
        raise UsageError("the values of a merge rule are strings", place=place)
    if not all(path.split("/")) or {".", ".."} & set(path.split("/")):
        raise UsageError(f"the path {path!r} must be a name or names with slashes between, none . or ..", place=place)
    if path.endswith("**"):
        raise UsageError(
            f"the path {path!r} must end with the pattern of a name",
            place=place,
            remedy=f"** stands for directories: {path}/* is every file below",
        )
    known = {driver.value: driver for driver in DriverName}
    if name not in known:
        raise UsageError(f"no merge driver is called {name!r}", place=place, remedy=f"one of {', '.join(known)}")
    return Binding(path, known[name])


def _with_suffix(name: bytes, rule: Rule | None) -> bytes:
    suffix = b"" if rule is None else rule.suffix.encode()
    return name if name.endswith(suffix) else name + suffix


def _encoded(kind: str) -> bytes:
    return kind.encode(errors="surrogateescape")


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 1 and word.endswith("s") else word
