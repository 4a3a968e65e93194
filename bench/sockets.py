"""The limit of `overhead`: the same bytes over plain loopback sockets, with nothing else."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from bench.crew import Crew

REPLY_BYTES = 200
"""A reply to an evaluation: a few metrics."""


def rounds(clients: int, model_bytes: int, warm_up: int, count: int) -> list[float]:
    """Seconds of each of `count` rounds: the model out and back, then out again with a few bytes back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        members = [(listener.getsockname(), model_bytes)] * clients
        with Crew(_echo, members), ThreadPoolExecutor(clients) as pool:
            connections = [listener.accept()[0] for _ in range(clients)]
            model = bytes(model_bytes)
            room = [bytearray(model_bytes) for _ in range(clients)]

            def exchange(reply_bytes: int) -> None:
                list(pool.map(lambda c, r: _ask(c, model, memoryview(r)[:reply_bytes]), connections, room))

            seconds = []
            for _ in range(warm_up + count):
                started = time.perf_counter()
                exchange(model_bytes)
                exchange(REPLY_BYTES)
                seconds.append(time.perf_counter() - started)
            for connection in connections:
                connection.close()
            return seconds[warm_up:]


def _ask(connection: socket.socket, model: bytes, reply: memoryview) -> None:
    connection.sendall(model)
    _receive(connection, reply)


def _echo(_: Connection, address: tuple[str, int], model_bytes: int) -> None:
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        model = bytearray(model_bytes)
        while _receive(connection, memoryview(model)):
            connection.sendall(model)
            _receive(connection, memoryview(model))
            connection.sendall(memoryview(model)[:REPLY_BYTES])


def _receive(connection: socket.socket, room: memoryview) -> bool:
    """Fill `room`; False when the other end has closed instead."""
    filled = 0
    while filled < len(room):
        received = connection.recv_into(room[filled:])
        if not received:
            return False
        filled += received
    return True
