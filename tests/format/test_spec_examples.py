"""Every example in the specification, read out of the document and executed."""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from casvault.deploy.lockfile import parse_lock, render_lock
from casvault.errors import MalformedError
from casvault.formats.commitgraph import Columns, decode_graph, encode_graph
from casvault.formats.record import Record, decode_record, encode_record, record_name
from casvault.formats.statcache import decode_cache, encode_cache
from casvault.graph import DominatorTree
from casvault.interop.git.commits import commit_links, format_commit, to_commit
from casvault.interop.git.ids import GitFormat
from casvault.interop.git.tags import format_tag, tag_target, to_tag
from casvault.interop.skillmeat.hashing import find_hash, hash_path
from casvault.objects import (
    Commit,
    Fork,
    Kind,
    Leaf,
    MemoryObjects,
    ObjectInfo,
    Root,
    Tag,
    canonical,
    decode_commit,
    decode_node,
    decode_tag,
    encode_commit,
    encode_leaf,
    encode_node,
    encode_tag,
    is_boundary,
    object_id,
)
from casvault.oid import Oid, blob_id
from casvault.pending import Sides, read_pending, read_records, record_fields, write_pending
from casvault.refs import (
    Floor,
    Limit,
    Policy,
    Tombstone,
    operation_commit,
    parse_operation,
    write_allowances,
    write_horizon,
    write_policy,
    write_tombstones,
)
from casvault.store import Pack
from casvault.trees import build_tree, empty_root
from casvault.worktree.scan import scan_path
from tests.support.objects import WHO, numbered_entries
from tests.support.pending import Pen, example_record
from tests.support.specification import Example, read_block, read_examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXAMPLES = read_examples()


def _examples(*kinds: str) -> pytest.MarkDecorator:
    found = [pytest.param(each, id=f"{each.kind}_line_{each.line}") for each in EXAMPLES if each.kind in kinds]
    return pytest.mark.parametrize("example", found)


def _as_list(value: Any) -> Any:
    return [_as_list(part) for part in value] if isinstance(value, list | tuple) else value


def _encode_value(value: list[Any]) -> bytes:
    return canonical.encode(value)


RECODE: dict[str, Callable[[bytes], bytes]] = {
    "canonical": lambda data: _encode_value(canonical.decode(data, "object")),
    "commit": lambda data: encode_commit(decode_commit(data)),
    "tag": lambda data: encode_tag(decode_tag(data)),
}
DECODED: dict[str, Callable[[bytes], Any]] = {
    "tree": decode_node,
    "commit": decode_commit,
    "tag": decode_tag,
}
KINDS = {"commit": Kind.COMMIT, "tag": Kind.TAG}


def test_examples_of_every_kind_are_there() -> None:
    counted = Counter(example.kind for example in EXAMPLES)
    assert counted == {
        "blob": 2,
        "canonical": 2,
        "refused": 14,
        "boundary": 3,
        "tree": 3,
        "numbered": 2,
        "commit": 2,
        "tag": 2,
        "operation": 1,
        "record": 1,
        "pack": 1,
        "statcache": 1,
        "pending": 1,
        "resolved": 1,
        "sides": 1,
        "commitgraph": 1,
        "git": 3,
        "tombstone": 2,
        "retention": 1,
        "horizon": 1,
        "skillmeat": 1,
    }


@_examples("blob")
def test_example_of_a_blob(example: Example) -> None:
    assert Oid(example.hex("id")) == blob_id(example.value("content"))


@_examples("canonical", "commit", "tag")
def test_example_of_an_encoding(example: Example) -> None:
    assert example.hex("bytes") == canonical.encode(example.value("value"))
    assert example.hex("bytes") == RECODE[example.kind](example.hex("bytes"))
    assert example.value("value") == canonical.decode(example.hex("bytes"), "object")


@_examples("commit", "tag")
def test_example_of_an_object(example: Example) -> None:
    data = example.hex("bytes")
    decoded = DECODED[example.kind](data)
    assert example.value("value") == _as_list(decoded)
    assert Oid(example.hex("id")) == object_id(KINDS[example.kind], data)
    assert isinstance(decoded, Commit | Tag)


@_examples("tree")
def test_example_of_a_tree(example: Example) -> None:
    node = decode_node(example.hex("bytes"))
    assert isinstance(node, Leaf)
    assert example.value("entries") == _as_list(node.entries)
    assert example.hex("bytes") == encode_leaf(node.entries)
    assert Oid(example.hex("id")) == object_id(Kind.TREE, example.hex("bytes"))


@_examples("refused")
def test_example_of_what_is_refused(example: Example) -> None:
    with pytest.raises(MalformedError):
        _refusing(example.fields["kind"])(example.hex("bytes"))


def _refusing(kind: str) -> Callable[[bytes], object]:
    if kind != "canonical":
        return DECODED[kind]
    return lambda data: canonical.refuse(data, "object", "accepted") if canonical.diagnose(data) else None


