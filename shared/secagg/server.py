"""ServerSession: the server's side of one session, a state machine without I/O.

It passes on what clients say to each other, adds up what they send, and takes the masks off the sum. It holds
no single update at any time, and nothing from which one could be computed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from shared.errors import ReplyInvalid, RoundFailed
from shared.secagg.agreement import AgreementKey, commitment
from shared.secagg.masks import Masked
from shared.secagg.noisy_packing import packing_of
from shared.secagg.packing import TOTALS, SumInvalid, Summed
from shared.secagg.session import NodeOf, Revealed, RoundKeys, Session
from shared.secagg.settings import LEAST_CLIENTS
from shared.secagg.shares import PLACE_BYTES, SHARE_BYTES, combine_right
from shared.security.keys import BadSignature, KeyUnusable, PublicKey


@dataclass
class ServerSession:
    """One session at the server. `size`: how many numbers an update has; `model`: the global model's digest.

    What a client sends and is not taken raises ReplyInvalid; then it is left out. A session with too few
    clients raises RoundFailed.
    """

    session: Session
    node_of: NodeOf
    model: bytes
    size: int
    keys: dict[int, RoundKeys] = field(default_factory=dict)
    _boxes: dict[int, dict[int, bytes]] = field(default_factory=dict)
    """By sender and receiver."""
    _opened: set[int] = field(default_factory=set)
    """Those who have opened the boxes for them."""
    _total: Masked | None = None
    _survivors: set[int] = field(default_factory=set)
    _confirmations: dict[int, bytes] = field(default_factory=dict)
    _seeds: dict[int, dict[int, bytes]] = field(default_factory=dict)
    """Shares of the seeds of the living, by owner and the holder's number."""
    _mask_keys: dict[int, dict[int, bytes]] = field(default_factory=dict)
    """Shares of the mask keys of the dead, likewise."""

    misfits: dict[int, int] = field(default_factory=dict)
    """Clients of whom a share was left out since it does not fit the others, by the client whose secret it is
    a share of: one of the two has made it wrong, and more cannot be known."""

    # what clients send

    def take_keys(self, node: int, keys: RoundKeys) -> None:
        """A client's keys."""
        if self.node_of(keys.client_id) != node or keys.model != self.model:
            raise ReplyInvalid("The keys are not those of this client for this model.")
        try:
            keys.verify(self.session)
        except (BadSignature, KeyUnusable) as error:
            raise ReplyInvalid("The keys are not signed by the client whose they are.") from error
        self.keys[node] = keys

    def take_boxes(self, node: int, boxes: Mapping[int, bytes]) -> None:
        """A client's shares, in a box for each of its neighbours."""
        wanted = self.session.settings.neighbours_in(len(self.keys))
        if node not in self.keys or len(boxes) != wanted or not boxes.keys() <= self.keys.keys() - {node}:
            raise ReplyInvalid("The shares are not for as many of the other clients as they must be.")
        self._boxes[node] = dict(boxes)

    def take_opened(self, node: int) -> None:
        """A client's word that it has opened the boxes for it."""
        if node not in self._boxes:
            raise ReplyInvalid("Boxes were opened by a client that has got none.")
        self._opened.add(node)

    def take_masked(self, node: int, data: bytes | memoryview) -> None:
        """A client's masked update, of which nothing is kept but the sum."""
        if node not in self._opened or node in self._survivors:
            raise ReplyInvalid("A masked update came of a client that owes none.")
        bits = self.session.settings.bits
        try:
            masked = Masked.from_bytes(data, TOTALS, self.size, bits)
        except ValueError as error:
            raise ReplyInvalid(f"The masked update does not fit the model: {error}.") from error
        if self._total is None:
            self._total = Masked.zero(TOTALS, self.size, bits)
        self._total.add(masked)
        self._survivors.add(node)

    def take_confirmation(self, node: int, signature: bytes) -> None:
        """A client's signature under the list of survivors."""
        if node not in self._survivors:
            raise ReplyInvalid("A list was signed by a client that is not on it.")
        try:
            PublicKey(self.keys[node].identity).verify(
                signature, self.session.survivors_statement(self._survivors)
            )
        except BadSignature as error:
            raise ReplyInvalid("The list of survivors is not signed by the client that sends it.") from error
        self._confirmations[node] = signature

    def take_revealed(self, node: int, revealed: Revealed) -> None:
        """A client's shares of others' secrets."""
        for known, shares, owners in (
            (self._seeds, revealed.seeds, self._survivors),
            (self._mask_keys, revealed.keys, self.dead),
        ):
            for owner, share in shares.items():
                if owner not in owners or len(share) != PLACE_BYTES + SHARE_BYTES:
                    raise ReplyInvalid("Shares came that nobody has asked for.")
                place = self._place(owner, node)
                if place != int.from_bytes(share[:PLACE_BYTES]):
                    raise ReplyInvalid("A share came of somebody who does not hold it.")
                known.setdefault(owner, {})[place] = share[PLACE_BYTES:]

    # what clients are told

    @property
    def sharers(self) -> frozenset[int]:
        """Those who have sent their shares."""
        return frozenset(self._boxes)

    @property
    def ready(self) -> frozenset[int]:
        """Those of them who can send an update: they have opened their boxes."""
        return frozenset(self._opened)

    @property
    def survivors(self) -> frozenset[int]:
        """Those whose masked update has come."""
        return frozenset(self._survivors)

    @property
    def dead(self) -> frozenset[int]:
        """Those who have shared their secrets, and sent no update."""
        return self.sharers - self.survivors

    @property
    def confirmations(self) -> Mapping[int, bytes]:
        """The signatures under the list of survivors."""
        return self._confirmations

    def boxes_for(self, node: int) -> dict[int, bytes]:
        """The boxes for one client, by their senders."""
        return {sender: boxes[node] for sender, boxes in self._boxes.items() if node in boxes}

    def require(self, there: Collection[int], done: str, *, are_summed: bool = True) -> None:
        """Raise RoundFailed when so few have done something that the session cannot come to its end.

        `are_summed`: only those of them can be in the sum.
        """
        settings, clients = self.session.settings, len(self.keys)
        is_complete = settings.neighbours_in(clients) == clients - 1
        # Where not all are neighbours, it depends on who is missing.
        least = of_the_shares = max(settings.needed(clients) if is_complete else 0, LEAST_CLIENTS)
        if self.session.noise is not None and are_summed:
            least = max(least, settings.least_in_sum(len(self.session.cohort)))
        if len(there) < least:
            reason = "their noise is enough" if least > of_the_shares else "no single update can be seen"
            raise RoundFailed(
                f"{len(there)} of {len(self.session.cohort)} clients have {done}, and {least} must at least, "
                f"so that {reason}."
            )

    # the end

    def finish(self) -> Summed:
        """What the survivors have learned in all. Raises RoundFailed if their masks cannot be taken off."""
        if self._total is None:
            raise RoundFailed("No client has sent an update.")
        for node in sorted(self._survivors):
            self._total.add_mask(self._seed(node), sign=-1)
        for node in sorted(self.dead):
            self._take_off_masks_with(node, self._mask_key(node), self._total)
        try:
            return packing_of(self.session, self.size).unpack(self._total, len(self._survivors))
        except SumInvalid as error:
            raise RoundFailed(str(error)) from error

    def _take_off_masks_with(self, dead: int, key: AgreementKey, total: Masked) -> None:
        for other in sorted(self._survivors):
            if dead in self._boxes[other] or other in self._boxes[dead]:
                seed = key.mask_seed(self.session.digest, self.keys[other].mask_key)
                total.add_mask(seed, sign=-1 if other < dead else 1)

    def _seed(self, node: int) -> bytes:
        return self._combined(node, self._seeds, lambda seed: commitment(seed) == self.keys[node].seed)

    def _mask_key(self, node: int) -> AgreementKey:
        public = self.keys[node].mask_key
        return AgreementKey.from_secret(
            self._combined(
                node, self._mask_keys, lambda secret: AgreementKey.from_secret(secret).public == public
            )
        )

    def _combined(
        self, node: int, shares: Mapping[int, Mapping[int, bytes]], is_right: Callable[[bytes], bool]
    ) -> bytes:
        """The secret of a client, which it has committed itself to. Notes whose share is wrong."""
        given, needed = shares.get(node, {}), self.session.settings.needed(len(self.keys))
        distrusted = [place for place in given if self._holder(node, place) in self.misfits]
        try:
            secret, left_out = combine_right(given, needed, is_right, distrusted)
        except ValueError as error:
            raise RoundFailed(
                f"The mask of {self.keys[node].client_id} cannot be taken off: {error}. Nothing was learned."
            ) from error
        for place in left_out - set(distrusted):
            self.misfits.setdefault(self._holder(node, place), node)
        return secret

    def _holder(self, owner: int, place: int) -> int:
        """Whose number it is among the holders of an owner's shares."""
        return owner if place == 1 else list(self._boxes[owner])[place - 2]

    def _place(self, owner: int, holder: int) -> int:
        """The number of a holder among those of an owner's shares: they have the order of the boxes."""
        if owner == holder:
            return 1
        try:
            return list(self._boxes[owner]).index(holder) + 2
        except ValueError as error:
            raise ReplyInvalid("A share came of somebody who does not hold it.") from error
