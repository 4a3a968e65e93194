"""LogWatch: has what the server shows of its audit log judged, beside the work, on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from client.in_thread import in_thread
from client.witness import Witness
from shared.proto.link_pb2 import Cosignature, LogCheckpoint, NextKey
from shared.security.keys import PublicKey


class LogWatch:
    """Of the server with this key. All of it but the judging happens in the client's event loop."""

    def __init__(self, witness: Witness, server: PublicKey) -> None:
        self._witness = witness
        self._server = server
        self._news: asyncio.Queue[LogCheckpoint | NextKey] = asyncio.Queue()

    def shown(self, checkpoint: LogCheckpoint) -> None:
        """The server shows a checkpoint."""
        self._news.put_nowait(checkpoint)

    def following(self, notice: NextKey) -> None:
        """The server has announced, with its signature, the key that it will have."""
        self._news.put_nowait(notice)

    async def watch(self, answer: Callable[[Cosignature], None]) -> None:
        """Say what was seen before, then cosign what is shown. Raises LogObjection.

        In a thread of its own: what was seen is on the disk before it is cosigned.
        """
        answer(await in_thread(lambda: self._witness.statement(self._server, self), "witness"))
        while True:
            judged = await in_thread(partial(self._take, await self._news.get()), "witness")
            if judged is not None:
                answer(judged)

    def _take(self, news: LogCheckpoint | NextKey) -> Cosignature | None:
        if isinstance(news, NextKey):
            self._witness.heard_of(self._server, news)
            return None
        return self._witness.judge(self._server, news, self)
