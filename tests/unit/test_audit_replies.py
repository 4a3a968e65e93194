"""What the log tells of replies is what clients have signed, also if a server has signed all of it anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.audit.entry import Kind
from app.audit.judged import MAX_DETAIL
from app.audit.log import AuditLog
from app.audit.receipts import ReceiptFile
from app.audit.verify import NotVerified, entries_of, verify
from app.event_bus import EventBus
from app.federation.link.clients import ClientRegistry
from app.federation.link.judging import ReplyRefused, SealedReply
from app.federation.link.task import Task
from app.federation.link.verdicts import Verdicts
from app.records import Verdict
from app.store.store import Store
from app.store.urls import default_url
from shared.app_host.serialised import Serialised
from shared.chunks import opening
from shared.proto.link_pb2 import Seal
from shared.security.digest import Digests
from shared.security.key_id import KeyId
from shared.security.receipts import Receipt, ReceiptInvalid
from shared.security.seals import Accepted, Update
from tests.support import sealing
from tests.support.audit import a_key, begin, exported, opened, write
from tests.support.records import a_hello
from tests.support.sealing import FakeContent, sealed_reply
from tests.support.waiting import wait_until

RUN_ID = 0xAB
RUN = f"{RUN_ID:08x}"
PAIR = ("client-1", "client-2")
Entries = list[tuple[str, dict[str, Any]]]


def a_task(message_id: str, client_id: str, round_: int, model: bytes) -> Task:
    def unused(*_: object, **__: object) -> None:
        raise AssertionError("nobody is told")

    return Task(
        RUN_ID,
        message_id,
        client_id,
        "train",
        round_,
        opening(message_id, b"x", 1, []),
        FakeContent(arrays=(model,)),
        1 << 30,
        on_reply=unused,
        on_failure=unused,
        on_away=unused,
        on_back=unused,
    )


class Server:
    """What judges replies, and enters that in a log with two clients."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.log = AuditLog.open(store, a_key())
        begin(self.log)
        bus = EventBus()
        registry = ClientRegistry(bus)
        for client_id in PAIR:
            registry.connected(a_hello(client_id), str(sealing.a_key(client_id).public.id))
            self.log.joined(client_id, sealing.a_key(client_id).public)
        self.verdicts = Verdicts(bus, registry, a_key(), {}, lambda *_: True, self.log)
        self._sequence = 0

    def reply(
        self,
        client_id: str = "client-1",
        round_: int = 1,
        *,
        verdict: Verdict = Verdict.ACCEPTED,
        model: bytes | None = None,
        change: Callable[[SealedReply], SealedReply] = lambda reply: reply,
        **signed: Any,
    ) -> str:
        """A reply comes in and is judged; returns its digest. `change`: on the way."""
        self._sequence += 1
        task = a_task(f"m{self._sequence}", client_id, round_, model or f"model {round_}".encode())
        said = {"sequence": self._sequence, "server": a_key().public.id, **signed}
        reply = change(sealed_reply(task, Serialised(b"reply %d" % self._sequence), **said))
        with suppress(ReplyRefused):
            self.verdicts.judged(self.verdicts.examine(task, reply), verdict, "in words")
        return reply.digests.combined.hex()

    def aggregate(self, round_: int, *updates: tuple[str, str], before: str = "", after: str = "") -> None:
        """The server has made a model of these."""
        self.log.record(
            Kind.AGGREGATED,
            run=RUN,
            round=round_,
            strategy="fedavg",
            before=before or f"{round_ - 1:064x}",
            after=after or f"{round_:064x}",
            updates=[{"client": client, "digest": digest, "samples": 1} for client, digest in updates],
            kept=False,
        )

    def exported(self) -> bytes:
        write(self.log, self.store)
        return exported(self.store)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path)) as store:
        yield store


@pytest.fixture
def server(store: Store) -> Server:
    return Server(store)


def a_run(server: Server) -> bytes:
    """Two rounds by two clients; a reply that came to nothing, and one that was refused."""
    for round_ in (1, 2):
        folded = [(client_id, server.reply(client_id, round_)) for client_id in PAIR]
        server.reply("client-1", round_, verdict=Verdict.MALFORMED)
        server.reply("client-2", round_, round=7)
        server.aggregate(round_, *folded)
    return server.exported()


