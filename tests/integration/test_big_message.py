"""A message far larger than a gRPC frame goes through the grid and back, over real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp

from app.federation.grid.instruction import Instruction
from app.federation.grid.link_grid import LinkGrid
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from app.records import Verdict
from bench.owner import BenchOwner
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.membership import Membership
from client.runtime import Runtime
from shared.flower import identify_server_task, node_id_of
from shared.proto.link_pb2 import Assignment
from shared.security.server_identity import ServerIdentity
from shared.wire import CHUNK_BYTES
from tests.support.a_link import a_link
from tests.support.membership import member
from tests.support.waiting import wait_until

BYTES = 30 << 20

echo = ClientApp()


@echo.query()
def _doubled(message: Message, context: Context) -> Message:
    array = message.content.array_records["arrays"]["x"].numpy()
    return Message(RecordDict({"arrays": ArrayRecord({"x": Array(array * 2)})}), reply_to=message)


class Quiet:
    """Nobody watches."""

    def sent(self, instructions: list[Instruction]) -> list[int | None]:
        return [None] * len(instructions)

    def replied(self, instruction: Instruction, reply: Message, verdict: Verdict | None) -> None:
        pass

    def late(self, instruction: Instruction) -> None:
        pass

    def due_s(self) -> float | None:
        return None

    def catch_up(self) -> None:
        pass


class ClientThread:
    """A client's link and runtime in a thread of this process, with an app of the test's own."""

    def __init__(self, membership: Membership) -> None:
        self._runtime = Runtime(BuiltInApp(echo), {}, threads=1)
        self._runtime.start()
        identity = ClientIdentity("a", "none", (), "here", "cpu")
        self._link = Link(membership, identity, self._runtime, lambda _: None)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        async def serve() -> None:
            self._task = asyncio.current_task()
            await self._link.run()

        try:
            self._loop.run_until_complete(serve())
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    def stop(self) -> None:
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._runtime.stop(5)


@pytest.fixture(params=[0, 1 << 30], ids=["in files", "in memory"])
def link(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LinkServer]:
    identity = ServerIdentity.load_or_make(tmp_path)
    link, registry = a_link(identity, Spool(tmp_path, request.param))
    identity.invite(tmp_path, "127.0.0.1", link.start("127.0.0.1", 0))
    client = ClientThread(member("a", f"127.0.0.1:{link.port}", tmp_path))
    wait_until(lambda: registry.get("a"), "the client is connected")
    yield link
    client.stop()
    link.stop()


def test_a_message_of_many_chunks_goes_there_and_back(link: LinkServer) -> None:
    identify_server_task(1)
    grid = LinkGrid(link, 1, BenchOwner(["a"]), Quiet())
    link.assign("a", Assignment(run_id=1, run="a run", clients_on_host=1))
    sent = np.random.default_rng(0).integers(0, 100, BYTES, dtype=np.uint8)
    content = RecordDict({"arrays": ArrayRecord({"x": Array(sent)})})
    grid.get_node_ids()

    (reply,) = grid.send_and_receive([Message(content, node_id_of("a"), "query")], timeout=60)

    assert BYTES > 10 * CHUNK_BYTES
    assert not reply.has_error(), reply.error.reason
    np.testing.assert_array_equal(reply.content.array_records["arrays"]["x"].numpy(), sent * 2)
