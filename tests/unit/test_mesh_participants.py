"""Who takes part in learning over the mesh, for whom to wait, and what became of shares."""

from __future__ import annotations

from collections import Counter

import pytest

from mesh.learning.base import Base
from mesh.learning.messages import News, StatedBase
from mesh.learning.participants import Participants, others_in_circle
from mesh.learning.push_sum import Portion
from mesh.learning.transfers import SESSIONS_OF_A_SENDER, Incoming, Outcome, Outgoing
from mesh.node import Content
from tests.support.mesh_in_memory import key_of
from tests.support.mesh_trainers import a_model

BASE = Base("run", 1, 3, bytes(32))
NEWER = Base("run", 1, 4, bytes(32))
A, B, C = (key_of(name) for name in "abc")
ALL = {A, B, C}
ME = key_of("me")
CONTENT, OTHER = Content(bytes(32), 1), Content(bytes(32), 2)
PORTION = Portion(a_model(1.0), 2.0)


def news(mesh_round: int = 0, session: str = "0", base: Base = BASE, *, leaving: bool = False) -> News:
    return News(
        base=StatedBase.of(base),
        session=session * 32,
        mesh_round=mesh_round,
        samples=10,
        leaving=leaving,
    )


def heard(**rounds: int) -> Participants:
    """Participants that have done so many rounds, by name."""
    participants = Participants(BASE)
    for name, mesh_round in rounds.items():
        participants.heard(key_of(name), news(mesh_round))
    return participants


class TestParticipants:
    def test_a_process_is_new_once(self) -> None:
        participants = Participants(BASE)
        assert participants.heard(A, news())
        assert not participants.heard(A, news(1))
        assert participants.heard(A, news(session="1"))

    def test_news_that_come_late_take_nothing_back(self) -> None:
        participants = heard(a=5)
        participants.heard(A, news(3))
        assert participants.behind(5, ALL) == []

    def test_who_has_left_stays_away_though_its_news_come_later(self) -> None:
        participants = Participants(BASE)
        participants.left(A, "0" * 32)
        participants.heard(A, news(3))
        assert participants.active(ALL) == []
        participants.heard(A, news(session="1"))
        assert participants.active(ALL) == [A]
        participants.heard(A, news(session="1", leaving=True))
        assert participants.active(ALL) == []

    def test_who_learns_from_another_model_takes_no_part_and_is_known(self) -> None:
        participants = heard(a=1)
        participants.heard(B, news(base=NEWER))
        assert participants.active(ALL) == [A]
        assert participants.other_bases(ALL) == {B: NEWER}
        assert participants.other_bases({A}) == {}
        assert participants.samples_of_all() == 10

    def test_receivers_are_reachable_not_busy_and_at_random(self) -> None:
        participants = heard(a=0, b=0, c=0)
        assert participants.receivers(ME, 3, {A, B}, {B}, seed=0) == [A]
        drawn = {participants.receivers(ME, 1, ALL, set(), seed)[0] for seed in range(40)}
        assert drawn == ALL

    @pytest.mark.parametrize("seed", range(5))
    def test_all_who_see_the_same_are_sent_to_equally_often(self, seed: int) -> None:
        members = list(range(9))
        counts = Counter(to for me in members for to in others_in_circle(members, me, seed)[:3])
        assert set(counts.values()) == {3}
        assert sorted(others_in_circle(members, 4, seed)) == [0, 1, 2, 3, 5, 6, 7, 8]

    def test_who_is_slow_is_waited_for_once_until_it_has_caught_up(self) -> None:
        participants = heard(a=2, b=0)
        assert participants.behind(2, ALL) == [B]
        participants.gave_up_on(2, ALL)
        assert participants.behind(2, ALL) == []
        assert participants.behind(3, ALL) == [A]
        participants.heard(B, news(3))
        assert participants.behind(3, ALL) == [A]
        assert set(participants.behind(4, ALL)) == {A, B}

    def test_nobody_waits_for_who_cannot_be_reached(self) -> None:
        assert heard(a=0, b=0).behind(1, {A}) == [A]