def signed_anew(data: bytes, change: Callable[[Entries], None], folder: Path) -> bytes:
    """The log as a server would write it that wants it to tell something else, and has its own key."""
    entries: Entries = [(entry.kind, dict(entry.fields)) for entry in entries_of(opened(data))]
    change(entries)
    with Store.open(default_url(folder)) as store:
        log = AuditLog.open(store, a_key())
        for kind, fields in entries:
            if kind == Kind.SERVER_STARTED:
                fields["log"] = log.id.hex()
            log.record(kind, **fields)
        write(log, store)
        return exported(store)


def refusal(data: bytes) -> str:
    with pytest.raises(NotVerified) as refused:
        verify(opened(data))
    return str(refused.value)


def without_seal(reply: SealedReply) -> SealedReply:
    return SealedReply(reply.message_id, reply.payload, reply.digests, None, reply.signer, reply.base)


def sealed_otherwise(**changes: Any) -> Callable[[SealedReply], SealedReply]:
    """With a seal that was changed on the way."""

    def change(reply: SealedReply) -> SealedReply:
        seal = Seal()
        assert reply.seal is not None
        seal.CopyFrom(reply.seal)
        for name, value in changes.items():
            setattr(seal, name, value)
        return SealedReply(reply.message_id, reply.payload, reply.digests, seal, reply.signer, reply.base)

    return change


def test_whatever_clients_send_an_honest_server_has_a_log_that_is_verified(server: Server) -> None:
    server.reply()
    for verdict in (Verdict.MALFORMED, Verdict.LATE):
        server.reply(verdict=verdict)
    for signed in (
        {"run_id": 1},
        {"round": 2**31},
        {"base": bytes(32)},
        {"base": b""},
        {"base": bytes(65)},
        {"sequence": 0},
        {"sequence": 2**64 - 1},
        {"message_id": "another"},
        {"server": a_key("another").public.id},
        {"client": sealing.a_key("client-2").public.id},
    ):
        server.reply(**signed)
    for changes in (
        {"run_id": 2**64 - 1},
        {"round": 3},
        {"sequence": 2**63},
        {"base": b"x" * 1000},
        {"signature": b""},
        {"signature": bytes(10_000)},
        {"key": b"none"},
    ):
        server.reply(change=sealed_otherwise(**changes))
    server.reply(change=without_seal)
    task = a_task("m", "client-1", 1, b"")
    server.verdicts.without_reply(task, "", Verdict.DECLINED, "w\x00rd\ud800s" * 1000)
    server.verdicts.unasked(None, "client-1", "", "\ud800", Seal(), Verdict.REPLAYED, "words")

    data = server.exported()

    verify(opened(data))
    judged = [entry.fields for entry in entries_of(opened(data)) if entry.kind == Kind.UPDATE_JUDGED]
    assert {fields["verdict"] for fields in judged} == {*Verdict} - {Verdict.REVOKED}
    assert [fields["receipt"] is None for fields in judged].count(False) == 1
    assert max(len(fields["detail"]) for fields in judged if fields["detail"]) == MAX_DETAIL


def of_reply(entries: Entries, number: int = 0) -> dict[str, Any]:
    """What is told of a reply that was accepted."""
    return [fields for _, fields in entries if fields.get("verdict") == "accepted"][number]


def aggregated(entries: Entries, number: int = 0) -> dict[str, Any]:
    return [fields for kind, fields in entries if kind == Kind.AGGREGATED][number]


def changed(path: str, value: object) -> Callable[[Entries], None]:
    """A field of the first reply that was accepted, and in the model."""

    def change(entries: Entries) -> None:
        *outer, name = path.split(".")
        fields = of_reply(entries)
        for each in outer:
            fields[each] = dict(fields[each])
            fields = fields[each]
        fields[name] = value

    return change


def judged_otherwise(verdict: str) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        of_reply(entries).update(receipt=None, verdict=verdict)

    return change


def flipped(*path: str) -> Callable[[Entries], None]:
    """One bit."""

    def change(entries: Entries) -> None:
        fields = of_reply(entries)
        for name in path[:-1]:
            fields = fields[name]
        value = fields[path[-1]]
        fields[path[-1]] = f"{int(value[0], 16) ^ 1:x}{value[1:]}"

    return change


def left_out(entries: Entries) -> None:
    entries[:] = [entry for entry in entries if entry[1] is not of_reply(entries)]


