"""A link, a watcher and an owner for a grid, without a thread or a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from flwr.app import ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.grid.instruction import Instruction
from app.federation.link.task import Task
from app.federation.runs import words
from app.records import Verdict, WaitingFor
from shared.chunks import Assembler
from shared.errors import ReplyInvalid
from shared.flower import (
    decode,
    node_id_of,
)
from shared.payload import Payload
from shared.proto.link_pb2 import ServerFrame
from tests.support.payloads import payload_of

RUN_ID = 0x7F3A9C01

CLIENTS = ["client-1", "client-2", "client-3"]


class FakeLink:
    """Keeps what the grid hands over, in place of the link's thread and its network."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.withdrawn: dict[str, str] = {}
        self.late: list[str] = []
        self.paused: list[bool] = []
        self.judged: list[tuple[str, Verdict]] = []
        self._assembler = Assembler()

    def dispatch(self, tasks: Iterable[Task]) -> None:
        self.tasks.update({task.client_id: task for task in tasks})

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        assert self.tasks[client_id].message_id == message_id
        self.withdrawn[client_id] = f"late: {reason}" if late else reason

    def mark_late(self, client_id: str, message_id: str) -> None:
        assert self.tasks[client_id].message_id == message_id
        self.late.append(client_id)

    def set_paused(self, run_id: int, paused: bool) -> None:
        assert run_id == RUN_ID
        self.paused.append(paused)

    def sent_to(self, client_id: str) -> Message:
        """The message as the client reads it."""
        task = self.tasks[client_id]
        chunks = [task.opening, *(ServerFrame.FromString(frame).task for frame in task.content.frames())]
        whole = [done for chunk in chunks if (done := self._assembler.add(chunk)) is not None]
        assert [each.message_id for each in whole] == [task.message_id]
        assert whole[0].payload is not None
        return decode(whole[0].payload)

    def reply(self, client_id: str) -> None:
        """The client answers with its own name."""
        content = RecordDict({"answer": ConfigRecord({"from": client_id})})
        reply = Message(content, reply_to=self.sent_to(client_id))
        self.deliver(client_id, payload_of(reply))

    def deliver(self, client_id: str, payload: Payload) -> None:
        """A reply of the client's came in that is genuine."""
        self.tasks[client_id].on_reply(payload, lambda verdict, _: self.judged.append((client_id, verdict)))

    def lose(self, client_id: str) -> None:
        self.tasks[client_id].on_away(f"{client_id} was lost")

    def come_back(self, client_id: str) -> None:
        self.tasks[client_id].on_back()

    def fail(self, client_id: str) -> None:
        self.tasks[client_id].on_failure("it could not", None)


class Watching:
    """Writes down what passes."""

    def __init__(self) -> None:
        self.sent_to: list[list[str]] = []
        self.replies: list[tuple[str, bool]] = []
        self.verdicts: list[Verdict | None] = []
        self.too_late: list[str] = []
        self.refused: str | None = None
        self.put_off_until: float | None = None
        """When it has something to do, by the monotonic clock."""
        self.caught_up = threading.Event()

    def sent(self, instructions: list[Instruction]) -> list[int | None]:
        self.sent_to.append([instruction.client_id for instruction in instructions])
        return [instruction.round for instruction in instructions]

    def replied(self, instruction: Instruction, reply: Message, verdict: Verdict | None) -> None:
        if instruction.client_id == self.refused and not reply.has_error():
            raise ReplyInvalid("it is too small")
        self.replies.append((instruction.client_id, reply.has_error()))
        self.verdicts.append(verdict)

    def late(self, instruction: Instruction) -> None:
        self.too_late.append(instruction.client_id)

    def due_s(self) -> float | None:
        return None if self.put_off_until is None else max(0.0, self.put_off_until - time.monotonic())

    def catch_up(self) -> None:
        self.put_off_until = None
        self.caught_up.set()


class FakeOwner:
    """A run with three clients and the patience that a test gives it."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.needed = 0
        self.others_are_there = False
        self.said: list[str] = []
        self.changed: Callable[[], None] = lambda: None
        self.went_on: Callable[[], None] = lambda: None
        self.looks_for_clients: Callable[[], None] = lambda: None

    def admit(self) -> list[str]:
        self.looks_for_clients()
        return CLIENTS

    def sending(self) -> None:
        """Nothing to do."""

    def membership_changed(self) -> None:
        self.said.append("membership changed")
        self.changed()

    def deadline_s(self, kind: str) -> float | None:
        return self.deadline

    def cohort(self, asked: int) -> int:
        return asked

    def required(self, kind: str, asked: int, declined: int) -> int:
        return self.needed

    def least(self, kind: str, asked: int, declined: int) -> int:
        return self.needed

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        return 2 * sent_bytes

    def can_start_over(self, kind: str) -> bool:
        return self.others_are_there

    def waits(self, waiting_for: WaitingFor) -> None:
        self.said.append(words.waiting(waiting_for))
        self.changed()

    def goes_on(self) -> None:
        self.said.append("goes on")

    def paused(self) -> None:
        self.said.append("paused")
        self.changed()

    def resumed(self) -> None:
        self.said.append("resumed")
        self.went_on()


def messages_to(grid: Grid, *client_ids: str, server_round: int = 3) -> list[Message]:
    content = RecordDict({"config": ConfigRecord({"server-round": server_round})})
    grid.get_node_ids()
    return [Message(content, node_id_of(client_id), "train") for client_id in client_ids]


def names(replies: Iterable[Message]) -> list[object]:
    return [reply.content.config_records["answer"]["from"] for reply in replies]
