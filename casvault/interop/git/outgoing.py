"""Objects on their way from the vault to git: the text that git has of each, and so its id there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import DamageError, MalformedError, RefusedError
from casvault.interop.git.commits import Links, commit_links, format_commit
from casvault.interop.git.fields import DIRECT, FORMAT, MISSING, RAW_COMMIT, RAW_TAG, RAW_TREE
from casvault.interop.git.tags import format_tag, tag_target
from casvault.interop.git.trees import format_tree, parse_tree, plan_mode, plan_names, unpad_id
from casvault.limits import STREAM_THRESHOLD
from casvault.objects import FOREIGN, LINK, TREE, Commit, Kind, Tag, decode_commit, decode_tag, read_blob
from casvault.trees import iter_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.interop.git.ids import GitFormat, GitId
    from casvault.interop.git.packing import PackSender
    from casvault.objects import Entry, Field, ObjectReader
    from casvault.oid import Oid
    from casvault.progress import Progress


class Outgoing:
    def __init__(self, reader: ObjectReader, form: GitFormat, sender: PackSender, progress: Progress) -> None:
        self._reader = reader
        self._form = form
        self._sender = sender
        self._progress = progress
        self._ids: dict[Oid, GitId] = {}
        self._kept: set[GitId] = set()
        """Odd trees that were sent."""
        self.missing: dict[GitId, None] = {}

    def export_many(self, starts: list[Oid]) -> dict[Oid, GitId]:
        """Send these commits and tags with everything below them; their ids in git."""
        for oid in self._ordered(starts):
            found = self._read(oid)
            try:
                self._ids[oid] = self._export_commit(found) if isinstance(found, Commit) else self._export_tag(found)
            except (RefusedError, MalformedError) as error:
                what = "commit" if isinstance(found, Commit) else "tag"
                where = "" if error.place is None else f": {error.place}"
                raise RefusedError(error.message, place=f"{what} {oid}{where}", remedy=error.remedy) from error
            self._progress("git", len(self._ids), None)
        return {oid: self._ids[oid] for oid in starts}

    def _ordered(self, starts: Iterable[Oid]) -> list[Oid]:
        """All commits and tags, each behind what it refers to."""
        ordered: list[Oid] = []
        done: set[Oid] = set()
        stack = [(oid, False) for oid in starts]
        while stack:
            oid, is_ready = stack.pop()
            if is_ready:
                ordered.append(oid)
            elif oid not in done:
                done.add(oid)
                stack.append((oid, True))
                stack += [(below, False) for below in _links(self._read(oid)) if below not in done]
        return ordered

    def _read(self, oid: Oid) -> Commit | Tag:
        kind, data = next(self._reader.read_many((oid,)))
        if kind not in (Kind.COMMIT, Kind.TAG):
            raise DamageError(f"this object is a {kind}, where a commit or tag is referred to", place=str(oid))
        if kind is Kind.TAG:
            return decode_tag(data)
        commit = decode_commit(data)
        return commit._replace(parents=()) if oid in self._reader.boundary else commit

    def _export_commit(self, commit: Commit) -> GitId:
        self._check_format(commit.fields)
        raw = commit.field(RAW_COMMIT)
        parents = tuple(self._ids[parent] for parent in commit.parents)
        if raw is None:
            if commit.root.mode != TREE:
                raise RefusedError("the root of this commit is a file, which git cannot have")
            links = Links(self._export_tree(commit.root.id), parents)
        else:
            links = commit_links(raw, self._form)
            absent = set(commit.fields_of(MISSING))
            if set(links.parents) - absent != set(parents):
                raise DamageError("the kept text of this commit does not have its parents")
            if links.tree not in absent:
                self._export_kept(commit.fields, links.tree, commit.root.id)
            self.missing.update(dict.fromkeys(commit.fields_of(MISSING)))
        return self._sender.add(Kind.COMMIT, format_commit(commit, links))

    def _export_tag(self, tag: Tag) -> GitId:
        self._check_format(tag.fields)
        values = dict(reversed(tag.fields))
        is_kept = RAW_TREE in values
        self.missing.update({value: None for key, value in tag.fields if key == MISSING})
        if DIRECT in values:
            if is_kept:
                self._export_kept(tag.fields, values[DIRECT], tag.target)
                return values[DIRECT]
            return self._export_target(tag)
        if is_kept:
            target = tag_target(values[RAW_TAG], self._form).id
            self._export_kept(tag.fields, target, tag.target)
        else:
            target = self._export_target(tag)
        content = format_tag(tag, target)
        if tag_target(content, self._form).id != target:
            raise DamageError("the kept text of this tag does not have its target")
        return self._sender.add(Kind.TAG, content)

    def _export_target(self, tag: Tag) -> GitId:
        if tag.kind in (Kind.COMMIT, Kind.TAG):
            return self._ids[tag.target]
        return self._export_tree(tag.target) if tag.kind is Kind.TREE else self._export_blob(tag.target)

    def _export_tree(self, start: Oid) -> GitId:
        """A tree of which git's follows, with all below it."""
        stack = [start]
        while stack:
            oid = stack[-1]
            if oid in self._ids:
                stack.pop()
                continue
            entries = list(iter_entries(self._reader, oid))
            below = [entry.id for entry in entries if entry.mode == TREE and entry.id not in self._ids]
            if below:
                stack += below
                continue
            parts = [(entry.name, entry.mode, self._export_entry(entry)) for entry in entries]
            self._ids[oid] = self._sender.add(Kind.TREE, format_tree(parts))
            stack.pop()
        return self._ids[start]

    def _export_entry(self, entry: Entry) -> GitId:
        if entry.mode == FOREIGN:
            return unpad_id(entry, self._form)
        if entry.mode == LINK:
            raise RefusedError(f"{entry.name!r} is a link to a commit of the vault, which git cannot have")
        return self._ids[entry.id] if entry.mode == TREE else self._export_blob(entry.id)

    def _export_blob(self, oid: Oid) -> GitId:
        if oid not in self._ids:
            info = self._reader.find_infos([oid])[0]
            if info is not None and info.size > STREAM_THRESHOLD:
                self._ids[oid] = self._sender.hash_pieces(info.size, self._reader.iter_blob(oid))
                self._sender.add_pieces(self._ids[oid], info.size, self._reader.iter_blob(oid))
            else:
                self._ids[oid] = self._sender.add(Kind.BLOB, read_blob(self._reader, oid))
        return self._ids[oid]

    def _export_kept(self, fields: Iterable[Field], git_tree: GitId, tree: Oid) -> None:
        """A tree that may be odd, and the odd ones below it that were not sent with a parent."""
        contents = (value for key, value in fields if key == RAW_TREE)
        kept = {self._form.id_of(Kind.TREE, content): content for content in contents}
        stack = [(git_tree, tree)]
        while stack:
            git_id, oid = stack.pop()
            if git_id in self._kept:
                continue
            if git_id not in kept:
                if self._export_tree(oid) != git_id:
                    raise DamageError(f"git's text of the tree {git_id.hex()} was not kept", place=str(oid))
                continue
            self._kept.add(git_id)
            self._sender.add(Kind.TREE, kept[git_id])
            there = {entry.name: entry for entry in iter_entries(self._reader, oid)}
            entries = parse_tree(kept[git_id], self._form).split(self._form)
            for name, (text, _, child) in zip(plan_names(entries), entries, strict=True):
                entry = there.get(name)
                if entry is None or plan_mode(text) == FOREIGN:
                    continue
                if entry.mode == TREE:
                    stack.append((child, entry.id))
                elif self._export_blob(entry.id) != child:
                    raise DamageError(f"git's text of the tree {git_id.hex()} does not have {name!r}", place=str(oid))

    def _check_format(self, fields: Iterable[Field]) -> None:
        for key, value in fields:
            if key == FORMAT and value != self._form.value.encode():
                raise RefusedError(
                    f"it comes from a repository with {value.decode(errors='replace')} ids",
                    remedy="export to a repository that has them: `git init --bare --object-format=sha256`",
                )


def _links(found: Commit | Tag) -> tuple[Oid, ...]:
    if isinstance(found, Commit):
        return found.parents
    return (found.target,) if found.kind in (Kind.COMMIT, Kind.TAG) else ()