@_examples("boundary")
def test_example_of_a_boundary(example: Example) -> None:
    name = example.value("name")
    level = -1 if example.fields["level"] == "none" else example.number("level")
    assert example.fields["crc32"] == f"{crc32(name):08x}"
    assert [n <= level for n in range(7)] == [is_boundary(name, n) for n in range(7)]


@_examples("numbered")
def test_example_of_a_tree_that_is_cut(example: Example) -> None:
    store = MemoryObjects()
    root = build_tree(store, numbered_entries(example.number("count")))
    assert (example.number("size"), Oid(example.hex("id"))) == root[1:]
    assert example.number("nodes") == len(store)
    node = decode_node(example.hex("bytes"))
    assert isinstance(node, Fork)
    assert example.value("children") == _as_list(node.children)
    assert example.hex("bytes") == encode_node(node)
    assert root.id == object_id(Kind.TREE, example.hex("bytes"))
    assert example.number("count") == node.length


@_examples("operation")
def test_example_of_an_operation(example: Example) -> None:
    commit = decode_commit(example.hex("bytes"))
    operation = parse_operation(commit)
    assert example.number("number") == operation.number
    assert example.hex("transaction") == operation.transaction
    assert example.fields["kind"] == operation.kind
    assert example.value("arguments") == list(operation.arguments)
    assert Oid(example.hex("view")) == operation.view.id
    assert commit == operation_commit(operation)
    assert Oid(example.hex("id")) == object_id(Kind.COMMIT, encode_commit(commit))


@_examples("tombstone")
def test_example_of_a_tombstone(example: Example) -> None:
    store = MemoryObjects()
    sizes = {Oid(oid): size for oid, size in example.value("objects")}
    who, reason = WHO, example.value("reason")
    if example.fields["type"] == "allowance":
        parent = Oid(example.hex("parent"))
        old = [Tombstone(oid, size, who, b"", parent, allowed=False) for oid, size in sizes.items()]
        written = write_allowances(store, who, reason, old)
    else:
        written = write_tombstones(store, who, reason, sizes)
    oid = Oid(example.hex("id"))
    assert written == dict.fromkeys(sizes, oid)
    assert example.hex("bytes") == next(store.read_many([oid]))[1]


@_examples("retention")
def test_example_of_a_policy_of_retention(example: Example) -> None:
    store = MemoryObjects()
    policy = Policy(*(Limit(*example.value(key)) for key in ("operations", "states")))
    oid = write_policy(store, WHO, example.value("reason"), policy)
    assert oid == Oid(example.hex("id"))
    assert example.hex("bytes") == next(store.read_many([oid]))[1]


@_examples("horizon")
def test_example_of_a_horizon(example: Example) -> None:
    store = MemoryObjects()
    policy = Policy(*(Limit(*example.value(key)) for key in ("operations", "states")))
    number, below = example.value("floor")
    since = {Oid(oid): dict(times) for oid, times in example.value("since")}
    cut = map(Oid, example.value("cut"))
    floor = Floor(number, Oid(below))
    oid = write_horizon(store, WHO, example.value("reason"), example.number("serial"), policy, floor, cut, since)
    assert oid == Oid(example.hex("id"))
    assert example.hex("bytes") == next(store.read_many([oid]))[1]


@_examples("record")
def test_example_of_a_record(example: Example) -> None:
    record = Record(example.number("number"), example.hex("transaction"), Oid(example.hex("operation")))
    assert example.hex("bytes") == encode_record(record)
    assert record == decode_record(example.hex("bytes"), record.number)
    assert example.fields["name"] == record_name(record.number)


def _fanout(example: Example) -> bytes:
    runs = [run.split("×") for run in example.fields["fanout"].split(",")]
    return struct.pack("<256I", *(int(number) for times, number in runs for _ in range(int(times))))


@_examples("pack")
def test_example_of_a_pack(example: Example, tmp_path: Path) -> None:
    parts = [example.hex(key) for key in ("entries", "ids", "offsets", "trailer")]
    (tmp_path / "example.pack").write_bytes(parts[0] + _fanout(example) + b"".join(parts[1:]))
    pack = Pack(tmp_path / "example.pack")
    objects = [(Oid(raw), kind, encoding, size) for kind, encoding, size, raw in example.value("objects")]
    found = [(offset, header) for offset, header in pack.iter_offsets()]
    assert [item[1:] for item in objects] == [(h.kind, h.encoding, h.raw) for _, h in found]
    for (oid, kind, _, size), (offset, _) in zip(objects, found, strict=True):
        assert offset == pack.index.find(oid)
        assert ObjectInfo(Kind(kind), size) == pack.info(offset)
        assert size == len(pack.read(oid, offset)[1])
    assert sorted(item[0] for item in objects) == sorted(pack.verify())


@_examples("statcache")
def test_example_of_a_stat_cache(example: Example) -> None:
    owner = example.hex("owner")
    directories = decode_cache(example.hex("bytes"), owner)
    assert example.value("paths") == list(directories)
    assert example.hex("bytes") == b"".join(encode_cache(owner, directories))


