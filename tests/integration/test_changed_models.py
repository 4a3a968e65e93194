"""A client notices a global model that is not what its server has signed for it, and does not train it."""

from __future__ import annotations

import queue
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Message, RecordDict

from app.federation.grid.codec import Packer
from app.federation.grid.content import Content
from app.federation.grid.inbox import Failed, Item, Reply
from app.federation.grid.instruction import Instruction
from app.federation.link.clients import ClientRegistry
from app.federation.link.clients_at_work import OutgoingFrame
from app.federation.link.server import LinkServer
from app.federation.link.session import Session
from app.federation.link.spool import Spool
from app.federation.link.task import Task
from app.records import ClientState, Verdict
from shared.flower import encode_content, identify_server_task, node_id_of, set_message_id
from shared.proto.link_pb2 import Assignment, Seal
from shared.security.keys import KeyPair
from shared.security.server_identity import ServerIdentity
from tests.integration.test_big_message import ClientThread
from tests.support.a_link import a_link
from tests.support.membership import member
from tests.support.waiting import wait_until

RUN_ID = 1
LIMIT_S = 20.0


@dataclass
class Served:
    """A link with a client that doubles what it is sent."""

    link: LinkServer
    registry: ClientRegistry
    arrived: queue.SimpleQueue[Item]

    def send(self, array_bytes: int = 100, content: type[Content] = Content) -> Item:
        """A message to the client, and what comes of it."""
        self.dispatch(array_bytes, content)
        return self.arrived.get(timeout=LIMIT_S)

    def dispatch(self, array_bytes: int = 100, content: type[Content] = Content) -> None:
        """A message to the client."""
        array = Array(np.zeros(array_bytes, np.uint8))
        message = Message(RecordDict({"arrays": ArrayRecord({"x": array})}), node_id_of("a"), "query")
        set_message_id(message, uuid.uuid4().hex)
        serialised = encode_content(message.content)
        packer = Packer(RUN_ID, lambda kind, sent: 1 << 30, self.arrived.put)
        task = packer.pack(Instruction("a", message, None), serialised)
        self.link.dispatch([replace(task, content=content(serialised))])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    identity = ServerIdentity.load_or_make(tmp_path)
    link, registry = a_link(identity, Spool(tmp_path))
    identity.invite(tmp_path, "127.0.0.1", link.start("127.0.0.1", 0))
    client = ClientThread(member("a", f"127.0.0.1:{link.port}", tmp_path))
    wait_until(lambda: registry.get("a"), "the client is connected")
    identify_server_task(RUN_ID)
    link.assign("a", Assignment(run_id=RUN_ID, run="a run", clients_on_host=1))
    yield Served(link, registry, queue.SimpleQueue())
    client.stop()
    link.stop()


class OnItsWay(Content):
    """A content of which the last bit changes after its hash was taken."""

    def frames(self) -> Sequence[bytes]:
        *frames, last = super().frames()
        return [*frames, bytes([*last[:-1], last[-1] ^ 1])]


def refused_by_the_client(item: Item) -> str:
    assert isinstance(item, Failed), item
    assert item.verdict is None, "it is no reply that would be judged"
    return item.reason


def test_what_is_as_it_was_signed_is_answered(served: Served) -> None:
    item = served.send()

    assert isinstance(item, Reply)
    item.payload.release()
    item.judged(Verdict.ACCEPTED, None)


@pytest.mark.parametrize("array_bytes", [100, 5_000_000], ids=["small", "large"])
def test_a_model_with_one_bit_changed_is_not_trained(
    served: Served, array_bytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    reason = refused_by_the_client(served.send(array_bytes, OnItsWay))

    assert "not what the server signed for this client" in reason
    assert "not what the server signed for this client" in caplog.text, "the person at the client reads it"
    wait_until(lambda: served.registry.known("a").state is ClientState.IDLE, "it may go on")
    assert isinstance(served.send(), Reply), "the next one is as it should be"


def sealed_by_somebody_else(seal: Seal) -> Seal:
    seal.signature = KeyPair.make().sign(b"something")
    return seal


def of_another_round(seal: Seal) -> Seal:
    seal.round += 1
    return seal


def not_at_all(seal: Seal) -> Seal:
    return Seal()


@pytest.mark.parametrize("change", [sealed_by_somebody_else, of_another_round, not_at_all])
def test_a_message_that_is_sealed_wrongly_is_not_looked_at(
    served: Served, monkeypatch: pytest.MonkeyPatch, change: Callable[[Seal], Seal]
) -> None:
    seal = Session._seal

    async def wrong(self: Session, task: Task) -> Seal:
        return change(await seal(self, task))

    monkeypatch.setattr(Session, "_seal", wrong)

    assert "not what the server signed" in refused_by_the_client(served.send())


@pytest.fixture
def _without_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server leaves them out."""
    outgoing = Session.outgoing

    async def unsealed(self: Session) -> AsyncIterator[OutgoingFrame]:
        async for frame in outgoing(self):
            if isinstance(frame, bytes) or frame.WhichOneof("kind") != "seal":
                yield frame

    monkeypatch.setattr(Session, "outgoing", unsealed)


@pytest.mark.usefixtures("_without_seals")
def test_a_message_without_a_seal_is_not_looked_at(served: Served) -> None:
    served.dispatch()
    served.link.set_paused(RUN_ID, True)  # whatever comes next shows that none was to come

    reason = refused_by_the_client(served.arrived.get(timeout=LIMIT_S))

    assert "without the server's signature" in reason
