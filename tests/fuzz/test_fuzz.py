"""Random input for merges and decoders, for as long as one likes: whatever it is, only errors of casvault come out.

    CASVAULT_FUZZ_SECONDS=3600 CASVAULT_FUZZ_SEED=7 pytest -m torture tests/fuzz

Ten minutes where nothing is said, which the targets share. A failure names the seed of its round, which alone decides
over the input: `CASVAULT_FUZZ_SEED` begins there.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from itertools import count
from time import monotonic

import pytest
from blake3 import blake3

from casvault.artifacts.rules import parse_rules
from casvault.deploy.lockfile import parse_lock, render_lock
from casvault.errors import CasvaultError
from casvault.formats.commitgraph import SUM_SIZE, decode_graph, encode_graph
from casvault.formats.record import decode_record
from casvault.formats.statcache import decode_cache
from casvault.graph import generations
from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import TreeMerge, merge_states
from casvault.objects import (
    ALL_MODES,
    FILE,
    Kind,
    MemoryObjects,
    Root,
    decode_commit,
    decode_node,
    decode_tag,
    encode_commit,
    encode_node,
    encode_tag,
    write_blob,
)
from casvault.oid import blob_id
from casvault.pending import read_pending, write_pending
from casvault.text.apart import merge_apart
from casvault.text.lines import split_lines
from casvault.text.markers import Style, render
from casvault.text.merge3 import Conflict, merge_text
from casvault.trees import edit_paths, empty_root
from tests.format.make_vectors import VECTORS
from tests.support.pending import Pen, example_merge
from tests.unit.deploy.test_lockfile import PDF, REVIEW
from tests.unit.formats.test_commitgraph import ENCODED as GRAPH
from tests.unit.formats.test_commitgraph import OWNER
from tests.unit.formats.test_statcache import ENCODED as CACHE
from tests.unit.formats.test_statcache import OWNER as CACHE_OWNER

SECONDS = float(os.environ.get("CASVAULT_FUZZ_SECONDS", "600"))
SEED = int(os.environ.get("CASVAULT_FUZZ_SEED", "1"))

Target = Callable[[random.Random], None]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Some bytes replaced, removed, repeated, cut off or moved."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at, size = rng.randrange(len(changed) + 1), rng.choice((1, 1, 2, 4, 8, 40))
        match rng.randrange(6):
            case 0:
                changed[at : at + size] = rng.randbytes(size)
            case 1:
                changed[at : at + 1] = rng.choice((b"\0", b"\x7f", b"\x80", b"\xc0", b"\xff", b"\n", b'"', b"[", b"="))
            case 2:
                del changed[at : at + size]
            case 3:
                changed[at:at] = changed[at : at + size]
            case 4:
                del changed[at:]
            case _:
                moved = changed[at : at + size]
                del changed[at : at + size]
                to = rng.randrange(len(changed) + 1)
                changed[to:to] = moved
    return bytes(changed)


def some_text(rng: random.Random, before: bytes | None = None) -> bytes:
    """Lines of few or of many values, with odd ends and bytes; or an edit of what was there before."""
    if before is not None and rng.random() < 0.3:
        return mutated(rng, before)
    values = rng.choice((2, 5, 1000))
    lines = [b"line %d" % rng.randrange(values) + rng.choice((b"\n", b"\n", b"\r\n")) for _ in range(rng.randrange(60))]
    if before is not None:
        old, fresh = split_lines(before), lines
        lines = list(old)
        for _ in range(rng.randrange(6)):
            at = rng.randrange(len(lines) + 1)
            lines[at : at + rng.randrange(4)] = fresh[: rng.randrange(4)]
    odd = (b"", b"", b"<<<<<<< x", b"=======\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\0")
    return rng.choice(odd[:2] if rng.random() < 0.7 else odd) + b"".join(lines) + rng.choice(odd)


def fuzz_text_merges(rng: random.Random) -> None:
    base = some_text(rng)
    ours, theirs = some_text(rng, base), some_text(rng, base)
    assert merge_text(base, ours, base).content == ours
    assert merge_text(base, base, theirs).content == theirs
    assert merge_text(base, ours, ours).content == ours
    merged, back = merge_text(base, ours, theirs), merge_text(base, theirs, ours)
    assert merged.content == back.content
    assert [(c.ours, c.theirs) for c in merged.conflicts] == [(c.theirs, c.ours) for c in back.conflicts]
    assert merge_apart(base, ours, theirs) in (None, merged.content)
    if merged.content is not None:
        assert merge_text(ours, merged.content, ours).content == merged.content
        assert set(split_lines(merged.content)) <= {*split_lines(ours), *split_lines(theirs)}
    for style in Style:
        assert (render(merged.chunks, style) == merged.content) == (merged.content is not None)
    for chunk in merged.chunks:
        assert not isinstance(chunk, Conflict) or chunk.ours != chunk.theirs


def fuzz_tree_merges(rng: random.Random) -> None:
    """With states that are missing, of another kind or of another size among them."""
    store = MemoryObjects()
    texts = [some_text(rng) for _ in range(4)]

    def state() -> Root:
        if rng.random() < 0.1:
            return Root(rng.choice(sorted(ALL_MODES)), rng.choice((0, 1, 1 << 40)), blob_id(b"%d" % rng.randrange(3)))
        content = some_text(rng, rng.choice(texts))
        return Root(FILE, len(content), write_blob(store, content))

    def edits(size: int) -> dict[bytes, Root | None]:
        found: dict[bytes, Root | None] = {}
        for _ in range(size):
            path = b"/".join(rng.choices((b"a", b"b", b"c"), k=rng.randrange(1, 4)))
            found[path] = None if rng.random() < 0.3 else state()
        return found

    base = edit_paths(store, empty_root(), {path: each for path, each in edits(6).items() if each is not None})
    ours, theirs = (edit_paths(store, base, edits(rng.randrange(4))) for _ in range(2))
    assert merge_states(store, base, ours, base) == TreeMerge(ours, ())
    assert merge_states(store, base, base, theirs) == TreeMerge(theirs, ())
    assert merge_states(store, base, ours, ours) == TreeMerge(ours, ())
    merged, back = merge_states(store, base, ours, theirs), merge_states(store, base, theirs, ours)
    assert merged.is_clean == back.is_clean
    assert not merged.is_clean or merged.state == back.state
    mark_up_tree(store, merged)


def pending_example() -> tuple[MemoryObjects, bytes]:
    store = MemoryObjects()
    ((_, data),) = store.read_many([write_pending(store, Pen(), example_merge(store))])
    return store, data


PENDING_STORE, PENDING = pending_example()
LOCK = render_lock([PDF, REVIEW])
RULES = b"""defaults = true

