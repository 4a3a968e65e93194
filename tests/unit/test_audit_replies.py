"""What the log tells of replies is what clients have signed, also if a server has signed all of it anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.audit.entry import Kind
from app.audit.judged import MAX_DETAIL
from app.audit.verify import entries_of, verify
from app.records import Verdict
from app.store.store import Store
from app.store.urls import default_url
from shared.proto.link_pb2 import Seal
from tests.support import sealing
from tests.support.audit import a_key, opened
from tests.support.judged_replies import (
    Entries,
    Server,
    a_run,
    a_task,
    refusal,
    sealed_otherwise,
    signed_anew,
    without_seal,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path)) as store:
        yield store


@pytest.fixture
def server(store: Store) -> Server:
    return Server(store)


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
