"""Transactions for embedders, in memory."""

from __future__ import annotations

import threading

import pytest

from casvault import Origin, Vault
from casvault.errors import CasvaultError, NotFoundError, RefusedError, StaleError, UsageError
from casvault.objects import EXECUTABLE, FILE, Root
from casvault.oid import Oid, blob_id
from tests.story.scene import Scene


@pytest.fixture
def vault() -> Vault:
    vault = Vault.in_memory()
    put(vault, "skills/a", b"a")
    return vault


def put(vault: Vault, path: str, content: bytes) -> None:
    with vault.transaction() as tx:
        tx.collection("lib").put(path, content)


def commit(vault: Vault, text: bytes) -> Oid:
    """A commit that a ref keeps."""
    with vault.transaction() as tx:
        oid = tx.write_commit(tx.write_directory({"f": text}))
        tx.set_ref(f"kept/{oid.short}", oid)
    return oid


def artifacts(vault: Vault) -> dict[str, bytes]:
    return {path: vault.read_files("lib", path)[""] for path, _ in vault.iter_artifacts("lib")}


def test_transaction_writes_are_there_at_its_end_and_not_before(vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/b", b"b")
        during = artifacts(vault)
    assert (during, artifacts(vault)) == ({"skills/a": b"a"}, {"skills/a": b"a", "skills/b": b"b"})


def test_transaction_that_raises_leaves_nothing(vault: Vault) -> None:
    refs = vault.refs()
    with pytest.raises(ZeroDivisionError), vault.transaction() as tx:  # noqa: PT012
        tx.collection("lib").put("skills/b", b"unique content")
        raise ZeroDivisionError
    assert vault.refs() == refs
    assert vault.reader.find_infos([blob_id(b"unique content")]) == [None]


def test_transaction_without_changes_is_no_operation(vault: Vault) -> None:
    count = len(vault.operations())
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/a", b"a")
    assert tx.outcome is not None
    assert (tx.outcome.operation, len(vault.operations())) == (None, count)


def test_transaction_over_several_refs_and_collections_is_one_operation(vault: Vault) -> None:
    count = len(vault.operations())
    with vault.transaction("all at once", kind="import") as tx:
        tx.collection("lib").put("skills/b", b"b")
        tx.collection("models").put("models/m", {"weights": b"w", "deep/card.md": b"# m"})
        oid = tx.write_commit(tx.write_directory({"f": b"f"}), (), "hello")
        for name in ("branches/main", "tags/v1"):
            tx.set_ref(name, oid)
    assert [name for name, _ in vault.refs()] == ["branches/main", "collections/lib", "collections/models", "tags/v1"]
    assert vault.read_files("models", "models/m") == {"weights": b"w", "deep/card.md": b"# m"}
    newest = vault.operations(1)[0]
    assert (len(vault.operations()), newest.kind, newest.message) == (count + 1, "import", "all at once")


def test_transaction_is_planned_anew_on_what_others_did_elsewhere(vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/mine", b"mine")
        tx.set_ref("branches/mine", tx.write_commit(tx.write_directory({})))
        put(vault, "skills/theirs", b"theirs")
    assert artifacts(vault) == {"skills/a": b"a", "skills/mine": b"mine", "skills/theirs": b"theirs"}
    snapshots = [entry.parents for entry in vault.log("lib")]
    assert [len(parents) for parents in snapshots] == [1, 1, 0]


@pytest.mark.parametrize("mine", [b"mine", None])
def test_transaction_same_artifact_changed_by_another_is_stale(vault: Vault, mine: bytes | None) -> None:
    with pytest.raises(StaleError, match="skills/a"), vault.transaction() as tx:  # noqa: PT012
        tx.set_ref("branches/mine", tx.write_commit(tx.write_directory({})))
        if mine is None:
            tx.collection("lib").remove("skills/a")
        else:
            tx.collection("lib").put("skills/a", mine)
        put(vault, "skills/a", b"theirs")
    assert (artifacts(vault), vault.find_ref("branches/mine")) == ({"skills/a": b"theirs"}, None)


def test_transaction_same_change_by_another_is_success(vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/a", b"same")
        put(vault, "skills/a", b"same")
    assert tx.outcome is not None
    assert (tx.outcome.operation, artifacts(vault)) == (None, {"skills/a": b"same"})


def test_transaction_new_artifact_added_by_another_too_is_stale(vault: Vault) -> None:
    with pytest.raises(StaleError), vault.transaction() as tx:  # noqa: PT012
        tx.collection("lib").put("skills/n", b"mine")
        put(vault, "skills/n", b"theirs")
    assert artifacts(vault)["skills/n"] == b"theirs"


def test_transaction_ref_moved_by_another_is_stale(vault: Vault) -> None:
    one, two, three = (commit(vault, text) for text in (b"1", b"2", b"3"))
    with vault.transaction() as tx:
        tx.set_ref("branches/main", one)
    with pytest.raises(StaleError, match="branches/main"), vault.transaction() as tx:  # noqa: PT012
        tx.set_ref("branches/main", two)
        with vault.transaction() as other:
            other.set_ref("branches/main", three)
    assert vault.find_ref("branches/main") == three


def test_transaction_ref_moved_by_another_to_the_same_is_success(vault: Vault) -> None:
    one = commit(vault, b"1")
    with vault.transaction() as tx:
        tx.set_ref("branches/main", one)
        with vault.transaction() as other:
            other.set_ref("branches/main", one)
    assert vault.find_ref("branches/main") == one


def test_transaction_ref_set_twice_expects_what_was_there_first(vault: Vault) -> None:
    one, two = commit(vault, b"1"), commit(vault, b"2")
    with vault.transaction() as tx:
        tx.set_ref("branches/main", one)
        tx.set_ref("branches/main", two)
    with vault.transaction() as tx:
        tx.set_ref("branches/main", None)
    assert vault.find_ref("branches/main") is None


@pytest.mark.parametrize("name", ["collections/x", "projects/x", "merges/x"])
def test_set_ref_of_a_collection_project_or_merge(vault: Vault, name: str) -> None:
    oid = commit(vault, b"1")
    with pytest.raises(UsageError, match="not changed by hand"), vault.transaction() as tx:
        tx.set_ref(name, oid)


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "a/../b", ".", "a\0b"])
def test_set_ref_of_a_name_that_is_none(vault: Vault, name: str) -> None:
    oid = commit(vault, b"1")
    with pytest.raises(UsageError), vault.transaction() as tx:
        tx.set_ref(name, oid)


def test_set_ref_in_the_place_of_a_directory_of_refs(vault: Vault) -> None:
    oid = commit(vault, b"1")
    with pytest.raises(RefusedError, match="below this name"), vault.transaction() as tx:
        tx.set_ref("kept", oid)
    assert vault.find_ref(f"kept/{oid.short}") == oid


@pytest.mark.parametrize("name", ["collections", "projects"])
def test_set_ref_in_the_place_of_all_collections(name: str) -> None:
    vault = Vault.in_memory()
    with pytest.raises(UsageError), vault.transaction() as tx:
        tx.set_ref(name, tx.write_commit(tx.write_directory({})))


def test_set_ref_to_what_is_no_commit(vault: Vault) -> None:
    with pytest.raises(UsageError, match="commit or tag"), vault.transaction() as tx:
        tx.set_ref("branches/main", blob_id(b"a"))


def test_remove_artifact_that_is_not_there(vault: Vault) -> None:
    with pytest.raises(NotFoundError, match="no such artifact"), vault.transaction() as tx:
        tx.collection("lib").remove("skills/none")


def test_remove_and_put_again_is_a_recreation(vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.collection("lib").remove("skills/a")
    put(vault, "skills/a", b"again")
    found = [entry.origin for entry in vault.lineage("skills/a")]
    assert found == [Origin.RECREATE, Origin.IMPORT]


def test_remove_what_the_same_transaction_has_put(vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/b", b"b")
        tx.collection("lib").remove("skills/b")
    assert artifacts(vault) == {"skills/a": b"a"}


@pytest.mark.xfail(strict=True, reason="states are taken as they come: a blob that is nowhere, a size that is wrong")
@pytest.mark.parametrize("state", [Root(FILE, 5, blob_id(b"nowhere")), Root(FILE, 99, blob_id(b"a"))])
def test_put_state_that_the_vault_does_not_hold(vault: Vault, state: Root) -> None:
    """The transaction succeeded, and fsck found damage."""
    with pytest.raises(CasvaultError), vault.transaction() as tx:
        tx.collection("lib").put("skills/b", state)


def test_put_over_a_directory_of_artifacts(vault: Vault) -> None:
    with pytest.raises(CasvaultError), vault.transaction() as tx:
        tx.collection("lib").put("skills", b"x")


def test_put_below_an_artifact(vault: Vault) -> None:
    with pytest.raises(RefusedError, match="not a directory"), vault.transaction() as tx:
        tx.collection("lib").put("skills/a/b", b"x")


def test_collection_that_lives_in_a_directory(scene: Scene) -> None:
    vault = scene.vault()
    with pytest.raises(UsageError, match="lives in a directory"), vault.transaction() as tx:
        tx.collection("lib")


def test_write_directory_states_and_modes(vault: Vault) -> None:
    with vault.transaction() as tx:
        script = Root(EXECUTABLE, 2, tx.write_blob(b"#!"))
        streamed = tx.write_stream(iter([b"big ", b"file"]))
        tx.collection("lib").put("skills/d", {"run": script, "data": streamed, "deep/er/x": b"", "deep/y": b"y"})
    lines = [(line.path, oct(line.mode), line.size) for line in vault.ls_tree("skills/d:", recursive=True)]
    assert lines == [
        ("data", "0o100644", 8),
        ("deep/er/x", "0o100644", 0),
        ("deep/y", "0o100644", 1),
        ("run", "0o100755", 2),
    ]


def test_paths_of_any_bytes_round_trip(vault: Vault) -> None:
    name = "skills/\udcff \udc80"
    put(vault, name, b"odd")
    assert vault.read_files("lib", name) == {"": b"odd"}


def test_read_files_of_what_is_not_there(vault: Vault) -> None:
    for collection, path in (("lib", "skills/none"), ("none", "skills/a")):
        with pytest.raises(NotFoundError):
            vault.read_files(collection, path)


def test_threads_each_with_transactions_of_their_own(vault: Vault) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(5):
                put(vault, f"skills/{name}{number}", name.encode())
        except CasvaultError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, len(artifacts(vault)), len(vault.operations())) == ([], 16, 16)
