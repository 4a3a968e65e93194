"""ClientSession: a client's side of one session, a state machine without I/O.

Each step is taken once, in this order: `advertise`, `share`, `open`, `mask`, `confirm`, `reveal`. The client
chooses its neighbours itself, so that a server cannot surround it with its own. Raises Refused where going on
could show the server this client's update, or another's.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from shared.secagg.agreement import AgreementKey, WrongBox, commitment
from shared.secagg.masks import SEED_BYTES, Masked
from shared.secagg.member import Member
from shared.secagg.noisy_packing import packing_of
from shared.secagg.packing import Learned
from shared.secagg.refusal import Refused, Rule
from shared.secagg.session import Revealed, RoundKeys, Session
from shared.secagg.settings import LEAST_CLIENTS, LOWEST_THRESHOLD
from shared.secagg.shares import PLACE_BYTES, SHARE_BYTES, split
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey


class _Step(IntEnum):
    ADVERTISE = 0
    SHARE = 1
    OPEN = 2
    MASK = 3
    CONFIRM = 4
    REVEAL = 5
    OVER = 6


@dataclass
class ClientSession:
    """One session at one client. `model`: the digest of the global model, as the server has announced it."""

    session: Session
    member: Member
    model: bytes
    _step: _Step = _Step.ADVERTISE
    _box_key: AgreementKey = field(default_factory=AgreementKey.make)
    _mask_key: AgreementKey = field(default_factory=AgreementKey.make)
    _seed: bytes = field(default_factory=lambda: secrets.token_bytes(SEED_BYTES))
    _keys: dict[int, RoundKeys] = field(default_factory=dict)
    _chosen: tuple[int, ...] = ()
    _needed: int = 0
    _own_share: bytes = b""
    _shares: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    """By owner, whose neighbour this client is: of its seed, and of its mask key."""
    _sharers: frozenset[int] = frozenset()
    _survivors: frozenset[int] = frozenset()

    @property
    def round(self) -> int:
        """Of which round it is."""
        return self.session.round

    @property
    def is_over(self) -> bool:
        """Whether all was said that this client will say in it."""
        return self._step is _Step.OVER

    # the steps

    def advertise(self) -> RoundKeys:
        """This client's keys, signed."""
        session, member = self.session, self.member
        self._take_step(_Step.ADVERTISE)
        if not session.settings.threshold > LOWEST_THRESHOLD:
            raise Refused(
                Rule.THRESHOLD,
                f"the threshold is {session.settings.threshold:g}, and must be above two thirds: the server "
                "could open single updates otherwise",
            )
        if member.node not in session.cohort or len(set(session.cohort)) != len(session.cohort):
            raise Refused(Rule.COHORT, "the list of the clients that were asked cannot be right")
        self._require_enough(session.cohort, "are asked")
        keys = RoundKeys(
            client_id=member.client_id,
            identity=member.key.public.der,
            model=self.model,
            box_key=self._box_key.public,
            mask_key=self._mask_key.public,
            seed=commitment(self._seed),
        )
        return keys.signed(session, member.key)

    def share(self, keys: Sequence[RoundKeys]) -> dict[int, bytes]:
        """Given the signed keys of all who have sent some: a box of shares for each chosen neighbour."""
        self._take_step(_Step.SHARE)
        self._keys = self._verified(keys)
        others = sorted(self._keys.keys() - {self.member.node})
        settings, clients = self.session.settings, len(self._keys)
        self._chosen = tuple(secrets.SystemRandom().sample(others, settings.neighbours_in(clients)))
        self._needed = settings.needed(clients)
        holders = range(1, len(self._chosen) + 2)
        of_seed = split(self._seed, holders, self._needed)
        of_key = split(self._mask_key.secret, holders, self._needed)
        self._own_share = _numbered(1, of_seed[1])
        return {
            node: self._box_key.close(
                self.session.digest,
                self.member.node,
                node,
                self._keys[node].box_key,
                _numbered(place, of_seed[place]) + of_key[place],
            )
            for place, node in enumerate(self._chosen, start=2)
        }

    def open(self, sharers: Collection[int], boxes: Mapping[int, bytes]) -> None:
        """Given who has shared, and the boxes for this client: keep what is in them."""
        self._take_step(_Step.OPEN)
        node = self.member.node
        self._sharers = frozenset(sharers)
        if node not in self._sharers or not self._sharers <= self._keys.keys():
            raise Refused(Rule.SURVIVORS, "the list of those who have shared their secrets cannot be right")
        self._require_enough(self._sharers, "have shared their secrets")
        self._require_neighbours(self._sharers)
        if not boxes.keys() <= self._sharers - {node}:
            raise Refused(Rule.SHARES, "there are shares of clients that have sent none")
        self._shares = {sender: self._opened(sender, box) for sender, box in boxes.items()}

    def require_model(self, model: bytes) -> None:
        """Whether an update of this global model may be asked for now: before anything is learned from it."""
        self._require_step(_Step.MASK)
        if model != self.model:
            raise Refused(
                Rule.MODEL,
                "the global model is not the one that the server has announced, and all have signed",
            )

    def mask(self, model: bytes, learned: Learned) -> Masked:
        """Given what this client has learned from a global model: the same with masks on it."""
        self.require_model(model)
        self._take_step(_Step.MASK)
        masked = packing_of(self.session, learned.change.size).pack(learned)
        masked.add_mask(self._seed, sign=1)
        neighbours = (set(self._chosen) | self._shares.keys()) & self._sharers
        for other in sorted(neighbours):
            seed = self._mask_key.mask_seed(self.session.digest, self._keys[other].mask_key)
            masked.add_mask(seed, sign=1 if self.member.node < other else -1)
        return masked

    def confirm(self, survivors: Collection[int]) -> bytes:
        """Given whose masked updates have come: this client's signature under that list."""
        self._take_step(_Step.CONFIRM)
        self._survivors = frozenset(survivors)
        if self.member.node not in self._survivors or not self._survivors <= self._sharers:
            raise Refused(Rule.SURVIVORS, "the list of those whose updates have come cannot be right")
        self._require_enough(self._survivors, "have sent an update")
        self._require_neighbours(self._survivors)
        self._require_noise(self._survivors)
        return self.member.key.sign(self.session.survivors_statement(self._survivors))

    def reveal(
        self, alive: Collection[int], dead: Collection[int], confirmations: Mapping[int, bytes]
    ) -> Revealed:
        """Given others' signatures under the same list: the shares that take the masks off the sum."""
        if self._step is _Step.OVER:
            raise Refused(Rule.TWICE, "the shares were asked for once more, and are given once")
        self._take_step(_Step.REVEAL)
        if overlap := set(alive) & set(dead):
            raise Refused(
                Rule.SURVIVORS,
                f"{len(overlap)} clients are said to be alive and dead: with both shares of a client, the "
                "server has its update",
            )
        if set(alive) != self._survivors or set(dead) != self._sharers - self._survivors:
            raise Refused(
                Rule.SURVIVORS, "the lists of the living and the dead are not those that were confirmed"
            )
        self._require_confirmed(confirmations)
        seeds = {owner: shares[0] for owner, shares in self._shares.items() if owner in self._survivors}
        keys = {owner: shares[1] for owner, shares in self._shares.items() if owner not in self._survivors}
        return Revealed({**seeds, self.member.node: self._own_share}, keys)

    # what is demanded

    def _require_step(self, step: _Step) -> None:
        if self._step is not step:
            raise Refused(
                Rule.ORDER, f"the server asks for {step.name.lower()} when {self._step.name.lower()} is next"
            )

    def _take_step(self, step: _Step) -> None:
        self._require_step(step)
        self._step = _Step(step + 1)

    def _require_enough(self, clients: Collection[int], what: str) -> None:
        minimum = max(self.member.minimum, LEAST_CLIENTS)
        if len(clients) < minimum:
            raise Refused(
                Rule.COHORT,
                f"{len(clients)} clients {what}, and this one takes part among {minimum} at least",
            )

    def _require_neighbours(self, there: Collection[int]) -> None:
        """So many that the mask of this client cannot be that of the server's friends alone."""
        left = 1 + sum(node in there for node in self._chosen)
        if left < self._needed:
            raise Refused(
                Rule.SURVIVORS,
                f"of this client's neighbours, with itself, {left} are left, and {self._needed} are needed",
            )

    def _require_noise(self, survivors: Collection[int]) -> None:
        """So many that their parts of the noise are all of it."""
        session = self.session
        if session.noise is None:
            return
        least = session.settings.least_in_sum(len(session.cohort))
        if len(survivors) < least:
            raise Refused(
                Rule.NOISE,
                f"{len(survivors)} clients are in the sum, and {least} of the {len(session.cohort)} asked "
                "must be: the noise of fewer is less than the run promises",
            )

    def _require_confirmed(self, confirmations: Mapping[int, bytes]) -> None:
        said = self.session.survivors_statement(self._survivors)
        confirmed = 1
        for node in self._chosen:
            signature = confirmations.get(node)
            if node not in self._survivors or signature is None:
                continue
            try:
                PublicKey(self._keys[node].identity).verify(signature, said)
            except BadSignature as error:
                raise Refused(
                    Rule.SURVIVORS,
                    f"{self._keys[node].client_id} has not signed the list of survivors that this client "
                    "was told",
                ) from error
            confirmed += 1
        if confirmed < self._needed:
            raise Refused(
                Rule.SURVIVORS,
                f"{confirmed} of this client's neighbours, with itself, have signed the list of survivors, "
                f"and {self._needed} are needed",
            )

    def _verified(self, keys: Sequence[RoundKeys]) -> dict[int, RoundKeys]:
        """By number. All are verified, not only those of neighbours: so all have the same model."""
        by_node = {self.member.node_of(each.client_id): each for each in keys}
        identities = {KeyId.of(each.identity) for each in keys}
        if (
            len(by_node) < len(keys)
            or len(identities) < len(keys)
            or not by_node.keys() <= set(self.session.cohort)
        ):
            raise Refused(Rule.KEYS, "the list of keys has one client twice, or one that was not asked")
        own = by_node.get(self.member.node)
        if own is None or (own.box_key, own.mask_key, own.identity) != (
            self._box_key.public,
            self._mask_key.public,
            self.member.key.public.der,
        ):
            raise Refused(Rule.KEYS, "the list of keys does not have this client's own")
        self._require_enough(by_node, "have sent keys")
        for each in keys:
            try:
                each.verify(self.session)
            except (BadSignature, KeyUnusable) as error:
                raise Refused(
                    Rule.KEYS, f"the keys of {each.client_id!r} are not signed by it for this round"
                ) from error
            if each.model != self.model:
                raise Refused(
                    Rule.MODEL,
                    f"{each.client_id} was sent another global model, by which the server could tell updates "
                    "apart",
                )
        self.member.require_genuine({each.client_id: KeyId.of(each.identity) for each in keys})
        return by_node

    def _opened(self, sender: int, box: bytes) -> tuple[bytes, bytes]:
        key = self._keys[sender]
        try:
            content = self._box_key.open(self.session.digest, sender, self.member.node, key.box_key, box)
        except WrongBox as error:
            raise Refused(
                Rule.SHARES,
                f"the shares of {key.client_id} were not made for this client in this session",
            ) from error
        if len(content) != PLACE_BYTES + 2 * SHARE_BYTES:
            raise Refused(Rule.SHARES, f"the shares of {key.client_id} are none")
        place, shares = content[:PLACE_BYTES], content[PLACE_BYTES:]
        return place + shares[:SHARE_BYTES], place + shares[SHARE_BYTES:]


def _numbered(place: int, share: bytes) -> bytes:
    """A share with its holder's number before it."""
    return place.to_bytes(PLACE_BYTES) + share
