"""Hundreds of open pages in one thread: Socket.IO over bare WebSockets, which go on at another dashboard."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Self

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.support.waiting import wait_until

RETRY_S = (0.25, 0.75)
"""From the loss of a connection to the first try to come back, as the page's library has it."""

OPENED, CONNECTED, EVENT, PING, PONG = "0", "40", "42", "2", "3"
"""What packets of Engine.IO and Socket.IO begin with."""


@lru_cache(1024)
def _numbers(packet: str) -> tuple[str, str, tuple[int, ...]]:
    """Of a packet that all pages are sent alike: its kind, the instance in it, and the events' numbers."""
    kind, data = json.loads(packet.removeprefix(EVENT))
    if kind == "snapshot":
        return kind, data["instance"], (data["seq"],)
    if kind == "batch":
        return kind, "", tuple(event["seq"] for event in data["events"])
    return kind, "", ()


class OnePage:
    """What one of them has been sent."""

    def __init__(self) -> None:
        self.instance: str | None = None
        self.seq: int | None = None
        self.seen: list[int] = []
        self.snapshots = 0
        self.lost_at: float | None = None
        self.away_s: list[float] = []
        """How long it took, each time, from the loss of its connection until it was sent something again."""

    def take(self, packet: str) -> None:
        kind, instance, numbers = _numbers(packet)
        if kind == "snapshot":
            self.instance, self.snapshots = instance, self.snapshots + 1
            self.seq = numbers[0]
        elif numbers:
            self.seen.extend(numbers)
            self.seq = max(self.seq or 0, *numbers)
        if self.lost_at is not None:
            self.away_s.append(time.monotonic() - self.lost_at)
            self.lost_at = None


class ManyPages:
    """A context manager: the pages are open while it lasts."""

    def __init__(self, urls: Sequence[str], headers: Mapping[str, str], each: int) -> None:
        """`each`: how many at each of these dashboards; they go to the others when theirs is gone."""
        self._urls = [url.replace("http", "ws", 1) for url in urls]
        self._headers = headers
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.pages = [OnePage() for _ in range(each * len(urls))]

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: all(page.snapshots for page in self.pages), "all pages have a snapshot", 120.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def away(self) -> list[float]:
        """Of all that have come back, how many seconds that took."""
        return [away_s for page in self.pages for away_s in page.away_s]

    async def _run(self) -> None:
        tasks = [
            asyncio.create_task(self._stay(page, number % len(self._urls)))
            for number, page in enumerate(self.pages)
        ]
        while not self._leaving.is_set():
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stay(self, page: OnePage, first: int) -> None:
        place = first
        await asyncio.sleep(random.uniform(0, 3))  # not all at the same moment
        while True:
            url = f"{self._urls[place]}/socket.io/?EIO=4&transport=websocket"
            try:
                async with connect(
                    url,
                    additional_headers=dict(self._headers),
                    max_size=None,
                    ping_interval=None,
                    compression=None,
                    proxy=None,
                ) as socket:
                    await self._follow(page, socket)
            except (OSError, InvalidHandshake, WebSocketException, TimeoutError):
                pass
            if page.snapshots and page.lost_at is None:
                page.lost_at = time.monotonic()
            await asyncio.sleep(random.uniform(*RETRY_S))
            if page.snapshots:
                place = (place + 1) % len(self._urls)

    async def _follow(self, page: OnePage, socket: ClientConnection) -> None:
        async for packet in socket:
            assert isinstance(packet, str)
            if packet == PING:
                await socket.send(PONG)
            elif packet.startswith(OPENED):
                auth = {"instance": page.instance, "since": page.seq}
                await socket.send(CONNECTED + json.dumps(auth))
            elif packet.startswith(EVENT):
                page.take(packet)
        raise websockets.ConnectionClosed(None, None)
