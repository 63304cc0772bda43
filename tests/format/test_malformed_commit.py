"""Each rule of commits and tags, broken once."""

from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import MalformedError
from casvault.limits import MAX_FIELDS, MAX_PARENTS, MAX_SIZE
from casvault.objects import (
    FILE,
    FOREIGN,
    LINK,
    TREE,
    Commit,
    Kind,
    Root,
    Signature,
    Tag,
    canonical,
    decode_commit,
    decode_tag,
    encode_commit,
    encode_tag,
)
from tests.support.objects import WHO, commit, numbered_id, tag

ID = numbered_id(1)
ADA = [b"Ada", b"ada@example.org", 0, b"+0000"]
COMMIT = [[TREE, 0, ID], [ID], ADA, ADA, b"message", b"", [[b"key", b"value"]]]
TAG = [Kind.COMMIT, ID, b"v1", ADA, b"message", b"", [[b"key", b"value"]]]

COMMIT_SHAPE = "not [root, parents, author, committer, message, encoding, fields]"
TAG_SHAPE = "not [kind, target, name, tagger, message, encoding, fields]"
SIGNATURE = "a signature is not [name, mail, seconds, zone]"
ZONE = "is not a sign and four to eight digits"


def _with(value: list[Any], position: int, part: Any) -> list[Any]:
    return [*value[:position], part, *value[position + 1 :]]


COMMITS: dict[str, tuple[list[Any], str]] = {
    "a_part_less": (COMMIT[:-1], COMMIT_SHAPE),
    "a_part_more": ([*COMMIT, b""], COMMIT_SHAPE),
    "message_is_nil": (_with(COMMIT, 4, None), COMMIT_SHAPE),
    "message_is_text": (_with(COMMIT, 4, "text"), f"a text string at byte {len(canonical.encode(COMMIT[:4]))}"),
    "root_is_an_id": (_with(COMMIT, 0, ID), COMMIT_SHAPE),
    "root_without_size": (_with(COMMIT, 0, [TREE, ID]), "the root is not [mode, size, id]"),
    "root_mode_is_a_link": (_with(COMMIT, 0, [LINK, 0, ID]), "the root has the mode 150000"),
    "root_mode_is_foreign": (_with(COMMIT, 0, [FOREIGN, 0, ID]), "the root has the mode 160000"),
    "root_mode_unknown": (_with(COMMIT, 0, [0, 0, ID]), "the root has the mode 0"),
    "root_size_negative": (_with(COMMIT, 0, [FILE, -1, ID]), "the size -1 of the root is out of range"),
    "root_size_large": (
        _with(COMMIT, 0, [FILE, MAX_SIZE + 1, ID]),
        f"the size {MAX_SIZE + 1} of the root is out of range",
    ),
    "root_id_short": (_with(COMMIT, 0, [FILE, 0, ID[1:]]), "a root id has 31 bytes, not 32"),
    "parent_short": (_with(COMMIT, 1, [ID, ID[:20]]), "a parent id has 20 bytes, not 32"),
    "parent_is_nil": (_with(COMMIT, 1, [None]), "a parent id is not a binary string"),
    "parents_too_many": (_with(COMMIT, 1, [ID] * (MAX_PARENTS + 1)), f"more than {MAX_PARENTS} parents"),
    "author_is_nil": (_with(COMMIT, 2, None), COMMIT_SHAPE),
    "author_without_zone": (_with(COMMIT, 2, ADA[:3]), SIGNATURE),
    "committer_time_is_bytes": (_with(COMMIT, 3, _with(ADA, 2, b"0")), SIGNATURE),
    "author_name_breaks_the_line": (
        _with(COMMIT, 2, _with(ADA, 0, b"A\nB")),
        "a line break or NUL in the name or mail b'A\\nB'",
    ),
    "committer_mail_has_nul": (
        _with(COMMIT, 3, _with(ADA, 1, b"a\0")),
        "a line break or NUL in the name or mail b'a\\x00'",
    ),
    "author_time_large": (_with(COMMIT, 2, _with(ADA, 2, 1 << 63)), f"the time {1 << 63} is out of range"),
    "zone_without_sign": (_with(COMMIT, 2, _with(ADA, 3, b"0000")), f"the zone b'0000' {ZONE}"),
    "zone_short": (_with(COMMIT, 2, _with(ADA, 3, b"+000")), f"the zone b'+000' {ZONE}"),
    "zone_long": (_with(COMMIT, 2, _with(ADA, 3, b"+000000000")), f"the zone b'+000000000' {ZONE}"),
    "zone_with_line_break": (_with(COMMIT, 3, _with(ADA, 3, b"+0000\n")), f"the zone b'+0000\\n' {ZONE}"),
    "encoding_breaks_the_line": (_with(COMMIT, 5, b"latin\n1"), "a line break or NUL in the encoding b'latin\\n1'"),
    "field_without_value": (_with(COMMIT, 6, [[b"key"]]), "a field is not [key, value]"),
    "field_is_no_array": (_with(COMMIT, 6, [b"key"]), "a field is not [key, value]"),
    "field_value_is_integer": (_with(COMMIT, 6, [[b"key", 1]]), "a field is not [key, value]"),
    "field_key_empty": (_with(COMMIT, 6, [[b"", b""]]), "the field key b'' is empty or has a line break or NUL"),
    "field_key_has_nul": (
        _with(COMMIT, 6, [[b"a\0", b""]]),
        "the field key b'a\\x00' is empty or has a line break or NUL",
    ),
    "fields_too_many": (_with(COMMIT, 6, [[b"a", b""]] * (MAX_FIELDS + 1)), f"more than {MAX_FIELDS} fields"),
}

