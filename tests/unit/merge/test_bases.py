"""Virtual bases. In the drawings time goes to the right, and the question is the base of the last two."""

from __future__ import annotations

from collections.abc import Mapping

from casvault.merge.bases import Bases
from casvault.merge.trees import merge_states, show_conflicts
from casvault.objects import Overlay, Root, read_blob
from casvault.oid import Oid
from tests.support.objects import numbered_id
from tests.support.trees import STORE, Files, contents, file, text, tree

# 0──1──3
#  ╲  ╳
#   2──4
CRISS_CROSS: Mapping[int, tuple[int, ...]] = {0: (), 1: (0,), 2: (0,), 3: (1, 2), 4: (2, 1)}


class History:
    """Commits by number, with what they hold."""

    def __init__(self, parents: Mapping[int, tuple[int, ...]], held: Mapping[int, Files | Root | None]) -> None:
        self.ids = {numbered_id(number): number for number in parents}
        self._parents = parents
        self._held = held
        self.overlay = Overlay(STORE)
        self.bases = Bases(self.overlay, self.parents_of, self.content_of)

    def parents_of(self, oid: Oid) -> list[Oid]:
        return [numbered_id(number) for number in self._parents[self.ids[oid]]]

    def content_of(self, oid: Oid) -> Root:
        held = self._held[self.ids[oid]]
        assert held is not None, f"nobody needs what {self.ids[oid]} holds"
        return held if isinstance(held, Root) else tree(held)

    def find(self, ours: int, theirs: int) -> Root | None:
        return self.bases.find(numbered_id(ours), numbered_id(theirs))

    def files(self, ours: int, theirs: int) -> Files:
        return contents(self.find(ours, theirs), self.overlay)


def test_one_merge_base_is_the_base_and_nothing_else_is_read() -> None:
    history = History({0: (), 1: (0,), 2: (0,)}, {0: {"a": b"0"}, 1: None, 2: None})
    assert history.find(1, 2) == tree({"a": b"0"})
    assert len(history.overlay.added) == 0


def test_histories_that_do_not_meet_have_no_base() -> None:
    assert History({0: (), 1: ()}, {0: None, 1: None}).find(0, 1) is None


def test_a_criss_cross_has_both_bases_merged() -> None:
    held: Mapping[int, Files | Root | None] = {
        0: {"a": text("a")},
        1: {"a": text("a", {0: "one"})},
        2: {"a": text("a", {11: "two"}), "n": b"n"},
        3: None,
        4: None,
    }
    assert History(CRISS_CROSS, held).files(3, 4) == {"a": text("a", {0: "one", 11: "two"}), "n": b"n"}


def test_a_virtual_base_stays_in_the_overlay() -> None:
    held: Mapping[int, Files | Root | None] = {
        0: {"a": text("a")}, 1: {"a": text("a", {0: "I"})}, 2: {"a": text("a", {9: "II"})}, 3: None, 4: None,
    }  # fmt: skip
    history = History(CRISS_CROSS, held)
    base = history.find(3, 4)
    assert base is not None
    assert base.id in history.overlay.added
    assert base.id not in STORE


def test_bases_of_one_content_are_not_merged() -> None:
    history = History(CRISS_CROSS, {0: {"a": b"0"}, 1: {"a": b"1"}, 2: {"a": b"1"}, 3: None, 4: None})
    assert history.find(3, 4) == tree({"a": b"1"})


def settled(base: Files, one: Files, other: Files) -> Files:
    return History(CRISS_CROSS, {0: base, 1: one, 2: other, 3: None, 4: None}).files(3, 4)


def test_texts_that_clash_are_marked_up() -> None:
    """The base with the smaller id is on top, so that both orders of the sides have the same one."""
    first, second = sorted((1, 2), key=numbered_id)
    assert settled({"a": b"0\n"}, {"a": b"1\n"}, {"a": b"2\n"}) == {
        "a": b"<<<<<<<\n%d\n=======\n%d\n>>>>>>>\n" % (first, second)
    }


