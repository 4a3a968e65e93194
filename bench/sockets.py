"""The limit of `overhead` and `payload`: the same bytes over plain loopback sockets, and nothing else; in TLS
if that is asked for.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from multiprocessing.connection import Connection

from bench import tls
from bench.crew import BenchFailed, Crew

CONNECT_TIMEOUT_S = 60.0


def rounds(
    clients: int,
    model_bytes: int,
    replies: Sequence[int],
    warm_up: int,
    count: int,
    *,
    in_tls: bool = False,
) -> list[float]:
    """Seconds of each of `count` rounds, after `warm_up` others.

    `replies`: in a round the model goes out to every client once for each of these, and so many bytes, at
    most as many as the model has, come back from each.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(CONNECT_TIMEOUT_S)
        members = [(listener.getsockname(), model_bytes, replies, in_tls)] * clients
        context = tls.server_side() if in_tls else None
        with Crew(_echo, members), ThreadPoolExecutor(clients) as pool:
            connections = [_accept(listener, context) for _ in range(clients)]
            model = b"\x01" * model_bytes  # not zeros, which need no memory of their own
            room = [bytearray(model_bytes) for _ in range(clients)]

            def exchange(reply_bytes: int) -> None:
                list(pool.map(lambda c, r: _ask(c, model, memoryview(r)[:reply_bytes]), connections, room))

            seconds = []
            for _ in range(warm_up + count):
                started = time.perf_counter()
                for reply_bytes in replies:
                    exchange(reply_bytes)
                seconds.append(time.perf_counter() - started)
            for connection in connections:
                connection.close()
            return seconds[warm_up:]


def _accept(listener: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    try:
        connection = listener.accept()[0]
    except TimeoutError:
        raise BenchFailed("A process of the benchmark did not start; its message is above.") from None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection if context is None else context.wrap_socket(connection, server_side=True)


def _ask(connection: socket.socket, model: bytes, reply: memoryview) -> None:
    connection.sendall(model)
    _receive(connection, reply)


def _echo(
    _: Connection, address: tuple[str, int], model_bytes: int, replies: Sequence[int], in_tls: bool
) -> None:
    plain = socket.create_connection(address)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with tls.client_side().wrap_socket(plain) if in_tls else plain as connection:
        model = bytearray(model_bytes)
        for reply_bytes in cycle(replies):
            if not _receive(connection, memoryview(model)):
                return
            connection.sendall(memoryview(model)[:reply_bytes])


def _receive(connection: socket.socket, room: memoryview) -> bool:
    """Fill `room`; False when the other end has closed instead."""
    filled = 0
    while filled < len(room):
        received = connection.recv_into(room[filled:])
        if not received:
            return False
        filled += received
    return True
