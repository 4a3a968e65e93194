"""What `viewers` compares with: a process that does nothing but send as much to as many sockets."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection

from websockets.asyncio.server import ServerConnection, broadcast, serve

FRAME = '42["batch",{"events":[],"padding":"%s"}]'


def send_to_all(pipe: Connection, characters: int, every_s: float) -> None:
    """Say at which port it listens, and send a batch of so many characters to all that connect there, until
    the pipe is closed."""
    asyncio.run(_send(pipe, FRAME % ("x" * (characters - len(FRAME) + 2)), every_s))


async def _send(pipe: Connection, frame: str, every_s: float) -> None:
    sockets: set[ServerConnection] = set()
    over = asyncio.Event()

    async def stay(socket: ServerConnection) -> None:
        sockets.add(socket)
        await socket.wait_closed()
        sockets.discard(socket)

    async with serve(stay, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        asyncio.get_running_loop().add_reader(pipe.fileno(), over.set)
        pipe.send(next(iter(server.sockets)).getsockname()[1])
        while not over.is_set():
            broadcast(sockets, frame)
            await asyncio.sleep(every_s)
