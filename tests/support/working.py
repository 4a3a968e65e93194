"""The work of one client as the link keeps it, without a connection: frames go to a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.event_bus import EventBus
from app.federation.link.client_work import ClientWork
from app.federation.link.clients import ClientRegistry
from app.federation.link.clients_at_work import OutgoingFrame
from app.federation.link.judging import SealedReply
from app.federation.link.limits import Limits
from app.federation.link.task import Judged, Task
from app.federation.link.verdicts import Verdicts
from app.records import Client, ClientState, Judgement, Verdict
from shared.chunks import opening
from shared.payload import Payload
from shared.proto.link_pb2 import (
    Assignment,
    Received,
    Seal,
    ServerFrame,
    Welcome,
)
from tests.support.audit import a_log
from tests.support.records import a_hello
from tests.support.sealing import SERVER, FakeContent, a_key, sealed_reply

RUN_ID = 7


def a_task(told: list[str], message_id: str = "m", client_id: str = "client-1", kind: str = "train") -> Task:
    """A message whose fate is written down in `told`."""

    def replied(payload: Payload, judged: Judged) -> None:
        payload.release()
        told.append("replied")
        judged(Verdict.ACCEPTED, None)

    return Task(
        RUN_ID,
        message_id,
        client_id,
        kind,
        1,
        opening(message_id, b"x", 1, []),
        FakeContent(),
        1 << 30,
        on_reply=replied,
        on_failure=lambda reason, verdict, rule="": told.append(
            reason if verdict is None else f"{verdict.value}: {reason}"
        ),
        on_away=lambda reason: told.append("away"),
        on_back=lambda: told.append("back"),
    )


class ClientStream:
    """A connection that keeps what it is to write."""

    def __init__(self) -> None:
        self.sent: list[ServerFrame] = []
        self.dropped: list[str] = []

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        self.sent += [frame for frame in frames if isinstance(frame, ServerFrame)]

    def transmit(self, task: Task) -> None:
        self.sent.append(ServerFrame(task=task.opening))

    def drop(self, message_id: str) -> None:
        self.dropped.append(message_id)

    @property
    def kinds(self) -> list[str | None]:
        return [frame.WhichOneof("kind") for frame in self.sent]

    @property
    def confirmed(self) -> list[str]:
        """The messages of which the client was told that the server has what it needs."""
        return [received.message_id for received in self.received if not received.HasField("receipt")]

    @property
    def received(self) -> list[Received]:
        return [frame.received for frame in self.sent if frame.WhichOneof("kind") == "received"]


class Working:
    """The work of client-1, what is shown of it, and what its tasks were told."""

    def __init__(self) -> None:
        bus = EventBus()
        self.registry = ClientRegistry(bus)
        self.audit = a_log()
        verdicts = Verdicts(bus, self.registry, a_key(SERVER), {}, lambda *_: not self.is_revoked, self.audit)
        self.now = 0.0
        limits = Limits(lambda: self.now)
        self.client_work = ClientWork(self.registry, verdicts, limits, lambda work, *args: work(*args))
        self.reports = self.client_work.reports
        self.told: list[str] = []
        self.is_revoked = False
        self._bus = bus
        self._sequence = 0

    def connect(self, *holding: str) -> ClientStream:
        stream = ClientStream()
        key = str(a_key("client-1").public.id)
        self.client_work.connected(a_hello(holding=holding), key, Welcome(), stream)
        return stream

    def dispatch(self, *message_ids: str, kind: str = "train") -> None:
        self.client_work.dispatch([a_task(self.told, message_id, kind=kind) for message_id in message_ids])

    def assign(self, run_id: int = RUN_ID) -> None:
        self.client_work.assign("client-1", Assignment(run_id=run_id))

    def withdraw(self, message_id: str, *, late: bool = True) -> None:
        self.client_work.withdraw("client-1", message_id, "too late", late=late)

    def reply(self, message_id: str, /, **changes: Any) -> SealedReply:
        """A reply comes in that the client has signed; `changes`: of what it has signed."""
        task = self.reports.open_task("client-1", message_id)
        assert task is not None
        self._sequence += 1
        reply = sealed_reply(task, sequence=changes.pop("sequence", self._sequence), **changes)
        self.reports.replied("client-1", reply)
        return reply

    def reply_in_vain(self, message_id: str, run_id: int = RUN_ID) -> None:
        """A reply comes in of which nothing was kept."""
        self.reports.replied_in_vain("client-1", message_id, Seal(run_id=run_id))

    @property
    def judgements(self) -> list[Judgement]:
        return [event.data for event in self._bus.since(0) if isinstance(event.data, Judgement)]

    @property
    def told_so_far(self) -> int:
        """How much has been published."""
        return self._bus.last

    @property
    def verdicts(self) -> list[Verdict]:
        return [judgement.verdict for judgement in self.judgements]

    def state(self) -> ClientState:
        return self.client.state

    @property
    def client(self) -> Client:
        return self.registry.known("client-1")
