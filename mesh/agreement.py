"""Agreement: a node proposes runs to others and answers their proposals. Used in the event loop."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mesh.learning.messages import MessageInvalid
from mesh.learning.proposal import (
    PROPOSAL,
    REPLY,
    START,
    AgreedRun,
    Proposal,
    Reply,
    Start,
    impossible,
    in_order,
)
from mesh.messenger import Messenger
from mesh.node import Mesh
from shared.errors import FedLoomError
from shared.run_spec import RunSpec
from shared.security.key_id import KeyId

REPLY_S = 60.0
"""How long the others may take: PyTorch is imported to compute the initial model."""

AGAIN_S = 1.0
"""Before it is proposed again to a node that has not confirmed it."""

RESERVED_S = 150.0
"""How long a node that has agreed waits for the start."""

log = logging.getLogger(__name__)


class NotAgreed(FedLoomError):
    """A run that was proposed does not take place. The text says why."""


class Site(Protocol):
    """Where a node's part of the runs is done."""

    def initial_model(self, spec: RunSpec) -> bytes:
        """Its digest. Called in a thread. Raises FedLoomError where there is none."""

    def objection(self, proposer: KeyId, run: str, spec: RunSpec, members: int) -> str | None:
        """Why the site takes no part in a run of so many; None: it does. Called in a thread."""

    async def carry_out(self, agreed: AgreedRun) -> None:
        """Learn; returns when this node has done its rounds."""


@dataclass(frozen=True)
class Agreed:
    """What came of a proposal. `declined`: who takes no part, and why."""

    run: AgreedRun
    declined: Mapping[KeyId, str]


@dataclass(frozen=True)
class _Reserved:
    """What this node has agreed to take part in."""

    proposer: KeyId
    proposal: Proposal
    until: float


