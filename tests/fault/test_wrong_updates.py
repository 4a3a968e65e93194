"""Replies that are nonsense, dangerous or far too large: left out in words, never unpickled, never held."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.common.serde import recorddict_to_proto
from flwr.proto.message_pb2 import Message as MessageProto

from shared.app_host.serialised import Serialised
from shared.flower import encode_envelope, set_message_id
from shared.proto.link_pb2 import Chunk, LabelCounts, LogLine
from shared.wire import CHUNK_BYTES, MAX_MESSAGE_BYTES
from tests.fault.conftest import completed_round, read_message, said_since
from tests.support.answers import TRAINED, answer_to, evaluated, like, model_of, saved, serve, trained
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.memory import PeakMemory
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("no_tracebacks")

SPEC: dict[str, Any] = {"min_clients": 2, "num_partitions": 2, "model": "linear", "num_rounds": 1}


def of_another_message(message: Message) -> Serialised:
    set_message_id(message, "another")
    return trained(message)


def of_another_client(message: Message) -> Serialised:
    message.metadata.__dict__["_dst_node_id"] = 12345
    return trained(message)


def of_another_run(message: Message) -> Serialised:
    message.metadata.__dict__["_run_id"] = 12345
    return trained(message)


def each(change: Callable[[Array], Array]) -> Callable[[Message], Serialised | bytes]:
    """Every array of the model is changed."""
    return lambda message: trained(
        message, ArrayRecord({name: change(array) for name, array in model_of(message).items()})
    )


class Exploit:
    """What would happen if somebody unpickled it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


EXPLOITED = Path(tempfile.gettempdir()) / f"fedloom-unpickled-{os.getpid()}"


def objects(array: Array) -> Array:
    """An array of Python objects: NumPy would unpickle them."""
    return like(array, data=saved(np.array([Exploit(EXPLOITED)], dtype=object), allow_pickle=True))


def claims_to_be_large(array: Array) -> Array:
    """A header that promises a terabyte."""
    return like(array, data=array.data.replace(b"(10, 64)", b"(10, 9999999999)"))


def nested(depth: int) -> bytes:
    """A group in a group in a group: protobuf's oldest kind of nesting, which any message may have."""
    return b"\x53" * depth + b"\x54" * depth


def longer(reply: Serialised, more: bytes) -> Serialised:
    """With more at the end of its skeleton."""
    return Serialised(reply.skeleton + more, reply.arrays)


def without_data(reply: Serialised) -> bytes:
    """What announces no arrays, although it has some."""
    return reply.skeleton


def without_the_last(reply: Serialised) -> Serialised:
    return Serialised(reply.skeleton, reply.arrays[:-1])


def in_flowers_own_style(message: Message) -> bytes:
    """With the arrays' data inside protobuf, as FedLoom 0.1 sent it."""
    reply = Message(RecordDict({"arrays": message.content.array_records["arrays"]}), reply_to=message)
    content = MessageProto(content=recorddict_to_proto(reply.content))
    return encode_envelope(reply) + content.SerializeToString()


