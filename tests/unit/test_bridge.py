"""How messages go to one of Flower's grids and their replies come back, in the process of an engine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, RecordDict

from app.federation.engines import bridge
from app.federation.engines.bridge import Bridge
from app.federation.engines.carrier import Carrier, Letter
from app.federation.engines.frames import layout_of, letters_of
from app.federation.grid.codec import Packer
from app.federation.grid.instruction import Instruction
from app.federation.link.task import Task
from shared.app_host.batch import outgoing
from shared.app_host.channel import Channel, Frame
from shared.flower import FlowerRun, empty_run, identify_server_task, node_id_of, set_message_id

WAIT_S = 60.0


def a_message(number: int, content: RecordDict) -> Message:
    message = Message(content, node_id_of(f"client-{number}"), "train", group_id="3")
    set_message_id(message, f"id-{number}")
    return message


@pytest.fixture
def content() -> RecordDict:
    identify_server_task(7)
    return RecordDict(
        {
            "arrays": ArrayRecord({"w": Array(np.arange(6, dtype=np.float32))}),
            "config": ConfigRecord({"server-round": 3}),
        }
    )


def tasks_of(messages: Iterable[Message]) -> list[Task]:
    packer = Packer(7, lambda kind, size: size, lambda item: None)
    return [
        packer.pack(Instruction("a client", each.message, 3), each.content) for each in outgoing(messages)
    ]


class Elsewhere:
    """One of Flower's grids, as far as messages are carried there and back."""

    def __init__(self) -> None:
        self.run: FlowerRun = empty_run(99)
        self.gone: set[int] = set()
        """Nodes that have left."""
        self.taken: list[Message] = []
        self.replies: list[Message] = []

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        ids = []
        for message in messages:
            is_there = message.metadata.dst_node_id not in self.gone
            if is_there:
                set_message_id(message, f"theirs-{len(self.taken)}")
                self.taken.append(message)
            ids.append(message.metadata.message_id if is_there else "")
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        replies, self.replies = self.replies, []
        return [reply for reply in replies if reply.metadata.reply_to_message_id in message_ids]

    def reply(self, number: int) -> None:
        self.replies.append(Message(RecordDict(), reply_to=self.taken[number]))


def never(letter: Letter, reason: str) -> None:
    pytest.fail(f"{letter.id} was not taken: {reason}")


def test_messages_come_out_of_a_frame_as_they_went_in_and_share_their_content(content: RecordDict) -> None:
    messages = [a_message(number, content) for number in range(3)]

    layout, parts = layout_of(list(zip(tasks_of(messages), (50, 60, 70), strict=True)))
    letters = letters_of(Frame("send", cast("dict[str, Any]", layout), tuple(parts)))

    assert [letter.node_id for letter in letters] == [50, 60, 70]
    assert [letter.id for letter in letters] == ["id-0", "id-1", "id-2"]
    assert letters[0].message.content["config"] == content["config"]
    assert letters[0].message.content["arrays"] == content["arrays"]
    assert letters[0].message.content is letters[2].message.content
    assert len(layout["contents"]) == 1


def test_a_carrier_takes_so_many_at_a_time_and_readdresses_them(content: RecordDict) -> None:
    grid, replied = Elsewhere(), []
    carrier = Carrier(grid, 2, lambda letter, reply: replied.append(letter.id), never)
    carrier.send(Letter(a_message(number, content), 50 + number) for number in range(3))

    assert carrier.turn()
    assert [message.metadata.dst_node_id for message in grid.taken] == [50, 51]
    assert {message.metadata.run_id for message in grid.taken} == {99}
    assert not carrier.turn()

    grid.reply(1)
    assert carrier.turn()
    assert replied == ["id-1"]
    carrier.turn()
    assert len(grid.taken) == 3


