"""Laws of line matching, merging and marking up, on texts of few distinct lines, where ambiguity is greatest."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.text.change import line_changes
from casvault.text.lines import split_lines
from casvault.text.markers import Style, render
from casvault.text.merge3 import Chunk, Conflict, Origin, Resolved, merge_text
from casvault.text.unified import unified_diff

lines = st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"d\r\n", b"e\r\n"])
texts = st.builds(
    lambda body, end: b"".join(body) + end, st.lists(lines, max_size=12), st.sampled_from([b"", b"", b"z", b"\xff"])
)
anything = st.binary(max_size=60)
SWAPPED = {Origin.OURS: Origin.THEIRS, Origin.THEIRS: Origin.OURS, Origin.BOTH: Origin.BOTH}


def swap(chunk: Chunk) -> Chunk:
    if isinstance(chunk, Conflict):
        return Conflict(chunk.base, chunk.theirs, chunk.ours)
    return Resolved(chunk.lines, SWAPPED[chunk.origin])


@given(texts, texts)
def test_an_unchanged_side_gives_way(base: bytes, side: bytes) -> None:
    assert merge_text(base, side, base).content == side
    assert merge_text(base, base, side).content == side
    assert merge_text(base, side, side).content == side


@given(texts, texts, texts)
def test_swapping_sides_swaps_them_in_the_chunks_only(base: bytes, ours: bytes, theirs: bytes) -> None:
    there, back = merge_text(base, ours, theirs).chunks, merge_text(base, theirs, ours).chunks
    assert tuple(map(swap, back)) == there


@given(texts, texts, texts)
def test_a_clean_result_merged_again_changes_nothing(base: bytes, ours: bytes, theirs: bytes) -> None:
    """Once merged, either side is an ancestor of the result and so the base of the next merge."""
    merged = merge_text(base, ours, theirs).content
    if merged is not None:
        assert merge_text(ours, merged, ours).content == merged
        assert merge_text(theirs, theirs, merged).content == merged


@given(texts, texts, texts)
def test_every_resolved_line_stems_from_the_side_that_is_named(base: bytes, ours: bytes, theirs: bytes) -> None:
    our_lines, their_lines = set(split_lines(ours)), set(split_lines(theirs))
    sources = {Origin.OURS: our_lines, Origin.THEIRS: their_lines, Origin.BOTH: our_lines & their_lines}
    for chunk in merge_text(base, ours, theirs).chunks:
        if isinstance(chunk, Resolved):
            assert set(chunk.lines) <= sources[chunk.origin]


@given(texts, texts, texts)
def test_a_merge_never_loses_what_a_side_added(base: bytes, ours: bytes, theirs: bytes) -> None:
    chunks = merge_text(base, ours, theirs).chunks
    resolved = Counter(line for chunk in chunks if isinstance(chunk, Resolved) for line in chunk.lines)
    for side, contested in ((ours, "ours"), (theirs, "theirs")):
        shown = resolved + Counter(
            line for chunk in chunks if isinstance(chunk, Conflict) for line in getattr(chunk, contested)
        )
        added = Counter(split_lines(side)) - Counter(split_lines(base))
        assert added <= shown


@given(texts, texts, texts)
def test_taking_one_side_of_everything_gives_that_side(base: bytes, ours: bytes, theirs: bytes) -> None:
    """With theirs' own changes undone, the chunks spell out ours: nothing is lost between the chunks either."""
    chunks = merge_text(base, ours, theirs).chunks
    if all(not isinstance(chunk, Resolved) or chunk.origin is not Origin.THEIRS for chunk in chunks):
        spelt = (chunk.ours if isinstance(chunk, Conflict) else chunk.lines for chunk in chunks)
        assert b"".join(line for part in spelt for line in part) == ours


@given(anything, anything, anything)
def test_no_bytes_break_a_merge_or_its_markers(base: bytes, ours: bytes, theirs: bytes) -> None:
    merged = merge_text(base, ours, theirs)
    for style in Style:
        marked = render(merged.chunks, style)
        assert (marked == merged.content) == (merged.content is not None)


@given(texts, texts, texts)
def test_every_style_shows_the_same_sides(base: bytes, ours: bytes, theirs: bytes) -> None:
    """Choosing ours in each conflict of the marked-up text gives the same lines whatever the style."""
    chunks = merge_text(base, ours, theirs).chunks
    chosen = [chosen_side(render(chunks, style), side) for style in Style for side in (b"<", b"=")]
    assert chosen[0::2] == [chosen[0]] * 3
    assert chosen[1::2] == [chosen[1]] * 3


def chosen_side(marked: bytes, side: bytes) -> list[bytes]:
    """The lines outside of conflicts and those of one side; line ends aside, which a marker may have changed."""
    chosen, part = [], b""
    for line in split_lines(marked):
        if line[:7] in (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"):
            part = b"" if line[:1] == b">" else line[:1]
        elif part in (b"", side):
            chosen.append(line.rstrip(b"\r\n"))
    return chosen


@given(texts, texts)
def test_changes_turn_the_old_text_into_the_new_one(old: bytes, new: bytes) -> None:
    old_lines, new_lines = split_lines(old), split_lines(new)
    rebuilt, at = [], 0
    for change in line_changes(old_lines, new_lines):
        assert change.old_end > change.old_start or change.new_end > change.new_start
        assert not rebuilt or change.old_start > at, "changes are an unchanged line apart"
        rebuilt += old_lines[at : change.old_start] + new_lines[change.new_start : change.new_end]
        at = change.old_end
    assert rebuilt + old_lines[at:] == new_lines


@settings(max_examples=200)
@given(texts, texts)
def test_changes_are_as_few_as_they_can_be(old: bytes, new: bytes) -> None:
    old_lines, new_lines = split_lines(old), split_lines(new)
    kept = len(old_lines) - sum(change.old_end - change.old_start for change in line_changes(old_lines, new_lines))
    assert kept == lcs_length(old_lines, new_lines)


def lcs_length(old: list[bytes], new: list[bytes]) -> int:
    """The textbook table."""
    row = [0] * (len(new) + 1)
    for line in old:
        above, row = row, [0]
        for at, other in enumerate(new):
            row.append(above[at] + 1 if line == other else max(above[at + 1], row[at]))
    return row[-1]


@given(texts, texts, st.integers(0, 4))
def test_a_unified_diff_holds_both_texts(old: bytes, new: bytes, context: int) -> None:
    """Its minus side is the old text and its plus side the new one, with the whole text as context."""
    body = list(unified_diff(old, new, b"a", b"b", 100))[3:]
    if old != new:
        assert one_side(body, b" -") == old
        assert one_side(body, b" +") == new
    assert bool(list(unified_diff(old, new, b"a", b"b", context))) == (old != new)


def one_side(body: list[bytes], signs: bytes) -> bytes:
    """The lines with these signs; a remark on a missing newline takes it off the line before."""
    pieces = []
    for line, after in zip(body, [*body[1:], b""], strict=True):
        if line[:1] in signs:
            pieces.append(line[1:-1] if after.startswith(b"\\") else line[1:])
    return b"".join(pieces)
