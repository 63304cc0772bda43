import pytest

from casvault.text.markers import Labels, Style, choose_marker_size, find_markers, render
from casvault.text.merge3 import Conflict, Origin, Resolved, merge_text

LABELS = Labels(base=b"B", ours=b"O", theirs=b"T")


def shown(base: bytes, ours: bytes, theirs: bytes, style: Style) -> bytes:
    return render(merge_text(base, ours, theirs).chunks, style, LABELS)


BASE, OURS, THEIRS = b"1\na\n9\n", b"1\nx\ny\nz\n9\n", b"1\nx\nq\nz\n9\n"


def test_render_diff3_shows_all_three_whole() -> None:
    assert shown(BASE, OURS, THEIRS, Style.DIFF3) == (
        b"1\n<<<<<<< O\nx\ny\nz\n||||||| B\na\n=======\nx\nq\nz\n>>>>>>> T\n9\n"
    )


def test_render_zdiff3_moves_shared_ends_out() -> None:
    assert shown(BASE, OURS, THEIRS, Style.ZDIFF3) == (
        b"1\nx\n<<<<<<< O\ny\n||||||| B\na\n=======\nq\n>>>>>>> T\nz\n9\n"
    )


def test_render_merge_shows_only_what_differs() -> None:
    assert shown(BASE, OURS, THEIRS, Style.MERGE) == b"1\nx\n<<<<<<< O\ny\n=======\nq\n>>>>>>> T\nz\n9\n"


@pytest.mark.parametrize(("gap", "conflicts"), [(3, 1), (4, 2)])
def test_render_merge_joins_conflicts_up_to_three_lines_apart(gap: int, conflicts: int) -> None:
    between = b"".join(b"%d\n" % line for line in range(gap))
    marked = shown(b"", b"a\n" + between + b"b\n", b"c\n" + between + b"d\n", Style.MERGE)
    assert marked.count(b"<<<<<<<") == conflicts
    assert marked.count(b"0\n") == (2 if conflicts == 1 else 1)


def test_render_merge_does_not_join_across_a_change_of_one_side() -> None:
    clash = Conflict((), (b"a\n",), (b"b\n",))
    marked = render([clash, Resolved((b"m\n",), Origin.OURS), clash], Style.MERGE)
    assert marked == b"<<<<<<<\na\n=======\nb\n>>>>>>>\nm\n<<<<<<<\na\n=======\nb\n>>>>>>>\n"


def test_render_without_conflicts_is_the_content() -> None:
    assert shown(b"a\nb\nc", b"x\nb\nc", b"a\nb\ny", Style.DIFF3) == b"x\nb\ny"


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"=======\n", 8),
        (b"<<<<<<< HEAD\n", 8),
        (b"||||||||||\r\n", 11),
        (b">>>>>>>", 8),
        (b"=======x\n", 7),
        (b" =======\n", 7),
        (b"======\n", 7),
    ],
)
def test_render_markers_outgrow_the_content(line: bytes, size: int) -> None:
    marked = render([Conflict((), (line,), (b"b\n",))], Style.DIFF3)
    assert marked.startswith(b"<" * size + b"\n")
    assert marked.endswith(b"\n" + b">" * size + b"\n")


def test_render_markers_outgrow_content_outside_of_conflicts() -> None:
    marked = render([Resolved((b"Title\n", b"=======\n")), Conflict((), (b"a\n",), (b"b\n",))])
    assert marked == b"Title\n=======\n<<<<<<<<\na\n||||||||\n========\nb\n>>>>>>>>\n"


def test_render_takes_the_marker_size_that_is_asked_for() -> None:
    assert render([Conflict((), (b"a\n",), ())], Style.MERGE, marker_size=9).startswith(b"<<<<<<<<<\na\n=========\n")


def test_render_ends_markers_as_the_text_does() -> None:
    marked = shown(b"1\r\na\r\n", b"1\r\nb\r\n", b"1\r\nc\r\n", Style.MERGE)
    assert marked == b"1\r\n<<<<<<< O\r\nb\r\n=======\r\nc\r\n>>>>>>> T\r\n"


def test_render_takes_crlf_from_the_sides_where_nothing_stands_before() -> None:
    assert shown(b"", b"b\r\n", b"c\r\n", Style.MERGE) == b"<<<<<<< O\r\nb\r\n=======\r\nc\r\n>>>>>>> T\r\n"
    assert shown(b"", b"b\r\n", b"c\n", Style.MERGE) == b"<<<<<<< O\nb\r\n=======\nc\n>>>>>>> T\n"


def test_render_gives_a_last_line_its_end_before_a_marker() -> None:
    assert shown(b"a", b"b", b"c", Style.DIFF3) == b"<<<<<<< O\nb\n||||||| B\na\n=======\nc\n>>>>>>> T\n"


@pytest.mark.parametrize(
    ("line", "size"),
    [(b"plain\n", 7), (b"=======\n", 8), (b"<<<<<<<<<< x\n", 11), (b"=======x\n", 7), (b"======\n", 7)],
)
def test_choose_marker_size_is_what_render_uses(line: bytes, size: int) -> None:
    """Lines far from the conflict count, so that whoever looks for markers left in the text finds these alone."""
    chunks = merge_text(line + BASE, line + OURS, line + THEIRS).chunks
    assert choose_marker_size(chunks) == size
    marked = render(chunks, Style.DIFF3, LABELS)
    assert len(find_markers(marked, size)) == 4
    assert find_markers(line + OURS, size) == []


def test_find_markers_of_some_signs() -> None:
    text = b"<<<<<<< O\r\nx\n=======\n>>>>>>>"
    assert find_markers(text, 7) == [1, 3, 4]
    assert find_markers(text, 7, b"<|>") == [1, 4]
    assert find_markers(text, 8) == []
