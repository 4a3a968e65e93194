"""Replies that are forged, altered, replayed, or of another run or round: each is refused, counted and shown,
and the run of the honest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flwr.app import Array, ArrayRecord

from app.federation.link.limits import UNASKED, VISITS
from shared.app_host.serialised import Serialised
from shared.proto.link_pb2 import Heartbeat, Seal
from shared.security.keys import KeyPair
from tests.fault.conftest import completed_round, read_message, said_since
from tests.support.answers import model_of, serve, trained
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("no_tracebacks")

SPEC: dict[str, Any] = {"min_clients": 2, "num_partitions": 2, "model": "linear", "num_rounds": 1}

Attack = Callable[[RawClient, str, Serialised], None]


def altered(bad: RawClient, message_id: str, reply: Serialised) -> None:
    """One bit of a weight is another than the client has signed."""
    first, *others = reply.arrays
    changed = bytes([*first[:-1], first[-1] ^ 1])
    bad.send_chunk(message_id, Serialised(reply.skeleton, (changed, *others)))
    bad.send(seal=bad.seal(message_id, reply))


def with_another_skeleton(bad: RawClient, message_id: str, reply: Serialised) -> None:
    bad.send_chunk(message_id, reply)
    bad.send(seal=bad.seal(message_id, Serialised(reply.skeleton + b"\0", reply.arrays)))


def forged(bad: RawClient, message_id: str, reply: Serialised) -> None:
    """Somebody without the client's key signs, and says that it is that key."""
    bad.send_chunk(message_id, reply)
    seal = bad.seal(message_id, reply, signer=KeyPair.make())
    seal.key = bad.key_of("bad").public.id.digest
    bad.send(seal=seal)


def unsigned(bad: RawClient, message_id: str, reply: Serialised) -> None:
    bad.send_chunk(message_id, reply)
    bad.send(heartbeat=Heartbeat())


def signed_by_nobody(bad: RawClient, message_id: str, reply: Serialised) -> None:
    bad.send_chunk(message_id, reply)
    bad.send(seal=Seal())


def with_a_signature_cut_short(bad: RawClient, message_id: str, reply: Serialised) -> None:
    seal = bad.seal(message_id, reply)
    seal.signature = seal.signature[:-1]
    bad.send_chunk(message_id, reply)
    bad.send(seal=seal)


def with_the_seal_of_another_message(bad: RawClient, message_id: str, reply: Serialised) -> None:
    bad.send_chunk(message_id, reply)
    seal = bad.seal("another", reply)
    asked = bad.seal(message_id, reply)
    seal.run_id, seal.round, seal.base = asked.run_id, asked.round, asked.base
    bad.send(seal=seal)


def signed_by_another_client(bad: RawClient, message_id: str, reply: Serialised) -> None:
    bad.reply(message_id, reply, signer=bad.key_of("good"))


def saying(**changes: Any) -> Attack:
    """Correctly signed, and says something else."""
    return lambda bad, message_id, reply: bad.reply(message_id, reply, **changes)


def relative(name: str, by: int) -> Attack:
    """Correctly signed for the next run, or the next round."""

    def attack(bad: RawClient, message_id: str, reply: Serialised) -> None:
        bad.reply(message_id, reply, **{name: getattr(bad.seal(message_id, reply), name) + by})

    return attack


ATTACKS: dict[str, tuple[Attack, str]] = {
    "altered": (altered, "bad_signature"),
    "with another skeleton": (with_another_skeleton, "bad_signature"),
    "forged": (forged, "bad_signature"),
    "unsigned": (unsigned, "bad_signature"),
    "signed by nobody": (signed_by_nobody, "unknown_key"),
    "with a signature cut short": (with_a_signature_cut_short, "bad_signature"),
    "with the seal of another message": (with_the_seal_of_another_message, "bad_signature"),
    "signed by another client": (signed_by_another_client, "unknown_key"),
    "of another run": (relative("run_id", 1), "wrong_round"),
    "of another round": (relative("round", 1), "wrong_round"),
    "of no round": (saying(round=0), "wrong_round"),
    "from another model": (saying(base=bytes(32)), "wrong_base_model"),
    "from no model": (saying(base=b""), "wrong_base_model"),
    "with an old number": (saying(sequence=1), "replayed"),
    "with a number beyond count": (saying(sequence=2**64 - 1), "replayed"),
}