WRONG: dict[str, tuple[Callable[[Message], Serialised | bytes], str]] = {
    "of another message": (of_another_message, "belongs to another message"),
    "of another client": (of_another_client, "belongs to another message"),
    "of another run": (of_another_run, "belongs to another message"),
    "NaN": (each(lambda a: Array(np.nan * a.numpy())), "infinite or not numbers"),
    "infinite": (each(lambda a: Array(a.numpy() + np.inf)), "infinite or not numbers"),
    "shapes": (each(lambda a: Array(a.numpy()[:1])), "has shape"),
    "no dimension": (each(lambda a: Array(np.array(1.0, np.float32))), "has shape"),
    "float64": (each(lambda a: Array(a.numpy().astype(np.float64))), "has dtype float64"),
    "complex": (each(lambda a: Array(a.numpy().astype(np.complex64))), "has dtype complex64"),
    "big-endian": (each(lambda a: like(a, data=saved(a.numpy().astype(">f4")))), "has dtype >f4"),
    "text": (each(lambda a: like(a, data=saved(a.numpy().astype("U8")))), "has dtype <U8"),
    "records": (each(lambda a: like(a, data=saved(np.zeros(1, [("x", "f4")])))), "has shape|has dtype"),
    "objects": (each(objects), "has shape|has dtype"),
    "a pickle": (each(lambda a: like(a, data=pickle.dumps(Exploit(EXPLOITED)))), "is not a NumPy array"),
    "a pickle by its name": (each(lambda a: like(a, stype="pickle")), "is not a NumPy array"),
    "promises": (each(claims_to_be_large), "has shape|cut short"),
    "cut short": (each(lambda a: like(a, data=a.data[:-4])), "cut short, or goes on"),
    "goes on": (each(lambda a: like(a, data=a.data + bytes(4))), "cut short, or goes on"),
    "empty": (each(lambda a: like(a, data=b"")), "is not a NumPy array"),
    "no header": (each(lambda a: like(a, data=b"\x93NUMPY\x01\x00" + b"\xff" * 500)), "is not a NumPy array"),
    "no model": (lambda m: answer_to(m, metrics=MetricRecord(dict(TRAINED))), "has the records"),
    "two models": (
        lambda m: answer_to(
            m,
            arrays=m.content.array_records["arrays"],
            more=m.content.array_records["arrays"],
            metrics=MetricRecord(dict(TRAINED)),
        ),
        "has the records",
    ),
    "a config": (
        lambda m: answer_to(m, arrays=ConfigRecord({"x": 1}), metrics=MetricRecord(dict(TRAINED))),
        "holds no arrays",
    ),
    "an evaluation": (evaluated, "has the records"),
    "negative examples": (lambda m: trained(m, metrics={**TRAINED, "num-examples": -5}), "num-examples"),
    "examples beyond count": (
        lambda m: trained(m, metrics={**TRAINED, "num-examples": 2**62}),
        "num-examples",
    ),
    "loss that is none": (
        lambda m: trained(m, metrics={**TRAINED, "train_loss": float("nan")}),
        "train_loss",
    ),
    "garbage": (lambda m: b"\xff" * 5_000, "not a Flower message"),
    "nothing": (lambda m: b"", ""),
    "half of it": (lambda m: trained(m).skeleton[:200], ""),
    "no data": (lambda m: without_data(trained(m)), "the data of 0 arrays"),
    "too few data": (lambda m: without_the_last(trained(m)), "arrays for a message with"),
    "data in place": (in_flowers_own_style, "the data of 0 arrays"),
    "deep nesting": (lambda m: longer(trained(m), nested(100_000)), "not a Flower message"),
}


