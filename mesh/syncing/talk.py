"""Talk: what the nodes of a folder's group tell each other, and who is asked for what."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from mesh.files.messages import Kind, Message, MessageRefused, topic_of
from mesh.files.settings import FolderSettings
from mesh.files.states import RefusedCount
from mesh.node import Content, PeerState, Received, Source, Unreachable
from mesh.sparse_log import OnceLog
from mesh.syncing.own_node import OwnNode
from mesh.syncing.timing import Timing
from shared.security.key_id import KeyId
from shared.security.keys import PublicKey

MAX_ASKED = 8
"""Of those who have a file; the nearest."""
MAX_WANTS = 64
"""Of one node that wait for an answer. What is more, is not answered."""
STRANGER = "from a node that does not share the folder"
MALFORMED = "no message about a folder"
TOO_MANY = "too many wishes at once"

log = logging.getLogger(__name__)


@dataclass
class _Question:
    """Who has a content, while the answers come."""

    asked: set[KeyId]
    ready: list[KeyId] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """After each answer."""


class Talk:
    """Of one folder. `heard` is called with each manifest that is announced, `find` with what others want."""

    def __init__(
        self,
        node: OwnNode,
        settings: FolderSettings,
        timing: Timing,
        heard: Callable[[KeyId, Message], None],
        find: Callable[[Content], Awaitable[Source | None]],
    ) -> None:
        self._refused: Counter[tuple[KeyId, str]] = Counter()
        """What came and was not taken, by sender and reason."""
        self._refusals = OnceLog(log, time.monotonic)
        self._mesh, self._members, self._offers = node.mesh, node.members, node.offers
        self._settings, self._timing = settings, timing
        self._heard, self._find = heard, find
        self._topic = topic_of(settings.id)
        self._questions: dict[Content, _Question] = {}
        self._wants: Counter[KeyId] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._end = node.mesh.on(self._topic, self._receive)

    async def close(self) -> None:
        """Say and hear nothing more."""
        self._end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def group(self) -> Mapping[KeyId, PublicKey]:
        """Who shares the folder: those that it is shared with, as far as they are trusted."""
        chosen = self._settings.members
        return {key: m.key for key, m in self._members.all().items() if chosen is None or key in chosen}

    def names(self) -> Mapping[KeyId, str]:
        """What people call them."""
        return {key: member.name for key, member in self._members.all().items()}

    def reachable(self) -> list[KeyId]:
        """Those of the group to whom there is a way, the nearest first."""
        group = self.group()
        peers = [
            peer for peer in self._mesh.peers() if peer.key in group and peer.state is not PeerState.OFFLINE
        ]
        peers.sort(key=lambda peer: (peer.hops or 0, peer.latency_s or 0.0))
        return [peer.key for peer in peers]

    def announce(self, message: Message) -> None:
        """Tell the group. Of a folder that is not for all, nobody else hears."""
        if self._settings.members is None:
            self._mesh.flood(self._topic, message.to_bytes())
            return
        for key in self.reachable():
            self.tell(key, message)

    def tell(self, key: KeyId, message: Message) -> None:
        """One of the group, if it can be reached: who cannot is told when it is back."""
        self._begin(self._send(key, message))

    def refuse(self, sender: KeyId, why: str, detail: object = "") -> None:
        """Count what came of somebody and is not taken, and say it once. `detail`: more words for the log."""
        self._refused[sender, why] += 1
        name = self.names().get(sender, sender.short)
        words = f"{why}: {detail}" if detail else why
        self._refusals.say(
            logging.WARNING,
            (sender, why),
            "what %s says about the folder %s is not taken: %s. `python -m mesh sync status` counts it",
            name,
            self._settings.id,
            words,
        )

    def refused(self) -> Iterator[RefusedCount]:
        """What came and was not taken."""
        names = self.names()
        for (sender, why), count in self._refused.items():
            yield RefusedCount(why, count, names.get(sender, sender.short))

    async def ask(self, content: Content, holders: Iterable[KeyId]) -> list[KeyId]:
        """Which of these can give a content now; returns shortly after the first has answered."""
        having = set(holders)
        asked = [key for key in self.reachable() if key in having][:MAX_ASKED]
        question = _Question(set(asked))
        self._questions[content] = question
        try:
            for key in asked:
                self._begin(self._want(key, content, question))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.answer_s):
                    while question.asked and not question.ready:
                        await self._answer(question)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.grace_s):
                    while question.asked:
                        await self._answer(question)
        finally:
            del self._questions[content]
        return question.ready

    @staticmethod
    async def _answer(question: _Question) -> None:
        await question.answered.wait()
        question.answered.clear()

    async def _want(self, key: KeyId, content: Content, question: _Question) -> None:
        if not await self._send(key, Message(Kind.WANT, content)):
            question.asked.discard(key)
            question.answered.set()

    def _receive(self, received: Received) -> None:
        if received.sender not in self.group():
            self.refuse(received.sender, STRANGER)
            return
        try:
            message = Message.parse(received.body)
        except MessageRefused:
            self.refuse(received.sender, MALFORMED)
            return
        match message.kind:
            case Kind.MANIFEST | Kind.NEWS:
                self._heard(received.sender, message)
            case Kind.WANT:
                self._wanted(received.sender, message.content)
            case Kind.HAVE | Kind.LACK:
                self._answered(received.sender, message)

    def _wanted(self, sender: KeyId, content: Content) -> None:
        if self._wants[sender] >= MAX_WANTS:
            self.refuse(sender, TOO_MANY)
            return
        self._wants[sender] += 1
        self._begin(self._give(sender, content))

    async def _give(self, sender: KeyId, content: Content) -> None:
        try:
            source = await self._find(content)
            is_given = source is not None and await self._offers.give(content, source)
            await self._send(sender, Message(Kind.HAVE if is_given else Kind.LACK, content))
        finally:
            self._wants[sender] -= 1
            if not self._wants[sender]:
                del self._wants[sender]

    def _answered(self, sender: KeyId, message: Message) -> None:
        question = self._questions.get(message.content)
        if question is None or sender not in question.asked:
            return  # it comes late, or was not asked: nothing depends on it
        question.asked.discard(sender)
        if message.kind is Kind.HAVE:
            question.ready.append(sender)
        question.answered.set()

    async def _send(self, key: KeyId, message: Message) -> bool:
        try:
            await self._mesh.send(key, self._topic, message.to_bytes())
        except Unreachable:
            return False
        return True

    def _begin(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.ensure_future(self._watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watched(self, work: Coroutine[None, None, object]) -> None:
        try:
            await work
        except Exception:
            log.exception("an answer about the folder %s failed", self._settings.id)