class TestOutgoing:
    def test_to_a_peer_one_share_is_open_at_most(self) -> None:
        outgoing = Outgoing(5.0)
        outgoing.begin(A, "s", PORTION, CONTENT, now=0)
        assert outgoing.receivers == {A}
        with pytest.raises(ValueError, match="open already"):
            outgoing.begin(A, "s", PORTION, CONTENT, now=0)

    def test_only_its_receiver_answers_and_only_once(self) -> None:
        outgoing = Outgoing(5.0)
        transfer = outgoing.begin(A, "s", PORTION, CONTENT, now=0)
        assert outgoing.answered(B, transfer.number, Outcome.VOID) is None
        assert outgoing.answered(A, transfer.number + 1, Outcome.VOID) is None
        assert outgoing.still_needs(CONTENT)
        assert outgoing.answered(A, transfer.number, Outcome.VOID) == transfer
        assert outgoing.answered(A, transfer.number, Outcome.VOID) is None
        assert not outgoing.still_needs(CONTENT)

    def test_content_is_needed_as_long_as_one_of_its_shares_is_open(self) -> None:
        outgoing = Outgoing(5.0)
        first = outgoing.begin(A, "s", PORTION, CONTENT, now=0)
        outgoing.begin(B, "s", PORTION, CONTENT, now=0)
        outgoing.answered(A, first.number, Outcome.TAKEN)
        assert outgoing.still_needs(CONTENT)
        assert not outgoing.still_needs(OTHER)

    def test_an_answer_is_asked_for_when_it_is_overdue_or_in_doubt_and_again_later(self) -> None:
        outgoing = Outgoing(5.0)
        first = outgoing.begin(A, "s", PORTION, CONTENT, now=0)
        outgoing.begin(B, "s", PORTION, CONTENT, now=0)
        assert outgoing.to_ask(ALL.__contains__, now=4.9) == []
        outgoing.doubt(first, now=1)
        assert [transfer.to for transfer in outgoing.to_ask(ALL.__contains__, now=1)] == [A]
        assert [transfer.to for transfer in outgoing.to_ask({A}.__contains__, now=5.5)] == []
        assert [transfer.to for transfer in outgoing.to_ask(ALL.__contains__, now=6)] == [A, B]

    def test_doubt_about_a_share_that_was_answered_is_none_about_the_next(self) -> None:
        outgoing = Outgoing(5.0)
        first = outgoing.begin(A, "s", PORTION, CONTENT, now=0)
        outgoing.answered(A, first.number, Outcome.TAKEN)
        outgoing.begin(A, "s", PORTION, CONTENT, now=2)
        outgoing.doubt(first, now=2)
        assert outgoing.to_ask(ALL.__contains__, now=3) == []


class TestIncoming:
    def test_a_share_is_looked_at_once_and_decided_once(self) -> None:
        incoming = Incoming()
        assert incoming.arrives(A, "s", 1)
        assert not incoming.arrives(A, "s", 1)
        assert incoming.asked(A, "s", 1) is None
        assert list(incoming.in_work()) == [(A, "s", 1)]
        assert incoming.decide(A, "s", 1, Outcome.TAKEN)
        assert not incoming.decide(A, "s", 1, Outcome.VOID)
        assert incoming.asked(A, "s", 1) is Outcome.TAKEN
        assert list(incoming.in_work()) == []

    def test_what_was_asked_for_before_it_came_is_void_for_good(self) -> None:
        incoming = Incoming()
        assert incoming.asked(A, "s", 1) is Outcome.VOID
        assert not incoming.arrives(A, "s", 1)
        assert not incoming.decide(A, "s", 1, Outcome.TAKEN)
        assert incoming.asked(A, "s", 1) is Outcome.VOID
        assert incoming.arrives(A, "s", 2)

    def test_an_older_number_is_not_taken(self) -> None:
        incoming = Incoming()
        incoming.arrives(A, "s", 5)
        incoming.decide(A, "s", 5, Outcome.TAKEN)
        assert not incoming.arrives(A, "s", 4)
        assert incoming.asked(A, "s", 4) is Outcome.GONE

    def test_senders_and_their_processes_are_apart(self) -> None:
        incoming = Incoming()
        assert incoming.arrives(A, "s", 1)
        assert incoming.arrives(B, "s", 1)
        assert incoming.arrives(A, "t", 1)

    def test_a_sender_with_ever_new_sessions_fills_no_memory(self) -> None:
        incoming = Incoming()
        for number in range(100):
            incoming.arrives(A, str(number), 1)
        assert len(list(incoming.in_work())) == SESSIONS_OF_A_SENDER
