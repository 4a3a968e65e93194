"""SecureRounds: rounds of which the server learns the sum of the updates alone; see `shared.secagg`.

A round is several exchanges of one session. Whoever leaves on the way is left out, as long as enough stay.
With too few, or after a crash of the server, the round is tried again: in another session, with other keys,
from the beginning.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.rounds.accounting import AccountCallbacks, account
from app.federation.rounds.attempts import Attempts, reasons_of
from app.federation.rounds.opened_before import OpenedBefore
from app.federation.rounds.secure_replies import masked_in, record_in
from app.federation.strategies.base import RoundStrategy, Update
from app.federation.strategies.sampling import SampledGrid
from shared.errors import ReplyInvalid, RoundFailed
from shared.flower import client_failed, is_declined, node_id_of
from shared.results import TrainMetrics
from shared.run_spec import RunSpec
from shared.secagg import messages, model
from shared.secagg.noise import shared_noise_of
from shared.secagg.noisy_packing import packing_of
from shared.secagg.packing import Summed
from shared.secagg.server import ServerSession
from shared.secagg.session import NONCE_BYTES, Session
from shared.secagg.settings import LEAST_CLIENTS, SecureAggregation
from shared.security.key_id import KeyId

log = logging.getLogger(__name__)

SUM = 0
"""The number of the node that a sum is said to be of: no client's."""


class SecureCallbacks(AccountCallbacks, Protocol):
    """Told what happens in a run; as `app.federation.rounds.callbacks.RunCallbacks` has it."""

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        """The masked updates of these nodes have come to a sum."""

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """The sum has made the new global model of the one that was sent."""


@dataclass
class _Attempt:
    """One session, and what went wrong in it."""

    session: ServerSession
    failures: list[Message] = field(default_factory=list)


