"""What a client says of itself is checked before it comes in."""

from __future__ import annotations

from typing import Any

import pytest

from app.federation.link.admission import MAX_HOLDING, MAX_NAME, MAX_NAMES, objection
from shared.proto.link_pb2 import Hello
from shared.wire import PROTOCOL_VERSION
from tests.support.records import a_hello


def hello(**fields: Any) -> Hello:
    return a_hello(**{"protocol": PROTOCOL_VERSION, **fields})


@pytest.mark.parametrize("number", [0, 1, MAX_NAMES, 1_000, MAX_HOLDING])
def test_a_client_may_hold_many_messages(number: int) -> None:
    assert objection(hello(holding=[f"{n:032x}" for n in range(number)])) is None


@pytest.mark.parametrize("holding", [["m"] * (MAX_HOLDING + 1), ["m" * (MAX_NAME + 1)]])
def test_but_not_any_number_and_not_what_is_no_message(holding: list[str]) -> None:
    assert "more messages than a client can hold" in (objection(hello(holding=holding)) or "")


@pytest.mark.parametrize(
    "fields",
    [{"models": ["m"] * MAX_NAMES}, {"models": ["m" * (MAX_NAME + 1)]}, {"host": "a\nb"}, {"device": "\x1b"}],
)
def test_names_are_few_and_short_and_can_be_printed(fields: dict[str, Any]) -> None:
    assert objection(hello(models=["m"] * (MAX_NAMES - 7))) is None

    assert "A name in the hello" in (objection(hello(**fields)) or "")
