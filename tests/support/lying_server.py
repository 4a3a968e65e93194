"""What a dishonest server does in a secure aggregation: each lie is a change of the real server's code.

A lie is armed in the server's process before it begins, as `tests.support.forked_server.Death` is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, UserConfig

from app.federation.rounds.secure import SecureRounds
from app.federation.runs.built_in import BuiltInKind
from app.federation.runs.membership import Membership
from app.federation.strategies.sampling import SampledGrid
from shared.flower import node_id_of
from shared.secagg import messages, model
from shared.secagg.agreement import AgreementKey
from shared.secagg.server import ServerSession
from shared.secagg.session import RoundKeys
from shared.security.keys import KeyPair

VICTIM = "a"
"""The client whose update the server wants to see."""
ACCOMPLICE = "b"
"""In whose place it puts itself, where that is the lie."""


@dataclass(frozen=True)
class Lie:
    """By the name of one of the functions below."""

    name: str

    def arm(self) -> None:
        """Called in the server's process."""
        globals()[self.name]()


def other_mask_key() -> None:
    """One of the keys that are passed on is the server's."""
    honest = messages.keys_record

    def keys_record(keys: list[RoundKeys], nonce: bytes = b"") -> ConfigRecord:
        forged = [
            replace(each, mask_key=AgreementKey.make().public) if each.client_id == ACCOMPLICE else each
            for each in keys
        ]
        return honest(forged, nonce)

    _replace(messages, "keys_record", keys_record)


def other_identity() -> None:
    """From round 2 on the server puts an identity of its own in the place of a client's."""
    own = KeyPair.make()

    def about(session: ServerSession, keys: list[RoundKeys]) -> list[RoundKeys]:
        if session.session.round < 2:
            return keys
        return [
            replace(each, identity=own.public.der, mask_key=AgreementKey.make().public).signed(
                session.session, own
            )
            if each.client_id == ACCOMPLICE
            else each
            for each in keys
        ]

    _in_questions(
        messages.SHARES,
        lambda session, node, asked: messages.keys_record(
            about(session, messages.read_keys(asked)), session.session.nonce
        ),
    )


def alive_and_dead() -> None:
    """Both shares of the victim's secrets are asked for."""
    _in_questions(
        messages.REVEAL,
        lambda session, node, asked: ConfigRecord({**asked, "dead": [node_id_of(VICTIM)]}),
    )


def other_model_announced() -> None:
    """The victim is told of another model, and signs that."""
    honest = ServerSession.take_keys

    def take_keys(self: ServerSession, node: int, keys: RoundKeys) -> None:
        honest(replace_model(self, keys.model), node, keys)

    def replace_model(session: ServerSession, digest: bytes) -> ServerSession:
        session.model = digest
        return session

    _replace(ServerSession, "take_keys", take_keys)
    _in_questions(
        messages.KEYS,
        lambda session, node, asked: (
            ConfigRecord({**asked, "model": bytes(32)}) if node == node_id_of(VICTIM) else asked
        ),
    )


def other_model_sent() -> None:
    """All are sent another model than they have signed."""
    honest = SecureRounds._ask_to_train

    def ask_to_train(self: SecureRounds, attempt: Any, arrays: ArrayRecord, server_round: int) -> None:
        change = np.ones(model.size_of(arrays))
        honest(self, attempt, model.changed(arrays, change), server_round)

    _replace(SecureRounds, "_ask_to_train", ask_to_train)


def lower_threshold() -> None:
    """The clients are told a threshold of a half."""
    honest = Membership.__init__

    def init(self: Membership, run: Any, run_config: UserConfig, *rest: Any) -> None:
        honest(self, run, {**run_config, "secure-aggregation-threshold": 0.5}, *rest)

    _replace(Membership, "__init__", init)