class SecureRounds:
    """Of one run, in its thread. `server`: the id of the key by which its clients know the server."""

    def __init__(
        self,
        grid: Grid,
        spec: RunSpec,
        settings: SecureAggregation,
        strategy: RoundStrategy,
        callbacks: SecureCallbacks,
        attempts: Attempts,
        server: KeyId,
    ) -> None:
        self._grid = grid
        self._settings = settings
        self._noise = shared_noise_of(spec)
        self._strategy = strategy
        self._callbacks = callbacks
        self._attempts = attempts
        self._server = server

    def train(self, arrays: ArrayRecord, server_round: int) -> ArrayRecord:
        """One round; returns the new global model. Raises RoundFailed where no client takes part."""
        self._attempts.begin()
        before, only = OpenedBefore(server_round), frozenset[int]()
        declined: set[int] = set()
        while True:
            cohort = self._attempts.cohort(server_round, only, without=declined)
            attempt = self._begin(cohort, arrays, server_round)
            try:
                summed = self._sum(attempt, arrays, server_round)
            except RoundFailed as error:
                self._attempts.note(attempt.failures)
                only = before.members(attempt.failures, attempt.session.confirmations)
                if only or self._goes_on_without(attempt, declined):
                    log.info("round %d is tried again with others: %s", server_round, error)
                elif not self._attempts.is_for_budgets(server_round, attempt.failures):
                    self._await_better(attempt, server_round, error)
            else:
                self._attempts.note(attempt.failures)
                _tell_of_misfits(attempt.session, server_round)
                self._callbacks.summed(server_round, sorted(attempt.session.survivors), summed)
                return self._fold(arrays, server_round, summed)

    def _goes_on_without(self, attempt: _Attempt, declined: set[int]) -> bool:
        """Whether the round is tried again at once without those who have declined, who are noted.

        Where clients share noise its parts are for all who were asked, so that few who decline are too many.
        """
        now = {reply.metadata.src_node_id for reply in attempt.failures if is_declined(reply)}
        left = set(attempt.session.session.cohort) - now
        if self._noise is None or not now or len(left) < LEAST_CLIENTS:
            return False
        declined |= now
        return True

    def _begin(self, cohort: list[int], arrays: ArrayRecord, server_round: int) -> _Attempt:
        session = Session(
            server=self._server,
            run_id=self._grid.run.run_id,
            round=server_round,
            nonce=secrets.token_bytes(NONCE_BYTES),
            cohort=tuple(sorted(cohort)),
            settings=self._settings,
            noise=self._noise,
        )
        size = model.size_of(arrays)
        if cohort:  # before anybody trains for a sum that has no room for the noise
            packing_of(session, size)
        return _Attempt(ServerSession(session, node_id_of, model.digest_of(arrays), size))

    def _sum(self, attempt: _Attempt, arrays: ArrayRecord, server_round: int) -> Summed:
        """All exchanges of a session. Raises RoundFailed."""
        server = attempt.session
        session, nonce = server.session, server.session.nonce
        wanted = messages.KeysWanted(
            session.server.digest, nonce, session.round, session.cohort, server.model
        ).record()
        self._ask(
            attempt,
            messages.KEYS,
            session.cohort,
            lambda _: wanted,
            lambda node, said: server.take_keys(node, messages.read_own_keys(said)),
        )
        server.require(server.keys, "sent their keys")

        keys = messages.keys_record(list(server.keys.values()), nonce)
        self._ask(
            attempt,
            messages.SHARES,
            server.keys,
            lambda _: keys,
            lambda node, said: server.take_boxes(node, messages.read_boxes(said)[1]),
        )
        server.require(server.sharers, "shared their secrets")

        sharers = server.sharers
        self._ask(
            attempt,
            messages.BOXES,
            sharers,
            lambda node: messages.boxes_record(server.boxes_for(node), nonce, sharers),
            lambda node, said: server.take_opened(node),
        )
        server.require(server.ready, "opened the shares for them")

        self._ask_to_train(attempt, arrays, server_round)
        server.require(server.survivors, "sent an update")
        self._require_updates(attempt)

        survivors = messages.survivors_record(server.survivors, nonce)
        self._ask(
            attempt,
            messages.CONFIRM,
            server.survivors,
            lambda _: survivors,
            lambda node, said: server.take_confirmation(node, messages.read_confirmation(said)),
        )
        server.require(server.confirmations, "confirmed who is in the sum", are_summed=False)

        reveal = messages.RevealWanted(
            tuple(sorted(server.survivors)), tuple(sorted(server.dead)), server.confirmations
        ).record(nonce)
        self._ask(
            attempt,
            messages.REVEAL,
            server.confirmations,
            lambda _: reveal,
            lambda node, said: server.take_revealed(node, messages.read_revealed(said)),
        )
        return server.finish()

    def _require_updates(self, attempt: _Attempt) -> None:
        """Raise RoundFailed with fewer than the run wants."""
        required = self._attempts.required(attempt.session.session.cohort, attempt.failures)
        if (updates := len(attempt.session.survivors)) < required:
            raise RoundFailed(f"{updates} of {required} updates have come.")

    def _ask_to_train(self, attempt: _Attempt, arrays: ArrayRecord, server_round: int) -> None:
        config = ConfigRecord({messages.SESSION: attempt.session.session.nonce})
        nodes = SampledGrid(self._grid, sorted(attempt.session.ready))
        asked = self._strategy.configure_train(server_round, arrays, config, nodes)
        session = attempt.session
        self._take(
            attempt, asked, lambda reply: session.take_masked(reply.metadata.src_node_id, masked_in(reply))
        )

    def _ask(
        self,
        attempt: _Attempt,
        kind: str,
        nodes: Iterable[int],
        record: Callable[[int], ConfigRecord],
        take: Callable[[int, ConfigRecord], None],
    ) -> None:
        """One exchange. Messages that say the same share their content, and so its bytes."""
        contents: dict[int, RecordDict] = {}
        asked = []
        for node in sorted(nodes):
            said = record(node)
            content = contents.setdefault(id(said), RecordDict({messages.RECORD: said}))
            group = str(attempt.session.session.round)
            asked.append(Message(content, node, kind, group_id=group))
        self._take(attempt, asked, lambda reply: take(reply.metadata.src_node_id, record_in(reply)))

    def _take(self, attempt: _Attempt, asked: Iterable[Message], take: Callable[[Message], None]) -> None:
        """Send messages, and take their replies; what cannot be taken is left out."""
        for reply in self._grid.send_and_receive(asked):
            if reply.has_error():
                attempt.failures.append(reply)
                continue
            try:
                take(reply)
            except (ReplyInvalid, messages.Unreadable) as error:
                log.warning(
                    "round %d: a reply of the secure aggregation is left out: %s",
                    attempt.session.session.round,
                    error,
                )
                attempt.failures.append(client_failed(reply, str(error)))

    def _fold(self, arrays: ArrayRecord, server_round: int, summed: Summed) -> ArrayRecord:
        """What the strategy makes of the mean: it is to it as an update of one client with all samples."""
        fold = self._strategy.begin(server_round, arrays)
        # Strategies that take sums look at no loss
        samples = summed.clients if summed.samples is None else summed.samples
        metrics = TrainMetrics(num_examples=samples, train_loss=summed.loss or 0.0, duration_s=0.0)
        fold.add(Update(SUM, model.changed(arrays, summed.mean), metrics))
        made = fold.finish()
        account(self._strategy, self._callbacks)
        self._callbacks.made(server_round, arrays, made)
        return made

    def _await_better(self, attempt: _Attempt, server_round: int, error: RoundFailed) -> None:
        """Returns if the round can be tried again; raises RoundFailed if that is idle."""
        self._attempts.await_better(
            server_round,
            f"round {server_round}: {error} {reasons_of(attempt.failures)}".strip(),
            attempt.failures,
            nobody=_said_of_nobody(attempt),
        )


def _said_of_nobody(attempt: _Attempt) -> str | None:
    """Where no client has done its part, and trying again with the same is idle; None: it may help."""
    session = attempt.session
    if not session.keys:
        return "no client takes part in its secure aggregation"
    if session.ready and not session.survivors and not any(map(is_declined, attempt.failures)):
        return "no client returned an update"
    return None


def _tell_of_misfits(session: ServerSession, server_round: int) -> None:
    for holder, owner in session.misfits.items():
        log.warning(
            "round %d: the share of %s's mask that %s has given is wrong, and was left out: either %s has "
            "made it so, or %s has changed it",
            server_round,
            *(session.keys[node].client_id for node in (owner, holder, owner, holder)),
        )
