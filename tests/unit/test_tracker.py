"""What becomes of the messages of a run: rounds, weighted means, progress, and errors in words."""

from __future__ import annotations

import math
from typing import Any

import pytest
from flwr.app import Message

from app.event_bus import EventBus
from app.federation.grid.instruction import Instruction
from app.federation.link.traffic import Traffic
from app.federation.rounds.numbered import NumberedRounds
from app.federation.rounds.recognition import AppRounds
from app.federation.rounds.results import ClientResult
from app.federation.runs.book import RunBook
from app.federation.runs.tracker import RoundTracker
from app.records import GlobalScore, Verdict
from shared.flower import client_unavailable
from shared.training import EvalResult
from tests.support.records import a_run
from tests.support.watching import RUN, Watched


def metrics_only(instruction: Instruction, reply: Message) -> ClientResult:
    """What a reply without a model says."""
    numbers: dict[str, Any] = dict(reply.content["metrics"])
    return ClientResult(num_examples=numbers.pop("num-examples"), **numbers)


def score(loss: float, accuracy: float) -> EvalResult:
    """An evaluation on two classes, of which nine and three samples were recognised."""
    return EvalResult(loss, accuracy, examples=14, duration_s=0.1, confusion=((9, 1), (1, 3)))


@pytest.fixture
def watched() -> Watched:
    return Watched(NumberedRounds(), metrics_only)


def test_a_round_has_the_bytes_that_the_link_has_carried_while_it_went_on() -> None:
    book, traffic = RunBook(EventBus()), Traffic()
    book.add(a_run(RUN))
    tracker = RoundTracker(RUN, book, lambda *_, **__: None, metrics_only, NumberedRounds(), traffic)
    traffic.sent = 1_000
    for number, (sent, received) in enumerate([(10, 5), (7_000, 6_000)]):
        tracker.begin(number)
        traffic.sent += sent
        traffic.received += received
        tracker.finished(number)

    carried = [(round_.sent_bytes, round_.received_bytes) for round_ in book.rounds(RUN)]
    assert carried == [(10, 5), (7_000, 6_000)]


def test_round_zero_is_the_evaluation_of_the_initial_model(watched: Watched) -> None:
    watched.tracker.begin(0)
    watched.tracker.evaluated(0, score(2.3, 0.1))
    watched.tracker.finished(0)

    done = watched.round
    assert (done.round, done.loss, done.accuracy, done.complete, done.clients) == (0, 2.3, 0.1, True, 0)
    assert done.duration_s is not None
    assert watched.run.final is not None
    assert watched.run.final.accuracy == 0.1
    assert done.confusion == ((9, 1), (1, 3))
    assert done.class_accuracy == (0.9, 0.75)


def test_the_clients_losses_count_by_their_samples(watched: Watched) -> None:
    asked = watched.ask("train", "a", "b")
    watched.answer(asked["a"], num_examples=30, train_loss=1.0, duration_s=0.5)
    watched.answer(asked["b"], num_examples=10, train_loss=2.0, duration_s=0.25)

    assert watched.round.train_loss == pytest.approx(1.25)
    assert watched.round.clients == 2
    assert watched.round.per_client["a"].samples == 30
    assert watched.round.per_client["b"].train_s == 0.25


def test_the_clients_evaluations_count_by_their_samples(watched: Watched) -> None:
    asked = watched.ask("evaluate", "a", "b")
    watched.answer(asked["a"], num_examples=1, loss=0.4, accuracy=1.0, duration_s=0.1)
    watched.answer(asked["b"], num_examples=3, loss=0.8, accuracy=0.6, duration_s=0.1)

    assert watched.round.client_loss == pytest.approx(0.7)
    assert watched.round.client_accuracy == pytest.approx(0.7)
    assert watched.round.accuracy is None


def test_a_phase_counts_its_answers(watched: Watched) -> None:
    asked = watched.ask("train", "a", "b")
    seen = [watched.progress]
    for client_id in ("b", "a"):
        watched.answer(asked[client_id], num_examples=1, train_loss=1.0, duration_s=0.1)
        seen.append(watched.progress)
    asked = watched.ask("evaluate", "a")
    seen.append(watched.progress)
    watched.answer(asked["a"], num_examples=1, loss=1.0, accuracy=0.5, duration_s=0.1)
    seen.append(watched.progress)

    assert seen == [
        ("training", 0, 2),
        ("training", 1, 2),
        ("aggregating", 2, 2),
        ("evaluating", 0, 1),
        ("evaluating", 1, 1),
    ]


