"""Exchange: shares of mass go out and come in, and of each is found out what became of it.

The messages and the waiting around the decisions in `mesh/learning/transfers.py`. Used in the event loop.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from weakref import WeakMethod

from mesh.holder import Holder, Patience
from mesh.learning.base import Base
from mesh.learning.checks import ModelCheck, Refused
from mesh.learning.merge import ROUNDING
from mesh.learning.messages import (
    ANSWER,
    ASK,
    NEWS,
    PARTING,
    SHARE,
    Answer,
    Ask,
    Message,
    News,
    Parting,
    Share,
    StatedBase,
)
from mesh.learning.participants import Participants
from mesh.learning.push_sum import Portion
from mesh.learning.transfers import FAULTS, Incoming, Outcome, Outgoing, Transfer
from mesh.messenger import Messenger
from mesh.model_contents import fetch_model, offer_model
from mesh.node import Content, Mesh
from shared.security.key_id import KeyId

MAX_WAITING = 8
"""Models from others that are fetched or wait to be averaged in; with more, one is busy."""


class Exchange:
    """One session of a node within one base: from `open`, by way of `settle`, to `close`."""

    def __init__(
        self, mesh: Mesh, base: Base, check: ModelCheck, samples: int, holder: Holder, patience: Patience
    ) -> None:
        self.post = Messenger(mesh)
        self.participants = Participants(base)
        self._refused: Counter[Outcome] = Counter()
        self.lost_mass = 0.0
        """That was sent, and of which nobody knows whether it has come."""
        self._mesh = mesh
        self._base = base
        self._check = check
        self._samples = samples
        self._holder = holder
        self._patience = patience
        self._tick_s = patience.answer_s / 5
        self._session = secrets.token_hex(16)
        self._outgoing = Outgoing(patience.answer_s)
        self._incoming = Incoming()
        self._offered: Counter[Content] = Counter()
        """As often as they are to be withdrawn."""
        self._mesh_round = 0
        self._is_leaving = False
        self._parted: set[KeyId] = set()
        """Peers that send nothing any more to this node."""
        self._insisting = 0
        """Messages on their way without which a peer would not know what became of a share."""
        self._known_ways: frozenset[KeyId] = frozenset()

    def open(self) -> None:
        """Begin to take part."""
        self.post.on(NEWS, News, self._hear_news, self._hear_nonsense)
        self.post.on(SHARE, Share, self._hear_share, self._hear_nonsense)
        self.post.on(ANSWER, Answer, self._hear_answer, self._hear_nonsense)
        self.post.on(ASK, Ask, self._hear_ask, self._hear_nonsense)
        self.post.on(PARTING, Parting, self._hear_parting, self._hear_nonsense)
        self._watch_ways()
        self._known_ways = self.post.reachable()
        self.post.start(self._keep_telling())
        self.tell_news(0)

    async def close(self) -> None:
        """Hear nothing more, and give nothing more."""
        self._is_leaving = True
        await self.post.close()
        for content in self._offered.elements():
            self._mesh.withdraw(content)

    @property
    def refused(self) -> Mapping[Outcome, int]:
        """What this node did not take from others, by reason; messages that are none, too."""
        return Counter(self._refused)

    @property
    def busy(self) -> frozenset[KeyId]:
        """Those who have not said yet what became of the last share."""
        return self._outgoing.receivers

    def tell_news(self, mesh_round: int) -> None:
        """Tell all that this node takes part, and that it has done this round."""
        self._mesh_round = mesh_round
        self.post.flood(NEWS, self._news())

    async def send(self, portions: Mapping[KeyId, Portion]) -> None:
        """Send a model, the same in all portions, with its shares; each comes back if it is not taken."""
        open_portions = dict(portions)
        try:
            content = await offer_model(self._mesh, next(iter(portions.values())).model)
            self._offered[content] += 1
            for key, portion in portions.items():
                if (peer := self.participants.get(key)) is not None:
                    now = asyncio.get_running_loop().time()
                    transfer = self._outgoing.begin(key, peer.session, portion, content, now)
                    del open_portions[key]
                    self.post.start(self._deliver(transfer))
            self._withdraw_unless_needed(content)
        finally:
            for portion in open_portions.values():
                self._holder.takes_back(portion)

    async def settle(self) -> None:
        """Leave: take no new shares, find out what became of one's own, let the others find out of theirs."""
        self._is_leaving = True
        self.post.flood(NEWS, self._news())
        for key in self.participants.active(self.post.reachable()):
            if (peer := self.participants.get(key)) is not None:
                self.post.start(self._part(key, peer.session, is_leaving=True))
        await self.post.until(self._is_settled, self._patience.settle_s)
        for sender, session, number in self._incoming.in_work():
            self._incoming.decide(sender, session, number, Outcome.LEAVING)
        self.lost_mass += sum(transfer.portion.mass for transfer in self._outgoing)

    def _is_settled(self) -> bool:
        is_quiet = not (len(self._outgoing) or self._insisting or any(self._incoming.in_work()))
        return is_quiet and self._parted.issuperset(self.participants.active(self.post.reachable()))

    def _hear_nonsense(self, sender: KeyId) -> None:
        self._refused[Outcome.UNREADABLE] += 1
        self._mesh.refused_models.count(sender, Outcome.UNREADABLE)

    def _hear_news(self, sender: KeyId, news: News) -> None:
        if self.participants.heard(sender, news):
            self._parted.discard(sender)
            self.post.start(self.post.send(sender, NEWS, self._news()))

    def _hear_share(self, sender: KeyId, share: Share) -> None:
        session = share.news.session
        self._hear_news(sender, share.news)
        if share.to_session != self._session:
            self._answer(sender, session, share.number, Outcome.GONE)
        elif not self._incoming.arrives(sender, session, share.number):
            self._tell_outcome(sender, session, share.number)
        elif (why := self._objection(share)) is not None:
            self._decide(sender, share, why)
        else:
            self.post.start(self._take(sender, share))

    def _hear_answer(self, sender: KeyId, answer: Answer) -> None:
        if answer.session != self._session:
            return
        transfer = self._outgoing.answered(sender, answer.number, answer.outcome)
        if transfer is None:
            return
        if answer.outcome is Outcome.GONE:
            self.lost_mass += transfer.portion.mass
        elif answer.outcome is not Outcome.TAKEN:
            self._holder.takes_back(transfer.portion)
        self._withdraw_unless_needed(transfer.content)

    def _withdraw_unless_needed(self, content: Content) -> None:
        if not self._outgoing.still_needs(content):
            for _ in range(self._offered.pop(content, 0)):
                self._mesh.withdraw(content)

    def _hear_ask(self, sender: KeyId, ask: Ask) -> None:
        if ask.to_session != self._session:
            self._answer(sender, ask.session, ask.number, Outcome.GONE)
        else:
            self._tell_outcome(sender, ask.session, ask.number)

    def _hear_parting(self, sender: KeyId, parting: Parting) -> None:
        if parting.to_session != self._session:
            return
        if parting.number:
            self._tell_outcome(sender, parting.session, parting.number)
        self._parted.add(sender)
        if parting.is_leaving:
            self.participants.left(sender, parting.session)
            if not self._is_leaving:  # else this node has told the same
                self.post.start(self._part(sender, parting.session, is_leaving=False))

    def _objection(self, share: Share) -> Outcome | None:
        """What speaks against a share before its model is there."""
        if self._is_leaving:
            return Outcome.LEAVING
        if share.news.base.base != self._base:
            return Outcome.OTHER_BASE
        if share.mass > (self.participants.samples_of_all() + self._samples) * (1 + ROUNDING):
            return Outcome.MASS
        if share.size != self._check.size:
            return Outcome.SIZE
        in_work = len(list(self._incoming.in_work())) - 1  # without this one
        return Outcome.BUSY if self._holder.waiting + in_work >= MAX_WAITING else None

    async def _take(self, sender: KeyId, share: Share) -> None:
        own, limit_s = self._holder.model, self._patience.fetch_s
        try:
            model = await fetch_model(self._mesh, share.content, sender, self._check, own, limit_s)
        except Refused as refused:
            self._decide(sender, share, refused.why)
        else:
            self._decide(sender, share, Outcome.TAKEN, Portion(model, share.mass, share.steps))

    def _decide(self, sender: KeyId, share: Share, outcome: Outcome, portion: Portion | None = None) -> None:
        session = share.news.session
        if not self._incoming.decide(sender, session, share.number, outcome):
            return
        if portion is None:
            self._refused[outcome] += 1
            if outcome in FAULTS:
                self._mesh.refused_models.count(sender, outcome)
        else:
            self._holder.takes(sender, portion)
        self._answer(sender, session, share.number, outcome)

    def _tell_outcome(self, sender: KeyId, session: str, number: int) -> None:
        if (outcome := self._incoming.asked(sender, session, number)) is not None:
            self._answer(sender, session, number, outcome)

    def _answer(self, to: KeyId, session: str, number: int, outcome: Outcome) -> None:
        answer = Answer(session=session, number=number, outcome=outcome)
        self.post.start(self._insist(to, ANSWER, answer))

    async def _insist(self, to: KeyId, topic: str, message: Message) -> None:
        self._insisting += 1
        await self.post.insist(to, topic, message, self._tick_s)
        self._insisting -= 1
        self.post.wake()

    async def _deliver(self, transfer: Transfer) -> None:
        share = Share(
            news=self._news(),
            to_session=transfer.session,
            number=transfer.number,
            mass=transfer.portion.mass,
            steps=transfer.portion.steps,
            root=transfer.content.root.hex(),
            size=transfer.content.size,
        )
        if not await self.post.send(transfer.to, SHARE, share):
            self._outgoing.doubt(transfer, asyncio.get_running_loop().time())

    async def _keep_telling(self) -> None:
        """Ask for answers that are missing, and tell the news again, which may be missing elsewhere."""
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        while True:
            await asyncio.sleep(self._tick_s)
            now, reachable = loop.time(), self.post.reachable()
            for transfer in self._outgoing.to_ask(reachable.__contains__, now):
                ask = Ask(session=self._session, to_session=transfer.session, number=transfer.number)
                self.post.start(self.post.send(transfer.to, ASK, ask))
            if now - told_at >= self._patience.answer_s and not self._is_leaving:
                self.post.flood(NEWS, self._news())
                told_at = now

    async def _part(self, key: KeyId, session: str, *, is_leaving: bool) -> None:
        """Tell a peer that no more shares will come; the number of the last comes with it, to be decided."""
        number = next((transfer.number for transfer in self._outgoing if transfer.to == key), 0)
        parting = Parting(session=self._session, to_session=session, number=number, is_leaving=is_leaving)
        await self._insist(key, PARTING, parting)
        await asyncio.sleep(3 * self._patience.answer_s)
        self.participants.left(key, session)  # if it has not replied by now, it has ended before
        self.post.wake()

    def _news(self) -> News:
        return News(
            base=StatedBase.of(self._base),
            session=self._session,
            mesh_round=self._mesh_round,
            samples=self._samples,
            leaving=self._is_leaving,
        )

    def _watch_ways(self) -> None:
        """A mesh calls its watchers as long as it lives: this one keeps no session, and no model, alive."""
        ways_changed = WeakMethod(self._ways_changed)

        def changed() -> None:
            if (told := ways_changed()) is not None:
                told()

        self._mesh.watch(changed)

    def _ways_changed(self) -> None:
        reachable = self.post.reachable()
        has_come = bool(reachable - self._known_ways)
        self._known_ways = reachable
        if has_come and not self._is_leaving:
            self.post.flood(NEWS, self._news())
        self.post.wake()