def told_twice(entries: Entries) -> None:
    place = next(place for place, (_, fields) in enumerate(entries) if fields.get("verdict") == "accepted")
    entries.insert(place, entries[place])


def put_in_twice(entries: Entries) -> None:
    updates = aggregated(entries)["updates"]
    updates.append(updates[0])


def under_another_name(entries: Entries) -> None:
    aggregated(entries)["updates"][0]["client"] = "client-2"


def in_another_round(entries: Entries) -> None:
    first, second = aggregated(entries), aggregated(entries, 1)
    second["updates"][0] = first["updates"].pop(0)


NOT_SIGNED = "client-1 has not signed what is told of its reply to m1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (flipped("signed", "signature"), NOT_SIGNED),
        (flipped("digests", "arrays"), NOT_SIGNED),
        (flipped("digests", "skeleton"), NOT_SIGNED),
        (flipped("signed", "base"), NOT_SIGNED),
        (changed("message", "m2"), "client-1 has not signed what is told of its reply to m2"),
        (changed("signed.sequence", 2), NOT_SIGNED),
        (changed("signed.round", 2), NOT_SIGNED),
        (changed("signed.run", "00000001"), NOT_SIGNED),
        (changed("signed", None), "a reply was accepted that its client has not signed"),
        (flipped("base"), "was accepted that it has signed for another run or round"),
        (changed("round", 2), "was accepted that it has signed for another run or round"),
        (changed("run", "00000001"), "was accepted that it has signed for another run or round"),
        (changed("client", "client-2"), "no client 'client-2' has joined with the key"),
        (changed("client", "client-3"), "no client 'client-3' has joined with the key"),
        (flipped("receipt", "signature"), "the receipt of client-1 is not one by the server"),
        (changed("receipt.time_us", 1), "the receipt of client-1 is not one by the server"),
        (changed("receipt", None), "a reply has a receipt if it was accepted"),
        (changed("verdict", "late"), "a reply has a receipt if it was accepted"),
        (judged_otherwise("malformed"), "no reply of client-1 with the digest"),
        (judged_otherwise("bad_signature"), "is right, and the server says that it is not"),
        (judged_otherwise("wrong_round"), "the reply was refused for its run or round, and is for those"),
        (judged_otherwise("wrong_base_model"), "the reply was refused for its model, and was made from"),
        (left_out, "no reply of client-1 with the digest"),
        (told_twice, "a reply of client-1 with the number 1 was accepted after number 1"),
        (put_in_twice, "or it is in the model twice"),
        (under_another_name, "no reply of client-2 with the digest"),
        (in_another_round, "was accepted in round 2"),
    ],
)
def test_what_a_server_tells_otherwise_is_found_though_it_signs_all_of_its_log_anew(
    server: Server, tmp_path: Path, change: Callable[[Entries], None], words: str
) -> None:
    data = a_run(server)
    (tmp_path / "anew").mkdir()
    verify(opened(signed_anew(data, lambda entries: None, tmp_path / "anew")))
    (tmp_path / "otherwise").mkdir()

    otherwise = signed_anew(data, change, tmp_path / "otherwise")

    assert words in refusal(otherwise)


def test_clients_that_were_sent_different_models_in_a_round_are_noticed(server: Server) -> None:
    folded = [
        ("client-1", server.reply("client-1")),
        ("client-2", server.reply("client-2", model=b"another")),
    ]
    server.aggregate(1, *folded)

    assert "the replies of round 1 were made from 2 different models" in refusal(server.exported())


def test_a_model_that_stands_for_another_in_the_next_round_is_noticed(server: Server) -> None:
    server.aggregate(1, ("client-1", server.reply(round_=1, model=b"old")))
    server.aggregate(2, ("client-1", server.reply(round_=2, model=b"old")))

    assert "the clients began round 2 with the model of another round" in refusal(server.exported())


def test_a_round_that_comes_to_nothing_new_begins_with_the_same_model(server: Server) -> None:
    same = "0" * 64
    for round_ in (1, 2):
        digest = server.reply(round_=round_, model=b"same")
        server.aggregate(round_, ("client-1", digest), before=same, after=same)

    verify(opened(server.exported()))


def test_the_entry_is_there_when_the_one_who_has_judged_goes_on(server: Server) -> None:
    """So that it is before the model that is made of the reply, and in the transaction of the event."""
    before = server.log.recorded
    server.reply()
    assert server.log.recorded == before + 1


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