@pytest.mark.parametrize(("make", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_update_is_left_out_in_words_and_the_round_goes_on(
    make: Callable[[Message], Serialised | bytes],
    words: str,
    api: Api,
    bad: RawClient,
    lasting_server: ForkedServer,
) -> None:
    memory = PeakMemory(lasting_server.pid)
    with RawClient(lasting_server.home) as other:
        other.hello("other")
        run_id = api.start(**SPEC)["id"]
        message_id, message = read_message(bad)
        bad.reply(message_id, make(message))
        api.wait_for_client("bad", "idle", "lost")
        assert [serve(other), serve(other)] == ["train", "evaluate"]
        assert serve(bad) == "evaluate", "it may go on to take part"

        round_ = completed_round(api, run_id)

    assert round_["clients"] == 1
    assert pytest.approx(0.5) == round_["train_loss"], "that of the other"
    assert any(part in round_["per_client"]["bad"]["error"] for part in words.split("|"))
    assert not EXPLOITED.exists(), "nothing was unpickled"
    assert memory.grown_by < 50 << 20


def test_what_an_array_is_called_counts_less_than_what_it_is(
    api: Api, bad: RawClient, good: None, lasting_server: ForkedServer
) -> None:
    memory = PeakMemory(lasting_server.pid)
    run_id = api.start(**SPEC)["id"]
    message_id, message = read_message(bad)
    mislabelled = {
        name: like(array, shape=(2**31 - 1, 2**31 - 1), dtype="object")
        for name, array in model_of(message).items()
    }

    bad.reply(message_id, trained(message, ArrayRecord(mislabelled)))

    assert serve(bad) == "evaluate"
    assert completed_round(api, run_id)["clients"] == 2
    assert memory.grown_by < 50 << 20


def many_metrics(message: Message) -> Serialised:
    return trained(message, metrics={**TRAINED, **{str(number): 1.0 for number in range(200_000)}})


def many_arrays(message: Message) -> Serialised:
    """Without content, and written as protobuf at once: Flower's own way takes minutes."""
    more = MessageProto()
    arrays = more.content.items.add(key="more").array_record
    for number in range(100_000):
        arrays.items.add(key=str(number))
    return longer(trained(message), more.SerializeToString())


def many_records(message: Message) -> Serialised:
    more = MessageProto()
    for number in range(100_000):
        more.content.items.add(key=str(number)).metric_record.SetInParent()
    return longer(trained(message), more.SerializeToString())


class TestTooMuch:
    """What is announced, and what is sent, is not held in memory."""

    @pytest.fixture(autouse=True)
    def little_memory(self, lasting_server: ForkedServer, api: Api) -> Iterator[None]:
        memory = PeakMemory(lasting_server.pid)
        yield
        assert memory.grown_by < 60 << 20

    def test_more_than_the_link_carries_ends_the_connection(
        self, api: Api, bad: RawClient, good: None
    ) -> None:
        before = api.get("/status")["seq"]
        run_id = api.start(**SPEC)["id"]
        message_id, _ = bad.read_task()

        bad.send(reply=Chunk(message_id=message_id, total_bytes=MAX_MESSAGE_BYTES + 1, data=bytes(1000)))

        assert completed_round(api, run_id)["clients"] == 1
        assert any("announces 2,147,483,649 bytes" in line for line in said_since(api, before))

    def test_two_gigabytes_are_refused_when_they_are_announced(
        self, api: Api, bad: RawClient, good: None, lasting_server: ForkedServer
    ) -> None:
        run_id = api.start(**SPEC, fraction_evaluate=0.0)["id"]
        message_id, _ = bad.read_task()
        bad.send(
            reply=Chunk(
                message_id=message_id,
                total_bytes=MAX_MESSAGE_BYTES,
                array_bytes=[MAX_MESSAGE_BYTES],
                data=bytes(CHUNK_BYTES),
            )
        )
        for index in range(1, 200):  # it goes on to send what nobody wants, and is still listened to
            bad.send(reply=Chunk(index=index, data=bytes(CHUNK_BYTES)))
        bad.send(log=LogLine(message="two hundred megabytes later"))

        round_ = completed_round(api, run_id)

        assert round_["clients"] == 1
        assert "Its reply of 2,147,483,648 bytes was not taken" in round_["per_client"]["bad"]["error"]
        wait_until(lambda: api.logs(source="bad"), "the client is listened to")
        assert list((lasting_server.home / "spool").glob("*")) == []

    @pytest.mark.parametrize("flood", [many_arrays, many_metrics, many_records])
    def test_a_flood_of_small_things_is_refused_unread(
        self, flood: Callable[[Message], Serialised], api: Api, bad: RawClient, good: None
    ) -> None:
        run_id = api.start(**SPEC)["id"]
        message_id, message = read_message(bad)

        bad.send_reply(message_id, flood(message))

        assert serve(bad) == "evaluate", "it may go on to take part"
        round_ = completed_round(api, run_id)
        assert round_["clients"] == 1
        assert "was not taken" in round_["per_client"]["bad"]["error"]

    @pytest.mark.parametrize(
        "counts", [[1] * 20_000, [2**63], [2**64 - 1] * 10], ids=["of too many labels", "high", "highest"]
    )
    def test_absurd_label_counts_end_the_connection(
        self, counts: list[int], api: Api, bad: RawClient, good: None
    ) -> None:
        before = api.get("/status")["seq"]
        run_id = api.start(**SPEC)["id"]
        assignment = bad.read_kind("assignment").assignment

        bad.send(label_counts=LabelCounts(run_id=assignment.run_id, counts=counts))

        assert completed_round(api, run_id)["clients"] == 1
        assert any("label counts that cannot be right" in line for line in said_since(api, before))
        assert api.clients()["bad"]["label_counts"] is None

    def test_label_counts_of_another_run_are_not_shown(self, api: Api, bad: RawClient) -> None:
        api.start(**{**SPEC, "min_clients": 1})
        assignment = bad.read_kind("assignment").assignment

        bad.send(label_counts=LabelCounts(run_id=assignment.run_id + 1, counts=[1] * 10))
        bad.send(label_counts=LabelCounts(run_id=assignment.run_id, counts=[2] * 10))

        wait_until(lambda: api.clients()["bad"]["label_counts"] == [2] * 10, "its own are shown")