def test_a_paused_carrier_takes_no_more_and_brings_back_what_comes(content: RecordDict) -> None:
    grid, replied = Elsewhere(), []
    carrier = Carrier(grid, 1, lambda letter, reply: replied.append(letter.id), never)
    carrier.send(Letter(a_message(number, content), 50) for number in range(2))
    carrier.turn()
    carrier.pause(True)
    grid.reply(0)
    carrier.turn()
    carrier.turn()

    assert (replied, len(grid.taken)) == (["id-0"], 1)
    carrier.pause(False)
    carrier.turn()
    assert len(grid.taken) == 2


def test_of_what_was_withdrawn_nothing_is_told(content: RecordDict) -> None:
    grid, replied = Elsewhere(), []
    carrier = Carrier(grid, 1, lambda letter, reply: replied.append(letter.id), never)
    carrier.send(Letter(a_message(number, content), 50) for number in range(3))
    carrier.turn()
    carrier.withdraw("id-0")
    carrier.withdraw("id-1")
    grid.reply(0)
    carrier.turn()
    carrier.turn()
    grid.reply(1)
    carrier.turn()

    assert replied == ["id-2"]


def test_a_node_that_has_left_fails_its_own_message_alone_also_after_a_pause(content: RecordDict) -> None:
    grid, replied, failed = Elsewhere(), [], []
    carrier = Carrier(
        grid,
        3,
        lambda letter, reply: replied.append(letter.id),
        lambda letter, reason: failed.append((letter.id, reason)),
    )
    carrier.pause(True)
    carrier.send(Letter(a_message(number, content), 50 + number) for number in range(3))
    carrier.turn()
    grid.gone.add(51)
    carrier.pause(False)
    carrier.turn()

    assert [message.metadata.dst_node_id for message in grid.taken] == [50, 52]
    ((message_id, reason),) = failed
    assert message_id == "id-1"
    assert "It has left the engine" in reason
    grid.reply(0)
    grid.reply(1)
    carrier.turn()
    assert replied == ["id-0", "id-2"]


class Process:
    """The process of an engine, which here is threads of this one; `ours` is FedLoom's end of its channel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ours, self._theirs = map(Channel, socket.socketpair())
        self.ended: list[bool] = []
        self.left: list[int] = []
        self._has_left = threading.Event()
        monkeypatch.setattr(bridge, "leave", self._leave)
        self.bridge = Bridge(self._theirs, self.ended.append)
        self.bridge.listen()

    def _leave(self, code: int) -> None:
        self.left.append(code)
        self._has_left.set()

    def end(self) -> None:
        """FedLoom ends it; waits until it has left."""
        self.ours.send("end", completed=False)
        assert self._has_left.wait(WAIT_S)

    def close(self) -> None:
        """End it if it goes on: a channel that breaks off would end the process of the tests."""
        if not self._has_left.is_set():
            self.end()
        self.ours.close()
        self._theirs.close()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    process = Process(monkeypatch)
    yield process
    process.close()


def test_fedloom_is_heard_before_there_is_anything_to_carry(process: Process) -> None:
    process.ours.send("pause", paused=True)
    process.end()

    assert (process.ended, process.left) == ([False], [0])


class Enough(Exception):
    """What a test was to show has been shown."""


class NoReplies(Elsewhere):
    """Says when it was looked for a reply, and when it has its second message."""

    def __init__(self) -> None:
        super().__init__()
        self.looked, self.has_second = threading.Event(), threading.Event()

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        ids = super().push_messages(messages)
        if len(self.taken) == 2:
            self.has_second.set()
            raise Enough
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        self.looked.set()
        return []


def test_a_message_is_carried_at_once_also_while_a_reply_is_waited_for(
    process: Process, content: RecordDict
) -> None:
    grid = NoReplies()

    def serve() -> None:
        with suppress(Enough):
            process.bridge.serve(grid, dict, window=2, idle_s=10 * WAIT_S)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    for number, is_there in enumerate((grid.looked, grid.has_second)):
        layout, parts = layout_of([(task, 50) for task in tasks_of([a_message(number, content)])])
        process.ours.send("send", parts, **cast("dict[str, Any]", layout))
        assert is_there.wait(WAIT_S)

    serving.join(WAIT_S)