def test_elsewhere_the_base_stands() -> None:
    assert settled({"a": b"0\0"}, {"a": b"1\0"}, {"a": b"2\0"}) == {"a": b"0\0"}
    assert settled({"a": b"0\n", "b": b""}, {"b": b""}, {"a": b"2\n", "b": b""}) == {"a": b"0\n", "b": b""}
    assert settled({"b": b""}, {"a": b"1\0", "b": b""}, {"a": b"2\0", "b": b""}) == {"b": b""}
    assert settled({"a": b"0\n"}, {"a": b"1\n"}, {"a/x": b"x"}) == {"a": b"0\n"}
    assert settled({"a": text("a")}, {"b": text("a")}, {"c": text("a")}) == {"a": text("a")}


def test_what_is_new_in_a_renamed_directory_stays_there() -> None:
    """It was moved, so that for those who had left it there when they merged it was gone, and somewhere else new."""
    base, one = {"d/a": text("a"), "d/b": text("b")}, {"e/a": text("a"), "e/b": text("b")}
    assert settled(base, one, {**base, "d/n": b"n"}) == {**one, "d/n": b"n"}


def test_whoever_settled_a_clash_of_the_bases_wins_over_who_did_not() -> None:
    """Both sides merged the same two commits; ours settled their conflict and theirs took over that settlement."""
    held: Mapping[int, Files | Root | None] = {
        0: {"a": text("a")},
        1: {"a": text("a", {5: "one"})},
        2: {"a": text("a", {5: "two"})},
        3: {"a": text("a", {5: "settled", 0: "ours"})},
        4: {"a": text("a", {5: "settled", 11: "theirs"})},
    }
    history = History(CRISS_CROSS, held)
    states = (history.content_of(numbered_id(number)) for number in (3, 4))
    merged = merge_states(history.overlay, history.find(3, 4), *states)
    assert show_conflicts(merged.conflicts) == ()
    assert contents(merged.state, history.overlay) == {"a": text("a", {0: "ours", 5: "settled", 11: "theirs"})}


def test_single_files_have_virtual_bases_too() -> None:
    states = [text("a"), text("a", {0: "one"}), text("a", {11: "two"})]
    history = History(CRISS_CROSS, {**{number: file(state) for number, state in enumerate(states)}, 3: None, 4: None})
    base = history.find(3, 4)
    assert base is not None
    assert read_blob(history.overlay, base.id) == text("a", {0: "one", 11: "two"})


def test_a_long_ladder_of_criss_crosses_is_climbed_without_recursion() -> None:
    """Each pair of bases has two bases itself, further down than Python's own stack reaches."""
    rungs = 250
    parents: dict[int, tuple[int, ...]] = {0: (), 1: (0,), 2: (0,)}
    held: dict[int, Files | Root | None] = {0: file(text("a"))}
    for number in range(1, 2 * rungs, 2):
        held[number] = file(text("a", {0: f"{number}", 11: f"{number - 2}"}))
        held[number + 1] = file(text("a", {0: f"{number - 2}", 11: f"{number}"}))
        if number > 1:
            parents[number], parents[number + 1] = (number - 2, number - 1), (number - 1, number - 2)
    history = History(parents, {**held, 0: file(text("a", {0: "-1", 11: "-1"}))})
    base = history.find(2 * rungs - 1, 2 * rungs)
    assert base is not None
    last = f"{2 * rungs - 3}"
    assert read_blob(history.overlay, base.id) == text("a", {0: last, 11: last})


def test_bases_that_are_equal_have_no_bases_looked_for() -> None:
    """A ladder of criss-crosses whose merges are all alike costs one step."""
    parents: dict[int, tuple[int, ...]] = {0: (), 1: (0,), 2: (0,)}
    for number in range(3, 2001, 2):
        parents[number], parents[number + 1] = (number - 2, number - 1), (number - 1, number - 2)
    held: dict[int, Files | Root | None] = dict.fromkeys(parents)
    held[1999] = held[1998] = held[1997] = {"a": b"a"}
    assert History(parents, held).find(1999, 2000) == tree({"a": b"a"})


def test_three_bases_are_merged_one_after_the_other() -> None:
    # 0──1, 2, 3, and both 4 and 5 have all three as parents
    parents = {0: (), 1: (0,), 2: (0,), 3: (0,), 4: (1, 2, 3), 5: (3, 1, 2)}
    held: dict[int, Files | Root | None] = {0: {"a": text("a")}, 4: None, 5: None}
    held |= {number: {"a": text("a", {4 * number - 3: str(number)})} for number in (1, 2, 3)}
    assert History(parents, held).files(4, 5) == {"a": text("a", {1: "1", 5: "2", 9: "3"})}
