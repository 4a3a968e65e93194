"""What clients report of their work, and what becomes of it."""

from __future__ import annotations

import pytest

from app.federation.link.admission import MAX_NAME
from app.federation.link.client_reports import MAX_LABELS
from app.federation.link.limits import REPORTS
from app.federation.link.reports import MAX_REASON
from app.records import ClientState, Verdict
from shared.errors import WireError
from shared.proto.link_pb2 import (
    Failure,
    Held,
    LabelCounts,
    Progress,
)
from tests.support.working import RUN_ID, Working


@pytest.fixture
def working() -> Working:
    return Working()


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

    working.reports.reply_begins("client-1", "m", 1 << 30)
    assert working.told == []
    working.reports.reply_begins("client-1", "m", (1 << 30) + 1)

    (reason,) = working.told
    assert "1,073,741,825 bytes was not taken" in reason
    assert not working.reports.is_awaited("client-1", "m")


def test_a_failure_is_confirmed_and_told(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.reports.failed("client-1", Failure(message_id="m", reason="no data"))

    assert working.told == ["no data"]
    assert stream.confirmed == ["m"]


def test_a_refusal_by_a_sites_policy_is_told_with_its_rule_and_shown(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.reports.failed(
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


def test_a_site_that_declines_again_and_again_is_logged_once_for_each_run_and_rule(
    working: Working, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, there were up to four warnings for it in each round."""
    working.connect()

    for number, rule in enumerate(["confirm", "confirm", "rounds_a_day", "confirm", "rounds_a_day"]):
        working.dispatch(f"m{number}")
        working.reports.failed(
            "client-1", Failure(message_id=f"m{number}", reason=f"{rule} {number}", rule=rule)
        )

    assert [message.partition("by its site: ")[2] for message in caplog.messages] == [
        "confirm 0",
        "rounds_a_day 2",
    ]
    assert working.verdicts == [Verdict.DECLINED] * 5, "of each there is a verdict"


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

    working.reports.failed("client-1", Failure(message_id="m", reason=reason, rule=rule))

    assert working.told == [f"declined: {said}"]


def test_a_client_that_takes_part_again_is_no_longer_shown_to_decline(working: Working) -> None:
    working.connect()
    working.dispatch("m", "n")
    working.reports.failed("client-1", Failure(message_id="m", reason="confirm", rule="confirm"))

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

    working.reports.held("client-1", Held(message_id="another", reason="for fun"))
    assert working.client.reason is None
    working.reports.held("client-1", Held(message_id="m", reason="run 2a waits to be confirmed"))
    assert working.client.reason == "run 2a waits to be confirmed"
    working.reports.held("client-1", Held(message_id="m"))

    assert working.client.reason is None
    assert working.state() == ClientState.TRAINING


def test_a_failure_of_a_message_that_nobody_awaits_is_confirmed_as_well(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")
    working.withdraw("m")

    working.reports.failed("client-1", Failure(message_id="m", reason="no data"))
    working.reports.failed("client-1", Failure(message_id="unheard of", reason="no data"))

    assert working.state() is ClientState.IDLE
    assert stream.confirmed == ["m", "unheard of"]
    assert working.told == []


def test_progress_counts_for_what_is_awaited_only(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.reports.progressed("client-1", Progress(message_id="another", done=1, total=2))
    assert working.client.progress is None

    working.reports.progressed("client-1", Progress(message_id="m", done=1, total=2))
    assert working.client.progress is not None


def test_label_counts_are_those_of_the_run_in_which_the_client_is(working: Working) -> None:
    working.connect()
    working.assign()

    working.reports.counted("client-1", LabelCounts(run_id=RUN_ID + 1, counts=[1]))
    assert working.client.label_counts is None

    working.reports.counted("client-1", LabelCounts(run_id=RUN_ID, counts=[1, 2]))
    assert working.client.label_counts == (1, 2)


@pytest.mark.parametrize("counts", [[0] * (MAX_LABELS + 1), [2**53 + 1]])
def test_label_counts_that_cannot_be_right_break_the_protocol(working: Working, counts: list[int]) -> None:
    working.connect()
    working.assign()

    with pytest.raises(WireError, match="label counts"):
        working.reports.counted("client-1", LabelCounts(run_id=RUN_ID, counts=counts))


def test_a_client_that_reports_all_the_time_pushes_nothing_else_out_of_what_is_told(
    working: Working,
) -> None:
    most, per_s = REPORTS
    working.connect()
    working.dispatch("m")
    before = working.told_so_far

    for number in range(10 * most):
        working.reports.progressed("client-1", Progress(message_id="m", done=number, total=10**9))
        working.reports.held("client-1", Held(message_id="m", reason=f"since {number}"))

    assert working.told_so_far - before == most
    working.now += 1.01 / per_s
    working.reports.progressed("client-1", Progress(message_id="m", done=7, total=10))
    progress = working.client.progress
    assert progress is not None
    assert progress.done == 7
