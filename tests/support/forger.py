"""A member of the mesh that forges: a real node's key and place, and messages that nobody has signed."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Self

from mesh.control import Json, ask
from mesh.frame_stream import connect
from mesh.handshake import Introduction, introduce
from mesh.protocol.envelope import Envelope, Kinds, seal
from mesh.running import NodeSettings, running_node
from mesh.trust.invitation import MeshInvitation
from shared.address import Address
from shared.security.client_key import key_file
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

NAME = "mallory"
EVERY_S = 0.05


class Forger:
    """Comes by an invitation of another node, and then sends it forged messages until the end. A context
    manager with a thread of its own."""

    def __init__(self, victim: Path, home: Path) -> None:
        """`victim`: that node's folder. `home`: where the forger's own key is kept."""
        self._victim, self._home = victim, home
        self.key = KeyPair.load_or_make(key_file(home, NAME))
        self._others = KeyPair.make()
        self._over = threading.Event()
        self._sending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._attack()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._sending.wait(60.0), "the forger is not let in"
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10.0)

    async def _attack(self) -> None:
        address, victim = await self._be_paired()
        stream = await connect(address, victim)
        try:
            epoch = time.time_ns()
            await introduce(stream, self.key, Introduction(NAME, epoch), victim)
            self._sending.set()
            sequence = 0
            while not self._over.is_set():
                sequence += 1
                await stream.write(self._forged(epoch, sequence))
                await asyncio.sleep(EVERY_S)
        finally:
            await stream.close()

    async def _be_paired(self) -> tuple[Address, KeyId]:
        news: list[Json] = []
        await asyncio.to_thread(ask, self._victim, "invite", news.append, addresses=[], waits=False)
        invitation = MeshInvitation.parse(news[0]["invitation"])
        async with running_node(NodeSettings(NAME, self._home, host="127.0.0.1")) as node:
            await node.pairing.join(invitation)
        return invitation.addresses[0], invitation.key

    def _forged(self, epoch: int, sequence: int) -> bytes:
        """Under its own name, but with another one's signature."""
        message = Envelope(Kinds.FLOOD, self.key.public.id, epoch, sequence, b"evil", "text")
        return seal(message, self._others).frame(hops_left=8)