[[rules]]
path = "skills/*"
kind = "skill"

[[rules]]
path = "commands/**/*.md"
kind = "command"
suffix = ".md"
"""
OBJECTS = [(VECTORS / name).read_bytes() for name in ("commit-first.bin", "commit-merge.bin")]
TAGS = [(VECTORS / name).read_bytes() for name in ("tag-annotated.bin", "tag-without-tagger.bin")]
NODES = [(VECTORS / "tree-modes.bin").read_bytes()]
NODES += [bytes.fromhex(line) for line in (VECTORS / "tree-1000.hex").read_text().split()]
RECORD = (VECTORS / "record.bin").read_bytes()


def fuzz_objects(rng: random.Random) -> None:
    """Whatever is read has one encoding: the bytes that it was read from."""
    for decode, encode, examples in (
        (decode_commit, encode_commit, OBJECTS),
        (decode_tag, encode_tag, TAGS),
        (decode_node, encode_node, NODES),
    ):
        data = mutated(rng, rng.choice(examples))
        try:
            found = decode(data)
        except CasvaultError:
            continue
        assert encode(found) == data  # type: ignore[operator]


def fuzz_pending_merges(rng: random.Random) -> None:
    (oid,) = PENDING_STORE.write_many([(Kind.COMMIT, mutated(rng, PENDING))])
    read_pending(PENDING_STORE, oid)


def fuzz_lock_files(rng: random.Random) -> None:
    text = render_lock(parse_lock(mutated(rng, LOCK), "casvault.lock"))
    assert render_lock(parse_lock(text, "casvault.lock")) == text


def fuzz_rules(rng: random.Random) -> None:
    parse_rules(mutated(rng, RULES), "casvault.toml").short_name(b"skills/pdf")


def fuzz_commit_graphs(rng: random.Random) -> None:
    """With the right checksum, so that the rest is looked at."""
    data = mutated(rng, GRAPH[:-SUM_SIZE])
    data += blake3(data).digest()
    columns, _ = decode_graph(data, OWNER)
    generations(lambda at: [], range(columns.commits))
    assert len(b"".join(encode_graph(columns, OWNER))) == len(data)


def fuzz_caches(rng: random.Random) -> None:
    data = mutated(rng, CACHE[:-SUM_SIZE])
    decode_cache(data + blake3(data).digest(), CACHE_OWNER)


def fuzz_records(rng: random.Random) -> None:
    decode_record(mutated(rng, RECORD), 1 << 33)


TARGETS: Sequence[Target] = (
    fuzz_text_merges,
    fuzz_tree_merges,
    fuzz_objects,
    fuzz_pending_merges,
    fuzz_lock_files,
    fuzz_rules,
    fuzz_commit_graphs,
    fuzz_caches,
    fuzz_records,
)


@pytest.mark.torture
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_but_errors_of_casvault_comes_out(target: Target) -> None:
    ends = monotonic() + SECONDS / len(TARGETS)
    for seed in count(SEED):
        try:
            target(random.Random(seed))
        except CasvaultError:
            pass
        except BaseException as error:
            error.add_note(f"CASVAULT_FUZZ_SEED={seed}")
            raise
        if monotonic() > ends:
            break