def smaller_cohort() -> None:
    """A cohort of ten is announced, and three are in it."""
    _replace(BuiltInKind, "cohort", lambda self, asked, members: 10)
    assign = Membership._assign

    def assign_ten(self: Membership, client: Any, part: int, on_host: int, clients: int) -> None:
        assign(self, client, part, on_host, 10)

    _replace(Membership, "_assign", assign_ten)


def replayed_shares() -> None:
    """The boxes of the round before are passed on."""
    kept: dict[tuple[int, int], dict[int, bytes]] = {}
    honest = ServerSession.boxes_for

    def boxes_for(self: ServerSession, node: int) -> dict[int, bytes]:
        kept[self.session.round, node] = honest(self, node)
        return kept.get((self.session.round - 1, node), kept[self.session.round, node])

    _replace(ServerSession, "boxes_for", boxes_for)


def shares_twice() -> None:
    """The shares are asked for again."""
    honest = SecureRounds._ask

    def ask(self: SecureRounds, attempt: Any, kind: str, *how: Any) -> None:
        honest(self, attempt, kind, *how)
        if kind == messages.REVEAL:
            honest(self, attempt, kind, *how)

    _replace(SecureRounds, "_ask", ask)


def no_mask() -> None:
    """An update is asked for as in any other run."""

    def ask_to_train(self: SecureRounds, attempt: Any, arrays: ArrayRecord, server_round: int) -> None:
        nodes = SampledGrid(self._grid, sorted(attempt.session.ready))
        asked = self._strategy.configure_train(server_round, arrays, ConfigRecord(), nodes)
        self._take(attempt, asked, lambda reply: None)

    _replace(SecureRounds, "_ask_to_train", ask_to_train)


def survivors_by_client() -> None:
    """The victim is told that all are there, and the others that it is gone."""

    def take_any(self: ServerSession, node: int, signature: bytes) -> None:
        self._confirmations[node] = signature

    _replace(ServerSession, "take_confirmation", take_any)
    _in_questions(
        messages.CONFIRM,
        lambda session, node, asked: messages.survivors_record(
            session.survivors - (set() if node == node_id_of(VICTIM) else {node_id_of(VICTIM)}),
            session.session.nonce,
        ),
    )


def noise_of_fewer() -> None:
    """Of four that were asked, keys of three are passed on, whose noise together is less."""
    take_keys = ServerSession.take_keys

    def take_three(self: ServerSession, node: int, keys: RoundKeys) -> None:
        if keys.client_id != "d":
            take_keys(self, node, keys)

    _replace(ServerSession, "take_keys", take_three)
    _replace(ServerSession, "require", lambda self, there, done, are_summed=True: None)


def less_noise() -> None:
    """All clients but the victim are told that they need not add any noise worth the name."""
    assign = Membership._assign

    def assign_less(self: Membership, client: Any, *how: Any) -> None:
        honest = self._run_config
        if client.id != VICTIM:
            self._run_config = {**honest, "strategy-params": json.dumps({"noise_multiplier": 1e-6})}
        assign(self, client, *how)
        self._run_config = honest

    def take_any(self: ServerSession, node: int, keys: RoundKeys) -> None:
        self.keys[node] = keys

    _replace(Membership, "_assign", assign_less)
    _replace(ServerSession, "take_keys", take_any)


def _replace(owner: Any, name: str, by: Any) -> None:
    setattr(owner, name, by)


Change = Callable[[ServerSession, int, ConfigRecord], ConfigRecord]


def _in_questions(kind: str, change: Change) -> None:
    """Have the server's messages of a kind say something else, to each client by itself."""
    honest = SecureRounds._ask

    def ask(self: SecureRounds, attempt: Any, asked: str, nodes: Any, record: Any, take: Any) -> None:
        if asked != kind:
            honest(self, attempt, asked, nodes, record, take)
            return
        honest(self, attempt, asked, nodes, lambda node: change(attempt.session, node, record(node)), take)

    _replace(SecureRounds, "_ask", ask)
