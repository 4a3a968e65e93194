"""A reply is judged before anybody sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.federation.link.limits import UNASKED
from app.federation.link.task import Judged
from app.records import ClientState, Verdict
from shared.errors import WireError
from tests.support.sealing import a_key
from tests.support.working import RUN_ID, Working, a_task


@pytest.fixture
def working() -> Working:
    return Working()


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
        assert not working.reports.is_awaited("client-1", "m")

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
        assert not working.reports.is_awaited("client-1", "m")

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
        working.reports.reply_begins("client-1", "m", (1 << 30) + 1)

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
