"""The built-in ClientApp behind its mask: what it answers in a run with secure aggregation, and what not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict

from client.masking import Masking
from client.site.rules import Declined
from shared.flower import identify_server_task, node_id_of, set_message_id
from shared.npy import flat_view
from shared.privacy.central import CentralPrivacy
from shared.results import TrainMetrics
from shared.run_spec import RunSpec
from shared.secagg import messages, model
from shared.secagg.masks import Masked
from shared.secagg.member import Member
from shared.secagg.packing import TOTALS
from shared.secagg.server import ServerSession
from shared.secagg.session import Session
from shared.secagg.settings import SecureAggregation
from tests.support.secagg import SERVER, key_of, nobody_is_known
from tests.support.updates import a_model, a_record

NAMES = ("a", "b", "c")
NODES = {name: node_id_of(name) for name in NAMES}
RUN_ID = 7
SENT = a_record(a_model(1))


def train_by_one(message: Message, _: Context) -> Message:
    """A ClientApp that adds 1 to all weights."""
    learned = model.changed(SENT, np.ones(model.size_of(SENT)))
    metrics = TrainMetrics(num_examples=10, train_loss=0.5, duration_s=0.1)
    return Message(RecordDict({"arrays": learned, "metrics": metrics.to_record()}), reply_to=message)


@dataclass
class Federation:
    """Three maskings, and the server's side of a session."""

    clients: dict[str, Masking] = field(
        default_factory=lambda: {
            name: Masking(
                train_by_one, Member(name, key_of(number), node_id_of, nobody_is_known), lambda: (SERVER,)
            )
            for number, name in enumerate(NAMES)
        }
    )
    nonce: bytes = b"n" * 32
    noise: CentralPrivacy | None = None

    def __post_init__(self) -> None:
        cohort = tuple(sorted(NODES.values()))
        session = Session(SERVER, RUN_ID, 1, self.nonce, cohort, SecureAggregation(), self.noise)
        self.server = ServerSession(session, node_id_of, model.digest_of(SENT), model.size_of(SENT))

    def ask(self, name: str, kind: str, content: RecordDict, **config: Any) -> Message:
        spec = RunSpec(secure_aggregation=SecureAggregation(), min_clients=3)
        if self.noise is not None:
            spec = spec.with_changes(strategy="dpfedavg-fixed", strategy_params=self.noise.model_dump())
        identify_server_task(RUN_ID)
        message = Message(content, NODES[name], kind)
        set_message_id(message, "m")
        run_config = {**spec.to_run_config(), **config}
        return self.clients[name](message, Context(RUN_ID, NODES[name], {}, RecordDict(), run_config))

    def say(self, name: str, kind: str, record: ConfigRecord) -> ConfigRecord:
        reply = self.ask(name, kind, RecordDict({messages.RECORD: record}))
        answer = reply.content[messages.RECORD]
        assert isinstance(answer, ConfigRecord)
        return answer

    def begin(self) -> None:
        session = self.server.session
        wanted = messages.KeysWanted(SERVER.digest, self.nonce, 1, session.cohort, self.server.model).record()
        for name, node in NODES.items():
            self.server.take_keys(node, messages.read_own_keys(self.say(name, messages.KEYS, wanted)))

    def share(self) -> None:
        keys = messages.keys_record(list(self.server.keys.values()), self.nonce)
        for name, node in NODES.items():
            self.server.take_boxes(node, messages.read_boxes(self.say(name, messages.SHARES, keys))[1])
        for name, node in NODES.items():
            boxes = messages.boxes_record(self.server.boxes_for(node), self.nonce, self.server.sharers)
            self.say(name, messages.BOXES, boxes)
            self.server.take_opened(node)

    def train(self, name: str, nonce: bytes | None = None, arrays: ArrayRecord = SENT) -> Message:
        config = ConfigRecord({} if nonce is None else {messages.SESSION: nonce})
        return self.ask(name, "train", RecordDict({"arrays": arrays, "config": config}))

    def mask(self) -> None:
        for name, node in NODES.items():
            record = self.train(name, self.nonce).content[messages.MASKED]
            assert isinstance(record, ArrayRecord)
            self.server.take_masked(node, flat_view(record[messages.MASKED]).tobytes())

    def open_sum(self, names: tuple[str, ...] = NAMES) -> None:
        server = self.server
        survivors = messages.survivors_record(server.survivors, self.nonce)
        for name in names:
            said = self.say(name, messages.CONFIRM, survivors)
            server.take_confirmation(NODES[name], messages.read_confirmation(said))
        wanted = messages.RevealWanted(
            tuple(server.survivors), tuple(server.dead), server.confirmations
        ).record(self.nonce)
        for name in names:
            server.take_revealed(NODES[name], messages.read_revealed(self.say(name, messages.REVEAL, wanted)))


@pytest.fixture
def federation() -> Federation:
    return Federation()


def test_messages_carry_a_session_from_keys_to_sum(federation: Federation) -> None:
    federation.begin()
    federation.share()
    federation.mask()
    federation.open_sum()
    summed = federation.server.finish()
    assert summed.mean == pytest.approx(np.ones(model.size_of(SENT)), abs=1e-3)
    assert summed.samples == 30
    assert summed.loss == pytest.approx(0.5, abs=1e-4)


