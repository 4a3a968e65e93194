"""A client's reply is checked before anything is done with it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Self

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict

from app.federation.grid.instruction import Instruction
from app.federation.rounds import built_in_replies
from app.federation.rounds.built_in_replies import BuiltInReplies, open_array, read_reply
from app.federation.rounds.foreign_replies import open_any_reply
from shared.errors import ReplyInvalid
from shared.flower import identify_server_task, node_id_of, set_message_id
from shared.results import TrainMetrics
from tests.support.payloads import payload_of

MODEL = {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(3, np.float32)}
TRAINED: dict[str, Any] = {"num-examples": 10, "train_loss": 0.5, "duration_s": 0.1}
EVALUATED: dict[str, Any] = {"num-examples": 10, "loss": 0.5, "accuracy": 0.75, "duration_s": 0.1}


def record(arrays: dict[str, np.ndarray]) -> ArrayRecord:
    return ArrayRecord(OrderedDict((name, Array(values)) for name, values in arrays.items()))


def without(metrics: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in metrics.items() if key != name}


def check(kind: str, **records: Any) -> None:
    """Check a reply with these records to a message that carried the model."""
    identify_server_task(1)
    sent = Message(RecordDict({"arrays": record(MODEL), "config": ConfigRecord()}), node_id_of("a"), kind)
    set_message_id(sent, "m")
    read_reply(Instruction("a", sent, 1), Message(RecordDict(records), reply_to=sent))


def check_update(arrays: dict[str, np.ndarray]) -> None:
    check("train", arrays=record(arrays), metrics=MetricRecord(dict(TRAINED)))


def check_metrics(kind: str, metrics: dict[str, Any]) -> None:
    model = {"arrays": record(MODEL)} if kind == "train" else {}
    check(kind, **model, metrics=MetricRecord(metrics))


def test_a_good_update_passes_in_any_order_of_its_arrays() -> None:
    check_update(MODEL)
    check_update(dict(reversed(MODEL.items())))


def test_a_good_evaluation_passes() -> None:
    check("evaluate", metrics=MetricRecord(dict(EVALUATED)))


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({**MODEL, "bias": np.zeros(4, np.float32)}, "bias has shape (4,), not (3,)"),
        ({**MODEL, "weight": np.ones((3, 2), np.float32)}, "weight has shape (3, 2), not (2, 3)"),
        ({**MODEL, "bias": np.zeros(3, np.float64)}, "bias has dtype float64, not float32"),
        ({**MODEL, "bias": np.zeros(3, np.int32)}, "bias has dtype int32, not float32"),
        ({"weight": MODEL["weight"]}, "bias is missing"),
        ({**MODEL, "more": np.zeros(1, np.float32)}, "there is no 'more' in it"),
        ({}, "bias is missing"),
        (
            {**MODEL, "bias": np.array([0, np.nan, 0], np.float32)},
            "bias has values that are infinite or not numbers",
        ),
        (
            {**MODEL, "bias": np.array([0, np.inf, 0], np.float32)},
            "bias has values that are infinite or not numbers",
        ),
    ],
)
def test_an_update_that_does_not_fit_is_refused_in_words(
    arrays: dict[str, np.ndarray], complaint: str
) -> None:
    with pytest.raises(ReplyInvalid) as refused:
        check_update(arrays)

    assert complaint in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x93NUMPY\x01\x00v\x00"])
def test_bytes_that_are_no_array_are_refused(data: bytes) -> None:
    arrays = record(MODEL)
    arrays["bias"] = Array(dtype="float32", shape=(3,), stype="numpy.ndarray", data=data)

    with pytest.raises(ReplyInvalid, match="bias is not a NumPy array"):
        check("train", arrays=arrays, metrics=MetricRecord(dict(TRAINED)))


def test_bytes_that_are_another_array_than_described_are_refused() -> None:
    arrays = record(MODEL)
    arrays["bias"] = Array(
        dtype="float32", shape=(3,), stype="numpy.ndarray", data=Array(np.zeros(9, np.float32)).data
    )

    with pytest.raises(ReplyInvalid, match=r"bias has shape \(9,\)"):
        check("train", arrays=arrays, metrics=MetricRecord(dict(TRAINED)))


def test_an_array_that_is_a_pickle_is_not_opened() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("it was unpickled",)

    from io import BytesIO

    file = BytesIO()
    np.save(file, np.array([Bomb()] * 3, dtype=object), allow_pickle=True)
    arrays = record(MODEL)
    arrays["bias"] = Array(dtype="float32", shape=(3,), stype="numpy.ndarray", data=file.getvalue())

    with pytest.raises(ReplyInvalid, match="bias has dtype object"):
        check("train", arrays=arrays, metrics=MetricRecord(dict(TRAINED)))


@pytest.mark.parametrize("kind", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num-examples", 0),
        ("num-examples", -5),
        ("num-examples", 1.5),
        ("num-examples", float("nan")),
        ("duration_s", -1.0),
        ("duration_s", float("inf")),
    ],
)
def test_a_metric_that_cannot_be_is_refused_by_name(kind: str, name: str, value: float) -> None:
    good = {"train": TRAINED, "evaluate": EVALUATED}[kind]

    with pytest.raises(ReplyInvalid, match=f"metric {name} cannot be used"):
        check_metrics(kind, {**good, name: value})


@pytest.mark.parametrize(
    ("kind", "metrics", "name"),
    [
        ("train", {**TRAINED, "train_loss": float("nan")}, "train_loss"),
        ("evaluate", {**EVALUATED, "loss": float("inf")}, "loss"),
        ("evaluate", {**EVALUATED, "accuracy": 1.01}, "accuracy"),
        ("evaluate", {**EVALUATED, "accuracy": -0.1}, "accuracy"),
        ("train", without(TRAINED, "num-examples"), "num-examples"),
        ("train", without(TRAINED, "train_loss"), "train_loss"),
        ("evaluate", without(EVALUATED, "accuracy"), "accuracy"),
        ("train", {}, "duration_s"),
        ("train", {**TRAINED, "secret": 1}, "secret"),
    ],
)
def test_metrics_that_are_missing_or_foreign_are_refused_by_name(
    kind: str, metrics: dict[str, Any], name: str
) -> None:
    with pytest.raises(ReplyInvalid, match=name):
        check_metrics(kind, metrics)


def test_a_reply_without_records_is_refused() -> None:
    with pytest.raises(ReplyInvalid, match="has the records"):
        check("train")
    with pytest.raises(ReplyInvalid, match="has the records"):
        check("train", metrics=MetricRecord(dict(TRAINED)))


def test_a_reply_with_two_models_is_refused() -> None:
    with pytest.raises(ReplyInvalid, match="has the records"):
        check("train", one=record(MODEL), other=record(MODEL), metrics=MetricRecord(dict(TRAINED)))


def npy(header: str, content: bytes) -> bytes:
    """A file in NumPy's format with this header, right or wrong."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not a NumPy array"),
        (b"\x93NUMPY\x09\x00", "not a NumPy array"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,", b""), "not a NumPy array"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\n", b"x" * 24), "has dtype object"),
        (npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**15},), }}\n", b""), "has shape"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", b"x" * 11), "is cut short"),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", bytes(13)),
            "goes on after its end",
        ),
    ],
)
def test_bytes_that_are_no_array_are_refused_without_reading_them(data: bytes, complaint: str) -> None:
    arrays = record(MODEL)
    arrays["bias"] = Array("float32", (3,), "numpy.ndarray", data)

    with pytest.raises(ReplyInvalid, match=complaint):
        check("train", arrays=arrays, metrics=MetricRecord(dict(TRAINED)))


