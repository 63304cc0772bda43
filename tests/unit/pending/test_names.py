from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casvault.oid import blob_id
from casvault.pending import handle_of, pending_ref
from casvault.refs.view import check_ref_name

KEYS = st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=4)


def test_pending_ref_has_a_name_for_each_part_of_the_key() -> None:
    assert pending_ref([b"app", b".hidden", b"lib", b"notes/a b"]) == b"merges/app/.hidden/lib/notes%2Fa b"


@given(KEYS)
def test_pending_ref_of_any_key_can_be_a_ref(key: list[bytes]) -> None:
    check_ref_name(pending_ref(key))


@given(KEYS, KEYS)
def test_pending_refs_differ_where_keys_do(one: list[bytes], other: list[bytes]) -> None:
    assert (pending_ref(one) == pending_ref(other)) == (one == other)


def test_handle_is_the_beginning_of_the_hash_of_the_ref() -> None:
    ref = pending_ref([b"app", b"notes"])
    assert handle_of(ref) == blob_id(b"merges/app/notes").hex()[:8]