def test_training_and_evaluation_of_a_client_are_one_row(watched: Watched) -> None:
    trained = watched.ask("train", "a")
    watched.answer(trained["a"], num_examples=90, train_loss=1.0, duration_s=0.1)
    evaluated = watched.ask("evaluate", "a")
    watched.answer(evaluated["a"], num_examples=10, loss=0.5, accuracy=0.8, duration_s=0.1)

    row = watched.round.per_client["a"]
    assert (row.train_loss, row.loss, row.accuracy, row.samples, row.error) == (1.0, 0.5, 0.8, 90, None)
    assert row.held_out == 10
    assert watched.notes["a"] == {"train_loss": 1.0, "samples": 90, "loss": 0.5, "accuracy": 0.8}


def test_a_client_that_fails_is_not_counted_and_its_reason_is_kept(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    asked = watched.ask("train", "a", "b")
    watched.fail(asked["a"], "Traceback\n  ...\nValueError: it broke")
    watched.answer(asked["b"], num_examples=5, train_loss=3.0, duration_s=0.1)

    assert watched.round.per_client["a"].error == "Traceback\n  ...\nValueError: it broke"
    assert watched.round.clients == 1
    assert watched.round.train_loss == 3.0
    assert "round 1: no result of train from a: ValueError: it broke" in caplog.messages


def test_a_client_that_succeeds_in_the_second_try_has_no_error(watched: Watched) -> None:
    watched.fail(watched.ask("train", "a")["a"], "it was lost")
    watched.answer(watched.ask("train", "a")["a"], num_examples=5, train_loss=3.0, duration_s=0.1)

    assert watched.round.per_client["a"].error is None
    assert watched.round.clients == 1


def test_a_global_loss_that_is_no_number_is_shown_as_no_value(watched: Watched) -> None:
    watched.tracker.evaluated(0, score(math.nan, 0.1))
    watched.tracker.finished(0)

    assert watched.round.loss is None
    assert watched.run.final is not None
    assert watched.run.final.loss is None


def test_without_any_good_reply_there_is_no_mean(watched: Watched) -> None:
    watched.fail(watched.ask("train", "a")["a"], "no")

    assert watched.round.train_loss is None
    assert watched.round.clients == 0


def test_only_the_end_of_a_long_reason_is_in_the_log(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.fail(watched.ask("train", "a")["a"], "x" * 100_000)

    assert len(caplog.messages[-1]) < 1_000
    assert len(watched.round.per_client["a"].error or "") < 20_000


def test_of_a_site_that_declines_the_link_tells_and_not_every_round_again(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    watched.fail(watched.ask("train", "a")["a"], "declined by its site: confirm", Verdict.DECLINED)

    assert caplog.messages == []
    assert watched.round.per_client["a"].error == "declined by its site: confirm"


def test_a_client_that_was_lost_is_told_from_one_that_failed(watched: Watched) -> None:
    asked = watched.ask("train", "a", "b")
    lost = client_unavailable(asked["a"].message, "a was lost: the network")
    watched.tracker.replied(asked["a"], lost, None)
    watched.fail(asked["b"], "RuntimeError: b was lost in thought")

    assert watched.round.per_client["a"].lost
    assert watched.round.per_client["a"].error == "a was lost: the network"
    assert not watched.round.per_client["b"].lost


def test_the_verdict_of_a_part_is_the_newest_but_of_one_that_declined_and_an_error_without_one_leaves_it(
    watched: Watched,
) -> None:
    """Who has declined to train and evaluates all the same has not failed."""
    asked = watched.ask("train", "a", "b", "c", "d")
    watched.answer(asked["a"], num_examples=1, train_loss=1.0, duration_s=0.1)
    watched.fail(asked["b"], "declined by its site: confirm", Verdict.DECLINED)
    watched.fail(asked["c"], "c was cut off: its key was revoked", Verdict.REVOKED)
    watched.fail(asked["d"], "d was lost")
    asked = watched.ask("evaluate", "a", "b")
    watched.fail(asked["a"], "a was lost")
    watched.answer(asked["b"], num_examples=1, loss=1.0, accuracy=0.5, duration_s=0.1)

    assert {name: part.verdict for name, part in watched.round.per_client.items()} == {
        "a": Verdict.ACCEPTED,
        "b": Verdict.DECLINED,
        "c": Verdict.REVOKED,
        "d": None,
    }


def test_a_new_round_starts_with_empty_rows(watched: Watched) -> None:
    watched.answer(watched.ask("train", "a")["a"], num_examples=5, train_loss=1.0, duration_s=0.1)
    watched.tracker.finished(1)
    watched.ask("train", "a", server_round=2)
    watched.tracker.evaluated(2, score(0.5, 0.9))
    watched.tracker.finished(2)

    assert watched.round.round == 2
    assert watched.round.per_client == {}


def test_the_global_score_counts_once_the_round_is_complete(watched: Watched) -> None:
    watched.tracker.evaluated(0, score(2.3, 0.1))
    watched.tracker.finished(0)
    watched.answer(watched.ask("train", "a")["a"], num_examples=5, train_loss=1.0, duration_s=0.1)
    watched.tracker.evaluated(1, score(0.5, 0.9))

    assert watched.round.loss is None
    assert watched.run.final == GlobalScore(loss=2.3, accuracy=0.1)
    watched.tracker.finished(1)
    assert watched.round.loss == 0.5
    assert watched.run.final == GlobalScore(loss=0.5, accuracy=0.9)


def test_messages_of_another_kind_or_round_are_not_counted(watched: Watched) -> None:
    watched.ask("train", "a")
    watched.ask("system", "a")
    late = watched.instruction("a", "train", 7)
    watched.answer(late, num_examples=5, train_loss=1.0, duration_s=0.1)

    assert watched.progress == ("training", 0, 1)
    assert watched.book.rounds(RUN) == []


def test_a_late_client_is_marked_and_the_phase_ends_without_it(watched: Watched) -> None:
    asked = watched.ask("train", "a", "b")
    watched.answer(asked["a"], num_examples=5, train_loss=1.0, duration_s=0.1)
    watched.tracker.late(asked["b"])

    assert watched.progress == ("aggregating", 2, 2)
    assert watched.round.per_client["b"].late
    assert not watched.round.per_client["a"].late
    assert watched.round.clients == 1


def test_a_round_that_was_cut_keeps_what_was_known_of_it(watched: Watched) -> None:
    watched.answer(watched.ask("train", "a")["a"], num_examples=5, train_loss=1.0, duration_s=0.1)
    cut = watched.round
    after = Watched(NumberedRounds(), metrics_only)

    after.tracker.reopen(cut)
    after.tracker.evaluated(1, score(0.5, 0.9))
    after.tracker.finished(1)

    assert after.round.train_loss == 1.0
    assert after.round.accuracy == 0.9
    assert after.round.duration_s is not None


def test_the_rounds_of_an_app_end_when_the_next_begins_or_the_run_ends() -> None:
    watched = Watched(AppRounds(), metrics_only)
    watched.ask("train", "a")
    watched.ask("evaluate", "a")
    watched.ask("train", "a", server_round=2)
    assert [round_.complete for round_ in watched.book.rounds(RUN)] == [True]

    watched.tracker.close()

    assert [(round_.round, round_.complete) for round_ in watched.book.rounds(RUN)] == [(1, True), (2, True)]
    assert watched.run.final is None


def test_the_end_of_a_round_is_told_in_words(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    asked = watched.ask("train", "a", "b")
    watched.answer(asked["a"], num_examples=5, train_loss=1.0, duration_s=0.1)
    watched.fail(asked["b"], "no")
    watched.tracker.evaluated(1, score(0.25, 0.912))
    watched.tracker.finished(1)

    assert caplog.messages[-1] == "round 1 aggregated from 1 of 2 clients: accuracy 91.2%, loss 0.2500"
    assert getattr(caplog.records[-1], "run_id", None) == RUN
