"""What a client has to do and is told, over its connections, without any: frames go to a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from app.event_bus import EventBus
from app.federation.link.admission import MAX_NAME
from app.federation.link.client_work import MAX_LABELS, ClientWork, OutgoingFrame
from app.federation.link.clients import ClientRegistry
from app.federation.link.judging import SealedReply
from app.federation.link.limits import REPORTS, UNASKED, Limits
from app.federation.link.reports import MAX_REASON
from app.federation.link.task import Judged, Task
from app.federation.link.verdicts import Verdicts
from app.records import Client, ClientState, Judgement, Verdict
from shared.chunks import opening
from shared.errors import WireError
from shared.payload import Payload
from shared.proto.link_pb2 import (
    Assignment,
    Failure,
    Held,
    LabelCounts,
    Progress,
    Received,
    Seal,
    ServerFrame,
    Welcome,
)
from tests.support.audit import a_log
from tests.support.records import a_hello
from tests.support.sealing import SERVER, FakeContent, a_key, sealed_reply

RUN_ID = 7


def a_task(told: list[str], message_id: str = "m", client_id: str = "client-1", kind: str = "train") -> Task:
    """A message whose fate is written down in `told`."""

    def replied(payload: Payload, judged: Judged) -> None:
        payload.release()
        told.append("replied")
        judged(Verdict.ACCEPTED, None)

    return Task(
        RUN_ID,
        message_id,
        client_id,
        kind,
        1,
        opening(message_id, b"x", 1, []),
        FakeContent(),
        1 << 30,
        on_reply=replied,
        on_failure=lambda reason, verdict, rule="": told.append(
            reason if verdict is None else f"{verdict.value}: {reason}"
        ),
        on_away=lambda reason: told.append("away"),
        on_back=lambda: told.append("back"),
    )


class ClientStream:
    """A connection that keeps what it is to write."""

    def __init__(self) -> None:
        self.sent: list[ServerFrame] = []
        self.dropped: list[str] = []

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        self.sent += [frame for frame in frames if isinstance(frame, ServerFrame)]

    def transmit(self, task: Task) -> None:
        self.sent.append(ServerFrame(task=task.opening))

    def drop(self, message_id: str) -> None:
        self.dropped.append(message_id)

    @property
    def kinds(self) -> list[str | None]:
        return [frame.WhichOneof("kind") for frame in self.sent]

    @property
    def confirmed(self) -> list[str]:
        """The messages of which the client was told that the server has what it needs."""
        return [received.message_id for received in self.received if not received.HasField("receipt")]

    @property
    def received(self) -> list[Received]:
        return [frame.received for frame in self.sent if frame.WhichOneof("kind") == "received"]


class Working:
    """The work of client-1, what is shown of it, and what its tasks were told."""

    def __init__(self) -> None:
        bus = EventBus()
        self.registry = ClientRegistry(bus)
        self.audit = a_log()
        verdicts = Verdicts(bus, self.registry, a_key(SERVER), {}, lambda *_: not self.is_revoked, self.audit)
        self.now = 0.0
        limits = Limits(lambda: self.now)
        self.client_work = ClientWork(self.registry, verdicts, limits, lambda work, *args: work(*args))
        self.told: list[str] = []
        self.is_revoked = False
        self._bus = bus
        self._sequence = 0

    def connect(self, *holding: str) -> ClientStream:
        stream = ClientStream()
        key = str(a_key("client-1").public.id)
        self.client_work.connected(a_hello(holding=holding), key, Welcome(), stream)
        return stream

    def dispatch(self, *message_ids: str, kind: str = "train") -> None:
        self.client_work.dispatch([a_task(self.told, message_id, kind=kind) for message_id in message_ids])

    def assign(self, run_id: int = RUN_ID) -> None:
        self.client_work.assign("client-1", Assignment(run_id=run_id))

    def withdraw(self, message_id: str, *, late: bool = True) -> None:
        self.client_work.withdraw("client-1", message_id, "too late", late=late)

    def reply(self, message_id: str, /, **changes: Any) -> SealedReply:
        """A reply comes in that the client has signed; `changes`: of what it has signed."""
        task = self.client_work.open_task("client-1", message_id)
        assert task is not None
        self._sequence += 1
        reply = sealed_reply(task, sequence=changes.pop("sequence", self._sequence), **changes)
        self.client_work.replied("client-1", reply)
        return reply

    def reply_in_vain(self, message_id: str, run_id: int = RUN_ID) -> None:
        """A reply comes in of which nothing was kept."""
        self.client_work.replied_in_vain("client-1", message_id, Seal(run_id=run_id))

    @property
    def judgements(self) -> list[Judgement]:
        return [event.data for event in self._bus.since(0) if isinstance(event.data, Judgement)]

    @property
    def told_so_far(self) -> int:
        """How much has been published."""
        return self._bus.last

    @property
    def verdicts(self) -> list[Verdict]:
        return [judgement.verdict for judgement in self.judgements]

    def state(self) -> ClientState:
        return self.client.state

    @property
    def client(self) -> Client:
        return self.registry.known("client-1")


@pytest.fixture
def working() -> Working:
    return Working()


def test_a_client_that_comes_is_told_its_place_and_given_its_messages(working: Working) -> None:
    working.assign()
    working.dispatch("m")
    assert working.told == ["away"]

    stream = working.connect()

    assert stream.kinds == ["welcome", "assignment", "task"]
    assert working.told == ["away", "back"]
    assert working.state() is ClientState.TRAINING


def test_what_a_client_still_holds_is_not_sent_again(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m", "n")
    working.client_work.disconnected("client-1", stream, "its line was cut")

    again = working.connect("m", "unheard of")

    assert list(again.sent[0].welcome.awaited) == ["m"]
    assert [frame.task.message_id for frame in again.sent if frame.HasField("task")] == ["n"]
    assert working.told == ["away", "away", "back", "back"]


def test_a_client_that_is_lost_is_shown_so_and_its_messages_stay_open(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.client_work.disconnected("client-1", stream, "its line was cut")

    assert working.state() is ClientState.LOST
    assert working.told == ["away"]
    assert working.client_work.is_awaited("client-1", "m")


def test_the_next_connection_of_a_client_takes_over_without_a_word(working: Working) -> None:
    old = working.connect()
    working.dispatch("m")
    new = working.connect("m")

    working.client_work.disconnected("client-1", old, "its line was cut")
    assert working.state() is ClientState.TRAINING
    assert working.told == ["back"]

    working.client_work.disconnected("client-1", new, "its line was cut")
    assert working.told == ["back", "away"]


def test_a_run_that_ends_is_forgotten_and_pauses_nobody_any_more(working: Working) -> None:
    stream = working.connect()
    working.assign()
    working.client_work.set_paused(RUN_ID, True)
    working.client_work.set_paused(RUN_ID, True)
    working.client_work.set_paused(RUN_ID + 1, False)
    working.client_work.end_run(RUN_ID)

    assert [frame.pause.paused for frame in stream.sent if frame.HasField("pause")] == [True, False]
    assert working.connect().kinds == ["welcome"]


def test_a_client_is_told_when_its_run_is_over_or_by_its_welcome_if_it_was_away(working: Working) -> None:
    working.assign()
    stream = working.connect()
    assert stream.sent[0].welcome.run_id == RUN_ID

    working.client_work.end_run(RUN_ID + 1)
    assert "run_over" not in stream.kinds
    working.client_work.end_run(RUN_ID)

    assert stream.kinds[-1] == "run_over"
    assert working.connect().sent[0].welcome.run_id == 0


def test_what_a_client_says_is_of_the_run_in_which_it_has_a_place(working: Working) -> None:
    working.connect()
    assert working.client_work.run_of("client-1") is None

    working.client_work.assign("client-1", Assignment(run_id=RUN_ID, run="0000002a"))
    assert working.client_work.run_of("client-1") == "0000002a"

    working.client_work.end_run(RUN_ID)
    assert working.client_work.run_of("client-1") is None


def test_a_client_that_comes_into_a_paused_run_is_told_by_its_welcome(working: Working) -> None:
    working.assign()
    working.client_work.set_paused(RUN_ID, True)

    assert working.connect().sent[0].welcome.paused


def test_a_reply_is_confirmed_and_told_once(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.reply("m")
    working.reply_in_vain("m")

    assert working.told == ["replied"]
    assert stream.confirmed == ["m", "m"]
    assert working.state() is ClientState.IDLE


def test_a_reply_that_is_too_large_fails_at_its_beginning(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.reply_begins("client-1", "m", 1 << 30)
    assert working.told == []
    working.client_work.reply_begins("client-1", "m", (1 << 30) + 1)

    (reason,) = working.told
    assert "1,073,741,825 bytes was not taken" in reason
    assert not working.client_work.is_awaited("client-1", "m")


def test_a_failure_is_confirmed_and_told(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.client_work.failed("client-1", Failure(message_id="m", reason="no data"))

    assert working.told == ["no data"]
    assert stream.confirmed == ["m"]


def test_a_refusal_by_a_sites_policy_is_told_with_its_rule_and_shown(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.client_work.failed(
        "client-1",
        Failure(message_id="m", reason="minimum_cohort = 5, and the run has 3", rule="minimum_cohort"),
    )

    said = "declined by its site: minimum_cohort = 5, and the run has 3"
    assert working.told == [f"declined: {said}"]
    assert stream.confirmed == ["m"]
    assert (working.state(), working.client.reason) == (ClientState.IDLE, said)
    (judgement,) = working.judgements
    assert (judgement.verdict, judgement.detail) == (Verdict.DECLINED, said)
    assert (judgement.message_id, judgement.round, judgement.signature) == ("m", 1, None)


@pytest.mark.parametrize(
    ("rule", "reason", "said"),
    [
        ("confirm", "", "declined by its site: confirm: "),
        ("confirm", "the moon is full", "declined by its site: confirm: the moon is full"),
        ("a\nb\x1b[2J", "x\x00\u202ey", "declined by its site: ab[2J: xy"),
        ("r" * 10_000, "w" * 10_000, f"declined by its site: {'r' * MAX_NAME}: {'w' * MAX_REASON}"),
    ],
)
def test_whatever_a_client_calls_its_rule_is_one_line_of_words(
    rule: str, reason: str, said: str, working: Working
) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.failed("client-1", Failure(message_id="m", reason=reason, rule=rule))

    assert working.told == [f"declined: {said}"]


def test_a_client_that_takes_part_again_is_no_longer_shown_to_decline(working: Working) -> None:
    working.connect()
    working.dispatch("m", "n")
    working.client_work.failed("client-1", Failure(message_id="m", reason="confirm", rule="confirm"))

    working.reply("n")

    assert working.client.reason is None


def test_what_a_run_says_of_a_client_is_left_as_it_is_by_a_reply(working: Working) -> None:
    working.connect()
    working.dispatch("m")
    working.registry.update("client-1", reason="holds digits")

    working.reply("m")

    assert working.client.reason == "holds digits"


def test_a_message_that_is_held_back_is_shown_with_the_reason_until_it_is_begun(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.held("client-1", Held(message_id="another", reason="for fun"))
    assert working.client.reason is None
    working.client_work.held("client-1", Held(message_id="m", reason="run 2a waits to be confirmed"))
    assert working.client.reason == "run 2a waits to be confirmed"
    working.client_work.held("client-1", Held(message_id="m"))

    assert working.client.reason is None
    assert working.state() == ClientState.TRAINING


def test_a_failure_of_a_message_that_nobody_awaits_is_confirmed_as_well(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")
    working.withdraw("m")

    working.client_work.failed("client-1", Failure(message_id="m", reason="no data"))
    working.client_work.failed("client-1", Failure(message_id="unheard of", reason="no data"))

    assert working.state() is ClientState.IDLE
    assert stream.confirmed == ["m", "unheard of"]
    assert working.told == []


def test_a_message_that_is_withdrawn_is_cancelled_and_what_came_of_its_reply_is_dropped(
    working: Working,
) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.withdraw("m")
    working.withdraw("m")

    assert stream.kinds.count("cancel") == 1
    assert stream.dropped == ["m"]
    assert working.told == []


@pytest.mark.parametrize(("late", "state"), [(True, ClientState.LATE), (False, ClientState.IDLE)])
def test_a_client_is_late_over_a_reconnect_as_long_as_it_holds_what_it_is_late_with(
    working: Working, late: bool, state: ClientState
) -> None:
    working.connect()
    working.dispatch("m")
    working.withdraw("m", late=late)
    assert working.state() is state

    working.connect("m")
    assert working.state() is state

    working.client_work.released("client-1", "m")
    assert working.state() is ClientState.IDLE
    working.client_work.released("client-1", "m")
    assert working.state() is ClientState.IDLE


def test_a_client_that_holds_nothing_when_it_comes_back_is_not_late(working: Working) -> None:
    working.connect()
    working.dispatch("m")
    working.withdraw("m")

    working.connect()

    assert working.state() is ClientState.IDLE


def test_only_what_is_open_can_be_late(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.mark_late("client-1", "another")
    assert working.state() is ClientState.TRAINING

    working.client_work.mark_late("client-1", "m")
    assert working.state() is ClientState.LATE


def test_the_newest_message_is_what_a_client_is_shown_to_work_on(working: Working) -> None:
    working.connect()
    working.dispatch("m")
    working.dispatch("n", kind="evaluate")
    assert working.state() is ClientState.EVALUATING

    working.reply("n")

    assert working.state() is ClientState.TRAINING


def test_progress_counts_for_what_is_awaited_only(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.progressed("client-1", Progress(message_id="another", done=1, total=2))
    assert working.client.progress is None

    working.client_work.progressed("client-1", Progress(message_id="m", done=1, total=2))
    assert working.client.progress is not None


def test_label_counts_are_those_of_the_run_in_which_the_client_is(working: Working) -> None:
    working.connect()
    working.assign()

    working.client_work.counted("client-1", LabelCounts(run_id=RUN_ID + 1, counts=[1]))
    assert working.client.label_counts is None

    working.client_work.counted("client-1", LabelCounts(run_id=RUN_ID, counts=[1, 2]))
    assert working.client.label_counts == (1, 2)


@pytest.mark.parametrize("counts", [[0] * (MAX_LABELS + 1), [2**53 + 1]])
def test_label_counts_that_cannot_be_right_break_the_protocol(working: Working, counts: list[int]) -> None:
    working.connect()
    working.assign()

    with pytest.raises(WireError, match="label counts"):
        working.client_work.counted("client-1", LabelCounts(run_id=RUN_ID, counts=counts))


def test_when_the_server_ends_those_who_wait_for_a_client_that_is_there_are_told(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.away("the server shuts down")

    assert working.told == ["away"]


class TestVerdicts:
    """A reply is judged before anybody sees it."""

    def test_one_that_is_genuine_and_fits_is_accepted_with_a_receipt(self, working: Working) -> None:
        stream = working.connect()
        working.dispatch("m")

        reply = working.reply("m")

        (judgement,) = working.judgements
        assert (judgement.verdict, judgement.run_id, judgement.round) == (Verdict.ACCEPTED, "00000007", 1)
        assert judgement.arrays_digest == reply.digests.arrays.hex()
        receipt = stream.received[-1].receipt
        assert receipt.signature.hex() == judgement.receipt
        assert round(judgement.time * 1e6) == receipt.time_us, "the record has what is needed to check it"
        assert (working.client.verdict, working.client.verdicts) == (
            Verdict.ACCEPTED,
            {Verdict.ACCEPTED: 1},
        )

    def test_a_receipt_that_the_connection_may_have_lost_is_told_again(self, working: Working) -> None:
        first = working.connect()
        working.dispatch("m")
        working.reply("m")

        again = working.connect()

        assert again.received == first.received[-1:]

    @pytest.mark.parametrize(
        ("changes", "verdict"),
        [
            ({"run_id": RUN_ID + 1}, Verdict.WRONG_ROUND),
            ({"round": 2}, Verdict.WRONG_ROUND),
            ({"round": 0}, Verdict.WRONG_ROUND),
            ({"base": bytes(32)}, Verdict.WRONG_BASE_MODEL),
            ({"base": b""}, Verdict.WRONG_BASE_MODEL),
            ({"sequence": 0}, Verdict.REPLAYED),
            ({"sequence": 2**53}, Verdict.REPLAYED),
            ({"sequence": 2**64 - 1}, Verdict.REPLAYED),
            ({"message_id": "another"}, Verdict.BAD_SIGNATURE),
            ({"client_id": "client-2"}, Verdict.BAD_SIGNATURE),
            ({"server": a_key("another server").public.id}, Verdict.BAD_SIGNATURE),
            ({"client": a_key("client-2").public.id}, Verdict.UNKNOWN_KEY),
        ],
    )
    def test_one_that_is_signed_for_something_else_is_refused_and_nobody_sees_it(
        self, working: Working, changes: dict[str, Any], verdict: Verdict
    ) -> None:
        stream = working.connect()
        working.dispatch("m")

        reply = working.reply("m", **changes)

        assert working.verdicts == [verdict]
        assert working.client.verdict is verdict
        assert working.told == [f"{verdict.value}: {working.judgements[0].detail}"]
        assert stream.received[-1].verdict == verdict.value
        assert len(reply.payload.buffer) == 0, "it was released"
        assert not working.client_work.is_awaited("client-1", "m")

    def test_one_by_a_key_that_was_revoked_meanwhile_is_refused_however_genuine_it_is(
        self, working: Working
    ) -> None:
        stream = working.connect()
        working.dispatch("m", "n")
        working.reply("m")
        working.is_revoked = True

        reply = working.reply("n")

        assert working.verdicts == [Verdict.ACCEPTED, Verdict.REVOKED]
        assert working.told == ["replied", "revoked: The key of client-1 was revoked."]
        assert stream.received[-1].verdict == "revoked"
        assert len(reply.payload.buffer) == 0, "it was released"

    def test_what_a_client_owes_when_it_is_expelled_has_the_verdict_revoked(self, working: Working) -> None:
        stream = working.connect()
        working.dispatch("m", "n")

        working.client_work.expelled("client-1", "its key was revoked", Verdict.REVOKED)

        assert stream.dropped == ["m", "n"]
        key = str(a_key("client-1").public.id)
        assert [
            (judgement.message_id, judgement.verdict, judgement.key, judgement.detail)
            for judgement in working.judgements
        ] == [(name, Verdict.REVOKED, key, "its key was revoked") for name in ("m", "n")]
        assert working.told == ["revoked: its key was revoked"] * 2
        assert (working.state(), working.client.verdict) == (ClientState.LOST, Verdict.REVOKED)
        assert not working.client_work.is_awaited("client-1", "m")

    def test_so_it_has_when_the_client_is_away(self, working: Working) -> None:
        working.client_work.disconnected("client-1", working.connect(), "its line was cut")
        working.dispatch("m")

        working.client_work.expelled("client-1", "its key was revoked", Verdict.REVOKED)
        working.client_work.expelled("client-1", "its key was revoked", Verdict.REVOKED)

        assert working.told == ["away", "revoked: its key was revoked"]
        assert working.verdicts == [Verdict.REVOKED]

    def test_one_that_is_forgotten_since_it_has_left_is_not_said_to_be_revoked(
        self, working: Working
    ) -> None:
        working.client_work.disconnected("client-1", working.connect(), "it was stopped")
        working.dispatch("m")

        working.client_work.expelled("client-1", "it is no member any more", None)

        assert working.told == ["away", "it is no member any more"]
        assert working.judgements == []

    def test_a_reply_is_judged_although_its_client_was_forgotten_meanwhile(self, working: Working) -> None:
        """An ephemeral client leaves as soon as the server has its reply."""
        working.connect()
        judging: list[Judged] = []
        task = a_task(working.told)
        working.client_work.dispatch([replace(task, on_reply=lambda _, judged: judging.append(judged))])
        working.reply("m")
        working.registry.update("client-1", ephemeral=True)
        working.registry.stands("client-1", None)

        judging[0](Verdict.ACCEPTED, None)

        assert working.verdicts == [Verdict.ACCEPTED]
        assert working.registry.get("client-1") is None

    def test_a_number_that_was_accepted_is_not_taken_again(self, working: Working) -> None:
        working.connect()
        working.dispatch("m", "n", "o")

        working.reply("m", sequence=10)
        working.reply("n", sequence=10)
        working.reply("o", sequence=11)

        assert working.verdicts == [Verdict.ACCEPTED, Verdict.REPLAYED, Verdict.ACCEPTED]
        assert working.connect().sent[0].welcome.sequence == 11

    def test_a_second_reply_is_replayed_and_a_late_one_late(self, working: Working) -> None:
        working.assign()
        working.connect()
        working.dispatch("m", "n", "o")
        working.reply("m")
        working.withdraw("n")
        working.withdraw("o", late=False)

        for message_id in ("m", "n", "n", "o"):
            working.reply_in_vain(message_id)

        assert working.verdicts == [Verdict.ACCEPTED, Verdict.REPLAYED, Verdict.LATE, Verdict.REPLAYED]

    def test_a_reply_of_another_run_is_refused(self, working: Working) -> None:
        working.assign()
        working.connect()

        working.reply_in_vain("of long ago", run_id=RUN_ID + 1)

        assert working.verdicts == [Verdict.WRONG_ROUND]

    def test_what_is_too_large_is_malformed_and_the_rest_of_it_is_nothing_new(self, working: Working) -> None:
        working.connect()
        working.dispatch("m")
        working.client_work.reply_begins("client-1", "m", (1 << 30) + 1)

        working.reply_in_vain("m")

        assert working.verdicts == [Verdict.MALFORMED]

    def test_a_client_cannot_go_on_for_ever_however_often_it_connects_anew(self, working: Working) -> None:
        most, per_s = UNASKED
        working.connect()
        for _ in range(most):
            working.reply_in_vain("m")

        for _ in range(5):
            with pytest.raises(WireError, match="again and again"):
                working.reply_in_vain("m")
            working.connect()

        assert len(working.judgements) == most
        assert working.client.verdicts == {Verdict.WRONG_ROUND: most}
        working.now += 1.01 / per_s
        working.reply_in_vain("m")
        with pytest.raises(WireError, match="again and again"):
            working.reply_in_vain("m")

    def test_what_it_owes_is_taken_from_it_all_the_same(self, working: Working) -> None:
        working.connect()
        working.dispatch("m")
        for _ in range(UNASKED[0]):
            working.reply_in_vain("never sent")

        working.reply("m")

        assert working.verdicts[-1] is Verdict.ACCEPTED


def test_a_client_that_reports_all_the_time_pushes_nothing_else_out_of_what_is_told(
    working: Working,
) -> None:
    most, per_s = REPORTS
    working.connect()
    working.dispatch("m")
    before = working.told_so_far

    for number in range(10 * most):
        working.client_work.progressed("client-1", Progress(message_id="m", done=number, total=10**9))
        working.client_work.held("client-1", Held(message_id="m", reason=f"since {number}"))

    assert working.told_so_far - before == most
    working.now += 1.01 / per_s
    working.client_work.progressed("client-1", Progress(message_id="m", done=7, total=10))
    progress = working.client.progress
    assert progress is not None
    assert progress.done == 7