def poisoned(message: Any) -> Serialised:
    """What would ruin the model, and is right by its form."""
    arrays = {name: Array(1e6 + array.numpy()) for name, array in model_of(message).items()}
    return trained(message, ArrayRecord(arrays))


@pytest.mark.parametrize(("attack", "verdict"), ATTACKS.values(), ids=ATTACKS)
def test_it_is_refused_counted_and_shown_and_the_round_goes_on(
    attack: Attack, verdict: str, api: Api, bad: RawClient, lasting_server: ForkedServer
) -> None:
    before = counted(api, "bad", verdict)
    with RawClient(lasting_server.home) as good:
        good.hello("good")
        run_id = api.start(**SPEC)["id"]
        message_id, message = read_message(bad)
        attack(bad, message_id, poisoned(message))
        refused = wait_for_verdict(bad, message_id)
        assert [serve(good), serve(good), serve(bad)] == ["train", "evaluate", "evaluate"]
        round_ = completed_round(api, run_id)

    assert refused == verdict
    assert round_["clients"] == 1
    assert round_["client_loss"] == 0.5
    assert round_["per_client"]["good"]["verdict"] == "accepted"
    (entry,) = verdicts_of(api, run_id, client="bad", verdict=verdict)
    assert (entry["kind"], entry["round"], entry["message_id"]) == ("train", 1, message_id)
    assert entry["detail"] in round_["per_client"]["bad"]["error"]
    assert counted(api, "bad", verdict) == before + 1


def test_what_was_accepted_cannot_be_sent_again(
    api: Api, bad: RawClient, lasting_server: ForkedServer
) -> None:
    with RawClient(lasting_server.home) as good:
        good.hello("good")
        run_id = api.start(**{**SPEC, "num_rounds": 2})["id"]
        first_id, first = read_message(bad)
        update = trained(first)
        seal = bad.seal(first_id, update)
        for _ in range(2):
            bad.send_chunk(first_id, update)
            bad.send(seal=seal)
        assert [serve(good), serve(good), serve(bad)] == ["train", "evaluate", "evaluate"]

        second_id, _ = read_message(bad)
        bad.send_chunk(second_id, update)  # the recorded update of round 1, in round 2
        bad.send(seal=seal)
        assert wait_for_verdict(bad, second_id) == "bad_signature"
        assert [serve(good), serve(good), serve(bad)] == ["train", "evaluate", "evaluate"]

    assert completed_round(api, run_id, 2)["clients"] == 1
    assert api.rounds(run_id)[1]["clients"] == 2
    assert api.rounds(run_id)[1]["train_loss"] == 0.5
    assert api.clients()["bad"]["verdicts"].get("replayed", 0) >= 1


def test_an_update_of_a_run_that_is_over_counts_for_nothing_in_the_next(
    api: Api, bad: RawClient, lasting_server: ForkedServer
) -> None:
    with RawClient(lasting_server.home) as good:
        good.hello("good")
        first_run = api.start(**SPEC)["id"]
        first_id, first = read_message(bad)
        update = trained(first)
        seal = bad.seal(first_id, update)
        bad.send_chunk(first_id, update)
        bad.send(seal=seal)
        assert [serve(good), serve(good), serve(bad)] == ["train", "evaluate", "evaluate"]
        completed_round(api, first_run)

        run_id = api.start(**SPEC)["id"]
        message_id, _ = read_message(bad)
        replayed = counted(api, "bad", "replayed")
        bad.send_chunk(first_id, update)  # as it was recorded
        bad.send(seal=seal)
        wait_until(lambda: counted(api, "bad", "replayed") == replayed + 1, "it is seen as a replay")
        bad.send_chunk(message_id, update)  # in place of the answer to the new message
        bad.send(seal=seal)
        assert wait_for_verdict(bad, message_id) == "bad_signature"
        assert [serve(good), serve(good), serve(bad)] == ["train", "evaluate", "evaluate"]

        assert completed_round(api, run_id)["clients"] == 1


