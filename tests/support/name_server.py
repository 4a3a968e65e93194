"""A DNS server of the test's own, on loopback: for a few names, the addresses that they have just now."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Self

HEADER = struct.Struct("!6H")
ANSWER = struct.Struct("!3HIH4s")
ANSWERED, NO_SUCH_NAME = 0x8580, 0x8583
"""The flags of an answer by whoever is responsible for the name (RFC 1035, 4.1.1)."""

A, INTERNET = 1, 1
NAME_OF_QUESTION = 0xC00C
TTL_S = 600
"""Far too long: whoever asks has to ask again all the same."""


class NameServer:
    """A context manager. `addresses`: by name; may be changed at any time."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        """As a resolver is told it."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        address = self._socket.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", address)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(512)
            if not question:
                return
            with suppress(OSError):  # who asked has gone
                self._socket.sendto(self._answer(question), asker)

    def _answer(self, packet: bytes) -> bytes:
        labels, place = [], HEADER.size
        while (length := packet[place]) > 0:
            labels.append(packet[place + 1 : place + 1 + length].decode())
            place += 1 + length
        question = packet[HEADER.size : place + 5]
        (kind,) = struct.unpack_from("!H", packet, place + 1)
        known = self.addresses.get(".".join(labels).lower())
        addresses = known if known and kind == A else []
        flags = NO_SUCH_NAME if known is None else ANSWERED
        head = HEADER.pack(*struct.unpack_from("!H", packet), flags, 1, len(addresses), 0, 0)
        return head + question + b"".join(map(_record, addresses))


def _record(address: str) -> bytes:
    return ANSWER.pack(NAME_OF_QUESTION, A, INTERNET, TTL_S, 4, socket.inet_aton(address))
