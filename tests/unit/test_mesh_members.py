"""Whom a node trusts: what people decide, and where members are, over restarts and with damaged files."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.members import Member, Members, Origin
from mesh.trust import store as store_module
from mesh.trust.addresses import MAX_ADDRESSES
from mesh.trust.folder import FolderInUse, FolderUnusable, folder_of, taken
from mesh.trust.store import MemberStore, NotTrusted
from shared.address import Address
from shared.errors import SettingsInvalid
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey

HERE, THERE = Address("10.0.0.5", 5060), Address("10.0.0.6", 5060)

Reopen = Callable[[], MemberStore]


@pytest.fixture(scope="module")
def me() -> KeyPair:
    return KeyPair.make()


@pytest.fixture(scope="module")
def ana() -> PublicKey:
    return KeyPair.make().public


@pytest.fixture(scope="module")
def ben() -> PublicKey:
    return KeyPair.make().public


@pytest.fixture
def reopen(tmp_path: Path, me: KeyPair) -> Reopen:
    """The store as the next start of the node finds it."""
    return lambda: MemberStore(tmp_path, me.public.id)


@pytest.fixture
def store(reopen: Reopen) -> MemberStore:
    return reopen()


def names(store: MemberStore) -> dict[str, Origin]:
    return {member.name: member.origin for member in store.all().values()}


class TestPeople:
    def test_who_is_paired_is_a_member_from_then_on(
        self, store: MemberStore, reopen: Reopen, ana: PublicKey
    ) -> None:
        members: Members = store
        store.pair(ana, "ana", [HERE])

        assert members.all() == {ana.id: Member(ana, "ana", Origin.PAIRED, (HERE,))}
        assert reopen().all() == members.all()

    def test_who_is_unpaired_is_none_any_more(
        self, store: MemberStore, reopen: Reopen, ana: PublicKey
    ) -> None:
        store.pair(ana, "ana")

        assert store.unpair(ana.id) is None
        assert not store.all()
        assert not reopen().all()
        with pytest.raises(NotTrusted, match="no such node"):
            store.unpair(ana.id)

    def test_who_is_blocked_is_no_member_and_cannot_be_paired(
        self, store: MemberStore, reopen: Reopen, ana: PublicKey
    ) -> None:
        store.pair(ana, "ana")
        store.block(ana.id)
        store = reopen()

        assert not store.all()
        assert store.blocked() == {ana.id: "ana"}
        with pytest.raises(NotTrusted, match="blocked here"):
            store.pair(ana, "ana")
        store.unblock(ana.id)
        store.pair(ana, "ana")
        assert names(reopen()) == {"ana": Origin.PAIRED}
        with pytest.raises(NotTrusted, match="not blocked"):
            store.unblock(ana.id)

    def test_a_stranger_can_be_blocked(self, store: MemberStore, reopen: Reopen, ben: PublicKey) -> None:
        store.block(ben.id)

        assert reopen().blocked() == {ben.id: ""}

    def test_a_node_is_not_its_own_member(self, store: MemberStore, me: KeyPair) -> None:
        with pytest.raises(NotTrusted, match="with itself"):
            store.pair(me.public, "me")
        with pytest.raises(NotTrusted, match="block itself"):
            store.block(me.public.id)

    @pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "ä", "a\n"])
    def test_nobody_is_taken_whose_name_could_not_be_read_again(
        self, store: MemberStore, reopen: Reopen, ana: PublicKey, name: str
    ) -> None:
        with pytest.raises(NotTrusted, match="a name that no node can have"):
            store.pair(ana, name)
        assert not reopen().all()

    def test_there_are_not_more_members_than_the_mesh_can_take(
        self, store: MemberStore, ana: PublicKey, ben: PublicKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "MAX_MEMBERS", 1)
        store.pair(ana, "ana")
        with pytest.raises(NotTrusted, match="members already"):
            store.pair(ben, "ben")
        store.pair(ana, "anna")  # she has another name now

        assert names(store) == {"anna": Origin.PAIRED}

    def test_changes_are_told_once_they_count(self, store: MemberStore, ana: PublicKey) -> None:
        seen: list[int] = []
        store.watch(lambda: seen.append(len(store.all())))
        store.pair(ana, "ana")
        store.block(ana.id)

        assert seen == [1, 0]

    def test_what_could_not_be_written_has_not_happened(
        self, store: MemberStore, reopen: Reopen, ana: PublicKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_path: Path, _data: bytes) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as disk:
            disk.setattr("mesh.trust.record.write_whole", full)
            with pytest.raises(FolderUnusable, match="No space left"):
                store.pair(ana, "ana")

        assert not store.all()
        assert not reopen().all()


class TestAddresses:
    def test_a_member_is_remembered_where_it_was_last(
        self, store: MemberStore, reopen: Reopen, ana: PublicKey
    ) -> None:
        store.pair(ana, "ana", [HERE, THERE])
        store.found(ana.id, HERE)
        asyncio.run(store.keep_addresses())

        assert store.all()[ana.id].addresses == (THERE, HERE)
        assert reopen().all()[ana.id].addresses == (THERE, HERE)

    def test_only_a_new_address_is_news(self, store: MemberStore, ana: PublicKey) -> None:
        store.pair(ana, "ana", [HERE])
        seen: list[None] = []
        store.watch(lambda: seen.append(None))
        for address in (HERE, THERE, HERE, THERE):
            store.found(ana.id, address)

        assert len(seen) == 1

    def test_nobody_is_everywhere(self, store: MemberStore, ana: PublicKey) -> None:
        store.pair(ana, "ana", [Address("0.0.0.0", 5060)])
        store.found(ana.id, Address("::", 5060))

        assert store.all()[ana.id].addresses == ()

    def test_who_is_no_member_has_none(
        self, store: MemberStore, tmp_path: Path, ana: PublicKey, ben: PublicKey
    ) -> None:
        store.found(ben.id, HERE)
        store.pair(ana, "ana", [HERE])
        store.block(ana.id)
        asyncio.run(store.keep_addresses())

        assert json.loads((tmp_path / store_module.ADDRESSES).read_text()) == {}

    def test_a_member_that_claims_to_be_everywhere_fills_nothing(
        self, store: MemberStore, ana: PublicKey
    ) -> None:
        store.pair(ana, "ana")
        for port in range(1, 100):
            store.found(ana.id, Address("10.0.0.9", port))

        assert len(store.all()[ana.id].addresses) == MAX_ADDRESSES
        assert store.all()[ana.id].addresses[-1].port == 99

    @pytest.mark.parametrize("content", [b"", b"[]", b'{"x": []}', b"\xff", b"{" * 10_000])
    def test_without_them_a_node_starts_all_the_same(
        self, store: MemberStore, reopen: Reopen, tmp_path: Path, ana: PublicKey, content: bytes
    ) -> None:
        store.pair(ana, "ana", [HERE])
        (tmp_path / store_module.ADDRESSES).write_bytes(content)

        assert reopen().all()[ana.id].addresses == ()


class TestFiles:
    def test_they_are_for_their_user_alone(self, store: MemberStore, tmp_path: Path, ana: PublicKey) -> None:
        store.pair(ana, "ana", [HERE])

        assert {path.name for path in tmp_path.iterdir()} == {"members.json", "addresses.json"}
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())

    @pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
    def test_what_others_could_have_written_is_not_believed(
        self, store: MemberStore, reopen: Reopen, tmp_path: Path, ana: PublicKey
    ) -> None:
        store.pair(ana, "ana")
        (tmp_path / store_module.FILE).chmod(0o666)

        with pytest.raises(FolderUnusable, match="other users of this machine"):
            reopen()

    @pytest.mark.parametrize(
        "change",
        [
            {"paired": [{"key": "AAAA", "name": "ana"}]},
            {"paired": [{"key": "x", "name": "ana"}]},
            {"paired": [5]},
            {"blocked": {"x": "ana"}},
            {"blocked": []},
            {"rosters": {str(KeyId(bytes(32))): [1]}},
            {"rosters": {str(KeyId(bytes(32))): [1.5, 2]}},
            {"federation": 5},
        ],
    )
    def test_a_damaged_one_is_said_and_never_replaced(
        self, store: MemberStore, reopen: Reopen, tmp_path: Path, ana: PublicKey, change: dict[str, object]
    ) -> None:
        store.pair(ana, "ana")
        path = tmp_path / store_module.FILE
        damaged = json.dumps({**json.loads(path.read_text()), **change})
        path.write_text(damaged)

        with pytest.raises(FolderUnusable, match=r"members\.json, which says whom this node trusts"):
            reopen()
        assert path.read_text() == damaged

    @given(
        st.binary(max_size=50)
        | st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["paired", "blocked", "rosters", "federation", "key", "name"]), inner
                )
            ),
        ).map(lambda value: json.dumps(value).encode())
        | st.just(b"[" * 100_000)
    )
    def test_whatever_stands_in_them_is_read_or_said(
        self, tmp_path_factory: pytest.TempPathFactory, me: KeyPair, content: bytes
    ) -> None:
        folder = tmp_path_factory.mktemp("node")
        for name in (store_module.FILE, store_module.ADDRESSES):
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        try:
            store = MemberStore(folder, me.public.id)
        except FolderUnusable:
            return
        assert not store.all()

    def test_nobody_has_a_name_that_could_be_a_path(
        self, store: MemberStore, reopen: Reopen, tmp_path: Path, ana: PublicKey
    ) -> None:
        store.pair(ana, "ana")
        path = tmp_path / store_module.FILE
        path.write_text(path.read_text().replace('"ana"', '"../ana"'))

        with pytest.raises(FolderUnusable, match="is no name of a node"):
            reopen()

    def test_a_folder_is_for_one_process_at_a_time(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "client-1")
        program = (
            "import sys; from pathlib import Path; from mesh.trust.folder import taken\n"
            "with taken(Path(sys.argv[1])): print('has it', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"has it\n"
            with pytest.raises(FolderInUse, match="Another process is the node client-1"), taken(folder):
                pass
            process.kill()
        with taken(folder):
            assert folder.stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("name", ["", "..", "a/b", "x" * 65])
    def test_a_folder_has_the_name_of_a_client(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SettingsInvalid):
            folder_of(tmp_path, name)

    def test_a_folder_that_cannot_be_made_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "mesh").write_text("a file")

        with pytest.raises(FolderUnusable, match="cannot be used"), taken(folder_of(tmp_path, "client-1")):
            pass
