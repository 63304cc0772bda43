import pytest

from casvault.text.unified import unified_diff


def diff(old: bytes, new: bytes, context: int = 3) -> bytes:
    return b"".join(unified_diff(old, new, b"a/f", b"b/f", context))


def numbered(*lines: int) -> bytes:
    return b"".join(b"%d\n" % line for line in lines)


def test_unified_diff_of_equal_texts_is_empty() -> None:
    assert diff(b"a\nb", b"a\nb") == b""


def test_unified_diff_of_a_new_file() -> None:
    assert diff(b"", b"a\nb\n") == b"--- a/f\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n"


def test_unified_diff_of_a_single_line() -> None:
    assert diff(b"a\n", b"b\n") == b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"


def test_unified_diff_without_final_newline() -> None:
    assert diff(b"a", b"a\n") == b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"


@pytest.mark.parametrize(("gap", "hunks"), [(6, 1), (7, 2)])
def test_unified_diff_joins_hunks_whose_contexts_touch(gap: int, hunks: int) -> None:
    between = list(range(gap))
    assert diff(numbered(100, *between, 200), numbered(101, *between, 201)).count(b"@@ -") == hunks


def test_unified_diff_shows_the_context() -> None:
    assert diff(numbered(*range(9)), numbered(0, 1, 2, 3, 5, 6, 7, 8), 1) == (
        b"--- a/f\n+++ b/f\n@@ -4,3 +4,2 @@\n 3\n-4\n 5\n"
    )


def test_unified_diff_without_context_names_the_line_before() -> None:
    assert diff(numbered(1, 2), numbered(1, 9, 2), 0) == b"--- a/f\n+++ b/f\n@@ -1,0 +2 @@\n+9\n"


def test_unified_diff_names_the_section() -> None:
    body = b" one\n two\n three\n four\n"
    old, new = b"def f():  \n" + body, b"def f():  \n" + body.replace(b"four", b"five")
    assert b"@@ -2,4 +2,4 @@ def f():\n" in diff(old, new)


def test_unified_diff_refuses_a_negative_context() -> None:
    with pytest.raises(ValueError, match="context"):
        list(unified_diff(b"a", b"b", b"", b"", -1))
