"""The control socket: a command's question reaches the node, whatever becomes of either of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from mesh.control import FILE, Answer, Json, NodeNotRunning, NodeRefused, Say, ask, control
from shared.errors import FedLoomError
from tests.support.other_user import as_other_user, needs_root


async def echo(request: Json, say: Say) -> Json:
    for number in range(request.get("news", 0)):
        say({"number": number})
    return {"heard": request["text"]}


async def refusing(_request: Json, _say: Say) -> Json:
    raise FedLoomError("Not today.")


async def failing(_request: Json, _say: Say) -> Json:
    raise RuntimeError("secret")


ANSWERS: dict[str, Answer] = {"echo": echo, "refuse": refusing, "fail": failing}


def asked(folder: Path, *arguments: Any, **fields: Any) -> Json:
    """What a node in this folder answers."""

    async def both() -> Json:
        async with control(folder, ANSWERS):
            return await asyncio.to_thread(ask, folder, *arguments, **fields)

    return asyncio.run(both())


def test_a_question_is_answered(tmp_path: Path) -> None:
    assert asked(tmp_path, "echo", text="ä\n") == {"heard": "ä\n"}


def test_news_come_before_the_answer(tmp_path: Path) -> None:
    heard: list[Json] = []

    assert asked(tmp_path, "echo", heard.append, text="", news=3) == {"heard": ""}
    assert heard == [{"number": number} for number in range(3)]


def test_a_refusal_is_said_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(NodeRefused, match="Not today"):
        asked(tmp_path, "refuse")


def test_a_fault_of_the_node_is_in_its_log_and_does_not_end_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NodeRefused, match="its log says more") as refused:
        asked(tmp_path, "fail")
    assert "secret" not in str(refused.value)
    assert "secret" in caplog.text


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NodeRefused, match="knows no command 'dance'"):
        asked(tmp_path, "dance")


def test_without_a_node_it_is_said_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NodeNotRunning, match="python -m mesh node --name client-1"):
        ask(tmp_path / "mesh" / "client-1", "echo")


def test_what_a_killed_node_has_left_is_no_node_and_no_hindrance(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / FILE))
    left.close()
    with pytest.raises(NodeNotRunning):
        ask(tmp_path, "echo")

    assert asked(tmp_path, "echo", text="") == {"heard": ""}
    assert not (tmp_path / FILE).exists()


def test_only_its_user_can_ask(tmp_path: Path) -> None:
    async def mode() -> int:
        async with control(tmp_path, ANSWERS):
            return (tmp_path / FILE).stat().st_mode & 0o777

    assert asyncio.run(mode()) == 0o600


def test_a_folder_may_lie_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200)
    deep.mkdir()

    assert asked(deep, "echo", text="far") == {"heard": "far"}


def while_waiting(folder: Path, meanwhile: Callable[[socket.socket], None]) -> bool:
    """Whether the node's work for a command was cancelled by what the command does."""

    async def both() -> bool:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def wait(_request: Json, _say: Say) -> Json:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return {}

        async with control(folder, {"wait": wait}):
            with socket.socket(socket.AF_UNIX) as command:
                command.connect(str(folder / FILE))
                command.sendall(b'{"command": "wait"}\n')
                await begun.wait()
                meanwhile(command)
            await asyncio.wait_for(ended.wait(), 30)
        return ended.is_set()

    return asyncio.run(both())


def test_the_node_stops_to_work_for_a_command_that_has_gone(tmp_path: Path) -> None:
    assert while_waiting(tmp_path, lambda command: command.close())


@pytest.mark.parametrize(
    "data", [b"\n", b"[]\n", b"\xff\n", b"{" * 2_000_000, b"[" * 100_000 + b"\n", b'{"command": []}\n', b""]
)
def test_whatever_is_sent_does_no_harm(tmp_path: Path, data: bytes) -> None:
    async def both() -> Json:
        async with control(tmp_path, ANSWERS):
            await asyncio.to_thread(disturb)
            return await asyncio.to_thread(ask, tmp_path, "echo", text="still here")

    def disturb() -> None:
        with socket.socket(socket.AF_UNIX) as command:
            command.connect(str(tmp_path / FILE))
            try:
                command.sendall(data)
                command.shutdown(socket.SHUT_WR)
                while command.recv(4096):
                    pass
            except OSError:
                pass  # the node has closed

    assert asyncio.run(both()) == {"heard": "still here"}


@needs_root
def test_another_user_of_the_machine_cannot_ask() -> None:
    """Even where the folder lets everybody in."""

    async def attack(folder: Path) -> str:
        folder.chmod(0o755)
        script = (
            "import socket; asked = socket.socket(socket.AF_UNIX)\n"
            f"try: asked.connect({str(folder / FILE)!r}); print('asks')\n"
            "except OSError as error: print(error.strerror)"
        )
        async with control(folder, ANSWERS):
            return await asyncio.to_thread(as_other_user, script)

    with TemporaryDirectory() as folder:
        assert asyncio.run(attack(Path(folder))).strip() == "Permission denied"


def test_where_there_are_no_such_sockets_the_node_goes_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mesh.control._HAS_SOCKETS", False)
    with pytest.raises(NodeNotRunning, match="no Unix domain sockets"):
        asked(tmp_path, "echo", text="")

    assert "commands cannot reach this node" in caplog.text