def shaped(shape: str) -> bytes:
    return npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n", bytes(12))


@pytest.mark.parametrize(
    "data",
    [
        shaped("(" + "-" * 9_000 + "1,)"),
        shaped("(" + "-" * 900 + "1,)"),
        shaped("(" + "+".join("1" * 4_000) + ",)"),
        shaped("(" + "+".join("1" * 450) + ",)"),
        shaped("(" * 4_000 + ")" * 4_000),
        shaped("(" * 450 + ")" * 450),
        shaped("(3,)" + " " * 10_000),
        npy("{'descr': " + "[" * 180 + "]" * 180 + ", 'fortran_order': False, 'shape': (3,), }\n", bytes(12)),
        npy("{'descr': ('<f4', (2**31,)), 'fortran_order': False, 'shape': (3,), }\n", bytes(12)),
        npy("{'descr': [()], 'fortran_order': False, 'shape': (3,), }\n", bytes(12)),
        npy("{'descr': '<f4\0', 'fortran_order': False, 'shape': (3,), }\n", bytes(12)),
        npy("{[]: 1}\n", bytes(12)),
        npy("'x'\n", bytes(12)),
    ],
    ids=lambda data: f"{data[10:60]!r}, {len(data)} bytes",
)
def test_a_header_that_overburdens_pythons_parser_is_refused_as_any_other(data: bytes) -> None:
    arrays = record(MODEL)
    arrays["bias"] = Array("float32", (3,), "numpy.ndarray", data)

    with pytest.raises(ReplyInvalid, match="bias is not a NumPy array"):
        check("train", arrays=arrays, metrics=MetricRecord(dict(TRAINED)))
    with pytest.raises(ReplyInvalid):
        open_any_reply(payload_of(Message(RecordDict({"arrays": arrays}), node_id_of("a"), "train")))


