"""LinkGrid lets go of what the spool holds."""

from __future__ import annotations

import pytest
from flwr.app import ConfigRecord, Message, RecordDict

from app.federation.grid.link_grid import LinkGrid
from shared.buffers import MemoryBuffer
from shared.errors import RunStopped, StoreUnavailable
from shared.payload import Payload
from tests.support.fake_link import FakeLink, Watching, messages_to, names
from tests.support.payloads import payload_of


class TestRelease:
    """What the spool holds of a reply is given back, whatever becomes of the reply."""

    @pytest.fixture
    def held(self) -> list[str]:
        """The replies that are held, by name."""
        return []

    def answer(self, link: FakeLink, held: list[str], client_id: str, reply: Message | bytes) -> None:
        """The client's reply comes in whole, from a spool that keeps the books."""
        payload = payload_of(reply)
        buffer = MemoryBuffer(lambda: held.remove(client_id))
        buffer.add(payload.buffer.read(0, len(payload.buffer)))
        held.append(client_id)
        link.deliver(client_id, Payload(buffer, payload.array_bytes))

    def right(self, link: FakeLink, client_id: str) -> Message:
        content = RecordDict({"answer": ConfigRecord({"from": client_id})})
        return Message(content, reply_to=link.sent_to(client_id))

    def test_after_a_reply_was_read(self, grid: LinkGrid, link: FakeLink, held: list[str]) -> None:
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))
        assert held == ["client-1"]

        assert names(replies) == ["client-1"]
        assert held == []

    def test_of_a_reply_that_cannot_be_read(self, grid: LinkGrid, link: FakeLink, held: list[str]) -> None:
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", b"garbage")

        assert [reply.has_error() for reply in replies] == [True]
        assert held == []

    def test_of_a_reply_that_the_check_refuses(
        self, grid: LinkGrid, watching: Watching, link: FakeLink, held: list[str]
    ) -> None:
        watching.refused = "client-1"
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))

        assert [reply.has_error() for reply in replies] == [True]
        assert held == []

    def test_when_the_check_has_an_error_of_its_own(
        self,
        grid: LinkGrid,
        watching: Watching,
        link: FakeLink,
        held: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(*_: object) -> None:
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr(watching, "replied", broken)
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))

        with pytest.raises(StoreUnavailable):
            next(replies)
        assert held == []

    def test_of_a_reply_that_comes_too_late(self, grid: LinkGrid, link: FakeLink, held: list[str]) -> None:
        assert list(grid.send_and_receive(messages_to(grid, "client-1"), timeout=0)) == []
        self.answer(link, held, "client-1", self.right(link, "client-1"))

        grid.breathe()

        assert held == []

    def test_of_replies_that_nobody_has_read_when_the_run_is_over(
        self, grid: LinkGrid, link: FakeLink, held: list[str]
    ) -> None:
        grid.push_messages(messages_to(grid, "client-1", "client-2"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))
        grid.stop("stopped by request")
        with pytest.raises(RunStopped):
            grid.breathe()

        grid.end("the run is over")
        assert held == []

        self.answer(link, held, "client-2", self.right(link, "client-2"))
        assert held == []
