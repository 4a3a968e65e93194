"""Masking: the built-in ClientApp in runs with secure aggregation, where no update leaves it without a mask.

It carries the messages of one session at a time to a `shared.secagg.client.ClientSession`. In such a run
nothing but that and evaluations is answered.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, RecordDict

from client.client_app import spec_of
from client.site.rules import Declined
from shared.canonical import canonical
from shared.errors import SettingsInvalid
from shared.privacy.central import CentralPrivacy
from shared.results import MaskedMetrics, TrainMetrics, records_of
from shared.secagg import messages, model
from shared.secagg.client import ClientSession
from shared.secagg.member import Member
from shared.secagg.noise import shared_noise_of
from shared.secagg.packing import Learned
from shared.secagg.refusal import Refused, Rule
from shared.secagg.session import Session
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from shared.spent import fields_of

ClientCall = Callable[[Message, Context], Message]
"""As a Flower ClientApp is called."""

_THRESHOLD = "secure_aggregation.threshold"

REMEMBERED = 10_000
"""Models, the newest, of which this client has helped to open a sum."""

MOST_NOISY_SUMS = 2
"""Sums of one model that it helps to open where the clients share noise: each has other noise, so that the
mean of many would have little. A server that was killed with the first needs a second one."""


@dataclass(frozen=True)
class _Opened:
    """What a client has helped to open of a model: sums of this list of clients, by its hash."""

    clients: bytes
    sums: int


class Masking:
    """Called as the ClientApp that it stands before. Used in the runtime's thread.

    Raises Declined for what could show an update of this client, or another's.
    """

    def __init__(self, app: ClientCall, member: Member, server_keys: Callable[[], Collection[KeyId]]) -> None:
        """`server_keys`: those that the client's server may have at present."""
        self._app = app
        self._member = member
        self._server_keys = server_keys
        self._session: ClientSession | None = None
        self._opened: dict[tuple[int, bytes], _Opened] = {}
        """By run and global model."""

    def __call__(self, message: Message, context: Context) -> Message:
        """As a ClientApp."""
        kind = message.metadata.message_type
        try:
            settings = spec_of(context).secure_aggregation
            if settings is None:
                if kind.startswith(messages.PREFIX):
                    raise Refused(Rule.ORDER, "the run has no secure aggregation")
                return self._app(message, context)
            if kind == "evaluate":
                return self._app(message, context)
            return self._answer(kind, message, context, settings)
        except SettingsInvalid as error:
            if error.field.startswith(_THRESHOLD):
                raise self._declined(Rule.THRESHOLD, str(error)) from error
            raise
        except messages.Unreadable as error:
            raise self._declined(Rule.ORDER, f"the server's message cannot be read: {error}") from error
        except Refused as error:
            raise self._declined(error.rule, str(error)) from error

    def _declined(self, rule: Rule, words: str) -> Declined:
        """The session is over: nothing that it has is needed again."""
        self._session = None
        return Declined(rule, words)

    def _answer(self, kind: str, message: Message, context: Context, settings: SecureAggregation) -> Message:
        match kind:
            case "train":
                return self._train(message, context)
            case messages.KEYS:
                record = self._begin(_record_in(message), context, settings)
            case messages.SHARES:
                asked = _record_in(message)
                record = messages.boxes_record(self._session_of(asked).share(messages.read_keys(asked)))
            case messages.BOXES:
                asked = _record_in(message)
                self._session_of(asked).open(*messages.read_boxes(asked))
                record = ConfigRecord()
            case messages.CONFIRM:
                asked = _record_in(message)
                signature = self._session_of(asked).confirm(messages.read_survivors(asked))
                record = messages.confirmation_record(signature)
            case messages.REVEAL:
                record = self._reveal(_record_in(message))
            case _:
                raise Refused(
                    Rule.UNMASKED, f"the run has secure aggregation, and {kind!r} is no message of it"
                )
        return Message(RecordDict({messages.RECORD: record}), reply_to=message)

    def _begin(self, asked: ConfigRecord, context: Context, settings: SecureAggregation) -> ConfigRecord:
        """A session, which takes the place of one that was not finished."""
        self._session = None
        wanted = messages.KeysWanted.read(asked)
        server = KeyId(wanted.server) if len(wanted.server) == hashlib.sha256().digest_size else None
        if server is None or server not in self._server_keys():
            raise Refused(Rule.KEYS, "the session is another server's than this client has joined")
        session = Session(
            server=server,
            run_id=context.run_id,
            round=wanted.round,
            nonce=wanted.nonce,
            cohort=wanted.cohort,
            settings=settings,
            noise=_noise_of(context),
        )
        self._session = ClientSession(session, self._member, wanted.model)
        return messages.keys_record([self._session.advertise()])

    def _train(self, message: Message, context: Context) -> Message:
        """Train, and mask what has been learned. The reply tells nothing else of it."""
        began = time.monotonic()
        nonce = records_of(message.content, ConfigRecord)["config"].get(messages.SESSION)
        session = self._session
        if session is None or nonce != session.session.nonce:
            raise Refused(
                Rule.UNMASKED,
                "an update is asked for without a mask, or in a session of which this client knows nothing",
            )
        sent = _arrays_in(message)
        digest = model.digest_of(sent)
        session.require_model(digest)
        reply = self._app(message, context)
        metrics = TrainMetrics.from_reply(reply)
        change = model.change_of(sent, _arrays_in(reply))
        masked = session.mask(digest, Learned(change, metrics.num_examples, metrics.train_loss))
        told = MaskedMetrics(duration_s=time.monotonic() - began, **fields_of(metrics.spent()))
        values = Array(np.frombuffer(masked.to_bytes(), np.uint8))
        return Message(
            RecordDict(
                {messages.MASKED: ArrayRecord({messages.MASKED: values}), "metrics": told.to_record()}
            ),
            reply_to=message,
        )

    def _reveal(self, asked: ConfigRecord) -> ConfigRecord:
        session = self._session_of(asked)
        wanted = messages.RevealWanted.read(asked)
        place = session.session.run_id, session.model
        clients = hashlib.sha256(canonical(sorted(wanted.alive))).digest()
        before = self._opened.get(place, _Opened(clients, 0))
        _require_same_sum(session, before, clients)
        revealed = session.reveal(wanted.alive, wanted.dead, wanted.confirmations)
        self._opened[place] = _Opened(clients, before.sums + 1)
        if len(self._opened) > REMEMBERED:
            del self._opened[next(iter(self._opened))]
        return messages.revealed_record(revealed)

    def _session_of(self, asked: ConfigRecord) -> ClientSession:
        session = self._session
        if session is None or messages.nonce_in(asked) != session.session.nonce:
            raise Refused(
                Rule.ORDER, "this client is in no session of this name: it may have been started anew"
            )
        return session


def _noise_of(context: Context) -> CentralPrivacy | None:
    try:
        return shared_noise_of(spec_of(context))
    except SettingsInvalid as error:
        raise Refused(Rule.NOISE, str(error)) from error


def _require_same_sum(session: ClientSession, before: _Opened, clients: bytes) -> None:
    """Of one model of a run, one sum: the difference of two would be the update of who is in one."""
    if before.clients != clients:
        raise Refused(
            Rule.TWICE,
            f"the sum of round {session.round} was opened before with other clients in it: the "
            "difference of both would be an update. The round can be done with the same clients",
        )
    if session.session.noise is not None and before.sums >= MOST_NOISY_SUMS:
        raise Refused(
            Rule.NOISE,
            f"the sum of round {session.round} was opened {before.sums} times, each with other noise: the "
            "mean of many would have little. Start a new run",
        )


def _record_in(message: Message) -> ConfigRecord:
    record = records_of(message.content, ConfigRecord).get(messages.RECORD)
    if record is None:
        raise messages.Unreadable(f"it has no record {messages.RECORD!r}")
    return record


def _arrays_in(message: Message) -> ArrayRecord:
    return records_of(message.content, ArrayRecord)["arrays"]