@_examples("pending")
def test_example_of_a_merge_in_progress(example: Example) -> None:
    store = MemoryObjects()
    store.write_many([(Kind.TREE, example.hex(key)) for key in ("root", "chosen")])
    (oid,) = store.write_many([(Kind.COMMIT, example.hex("bytes"))])
    assert Oid(example.hex("id")) == oid
    merge = read_pending(store, oid)
    assert (example.hex("ours"), example.hex("theirs")) == (merge.ours, merge.theirs)
    for key in ("path", "base", "merged", "fields", "detected"):
        assert example.value(key) == _as_list(getattr(merge, key))
    conflicts = [[found.path, found.kind.value.encode(), *found[2:5]] for found in merge.conflicts]
    assert example.value("conflicts") == _as_list(conflicts)
    settled = [[path, found.how.value.encode(), found.by, found.state] for path, found in merge.settled.items()]
    assert example.value("settled") == _as_list(settled)
    assert oid == write_pending(store, Pen(), merge)


@_examples("resolved")
def test_example_of_a_resolved_conflict(example: Example) -> None:
    fields = ((b"resolved", example.hex("bytes")),)
    ((conflict, settled, hunks),) = read_records(Commit(empty_root(), (), WHO, WHO, b"", fields=fields))
    assert example.value("conflict") == _as_list([conflict.path, conflict.kind.value.encode(), *conflict[2:5]])
    assert example.value("how") == settled.how.value.encode()
    assert example.value("result") == _as_list(settled.state)
    assert example.value("who") == _as_list(settled.by)
    assert example.value("hunks") == hunks
    value = [example.value(key) for key in ("conflict", "how", "result", "who", "hunks")]
    assert example.hex("bytes") == canonical.encode(value)


@_examples("sides")
def test_example_of_the_sides_of_a_conflict(example: Example) -> None:
    record = example_record(MemoryObjects())._replace(sides=Sides(*_decoded_sides(example)))
    (sides,) = [value for key, value in record_fields(record) if key == b"sides"]
    assert example.hex("bytes") == sides


def _decoded_sides(example: Example) -> list[Any]:
    direction, project, root, base, ours, theirs = example.value("sides")
    return [direction, project, root, Root(base[0], base[1], Oid(base[2])), Oid(ours), theirs]


def test_example_of_a_lock_file() -> None:
    text = read_block("toml").encode()
    entries = parse_lock(text, "objects_spec.md")
    assert [entry.path for entry in entries] == [b"commands/review.md", b"skills/caf\xe9"]
    assert [(entry.tag, entry.pin) for entry in entries] == [("v1", "v1"), (None, None)]
    assert text == render_lock(entries)


@_examples("commitgraph")
def test_example_of_a_commit_graph(example: Example) -> None:
    names = ("dates", "first", "second", "generation", "dominator", "depth", "jump", "order", "further", "ids", "sum")
    parts = [example.hex(name) for name in names]
    data = b"".join((example.hex("header"), _fanout(example), *parts))
    columns, lookup = decode_graph(data, example.hex("owner"))
    assert example.value("parents") == [list(columns.parents_of(position)) for position in range(1, 7)]
    assert list(range(1, 7)) == [lookup.find(columns.id_of(position)) for position in range(1, 7)]
    assert data == b"".join(encode_graph(columns, example.hex("owner")))
    grown = Columns.empty()
    for position in range(1, 7):
        parents = columns.parents_of(position)
        row = DominatorTree(grown.dominator, grown.depth, grown.jump).row(parents)
        generation = 1 + max((grown.generation[parent] for parent in parents), default=0)
        grown.append(columns.id_of(position), columns.dates[position], parents, generation, *row)
    assert data == b"".join(encode_graph(grown, example.hex("owner")))


@_examples("skillmeat")
def test_example_of_a_hash_of_skillmeat(example: Example, tmp_path: Path) -> None:
    files = {path.decode(): content for path, content in example.value("files")}
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert hash_path(tmp_path) == example.fields["hash"]
    objects = MemoryObjects()
    state = scan_path(tmp_path, objects)
    assert state is not None
    assert find_hash(objects, state) == example.fields["hash"]


@_examples("git")
def test_example_of_an_object_of_git(example: Example) -> None:
    """Git's text gives the value, and the value gives git's text."""
    text, oid = example.hex("text"), Oid(example.hex("id"))
    if example.fields["kind"] == "commit":
        links = commit_links(text, GitFormat.SHA1)
        commit = to_commit(text, links, empty_root(), ())
        assert example.value("value") == _as_list(commit)
        assert (oid, text) == (object_id(Kind.COMMIT, encode_commit(commit)), format_commit(commit, links))
    else:
        target = tag_target(text, GitFormat.SHA1)
        tag = to_tag(text, target, empty_root().id, target.kind)
        assert example.value("value") == _as_list(tag)
        assert (oid, text) == (object_id(Kind.TAG, encode_tag(tag)), format_tag(tag, target.id))
