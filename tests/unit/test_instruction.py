"""Which number of a round a message carries, wherever the app has put it."""

from __future__ import annotations

from typing import Any

import pytest
from flwr.app import ConfigRecord, Message, RecordDict

from app.federation.grid.instruction import Instruction, round_of
from shared.flower import identify_server_task, node_id_of


def message(group: str = "", **config: Any) -> Message:
    identify_server_task(1)
    named = {name.replace("__", "-"): value for name, value in config.items()}
    content = RecordDict({"config": ConfigRecord(named)})
    return Message(content, node_id_of("a"), "train.setup", group_id=group)


@pytest.mark.parametrize(
    ("group", "config", "number"),
    [
        ("", {"server__round": 3}, 3),
        ("3", {}, 3),
        ("0", {}, 0),
        ("7", {"server__round": 3}, 3),
        ("7", {"current_round": 3}, 7),
        ("", {"server_round": 3}, 3),
        ("", {"current_round": 3}, 3),
        ("question", {"current_round": 3}, 3),
        ("", {"server__round": True}, None),
        ("", {"server__round": "3"}, None),
        ("", {"server_round": 3.5}, None),
        ("1" * 16, {}, None),
        ("-1", {}, None),
        ("", {}, None),
    ],
)
def test_the_round_of_a_message_is_found(group: str, config: dict[str, Any], number: int | None) -> None:
    assert round_of(message(group, **config)) == number


@pytest.mark.parametrize(
    ("group", "name"), [("", None), ("3", None), ("medqa_1", "medqa_1"), ("x" * 500, "x" * 100)]
)
def test_a_group_that_is_no_number_is_a_name(group: str, name: str | None) -> None:
    assert Instruction("a", message(group), None).group_name == name


def test_the_type_and_the_category_of_a_message_are_told_apart() -> None:
    instruction = Instruction("a", message(), None)

    assert (instruction.message_type, instruction.kind) == ("train.setup", "train")
