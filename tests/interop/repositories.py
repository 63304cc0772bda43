"""Repositories with everything that has to survive a way through the vault."""

from __future__ import annotations

from tests.support.git import Git

SIGNATURE = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE\n =abcd\n -----END PGP SIGNATURE-----\n \n"


def fill(git: Git) -> None:
    """Merges, octopuses, tags of all kinds, signatures, renames, every mode, odd names and odd messages."""
    text, script, binary = git.blob(b"text\n"), git.blob(b"#!/bin/sh\n"), git.blob(bytes(range(256)))
    link, empty = git.blob(b"../target"), git.blob(b"")
    module = "ab" * (20 if len(text) == 40 else 32)
    below = git.tree(("100644", b"deep", binary), ("100644", b"empty", empty))
    first = git.tree(("100644", b"README", text))
    second = git.tree(
        ("100644", b".gitmodules", text),
        ("100644", b"LIESMICH", text),
        ("100755", b"caf\xe9", script),
        ("100644", b"dir.c", text),
        ("40000", b"dir", below),
        ("100644", b"dir0", text),
        ("120000", b"link", link),
        ("160000", b"module", module),
    )
    wide = git.tree(*(("100644", b"name-%04d" % number, text) for number in range(300)), ("40000", b"sub", second))
    nothing = git.tree()
    root = git.commit(first)
    renamed = git.commit(second, root, message=b"no line feed at the end")
    other = git.commit(nothing, message=b"\n\n  another root\n\n")
    side = git.commit(wide, root, extra=SIGNATURE, message=b"signed\n")
    tag = git.tag(
        side, "commit", "v1", message=b"one\n-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n"
    )
    merge_tag = b"mergetag object %s\n type commit\n tag v1\n tagger A <a@x> 1 +0000\n \n words\n" % side.encode()
    merge = git.commit(second, renamed, side, extra=merge_tag + SIGNATURE)
    octopus = git.commit(wide, merge, other, root, side, merge)
    latin = git.commit(first, octopus, extra=b"encoding ISO-8859-1\n", message=b"Gr\xfc\xdfe \x00 nul\n")
    late = git.commit(first, latin, extra=SIGNATURE + b"encoding latin1\n", message=b"\xff\n")
    odd = late
    for who in (
        b"Ann <ann@x> 1700000000 -0000",
        b"Ann <ann@x> -1700000000 +051800",
        b"Ann <ann@x> 00012 +0000",
        b"Ann <ann@x> 1 +01",
        b"Ann <ann@x> 99999999999999999999 +0000",
        b"Ann <ann@x>",
        b"Ann",
        b"",
        b"<ann@x> 1 +0000",
        b" <> 1 +0000",
        b"A <b> <c@d> 1 +0000",
        b"Ann\0y <ann@x> 1 +0000",
        b"\xc3\x28 <a@x> 1 +0000",
    ):
        odd = git.commit(first, odd, who=who)
    odd = git.commit(first, odd, extra=b"HG:rename-source hg\nHG:extra amend_source:12%00\nkey\n")
    odd = git.commit(first, odd, extra=b"type snapshot\ncollection lib\n")
    bare = git.hash("commit", b"tree %s\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n" % first.encode())
    doubled = git.hash(
        "commit",
        b"tree %s\nauthor A <a@x> 1 +0000\nauthor B <b@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\nm" % first.encode(),
    )
    for name, git_id in (("main", odd), ("side", side), ("a/b/c", merge), ("bare", bare), ("doubled", doubled)):
        git.point(f"refs/heads/{name}", git_id)
    nested = git.tag(git.tag(tag, "tag", "again"), "tag", "and-again", tagger=None)
    for name, git_id in (
        ("v1", tag),
        ("nested", nested),
        ("of-tree", git.tag(wide, "tree", "of-tree")),
        ("of-blob", git.tag(binary, "blob", "of-blob", tagger=None)),
        ("light", octopus),
        ("light-tree", second),
        ("light-blob", text),
        ("no-message", git.hash("tag", f"object {root}\ntype commit\ntag no-message\n".encode())),
        ("more-headers", git.hash("tag", f"object {root}\ntype commit\ntag x\ntagger A\nmore y\n z\n\nm".encode())),
        ("grüße", root),
    ):
        git.point(f"refs/tags/{name}", git_id)


def fill_oddly(git: Git) -> None:
    """Trees that casvault's canonical form cannot say, over several commits."""
    text, more = git.blob(b"text\n"), git.blob(b"more\n")
    plain = git.tree(("100644", b"f", text))
    group = git.tree(("100664", b"f", text))
    doubled = git.tree(("100644", b"a", text), ("100644", b"a", more), ("40000", b"a", plain))
    misordered = git.tree(("100644", b"b", text), ("100644", b"a", more))
    named = git.tree(
        ("100644", b"", text), ("100644", b".", text), ("100644", b"..", more), ("40000", b"x/y", plain),
        ("100644", b"%2E", git.blob(b"only here\n")), ("100644", b"n" * 5000, git.blob(b"only there\n")),
    )  # fmt: skip
    padded = git.tree(("040000", b"d", plain), ("0100644", b"e", text))
    cut = git.hash("tree", b"100644 f\0" + bytes.fromhex(text) + b"100644 cut off")
    all_of_them = (
        ("40000", b"a", group),
        ("40000", b"b", plain),
        ("40000", b"c", doubled),
        ("40000", b"d", misordered),
    )
    first = git.commit(git.tree(*all_of_them))
    # The same odd trees again, some under other names; then others.
    second = git.commit(git.tree(*all_of_them, ("40000", b"e", named), ("40000", b"f", group)), first)
    wrong = git.tree(("100644", b"file", plain), ("40000", b"tree", text))
    apart = git.commit(git.tree(("40000", b"p", padded), ("40000", b"q", cut), ("40000", b"r", wrong)))
    merge = git.commit(git.tree(*all_of_them, ("40000", b"p", padded)), second, apart)
    back = git.commit(git.tree(("40000", b"b", plain)), merge)
    again = git.commit(git.tree(*all_of_them), back)
    git.point("refs/heads/main", again)
    git.point("refs/heads/apart", apart)
    git.point("refs/tags/tree", git.tag(misordered, "tree", "tree"))
    git.point("refs/tags/light", git.tree(*all_of_them[:1]))
    git.point("refs/tags/commit", git.tag(second, "commit", "commit"))