def test_a_header_as_numpy_writes_it_is_never_too_long() -> None:
    array = np.zeros((1,) * 32, np.float32)

    header = open_array("w", Array(array).data)

    assert (header.shape, str(header.dtype)) == (array.shape, "float32")


@pytest.mark.parametrize("kind", ["train", "evaluate"])
def test_records_of_other_names_are_refused(kind: str) -> None:
    metrics = MetricRecord(dict(TRAINED if kind == "train" else EVALUATED))

    with pytest.raises(ReplyInvalid, match="has the records"):
        check(kind, weights=record(MODEL), metrics=metrics)


def test_records_of_the_right_name_and_the_wrong_kind_are_refused() -> None:
    with pytest.raises(ReplyInvalid, match="0 metric records"):
        check("evaluate", metrics=record(MODEL))
    with pytest.raises(ReplyInvalid, match="2 metric records"):
        check("train", arrays=MetricRecord(dict(TRAINED)), metrics=MetricRecord(dict(TRAINED)))


def test_an_update_is_read_once_for_whoever_watches_and_for_the_strategy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[Message] = []

    class Counting(TrainMetrics):
        @classmethod
        def from_reply(cls, reply: Message) -> Self:
            read.append(reply)
            return super().from_reply(reply)

    monkeypatch.setattr(built_in_replies, "TrainMetrics", Counting)
    identify_server_task(1)
    sent = Message(RecordDict({"arrays": record(MODEL)}), node_id_of("a"), "train")
    set_message_id(sent, "m")
    reply = Message(
        RecordDict({"arrays": record(MODEL), "metrics": MetricRecord(dict(TRAINED))}), reply_to=sent
    )
    replies = BuiltInReplies()

    result = replies.read(Instruction("a", sent, 1), reply)
    update = replies.update(reply)

    assert read == [reply]
    assert (result.num_examples, result.train_loss) == (10, 0.5)
    assert (update.metrics.num_examples, update.metrics.train_loss) == (10, 0.5)
    assert update.arrays is reply.content["arrays"]
    assert update.node_id == node_id_of("a")