TAGS: dict[str, tuple[list[Any], str]] = {
    "a_part_less": (TAG[:-1], TAG_SHAPE),
    "empty": ([], TAG_SHAPE),
    "kind_is_bytes": (_with(TAG, 0, b""), TAG_SHAPE),
    "kind_zero": (_with(TAG, 0, 0), "the unknown kind 0 of the target"),
    "kind_unknown": (_with(TAG, 0, 5), "the unknown kind 5 of the target"),
    "target_short": (_with(TAG, 1, ID[:20]), "the id of the target has 20 bytes, not 32"),
    "name_empty": (_with(TAG, 2, b""), "the name b'' is empty or has a line break or NUL"),
    "name_breaks_the_line": (_with(TAG, 2, b"a\n"), "the name b'a\\n' is empty or has a line break or NUL"),
    "name_has_nul": (_with(TAG, 2, b"a\0"), "the name b'a\\x00' is empty or has a line break or NUL"),
    "tagger_is_bytes": (_with(TAG, 3, b""), TAG_SHAPE),
    "tagger_without_zone": (_with(TAG, 3, ADA[:3]), SIGNATURE),
    "tagger_zone": (_with(TAG, 3, _with(ADA, 3, b"Z")), f"the zone b'Z' {ZONE}"),
    "message_is_text": (_with(TAG, 4, "text"), f"a text string at byte {len(canonical.encode(TAG[:4]))}"),
    "field_key_empty": (_with(TAG, 6, [[b"", b""]]), "the field key b'' is empty or has a line break or NUL"),
    "field_without_value": (_with(TAG, 6, [[b"key"]]), "a field is not [key, value]"),
}


@pytest.mark.parametrize(("value", "message"), COMMITS.values(), ids=COMMITS.keys())
def test_decode_commit_broken_rule(value: list[Any], message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_commit(canonical.encode(value))
    assert f"commit: {message}" == str(caught.value)


@pytest.mark.parametrize(("value", "message"), TAGS.values(), ids=TAGS.keys())
def test_decode_tag_broken_rule(value: list[Any], message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_tag(canonical.encode(value))
    assert f"tag: {message}" == str(caught.value)


def test_decode_tag_encoding_breaks_the_line() -> None:
    with pytest.raises(MalformedError, match="a line break or NUL in the encoding"):
        decode_tag(canonical.encode(_with(TAG, 5, b"latin\n1")))


@pytest.mark.parametrize("value", [COMMIT, _with(COMMIT, 1, [])])
def test_decode_commit_well_formed(value: list[Any]) -> None:
    data = canonical.encode(value)
    assert data == encode_commit(decode_commit(data))


@pytest.mark.parametrize("value", [TAG, _with(TAG, 3, None)])
def test_decode_tag_well_formed(value: list[Any]) -> None:
    data = canonical.encode(value)
    assert data == encode_tag(decode_tag(data))


BAD_COMMITS = [
    commit()._replace(root=Root(LINK, 0, ID)),
    commit()._replace(root=Root(FILE, -1, ID)),
    commit()._replace(parents=(ID,) * (MAX_PARENTS + 1)),
    commit()._replace(author=WHO._replace(zone=b"UTC")),
    commit()._replace(committer=Signature(b"a\nb", b"", 0, b"+0000")),
    commit()._replace(committer=WHO._replace(seconds=-(1 << 63) - 1)),
    commit()._replace(encoding=b"\0"),
    commit()._replace(fields=((b"", b""),)),
]
BAD_TAGS = [
    tag(b""),
    tag()._replace(tagger=WHO._replace(mail=b"\n")),
    tag()._replace(fields=((b"a\nb", b""),)),
]


@pytest.mark.parametrize("bad", BAD_COMMITS)
def test_encode_commit_that_could_not_be_read(bad: Commit) -> None:
    with pytest.raises(MalformedError, match=r"^commit: "):
        encode_commit(bad)


@pytest.mark.parametrize("bad", BAD_TAGS)
def test_encode_tag_that_could_not_be_read(bad: Tag) -> None:
    with pytest.raises(MalformedError, match=r"^tag: "):
        encode_tag(bad)
