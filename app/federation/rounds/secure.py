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

from app.federation.rounds.budgets import Budgets
from app.federation.rounds.secure_replies import masked_in, record_in
from app.federation.strategies.base import RoundStrategy, Update
from app.federation.strategies.sampling import SampledGrid, sample_nodes
from shared.error_line import error_line
from shared.errors import ReplyInvalid, RoundFailed
from shared.flower import client_failed, is_declined, is_unavailable, node_id_of
from shared.results import TrainMetrics
from shared.run_spec import RunSpec
from shared.secagg import messages, model
from shared.secagg.packing import Summed
from shared.secagg.server import ServerSession
from shared.secagg.session import NONCE_BYTES, Session
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId

log = logging.getLogger(__name__)

SUM = 0
"""The number of the node that a sum is said to be of: no client's."""


class SecureCallbacks(Protocol):
    """Told what happens in a run; as `app.federation.rounds.server_app.RunCallbacks` has it."""

    def before_round(self, server_round: int) -> None:
        """A round is about to begin, or to be tried again."""

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """A round is to be tried again. May block until that can help."""

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
        budgets: Budgets,
        server: KeyId,
    ) -> None:
        self._grid = grid
        self._spec = spec
        self._settings = settings
        self._strategy = strategy
        self._callbacks = callbacks
        self._budgets = budgets
        self._server = server

    def train(self, arrays: ArrayRecord, server_round: int) -> ArrayRecord:
        """One round; returns the new global model. Raises RoundFailed where no client takes part."""
        self._budgets.begin()
        while True:
            self._callbacks.before_round(server_round)
            attempt = self._begin(arrays, server_round)
            try:
                summed = self._sum(attempt, arrays, server_round)
            except RoundFailed as error:
                self._budgets.note(attempt.failures)
                self._budgets.require(server_round, is_done=False)
                if not self._budgets.explain(attempt.failures):
                    self._explain(attempt, server_round, error)
            else:
                self._budgets.note(attempt.failures)
                self._callbacks.summed(server_round, sorted(attempt.session.survivors), summed)
                return self._fold(arrays, server_round, summed)

    def _begin(self, arrays: ArrayRecord, server_round: int) -> _Attempt:
        cohort = sample_nodes(
            self._budgets.among(list(self._grid.get_node_ids())),
            self._spec.fraction_train,
            seed=self._spec.seed,
            purpose="train",
            server_round=server_round,
        )
        session = Session(
            server=self._server,
            run_id=self._grid.run.run_id,
            round=server_round,
            nonce=secrets.token_bytes(NONCE_BYTES),
            cohort=tuple(sorted(cohort)),
            settings=self._settings,
        )
        return _Attempt(ServerSession(session, node_id_of, model.digest_of(arrays), model.size_of(arrays)))

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
        server.require(server.confirmations, "confirmed who is in the sum")

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
        """Raise RoundFailed with fewer than the run wants; who declines counts as one not asked."""
        asked = len(attempt.session.session.cohort) - sum(map(is_declined, attempt.failures))
        required = self._spec.required_updates(asked, self._strategy.minimum_updates)
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
        metrics = TrainMetrics(num_examples=summed.samples, train_loss=summed.loss or 0.0, duration_s=0.0)
        fold.add(Update(SUM, model.changed(arrays, summed.mean), metrics))
        made = fold.finish()
        self._callbacks.made(server_round, arrays, made)
        return made

    def _explain(self, attempt: _Attempt, server_round: int, error: RoundFailed) -> None:
        """Returns if the round can be tried again; raises RoundFailed if that is idle."""
        failures = attempt.failures
        reasons = "; ".join(sorted({error_line(reply.error.reason) for reply in failures}))
        words = f"{error} {reasons}".strip()
        if any(map(is_unavailable, failures)):
            log.warning("round %d is tried again, with other keys: %s", server_round, words)
        elif attempt.session.keys or not failures:
            self._callbacks.short_of_updates(server_round, f"round {server_round}: {words}")
        else:
            raise RoundFailed(
                f"Round {server_round} failed: no client takes part in its secure aggregation ({reasons}). "
                "The rounds before it stand. The clients' logs have the details; start a new run when the "
                "cause is mended."
            )
