"""A client with a server of another version of the link: it ends, and says which end is to be updated."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.wire import PROTOCOL_VERSION
from tests.conftest import StartCommand
from tests.support.forked_server import ForkedServer


@dataclass(frozen=True)
class Speaks:
    """Has a server speak another version of the link."""

    protocol: int

    def arm(self) -> None:
        for name in ("admission", "reception"):
            vars(importlib.import_module(f"app.federation.link.{name}"))["PROTOCOL_VERSION"] = self.protocol


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    server = ForkedServer(tmp_path)
    yield server
    server.end()


@pytest.mark.parametrize(
    ("protocol", "todo"),
    [(PROTOCOL_VERSION + 1, "Update the client"), (PROTOCOL_VERSION - 1, "Have the server updated")],
)
def test_the_client_ends_in_words(
    server: ForkedServer, start_command: StartCommand, protocol: int, todo: str
) -> None:
    server.start(Speaks(protocol))

    client = start_command("run_client.py", "--client-id", "a", "--server", server.link)

    assert client.wait_for_exit(60) == 1
    assert f"This server speaks version {protocol} of the link" in client.output
    assert f"the client version {PROTOCOL_VERSION}" in client.output
    assert todo in client.output
    assert "Traceback" not in client.output
