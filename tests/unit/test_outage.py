"""A client that has lost its server says so once, and says once that it is back."""

from __future__ import annotations

import pytest

from client.outage import LONGEST_DELAY_S, STABLE_S, Outage

SERVER = "fl.example:5050"


@pytest.fixture
def outage() -> Outage:
    return Outage(SERVER)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if SERVER in message]


def test_many_tries_are_one_line(outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    for reason in (
        "it closed the connection",
        "it cannot be reached",
        "it cannot be reached",
        "something else",
    ):
        outage.began(reason)

    assert lines(caplog) == [
        f"no connection to {SERVER}: it closed the connection. Trying again until there is one."
    ]


def test_the_end_of_an_outage_is_said_with_its_length(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    outage.began("it cannot be reached")
    outage.over()

    assert lines(caplog)[1].startswith(f"connected to the server at {SERVER} after 0.")


def test_the_first_connection_is_no_end_of_an_outage(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    outage.over()

    assert lines(caplog) == [f"connected to the server at {SERVER}"]


def test_the_next_outage_is_said_again(outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        outage.began("it closed the connection")
        outage.over()

    assert sum(message.startswith("no connection") for message in lines(caplog)) == 2


def test_a_refusal_is_said_once_and_again_for_another_reason(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    for reason in ("The name is taken.", "The name is taken.", "It is full."):
        outage.refused(reason)

    assert lines(caplog) == [
        f"not admitted by {SERVER}: The name is taken. Trying again until it is.",
        f"not admitted by {SERVER}: It is full. Trying again until it is.",
    ]


def test_the_tries_become_rarer_up_to_a_limit_and_quick_again_after_a_connection_that_held(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("client.outage.time.monotonic", lambda: now)
    delays = [outage.next_delay() for _ in range(12)]

    assert delays[0] < 0.3
    assert delays[-1] > 1.5
    assert max(delays) <= LONGEST_DELAY_S * 1.2
    outage.over()
    outage.began("it closed the connection at once")
    assert outage.next_delay() > 1.5
    outage.over()
    now = STABLE_S + 1
    outage.began("it closed the connection after a while")
    assert outage.next_delay() < 0.3


def test_that_somebody_else_is_at_the_address_is_said_once_also_during_an_outage(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    outage.began("nothing listens there")
    for _ in range(2):
        outage.is_elsewhere("FedLoom's page is there")
    outage.began("nothing listens there")

    assert lines(caplog) == [
        f"no connection to {SERVER}: nothing listens there. Trying again until there is one.",
        f"no connection to {SERVER}: FedLoom's page is there. Trying again until there is one.",
    ]


def test_an_error_that_was_not_expected_is_said_with_its_traceback_once(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        outage.began("ValueError: no", ValueError("no"))

    assert [record.exc_info is not None for record in caplog.records] == [True]