def test_a_client_that_was_late_is_told_so_and_its_update_counts_for_nothing(
    api: Api, bad: RawClient, lasting_server: ForkedServer
) -> None:
    with RawClient(lasting_server.home) as good:
        good.hello("good")
        spec = {**SPEC, "round_timeout_s": 0.5, "fraction_evaluate": 0.0}
        run_id = api.start(**spec)["id"]
        message_id, message = read_message(bad)
        assert serve(good) == "train"
        bad.read_kind("cancel")
        completed_round(api, run_id)
        late = counted(api, "bad", "late")

        bad.reply(message_id, poisoned(message))

        wait_until(lambda: counted(api, "bad", "late") == late + 1, "it is seen to be late")
    part = api.rounds(run_id)[1]["per_client"]["bad"]
    assert (part["late"], part["verdict"]) == (True, "late")


def test_a_client_that_sends_nothing_but_replays_is_sent_away(api: Api, bad: RawClient) -> None:
    for number in range(30):
        bad.reply(f"never sent {number}", b"payload")

    bad.ending()

    api.wait_for_client("bad", "lost")


def test_nor_does_it_help_to_come_again_and_again(api: Api, lasting_server: ForkedServer, good: None) -> None:
    """What a member writes into the audit log without being asked is limited over all its connections."""
    for _ in range(4):
        with RawClient(lasting_server.home) as again:
            again.hello("again")
            for number in range(UNASKED[0]):
                again.reply(f"never sent {number}", b"payload")
            again.reply("never sent", b"payload")
            again.ending()
        api.wait_for_client("again", "lost")

    entries = api.get("/audit/entries", limit=200)["entries"]
    written = [entry for entry in entries if entry["fields"].get("client") == "again"]
    assert sum(entry["kind"] == "update-judged" for entry in written) == UNASKED[0]
    assert sum(api.clients()["again"]["verdicts"].values()) == UNASKED[0]
    run = api.start(**{**SPEC, "min_clients": 1, "num_partitions": 1})
    api.wait_for_run(run["id"], "completed")


def test_a_client_that_comes_and_goes_all_the_time_has_to_wait(
    api: Api, lasting_server: ForkedServer
) -> None:
    """Each time is a line in the log, and two in the history."""
    before = api.get("/status")
    answers: list[str | None] = []
    while "refusal" not in answers:
        assert len(answers) < 2 * VISITS[0]
        with RawClient(lasting_server.home) as moth:
            answer = moth.hello("moth")
            answers.append(answer.WhichOneof("kind"))

    assert len(answers) > VISITS[0]
    assert "comes back too often" in answer.refusal.reason
    assert not answer.refusal.final, "it may come later"
    refused = api.get("/status")["refused"]
    assert refused["link-hello"] == before["refused"].get("link-hello", 0) + 1
    assert any("comes back too often" in line for line in said_since(api, before["seq"]))
    with RawClient(lasting_server.home) as other:
        assert other.hello("other").WhichOneof("kind") == "welcome"


def test_numbers_are_remembered_over_a_restart_of_the_server(server: ForkedServer) -> None:
    server.start()
    api = Api(server.url)
    with RawClient(server.home) as client:
        client.hello("a")
        run_id = api.start(**{**SPEC, "min_clients": 1, "num_rounds": 5, "fraction_evaluate": 0.0})["id"]
        assert serve(client) == "train"
        message_id, message = read_message(client)
        (entry,) = wait_until(lambda: verdicts_of(api, run_id), "the first reply was judged")
    server.kill()
    api.close()

    server.start()
    api = Api(server.url)
    with RawClient(server.home) as client:
        welcome = client.hello("a").welcome
        assert welcome.sequence == entry["sequence"]
        message_id, message = read_message(client)
        client.reply(message_id, trained(message), sequence=entry["sequence"])
        assert wait_for_verdict(client, message_id) == "replayed"
        assert time.time_ns() // 1000 > entry["sequence"], "a client's own number is above it"
    api.close()


def verdicts_of(api: Api, run_id: str, **wanted: Any) -> list[Json]:
    found: list[Json] = api.get(f"/runs/{run_id}/verdicts", **wanted)["verdicts"]
    return found


def counted(api: Api, client_id: str, verdict: str) -> int:
    count: int = api.clients()[client_id]["verdicts"].get(verdict, 0)
    return count


def wait_for_verdict(client: RawClient, message_id: str) -> str:
    """What the client is told of its reply to a message, when it is refused."""
    while True:
        received = client.read_kind("received").received
        if received.message_id == message_id and received.verdict:
            return received.verdict