class Agreement:
    """Of one node, from `open` to `close`. It takes part in one run at a time."""

    def __init__(self, mesh: Mesh, site: Site) -> None:
        self._mesh = mesh
        self._site = site
        self._post = Messenger(mesh)
        self._reserved: _Reserved | None = None
        self._is_running = False
        self._proposed: str | None = None
        """The run for which replies are awaited."""
        self._replies: dict[KeyId, Reply] = {}

    def open(self) -> None:
        """Begin to answer."""
        self._post.on(PROPOSAL, Proposal, lambda sender, proposal: self._begin_reply(sender, proposal))
        self._post.on(REPLY, Reply, self._hear_reply)
        self._post.on(START, Start, self._hear_start)

    async def close(self) -> None:
        """Answer no more, and end the run that is carried out."""
        await self._post.close()

    async def propose(self, spec: RunSpec) -> Agreed:
        """Ask all who can be reached. Raises NotAgreed. The caller carries the run out, by `carry_out`."""
        if self._is_busy():
            raise NotAgreed("This node takes part in a run already.")
        run = secrets.token_hex(8)
        asked = self._post.reachable()
        if (why := impossible(spec)) is not None:
            raise NotAgreed(f"The run cannot be one of the mesh: {why}.")
        digest = await asyncio.to_thread(self._site.initial_model, spec)
        why = await asyncio.to_thread(self._site.objection, self._mesh.me, run, spec, len(asked) + 1)
        if why is not None:
            raise NotAgreed(f"This site's own policy does not allow the run: {why}.")
        self._proposed, self._replies = run, {}
        try:
            replies = await self._replies_to(Proposal.of(run, spec, digest), asked)
        finally:
            self._proposed = None
        declined = {key: reply.why for key, reply in replies.items() if not reply.takes_part}
        declined |= dict.fromkeys(asked - replies.keys(), "it has not replied")
        members = in_order({self._mesh.me, *(replies.keys() - declined.keys())})
        is_enough = len(members) >= spec.min_clients
        told = members if is_enough else ()
        await self._tell(Start(run=run, members=tuple(key.digest.hex() for key in told)), replies)
        if not is_enough:
            reasons = "; ".join(f"{key.short}: {why}" for key, why in declined.items()) or "nobody is there"
            raise NotAgreed(
                f"{len(members)} of the {spec.min_clients} nodes that the run needs take part ({reasons})."
            )
        return Agreed(AgreedRun(run, spec, digest, members), declined)

    async def carry_out(self, agreed: AgreedRun) -> None:
        """Do this node's part. Raises what the site does."""
        self._is_running = True
        try:
            await self._site.carry_out(agreed)
        finally:
            self._is_running = False

    async def _replies_to(self, proposal: Proposal, asked: frozenset[KeyId]) -> dict[KeyId, Reply]:
        for key in asked:
            self._post.start(self._ask(key, proposal))
        await self._post.until(lambda: self._replies.keys() >= asked, REPLY_S)
        return dict(self._replies)

    async def _ask(self, key: KeyId, proposal: Proposal) -> None:
        """Until it has the proposal, or its reply is awaited no more: a node that is busy may be away for a
        moment."""
        while self._proposed == proposal.run and not await self._post.send(key, PROPOSAL, proposal):
            await asyncio.sleep(AGAIN_S)

    async def _tell(self, start: Start, replies: Mapping[KeyId, Reply]) -> None:
        taking_part = [key for key, reply in replies.items() if reply.takes_part]
        await asyncio.gather(*(self._post.insist(key, START, start, 1.0) for key in taking_part))

    def _hear_reply(self, sender: KeyId, reply: Reply) -> None:
        if reply.run == self._proposed:
            self._replies[sender] = reply

    def _begin_reply(self, sender: KeyId, proposal: Proposal) -> None:
        reserved = self._reserved
        if reserved is not None and (reserved.proposer, reserved.proposal) == (sender, proposal):
            return  # it was proposed again, and is being considered, or agreed to
        if self._is_busy():
            self._reply(sender, proposal, "it takes part in another run")
            return
        until = asyncio.get_running_loop().time() + RESERVED_S
        self._reserved = _Reserved(sender, proposal, until)
        self._post.start(self._consider(self._reserved))

    async def _consider(self, reserved: _Reserved) -> None:
        proposal = reserved.proposal
        members = len(self._post.reachable()) + 1
        why = await asyncio.to_thread(self._objection, reserved.proposer, proposal, members)
        if why is not None and self._reserved is reserved:
            self._reserved = None
        self._reply(reserved.proposer, proposal, why)

    def _objection(self, proposer: KeyId, proposal: Proposal, members: int) -> str | None:
        try:
            spec = proposal.read_spec()
            if (why := impossible(spec)) is not None:
                return why
            if (why := self._site.objection(proposer, proposal.run, spec, members)) is not None:
                return why
            if self._site.initial_model(spec).hex() != proposal.model:
                return "its initial model is another one here: the versions differ"
        except FedLoomError as error:
            return str(error)
        return None

    def _reply(self, to: KeyId, proposal: Proposal, why: str | None) -> None:
        reply = Reply(run=proposal.run, takes_part=why is None, why=(why or "")[:500])
        self._post.start(self._post.insist(to, REPLY, reply, 1.0))

    def _hear_start(self, sender: KeyId, start: Start) -> None:
        reserved = self._reserved
        if reserved is None or (reserved.proposer, reserved.proposal.run) != (sender, start.run):
            return
        self._reserved = None
        members = in_order({KeyId(bytes.fromhex(member)) for member in start.members})
        if self._mesh.me not in members:
            return
        proposal = reserved.proposal
        try:
            agreed = AgreedRun(proposal.run, proposal.read_spec(), bytes.fromhex(proposal.model), members)
        except MessageInvalid:
            return  # it was not agreed to
        self._is_running = True
        self._post.start(self._join(sender, agreed))

    async def _join(self, proposer: KeyId, agreed: AgreedRun) -> None:
        site, members = self._site, len(agreed.members)
        try:
            why = await asyncio.to_thread(site.objection, proposer, agreed.run, agreed.spec, members)
            if why is not None:
                log.warning("takes no part in run %s after all: %s", agreed.run, why)
                return
            await self.carry_out(agreed)
        except FedLoomError as error:
            log.error("run %s has ended here: %s", agreed.run, error)
        finally:
            self._is_running = False

    def _is_busy(self) -> bool:
        now = asyncio.get_running_loop().time()
        is_reserved = self._reserved is not None and self._reserved.until > now
        return self._is_running or self._proposed is not None or is_reserved
