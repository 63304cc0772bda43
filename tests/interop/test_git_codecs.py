"""The codecs of commits, tags and trees: whatever bytes git may have, they come back."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from casvault.errors import MalformedError
from casvault.interop.git.commits import Links, commit_links, format_commit, to_commit
from casvault.interop.git.fields import RAW_COMMIT, RAW_TAG
from casvault.interop.git.ids import NAMES, GitFormat
from casvault.interop.git.tags import Target, format_tag, tag_target, to_tag
from casvault.interop.git.trees import format_tree, parse_tree, plan_names, split_entry
from casvault.objects import (
    FILE,
    FOREIGN,
    TREE,
    Kind,
    Root,
    check_name,
    decode_commit,
    decode_tag,
    encode_commit,
    encode_tag,
)
from casvault.oid import Oid

QUICK = settings(deadline=None, max_examples=150)
ROOT = Root(TREE, 0, Oid(bytes(32)))
FORMATS = st.sampled_from(GitFormat)
WORDS = st.binary(max_size=12)
TEXT = st.text("abc <>@.", max_size=8).map(str.encode)
PERSONS = st.one_of(
    st.builds(
        lambda name, mail, seconds, zone: b"%s <%s> %d %s" % (name, mail, seconds, zone),
        TEXT,
        TEXT,
        st.integers(-(1 << 63), 1 << 65),
        st.from_regex(rb"\A[+-][0-9]{2,9}\Z"),
    ),
    WORDS,
)
HEADERS = st.lists(
    st.one_of(
        st.builds(lambda key, value: b"%s %s\n" % (key, value), st.sampled_from([b"encoding", b"gpgsig", b"x"]), WORDS),
        st.just(b"gpgsig one\n two\n \n three\n"),
        st.just(b"mergetag object 12\n type commit\n \n words\n \n"),
        st.just(b"no-value\n"),
    ),
    max_size=4,
).map(b"".join)


@st.composite
def commits(draw: st.DrawFn) -> tuple[GitFormat, bytes]:
    """Mostly as git writes them, with anything at all where people and tools have put anything."""
    form = draw(FORMATS)
    ids = st.binary(min_size=form.size, max_size=form.size).map(bytes.hex).map(str.encode)
    lines = [b"tree %s\n" % draw(ids), *(b"parent %s\n" % draw(ids) for _ in range(draw(st.integers(0, 3))))]
    lines += draw(
        st.one_of(
            st.builds(lambda a, b: [b"author %s\n" % a, b"committer %s\n" % b], PERSONS, PERSONS),
            st.lists(WORDS, max_size=3),
        )
    )
    return form, b"".join(lines) + draw(HEADERS) + draw(st.sampled_from([b"\n", b"", b"\n\n"])) + draw(
        st.binary(max_size=40)
    )


@QUICK
@given(commits())
def test_every_commit_comes_back(drawn: tuple[GitFormat, bytes]) -> None:
    form, content = drawn
    try:
        links = commit_links(content, form)
    except MalformedError:
        return
    parents = tuple(Oid(parent.ljust(32, b"\1")) for parent in links.parents)
    commit = decode_commit(encode_commit(to_commit(content, links, ROOT, parents)))
    assert format_commit(commit, links) == content
    assert (commit.root, commit.parents) == (ROOT, parents)


@QUICK
@given(FORMATS, st.sampled_from(Kind), PERSONS, HEADERS, st.sampled_from([b"\n", b""]), st.binary(max_size=40), WORDS)
def test_every_tag_comes_back(
    form: GitFormat, kind: Kind, tagger: bytes, headers: bytes, gap: bytes, message: bytes, name: bytes
) -> None:
    git_id = bytes(range(form.size))
    head = b"object %s\ntype %s\ntag %s\ntagger %s\n" % (git_id.hex().encode(), NAMES[kind], name, tagger)
    content = head + headers + gap + message
    try:
        target = tag_target(content, form)
    except MalformedError:
        return
    tag = decode_tag(encode_tag(to_tag(content, target, ROOT.id, kind)))
    assert (target, tag.kind) == (Target(git_id, kind), kind)
    assert format_tag(tag, git_id) == content


def test_what_git_itself_writes_needs_no_copy_of_its_text() -> None:
    links = Links(b"t" * 20, (b"p" * 20,))
    who = b"A U Thor <author@example.com> 1112911993 -0700"
    content = b"tree " + (b"t" * 20).hex().encode() + b"\nparent " + (b"p" * 20).hex().encode() + b"\n"
    content += b"author " + who + b"\ncommitter " + who + b"\nencoding ISO-8859-1\n"
    content += b"mergetag object 1\n type commit\n \n m\ngpgsig -----BEGIN\n \n x\n -----END\n\nGr\xfc\xdfe\n"
    commit = to_commit(content, links, ROOT, (ROOT.id,))
    assert commit.field(RAW_COMMIT) is None
    assert commit.fields == (
        (b"git:mergetag", b"object 1\ntype commit\n\nm"),
        (b"git:gpgsig", b"-----BEGIN\n\nx\n-----END"),
    )
    tag = b"object " + (b"t" * 20).hex().encode() + b"\ntype commit\ntag v1\ntagger " + who + b"\n\nm\n"
    fields = to_tag(tag, tag_target(tag, GitFormat.SHA1), ROOT.id, Kind.COMMIT).fields
    assert RAW_TAG not in dict(fields)


@st.composite
def trees(draw: st.DrawFn) -> tuple[GitFormat, bytes]:
    """Entries of any mode and name in any order, perhaps with something behind them."""
    form = draw(FORMATS)
    modes = st.sampled_from([b"100644", b"100755", b"120000", b"40000", b"160000", b"100664", b"040000", b"7", b"0"])
    names = st.one_of(st.sampled_from([b"", b".", b"..", b"a", b"b", b"a/b", b"%2E"]), st.binary(max_size=4))
    entries = draw(st.lists(st.tuples(modes, names.filter(lambda name: b"\0" not in name)), max_size=6))
    ids = st.binary(min_size=form.size, max_size=form.size)
    written = b"".join(b"%s %s\0%s" % (mode, name, draw(ids)) for mode, name in entries)
    return form, written + draw(st.sampled_from([b"", b"", b"x", b"100644 cut"]))


@QUICK
@given(trees())
@example((GitFormat.SHA1, b""))
def test_every_tree_is_taken_apart_without_a_rest_or_with_one(drawn: tuple[GitFormat, bytes]) -> None:
    form, content = drawn
    parsed = parse_tree(content, form)
    assert b"".join(parsed.entries) + content[len(content) - parsed.rest :] == content
    for entry in parsed.entries:
        assert b"%s %s\0%s" % split_entry(entry, form) == entry


@QUICK
@given(trees())
def test_every_entry_of_an_odd_tree_gets_a_name_of_its_own(drawn: tuple[GitFormat, bytes]) -> None:
    form, content = drawn
    raws = parse_tree(content, form).split(form)
    names = plan_names(raws)
    assert len(set(names)) == len(raws)
    assert [name for name in names if check_name(name) is not None] == []
    first = {name: at for at, (_, name, _) in reversed(list(enumerate(raws)))}
    assert all(names[at] == name for name, at in first.items() if check_name(name) is None)


def test_trees_are_sorted_as_git_sorts_them() -> None:
    git_id = bytes(20)
    entries = [(b"dir", TREE, git_id), (b"dir.c", FILE, git_id), (b"dir0", FILE, git_id), (b"dis", FOREIGN, git_id)]
    names = [
        split_entry(entry, GitFormat.SHA1)[1] for entry in parse_tree(format_tree(entries), GitFormat.SHA1).entries
    ]
    assert names == [b"dir.c", b"dir", b"dir0", b"dis"]