def test_the_reply_to_training_holds_nothing_of_it_but_its_masked_update(federation: Federation) -> None:
    federation.begin()
    federation.share()
    reply = federation.train("a", federation.nonce)

    assert set(reply.content) == {messages.MASKED, "metrics"}
    assert set(reply.content["metrics"]) == {"duration_s"}
    record = reply.content[messages.MASKED]
    assert isinstance(record, ArrayRecord)
    masked = Masked.from_bytes(flat_view(record[messages.MASKED]).tobytes(), TOTALS, model.size_of(SENT), 32)
    assert len(np.unique(masked.values)) > 0.9 * masked.values.size  # the same change everywhere was not


@pytest.mark.parametrize("nonce", [None, b"o" * 32])
def test_no_update_leaves_without_a_session(federation: Federation, nonce: bytes | None) -> None:
    federation.begin()
    federation.share()
    with pytest.raises(Declined, match="without a mask"):
        federation.train("a", nonce)


def test_no_update_leaves_twice_in_a_session(federation: Federation) -> None:
    federation.begin()
    federation.share()
    federation.train("a", federation.nonce)
    with pytest.raises(Declined, match="confirm is next"):
        federation.train("a", federation.nonce)


@pytest.mark.parametrize("kind", ["train.anything", "query.anything", "query.secagg_other"])
def test_no_other_message_is_answered(federation: Federation, kind: str) -> None:
    with pytest.raises(Declined, match="is no message of it"):
        federation.ask("a", kind, RecordDict({"arrays": SENT}))


def test_an_evaluation_reaches_the_app(federation: Federation) -> None:
    reply = federation.ask("a", "evaluate", RecordDict({"arrays": SENT}))
    assert "metrics" in reply.content


def test_in_a_run_without_it_training_reaches_the_app_and_keys_are_not_given(federation: Federation) -> None:
    without = RunSpec().to_run_config()
    reply = federation.ask("a", "train", RecordDict({"arrays": SENT}), **without)
    assert "arrays" in reply.content
    with pytest.raises(Declined, match="has no secure aggregation"):
        federation.ask("a", messages.KEYS, RecordDict(), **without)


def test_a_threshold_that_was_lowered_is_refused_by_its_name(federation: Federation) -> None:
    with pytest.raises(Declined) as caught:
        federation.ask("a", messages.KEYS, RecordDict(), **{"secure-aggregation-threshold": 0.5})
    assert caught.value.rule == "secagg-threshold"


def test_a_session_of_another_server_is_refused(federation: Federation) -> None:
    wanted = messages.KeysWanted(bytes(32), b"n" * 32, 1, tuple(NODES.values()), bytes(32)).record()
    with pytest.raises(Declined, match="another server's"):
        federation.say("a", messages.KEYS, wanted)


@pytest.mark.parametrize("missing", ["server", "nonce", "round", "cohort", "model"])
def test_a_message_that_lacks_something_is_refused_in_words(federation: Federation, missing: str) -> None:
    wanted = messages.KeysWanted(SERVER.digest, b"n" * 32, 1, tuple(NODES.values()), bytes(32)).record()
    del wanted[missing]
    with pytest.raises(Declined, match=f"{missing} is missing"):
        federation.say("a", messages.KEYS, wanted)


def test_of_one_model_no_second_sum_with_other_clients_is_opened(federation: Federation) -> None:
    """The server was killed after the sum, and tries again; c has gone meanwhile."""
    federation.begin()
    federation.share()
    federation.mask()
    federation.open_sum()
    again = Federation(federation.clients, nonce=b"o" * 32)
    again.begin()
    again.share()
    again.mask()
    again.open_sum()  # the same clients may
    third = Federation(federation.clients, nonce=b"p" * 32)
    third.begin()
    third.share()
    third.mask()
    wanted = messages.RevealWanted((NODES["a"], NODES["b"]), (NODES["c"],), {}).record(b"p" * 32)
    third.say("a", messages.CONFIRM, messages.survivors_record(third.server.survivors, b"p" * 32))
    with pytest.raises(Declined, match="opened before with other clients"):
        third.say("a", messages.REVEAL, wanted)


NOISE = CentralPrivacy(noise_multiplier=0.1, clipping_norm=100.0)


def opened(clients: dict[str, Masking], nonce: bytes) -> Federation:
    """A session with noise from beginning to end."""
    federation = Federation(clients, nonce, NOISE)
    federation.begin()
    federation.share()
    federation.mask()
    federation.open_sum()
    return federation


def test_where_clients_share_noise_it_is_in_the_sum_and_nothing_else_is() -> None:
    summed = opened(Federation().clients, b"n" * 32).server.finish()

    error = (summed.mean - 1) * 3  # all clients add 1, within the clipping norm
    assert 0.5 < error.std() / (NOISE.noise_multiplier * NOISE.clipping_norm) < 1.5
    assert (summed.samples, summed.loss, summed.clients) == (None, None, 3)


def test_with_noise_two_sums_of_a_model_are_opened_and_no_third() -> None:
    clients = Federation().clients
    one, other = (opened(clients, nonce * 32).server.finish() for nonce in (b"n", b"o"))
    assert abs(np.corrcoef(one.mean, other.mean)[0, 1]) < 0.9  # each has noise of its own

    with pytest.raises(Declined, match="was opened 2 times") as declined:
        opened(clients, b"p" * 32)
    assert declined.value.rule == "secagg-noise"


def test_a_server_that_asks_for_no_noise_where_there_must_be_some_is_refused_by_name() -> None:
    with pytest.raises(Declined, match="asks for none") as declined:
        Federation(noise=CentralPrivacy(noise_multiplier=0)).begin()
    assert declined.value.rule == "secagg-noise"
