"""The control socket of a node: by it, commands of the same user ask the node that runs.

A Unix domain socket of mode 0600, in the node's folder, which is its user's alone. Each connection is one
request and its answer, as lines of JSON: `{"command": …}`, then any number of `{"news": …}`, and at last
`{"done": …}` or `{"error": …}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from shared.errors import FedLoomError

log = logging.getLogger(__name__)

FILE = "control"
MAX_LINE_BYTES = 1 << 20
MAX_PATH_BYTES = 100
"""Of a socket's name. Systems take 104 to 108 bytes."""

_HAS_SOCKETS = hasattr(socket, "AF_UNIX")
"""Windows' Python has none."""

Json = dict[str, Any]
Say = Callable[[Json], None]
"""Tells whoever asks what is new, before the answer."""
Answer = Callable[[Json, Say], Awaitable[Json]]
"""What a node does for a command; it is cancelled if the command ends before. May raise FedLoomError."""


class NodeNotRunning(FedLoomError):
    """There is no process that is this node."""


class NodeRefused(FedLoomError):
    """The node has not done what it was asked for. The text says why."""


@asynccontextmanager
async def control(folder: Path, answers: Mapping[str, Answer]) -> AsyncIterator[None]:
    """Answer commands in a node's folder, which must be `taken`. Raises OSError.

    Where the system has no such sockets, commands have nobody to ask, which is logged.
    """
    if not _HAS_SOCKETS:
        log.warning("this system has no Unix domain sockets, so that commands cannot reach this node")
        yield
        return
    path = folder / FILE
    path.unlink(missing_ok=True)  # of a process that was killed
    listener = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as name:
            listener.bind(name)
            Path(name).chmod(0o600)  # nobody can connect before `listen`
        talks: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talk = asyncio.ensure_future(_talk(reader, writer, answers))
            talks.add(talk)
            talk.add_done_callback(talks.discard)

        server = await asyncio.start_unix_server(begin, sock=listener, limit=MAX_LINE_BYTES)
        try:
            yield
        finally:
            server.close()
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
    finally:
        listener.close()
        path.unlink(missing_ok=True)


def ask(folder: Path, command: str, hear: Say = lambda _news: None, **fields: Any) -> Json:
    """What the node with this folder answers; waits for it. Raises NodeNotRunning, and NodeRefused."""
    with _connected(folder) as connection, connection.makefile("rwb") as stream:
        try:
            stream.write(_line({"command": command, **fields}))
            stream.flush()
            for line in stream:
                said = json.loads(line)
                if "news" in said:
                    hear(said["news"])
                elif "error" in said:
                    raise NodeRefused(str(said["error"]))
                else:
                    return dict(said["done"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise NodeNotRunning(f"The node {folder.name} did not answer as it should: {error}.") from error
    raise NodeNotRunning(f"The node {folder.name} ended before it had answered.")


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Mapping[str, Answer]
) -> None:
    try:
        request = json.loads(await reader.readline())
        answering = asyncio.ensure_future(
            _answered(request, answers, lambda news: writer.write(_line({"news": news})))
        )
        leaving = asyncio.ensure_future(reader.read())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                writer.write(_line(answering.result()))
                await writer.drain()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
    except (OSError, ValueError, RecursionError) as error:
        log.warning("a command went away, or has sent what is none: %s", error)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answered(request: Any, answers: Mapping[str, Answer], say: Say) -> Json:
    name = request.get("command") if isinstance(request, dict) else None
    answer = answers.get(str(name))
    if answer is None:
        return {"error": f"This node knows no command {name!r}: it is of another version."}
    try:
        return {"done": await answer(request, say)}
    except FedLoomError as error:
        return {"error": str(error)}
    except Exception:
        log.exception("the command %s failed", name)
        return {"error": f"The node failed at it, which is a fault of FedLoom: its log says more ({name})."}


@contextmanager
def _connected(folder: Path) -> Iterator[socket.socket]:
    if not _HAS_SOCKETS:
        raise NodeNotRunning("This system has no Unix domain sockets, by which commands reach a node.")
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            with _short(folder / FILE) as name:
                connection.connect(name)
        except OSError as error:
            raise NodeNotRunning(
                f"The node {folder.name} does not run in {folder.parent.parent.absolute()}. Start it with "
                f"`python -m mesh node --name {folder.name}`, or name another with --name or FEDLOOM_HOME."
            ) from error
        yield connection


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for a socket that systems take, also where its folder lies deep. Raises OSError."""
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield str(path)
        return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"  # Linux alone has this; elsewhere it is not found
    finally:
        os.close(descriptor)


def _line(value: Json) -> bytes:
    return json.dumps(value).encode() + b"\n"
