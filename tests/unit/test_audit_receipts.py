"""Receipts that clients have kept, against a log from which their replies were left out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.audit.entry import Kind
from app.audit.receipts import ReceiptFile
from app.audit.verify import NotVerified, entries_of, verify
from app.store.store import Store
from app.store.urls import default_url
from shared.security.digest import Digests
from shared.security.key_id import KeyId
from shared.security.receipts import Receipt, ReceiptInvalid
from shared.security.seals import Accepted, Update
from tests.support import sealing
from tests.support.audit import a_key, opened
from tests.support.judged_replies import RUN, Entries, Server, a_run, signed_anew
from tests.support.waiting import wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path)) as store:
        yield store


@pytest.fixture
def server(store: Store) -> Server:
    return Server(store)


def receipts_in(data: bytes) -> list[Receipt]:
    """What clients have got of a log."""
    found = []
    for entry in entries_of(opened(data)):
        fields = entry.fields
        if entry.kind == Kind.UPDATE_JUDGED and fields["receipt"] is not None:
            signed, digests = fields["signed"], fields["digests"]
            update = Update(
                server=a_key().public.id,
                run_id=int(signed["run"], 16),
                round=signed["round"],
                message_id=fields["message"],
                client_id=fields["client"],
                client=KeyId.parse(fields["key"]),
                sequence=signed["sequence"],
                digests=Digests(bytes.fromhex(digests["skeleton"]), bytes.fromhex(digests["arrays"])),
                base=bytes.fromhex(signed["base"]),
            )
            accepted = Accepted(update, fields["receipt"]["time_us"])
            signature, of_client = fields["receipt"]["signature"], signed["signature"]
            found.append(
                Receipt(a_key().public, accepted, bytes.fromhex(signature), bytes.fromhex(of_client))
            )
    return found


def kept(path: Path, receipts: Iterable[Receipt]) -> ReceiptFile:
    """The file of a client, read as an auditor does."""
    path.write_text("".join(receipt.as_line() for receipt in receipts))
    return ReceiptFile.read(path)


class TestReceipts:
    @pytest.fixture
    def data(self, server: Server) -> bytes:
        return a_run(server)

    @pytest.fixture
    def file(self, data: bytes, tmp_path: Path) -> ReceiptFile:
        of_one = [r for r in receipts_in(data) if r.accepted.update.client_id == "client-1"]
        return kept(tmp_path / "client-1.jsonl", of_one)

    def test_those_of_an_honest_log_are_all_in_it(self, data: bytes, file: ReceiptFile) -> None:
        (said,) = verify(opened(data), receipts=[file]).receipts

        assert said == f"The 2 replies of which {file.path} holds receipts are in the log."

    def test_a_verdict_that_the_log_leaves_out_is_found_though_all_of_it_was_signed_anew(
        self, data: bytes, file: ReceiptFile, tmp_path: Path
    ) -> None:
        def leave_out(entries: Entries) -> None:
            """An evaluation would be in no model either."""
            places = [n for n, (kind, _) in enumerate(entries) if kind == Kind.AGGREGATED]
            del entries[places[1]]
            accepted = [
                n
                for n, (kind, fields) in enumerate(entries)
                if kind == Kind.UPDATE_JUDGED and fields["verdict"] == "accepted"
            ]
            del entries[accepted[2]]

        anew = signed_anew(data, leave_out, tmp_path / "anew")
        verify(opened(anew))

        with pytest.raises(NotVerified, match="leaves out 1 reply") as found:
            verify(opened(anew), receipts=[file])
        assert f"client-1 to m5 in round 2 of run {RUN}" in str(found.value)

    def test_a_client_that_the_log_does_not_know_is_found(
        self, data: bytes, file: ReceiptFile, tmp_path: Path
    ) -> None:
        def leave_out(entries: Entries) -> None:
            entries[:] = [
                each for each in entries if each[0] != Kind.AGGREGATED and each[1].get("client") != "client-1"
            ]

        anew = signed_anew(data, leave_out, tmp_path / "anew")

        with pytest.raises(NotVerified, match="leaves out that client-1 has joined"):
            verify(opened(anew), receipts=[file])

    def test_those_that_are_newer_than_the_file_are_told_and_no_fault(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.reply()
        before = server.exported()
        newest = server.log.newest
        assert newest is not None
        wait_until(lambda: time.time() * 1000 > newest.time + 1, "time goes on")
        server.reply()
        file = kept(tmp_path / "client-1.jsonl", receipts_in(server.exported()))

        (said,) = verify(opened(before), receipts=[file]).receipts

        assert said.endswith("are in the log; 1 are newer than the log.")

    def test_one_that_the_server_has_not_signed_proves_nothing(
        self, data: bytes, file: ReceiptFile, tmp_path: Path
    ) -> None:
        first = file.receipts[0]
        made_up = replace(first, accepted=replace(first.accepted, time_us=1))

        with pytest.raises(NotVerified, match="proves nothing"):
            verify(opened(data), receipts=[kept(tmp_path / "made-up.jsonl", [made_up])])

    def test_those_of_another_server_say_nothing_of_this_one(self, data: bytes, tmp_path: Path) -> None:
        other = replace(receipts_in(data)[0], server=sealing.a_key("client-2").public)

        with pytest.raises(NotVerified, match="no receipt of the server"):
            verify(opened(data), receipts=[kept(tmp_path / "other.jsonl", [other])])

    def test_a_line_that_is_still_being_written_is_left_out_and_one_that_is_none_is_named(
        self, data: bytes, file: ReceiptFile
    ) -> None:
        whole = file.path.read_text()
        file.path.write_text(whole[:-10])
        assert len(ReceiptFile.read(file.path).receipts) == 1

        file.path.write_text(f"{whole[:-10]}\n")
        with pytest.raises(ReceiptInvalid, match="line 2"):
            ReceiptFile.read(file.path)
