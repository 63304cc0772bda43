"""The first half of a scan: list each directory, leave out what is ignored, compare with the cache. Nothing is read."""

from __future__ import annotations

import errno
import os
import stat
from itertools import starmap
from typing import TYPE_CHECKING

from casvault.errors import FailureError, RefusedError
from casvault.formats.statcache import STAT
from casvault.limits import MAX_DEPTH
from casvault.worktree.ignore import IGNORE_FILE, IgnoreRules, Level, needs_look
from casvault.worktree.names import OWN_FILES, is_control_name, join, shown
from casvault.worktree.node import Node, Role
from casvault.worktree.reading import raise_scan_error, stat_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from casvault.progress import Progress
    from casvault.worktree.cache import StatCache

    Classify = Callable[[bytes, bool], Role]
    Held = Callable[[bytes], bool]

_QUIET = frozenset({b".git", b".casvault", b".casvault-project"})
"""Control names that belong at the root of a scan, and are not worth a note there."""
_PROGRESS_STEP = 256


class Walk:
    """One walk below one root. `nodes` lists each directory before those in it."""

    def __init__(
        self,
        root: bytes,
        *,
        classify: Classify,
        ignore: IgnoreRules,
        cache: StatCache,
        held: Held,
        storing: bool,
        keep_links: frozenset[bytes],
        progress: Progress,
    ) -> None:
        self._root = root
        self._classify = classify
        self._ignore = ignore
        self._cache = cache
        self._held = held
        self._storing = storing
        self._keep_links = keep_links
        self._progress = progress
        self._excluded: set[bytes] = set()
        """Directories that are ignored but hold something that the parent version holds."""
        self._levels: dict[bytes, Level] = {}
        self.nodes: list[Node] = []
        self.ignored: list[bytes] = []
        self.notes: list[str] = []

    def run(self, starts: Iterable[Node]) -> None:
        """Walk everything below the given nodes."""
        stack = list(starts)[::-1]
        files = 0
        while stack:
            node = stack.pop()
            self._visit(node)
            self.nodes.append(node)
            stack.extend(reversed(node.children))
            files += len(node.held)
            if len(self.nodes) % _PROGRESS_STEP == 0:
                self._progress("scan", files, None)
        self._progress("scan", files, files)

    def top(self) -> Node:
        """The root, as the place in which units lie."""
        return Node(b"", self._root, Role.DESCEND, Level(), 0)

    def start_at(self, path: bytes) -> Node | None:
        """One unit, wherever it lies below the root; None if nothing is there."""
        place = join(self._root, path)
        try:
            found = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise_scan_error(error, place)
        level = self._level_of(path.rpartition(b"/")[0])
        return self._unit(path, place, level, st_mode=found.st_mode)

    def _unit(self, path: bytes, place: bytes, level: Level, *, st_mode: int) -> Node:
        """The node of a unit, whose own root may be a symlink and is then followed."""
        if (st_mode & 0o170000) == 0o120000 and path not in self._keep_links:
            place, st_mode = self._follow(path, place)
        node = Node(path, place, Role.UNIT, level, path.count(b"/") + 1)
        node.top = True
        node.single = (st_mode & 0o170000) != 0o040000
        return node

    def _follow(self, path: bytes, place: bytes) -> tuple[bytes, int]:
        """Where the symlink at the root of a unit leads, and the st_mode of what is there."""
        try:
            target = os.path.realpath(place, strict=True)
            found = os.lstat(target)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise RefusedError(
                    "a symlink that leads back to itself", place=shown(place), remedy="remove it, or ignore it"
                ) from error
            if error.errno == errno.ENOENT:
                raise FailureError(
                    "a symlink to something that is not there",
                    place=shown(place),
                    remedy="bring its target back, remove it, or ignore it",
                ) from error
            raise_scan_error(error, place)
        holder = os.path.realpath(os.path.dirname(place))
        if (holder + b"/").startswith(target.rstrip(b"/") + b"/"):
            raise RefusedError(
                "a symlink to a directory that holds it", place=shown(place), remedy="remove it, or ignore it"
            )
        self.notes.append(f"{shown(path)}: a symlink; what it leads to was taken: {shown(target)}")
        return target, found.st_mode

    def _level_of(self, directory: bytes) -> Level:
        """The ignore rules in a directory that the walk itself does not pass."""
        known = self._levels.get(directory)
        if known is not None:
            return known
        above, level = [b""], Level()
        for part in directory.split(b"/") if directory else ():
            above.append(join(above[-1], part))
        for path in above:
            text = None if self._ignore.above is None else self._ignore.above.get(path)
            level = level if text is None else level.below(path, text)
            level = self._levels.setdefault(path, self._entered(level, path, join(self._root, path), look=True))
        return level

    def _entered(self, level: Level, path: bytes, place: bytes, *, look: bool) -> Level:
        """The level in a directory below one with the given level; `look`: there may be an ignore file on disk."""
        if self._ignore.files is not None:
            text = self._ignore.files.get(path)
        else:
            text = _read_ignore_file(place + b"/" + IGNORE_FILE) if look else None
        return level if text is None else level.below(path, text)

    def _visit(self, node: Node) -> None:
        if node.single:
            self._visit_single(node)
            return
        if node.depth > MAX_DEPTH:
            raise RefusedError(
                f"more than {MAX_DEPTH} directories below one another",
                place=shown(node.place),
                remedy="name it in .casvaultignore",
            )
        try:
            with os.scandir(node.place) as found:
                entries = {entry.name: entry for entry in found}
            if not self._is_unchanged(node, entries):
                self._list(node, entries)
        except OSError as error:
            raise_scan_error(error, node.place)

    def _is_unchanged(self, node: Node, entries: dict[bytes, os.DirEntry[bytes]]) -> bool:
        """Whether the directory of a unit is as the cache has it; then the node is complete.

        This is the path that makes a second scan fast. It is open only to names that no built-in rule concerns, and
        only where there is no ignore file.
        """
        old = self._cache.find(node.path)
        if (
            old is None
            or not old.ordinary
            or node.role is not Role.UNIT
            or node.level.files
            or self._ignore.files
            or node.path in self._excluded
        ):
            return False
        names = old.names.split(b"\0") if old.held else []
        directories = old.directories.split(b"\0") if old.directories else []
        if len(entries) != len(names) + len(directories) or not entries.keys() >= {*names, *directories}:
            return False
        # A name that is a directory now and was none, or the other way round, differs in its mode.
        stats = [stat_of(entries[name].stat(follow_symlinks=False)) for name in names]
        if b"".join(starmap(STAT.pack, stats)) != old.stats or (self._storing and b"\0" in old.held):
            return False
        if not all(entries[name].is_dir(follow_symlinks=False) for name in directories):
            return False
        node.take(old)
        for name in directories:
            node.children.append(
                Node(node.path + b"/" + name, node.place + b"/" + name, Role.UNIT, node.level, node.depth + 1)
            )
        return True

    def _list(self, node: Node, entries: dict[bytes, os.DirEntry[bytes]]) -> None:
        chosen = self._choose(node, [entries[name] for name in sorted(entries)])
        roles = self._assign(node, chosen) if node.role is Role.DESCEND else None
        files: list[os.DirEntry[bytes]] = []
        directories: list[os.DirEntry[bytes]] = []
        for entry in chosen if roles is None else (entry for entry in chosen if entry.name in roles):
            (directories if entry.is_dir(follow_symlinks=False) else files).append(entry)
        node.names = b"\0".join([entry.name for entry in files])
        node.directories = b"\0".join([entry.name for entry in directories])
        node.stats = b"".join(starmap(STAT.pack, [stat_of(entry.stat(follow_symlinks=False)) for entry in files]))
        node.match(self._cache.find(node.path), storing=self._storing)
        self._add_children(node, directories, roles)

    def _visit_single(self, node: Node) -> None:
        try:
            node.stats = STAT.pack(*stat_of(os.lstat(node.place)))
        except OSError as error:
            raise_scan_error(error, node.place)
        node.match(self._cache.find(node.path), storing=self._storing)

    def _add_children(self, node: Node, directories: list[os.DirEntry[bytes]], roles: dict[bytes, Role] | None) -> None:
        for entry in directories:
            path = join(node.path, entry.name)
            role = node.role if roles is None else roles[entry.name]
            child = Node(path, entry.path, role, node.level, node.depth + 1)
            child.top = role is Role.UNIT and node.role is not Role.UNIT
            node.children.append(child)

    def _choose(self, node: Node, entries: list[os.DirEntry[bytes]]) -> list[os.DirEntry[bytes]]:
        """The entries without control names and what is ignored."""
        look = needs_look([entry.name for entry in entries])
        node.ordinary = not look
        if look or self._ignore.files is not None:
            node.level = self._entered(node.level, node.path, node.place, look=look)
        excluded = node.path in self._excluded
        if not look and not excluded and not node.level.files:
            return entries
        return [entry for entry in entries if self._is_taken(node, entry, excluded=excluded)]

    def _is_taken(self, node: Node, entry: os.DirEntry[bytes], *, excluded: bool) -> bool:
        path = join(node.path, entry.name)
        if is_control_name(entry.name):
            if (node.path or entry.name not in _QUIET) and not entry.name.startswith(OWN_FILES):
                self.notes.append(f"{shown(path)}: a control directory or file, never taken")
            return False
        is_directory = entry.is_dir(follow_symlinks=False)
        if not excluded and not node.level.ignores(path, entry.name, is_directory=is_directory):
            return True
        if not self._held(path):
            self.ignored.append(path)
            return False
        if is_directory:
            self._excluded.add(path)
        return True

    def _assign(self, node: Node, entries: list[os.DirEntry[bytes]]) -> dict[bytes, Role]:
        """What each entry is to the caller, by name; without those skipped and the symlinks that are followed."""
        roles: dict[bytes, Role] = {}
        units = set()
        for entry in entries:
            path = join(node.path, entry.name)
            is_link = entry.is_symlink()
            is_directory = os.path.isdir(entry.path) if is_link else entry.is_dir(follow_symlinks=False)
            role = self._classify(path, is_directory)
            if role is Role.SKIP:
                node.skipped = True
            elif role is Role.UNIT and is_link and path not in self._keep_links:
                node.children.append(self._unit(path, entry.path, node.level, st_mode=0o120000))
            else:
                roles[entry.name] = role
                if role is Role.UNIT and (is_link or not is_directory):
                    units.add(entry.name)
        node.unit_names = frozenset(units)
        return roles


def _read_ignore_file(place: bytes) -> bytes | None:
    # A symlink could lead out of the tree to rules that no snapshot records; git refuses it too.
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise_scan_error(error, place)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        with open(descriptor, "rb") as file:
            return file.read()
    except OSError as error:
        raise_scan_error(error, place)
