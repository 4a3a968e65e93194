"""Who was not let in is counted and said, and a million of them do not fill the log."""

from __future__ import annotations

import pytest

from app.federation.link.refusals import IN_FULL, MOST_HOSTS, SPELL_S, Reason, Refusals


@pytest.fixture
def now() -> list[float]:
    """The time, which a test moves on."""
    return [1_000.0]


@pytest.fixture
def refusals(now: list[float]) -> Refusals:
    return Refusals(lambda: now[0])


def refuse(refusals: Refusals, count: int, reason: Reason = Reason.SILENT, host: str = "10.0.0.1") -> None:
    for _ in range(count):
        refusals.count(host, reason, "it said nothing.")


def test_a_few_are_said_one_by_one(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    refusals.count("10.0.0.1", Reason.HELLO, "This server takes new clients by invitation only.")

    assert caplog.messages == [
        "refused a client at 10.0.0.1: This server takes new clients by invitation only."
    ]
    refusals.sum_up()
    assert len(caplog.messages) == 1


def test_many_are_summed_up(refusals: Refusals, now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    refuse(refusals, IN_FULL + 1_500)
    refuse(refusals, 20, Reason.HELLO, "10.0.0.2")
    refusals.sum_up()
    assert len(caplog.messages) == IN_FULL

    now[0] += SPELL_S
    refusals.sum_up()

    assert caplog.messages[IN_FULL:] == [
        "refused 1,520 more clients at the link: 1,500 did not say in time who they are, 20 were refused for "
        "what they said. 1,500 of them came from 10.0.0.1. Since the start: 1,530"
    ]
    assert refusals.total == IN_FULL + 1_520
    assert refusals.counts() == {"link-hello": 20, "link-silent": IN_FULL + 1_500}


def test_while_it_goes_on_there_is_one_line_a_spell(
    refusals: Refusals, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        refuse(refusals, 100)
        now[0] += SPELL_S
        refusals.sum_up()

    assert len(caplog.messages) == IN_FULL + 5


def test_after_a_quiet_time_they_are_said_one_by_one_again(
    refusals: Refusals, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    refuse(refusals, 100)
    now[0] += SPELL_S
    refusals.sum_up()
    caplog.clear()

    now[0] += SPELL_S
    refuse(refusals, 1)

    assert caplog.messages == ["refused a client at 10.0.0.1: it said nothing."]


def test_who_comes_from_a_million_addresses_takes_no_memory(
    refusals: Refusals, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5_000):
        refuse(refusals, 1, host=f"2001:db8::{number:x}")

    assert len(refusals._unsaid) <= MOST_HOSTS + 1
    now[0] += SPELL_S
    refusals.sum_up()
    assert "4,990 did not say in time" in caplog.messages[-1]
