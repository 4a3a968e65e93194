"""Peer exchange: members tell each other where members are that both trust.

Who is trusted is nobody else's business. So a node does not tell its members, but asks for those whom it does
not reach by hashes that are salted anew each time: only who knows such a key can tell whose it is. And only
keys that were asked for may be in the answer, so that nobody can introduce others.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mesh.members import Member, Members
from mesh.node import MAX_BODY_BYTES, Mesh, PeerState, PeerView, Received, Unreachable
from mesh.protocol.counts import Reason
from shared.address import parse_address
from shared.canonical import canonical, from_canonical
from shared.security.key_id import KeyId

TOPIC = "peers"
EVERY_S = 60.0
ASKED = 3
"""Members that are asked each time."""
ANSWERED_EACH_S = 10.0
"""One question of a member in this time is answered."""
OPEN_QUESTIONS = 16
"""The newest, whose answers count: who appears is asked at once, also before the last one is answered."""

SALT_BYTES = 16
_HASH_BYTES = 16
MAX_WANTED = 1_000
MAX_TOLD = 200
ADDRESSES_TOLD = 3
"""Of each; the newest."""

log = logging.getLogger(__name__)


@dataclass
class _Question:
    wanted: Mapping[str, KeyId]
    """What was asked for, by its hash."""
    asked: set[KeyId]
    """Of whom, as far as they have not answered: each answers once."""


class PeerExchange:
    """Of one node. Used in its event loop."""

    def __init__(
        self, mesh: Mesh, members: Members, chance: random.Random, clock: Callable[[], float]
    ) -> None:
        """`clock`: monotonic seconds."""
        self._mesh = mesh
        self._members = members
        self._chance = chance
        self._clock = clock
        self._questions: deque[_Question] = deque(maxlen=OPEN_QUESTIONS)
        self._answered: dict[KeyId, float] = {}
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask now and then, and answer, until cancelled."""
        online = asyncio.Event()
        self._mesh.watch(online.set)
        ignore = self._mesh.on(TOPIC, self._received)
        try:
            while True:
                before = self._there()
                await self.ask()
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        while self._there() <= before:
                            online.clear()
                            await online.wait()
        finally:
            ignore()
            for answer in self._answers:
                answer.cancel()

    async def ask(self) -> None:
        """Ask some who are there for those who are not."""
        peers = self._mesh.peers()
        there = [peer.key for peer in peers if is_there(peer)]
        missing = [peer.key for peer in peers if not is_there(peer)]
        if not there or not missing:
            return
        salt = secrets.token_bytes(SALT_BYTES)
        asked = self._chance.sample(there, min(ASKED, len(there)))
        wanted = self._chance.sample(missing, min(MAX_WANTED, len(missing)))
        question = _Question({blinded(salt, key): key for key in wanted}, set(asked))
        self._questions.append(question)
        await self._send(asked, canonical({"salt": salt.hex(), "wanted": sorted(question.wanted)}))

    def _there(self) -> set[KeyId]:
        return {peer.key for peer in self._mesh.peers() if is_there(peer)}

    async def _send(self, to: Iterable[KeyId], body: bytes) -> None:
        sent = await asyncio.gather(
            *(self._mesh.send(key, TOPIC, body) for key in to), return_exceptions=True
        )
        for outcome in sent:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Unreachable):
                raise outcome

    def _received(self, message: Received) -> None:
        sender = message.sender
        try:
            said = from_canonical(message.body)
            if "salt" in said:
                self._question(sender, bytes.fromhex(said["salt"]), said["wanted"])
            else:
                self._answer(sender, said["found"])
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            self._mesh.counts.drop(Reason.MALFORMED, sender)
            log.debug("%s… has sent no question for peers, and no answer: %s", sender.short, error)

    def _question(self, sender: KeyId, salt: bytes, wanted: Any) -> None:
        now = self._clock()
        if len(salt) != SALT_BYTES or not isinstance(wanted, list) or len(wanted) > MAX_WANTED:
            raise ValueError("it is not as this version asks")
        if now < self._answered.get(sender, -ANSWERED_EACH_S) + ANSWERED_EACH_S:
            return
        self._answered = {
            key: time for key, time in self._answered.items() if now < time + ANSWERED_EACH_S
        } | {sender: now}
        found = known_of(salt, set(map(str, wanted)), self._members.all(), sender)
        if found:
            told = asyncio.ensure_future(self._send([sender], canonical({"found": found})))
            self._answers.add(told)
            told.add_done_callback(self._answers.discard)

    def _answer(self, sender: KeyId, found: Any) -> None:
        answers = (
            each for each in self._questions if sender in each.asked and found.keys() <= each.wanted.keys()
        )
        question = next(answers, None)
        if question is None:
            self._mesh.counts.drop(Reason.PEERS_NOT_ASKED, sender)
            return
        question.asked.remove(sender)
        for each, addresses in list(found.items())[:MAX_TOLD]:
            key = question.wanted[each]
            for address in map(parse_address, addresses[:ADDRESSES_TOLD]):
                member = self._members.all().get(key)
                if member is not None and address not in member.addresses:
                    self._members.found(key, address)


def is_there(peer: PeerView) -> bool:
    """Whether there is a way to a member."""
    return peer.state in (PeerState.ONLINE, PeerState.REJOINED)


def blinded(salt: bytes, key: KeyId) -> str:
    """A key as it is asked for: those who do not know it learn nothing of it."""
    return hashlib.sha256(salt + key.digest).digest()[:_HASH_BYTES].hex()


def known_of(
    salt: bytes, wanted: set[str], members: Mapping[KeyId, Member], asking: KeyId
) -> dict[str, list[str]]:
    """Where those of the wanted are who are members here, too; as much as a message takes."""
    found: dict[str, list[str]] = {}
    room = MAX_BODY_BYTES // 2
    for key, member in members.items():
        addresses = [str(address) for address in member.addresses[-ADDRESSES_TOLD:]]
        if key == asking or not addresses or (hashed := blinded(salt, key)) not in wanted:
            continue
        room -= len(hashed) + sum(map(len, addresses)) + 16 * len(addresses)
        if room < 0 or len(found) == MAX_TOLD:
            break
        found[hashed] = addresses
    return found
