"""What the page shows of any Flower app's replies, whatever its metrics are called, and what is refused."""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.compat.common.recorddict_compat import (
    evaluateres_to_recorddict,
    fitres_to_recorddict,
    getparametersres_to_recorddict,
)
from flwr.compat.common.typing import Code, EvaluateRes, FitRes, GetParametersRes, Parameters, Status
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy

from app.federation.rounds.foreign_replies import open_any_reply, read_any_reply
from app.federation.rounds.known_metrics import KNOWN_AS, MAX_METRICS, MAX_NAME
from app.federation.rounds.results import ClientResult
from app.federation.rounds.shares import Shares
from app.records import ClientRound
from shared.errors import ReplyInvalid
from shared.flower import identify_server_task, node_id_of
from tests.support.payloads import payload_of

NUMPY = "numpy.ndarray"
OK = Status(code=Code.OK, message="")


def reply(content: RecordDict) -> Message:
    identify_server_task(7)
    return Message(content, reply_to=Message(RecordDict(), node_id_of("a"), "train"))


def read(kind: str, **metrics: Any) -> ClientResult:
    named = {name.replace("__", "-"): value for name, value in metrics.items()}
    return read_any_reply(kind, reply(RecordDict({"metrics": MetricRecord(named)})))


def accuracy_of(kind: str, result: ClientResult) -> float | None:
    """The accuracy of the model in a reply, by itself."""
    shares = Shares()
    shares.note(kind, result.metrics)
    return shares.of_stage(kind, result.metrics)


def test_a_reply_as_flowers_pytorch_app_sends_it() -> None:
    trained = read("train", train_loss=0.5, num__examples=40)
    evaluated = read("evaluate", eval_loss=0.4, eval_acc=0.9, num__examples=10)

    assert trained == ClientResult(
        num_examples=40, train_loss=0.5, metrics={"train_loss": 0.5, "num-examples": 40.0}
    )
    assert (evaluated.num_examples, evaluated.loss) == (10, 0.4)
    assert accuracy_of("evaluate", evaluated) == 0.9
    assert evaluated.metrics == {"eval_loss": 0.4, "eval_acc": 0.9, "num-examples": 10.0}


def test_a_reply_as_flowers_scikit_learn_app_sends_it() -> None:
    trained = read("train", num__examples=3, train_logloss=0.7, train_accuracy=0.8)
    evaluated = read("evaluate", num__examples=3, test_logloss=0.6, accuracy=0.75, f1=0.7)

    assert (trained.train_loss, trained.loss, accuracy_of("train", trained)) == (0.7, None, None)
    assert (evaluated.train_loss, evaluated.loss, accuracy_of("evaluate", evaluated)) == (None, 0.6, 0.75)
    assert evaluated.metrics["f1"] == 0.7


def test_a_bare_loss_is_of_training_in_a_reply_to_train_and_of_the_model_elsewhere() -> None:
    assert read("train", loss=1.5, accuracy=0.5) == ClientResult(
        train_loss=1.5, metrics={"loss": 1.5, "accuracy": 0.5}
    )
    for kind in ("evaluate", "query"):
        result = read(kind, loss=1.5, acc=0.5)
        assert (result.train_loss, result.loss, accuracy_of(kind, result)) == (None, 1.5, 0.5)


def test_a_client_that_evaluates_while_it_trains_is_understood() -> None:
    result = read("train", train_loss=1.0, val_loss=2.0, val_acc=0.3)

    assert (result.train_loss, result.loss, accuracy_of("train", result)) == (1.0, 2.0, 0.3)


@pytest.mark.parametrize("name", ["Eval-Loss", "EVAL_LOSS", "eval loss"])
def test_case_and_dashes_do_not_matter(name: str) -> None:
    assert read_any_reply("evaluate", reply(RecordDict({"m": MetricRecord({name: 2.0})}))).loss == 2.0


@pytest.mark.parametrize(
    ("thing", "name"), [(thing, name) for thing, names in KNOWN_AS.items() for name in names]
)
def test_every_name_in_the_table_is_known(thing: str, name: str) -> None:
    field = thing.removeprefix("plain_")
    kind = "train" if thing == "train_loss" else "evaluate"

    result = read_any_reply(kind, reply(RecordDict({"metrics": MetricRecord({name: 1})})))

    assert (accuracy_of(kind, result) if field == "accuracy" else getattr(result, field)) == 1


@pytest.mark.parametrize("value", [-1, 2**60, 0.5])
def test_a_number_of_examples_that_cannot_be_is_left_out(value: float) -> None:
    assert read("train", num__examples=value).num_examples is None


def test_what_is_not_finite_is_left_out() -> None:
    result = read("evaluate", loss=math.nan, accuracy=math.inf, other=-math.inf, f1=0.5)

    assert result == ClientResult(metrics={"f1": 0.5})


def test_a_loss_so_large_that_a_mean_could_be_infinite_is_only_shown_as_a_metric() -> None:
    result = read("evaluate", loss=1e300)

    assert (result.loss, result.metrics) == (None, {"loss": 1e300})


def test_numbers_in_a_config_record_are_metrics_and_lists_texts_and_switches_are_not() -> None:
    content = RecordDict(
        {
            "config": ConfigRecord(
                {"AUC": 0.75, "note": "text", "done": True, "model": b"x", "bins": [1, 2]}
            ),
            "metrics": MetricRecord({"histogram": [1, 2], "n": 3}),
        }
    )

    assert read_any_reply("query", reply(content)).metrics == {"n": 3.0, "AUC": 0.75}


def test_a_metric_goes_before_a_setting_of_the_same_name() -> None:
    content = RecordDict({"config": ConfigRecord({"loss": 9.0}), "metrics": MetricRecord({"loss": 1.0})})

    result = read_any_reply("evaluate", reply(content))

    assert result.loss == 1.0
    assert result.metrics == {"loss": 1.0, "config.loss": 9.0}


def test_metrics_of_several_records_keep_apart() -> None:
    content = RecordDict({"a": MetricRecord({"loss": 1.0, "x": 5}), "b": MetricRecord({"loss": 2.0})})

    result = read_any_reply("evaluate", reply(content))

    assert result.loss == 1.0
    assert result.metrics == {"loss": 1.0, "x": 5.0, "b.loss": 2.0}


def test_metrics_are_bounded_in_number_and_the_known_ones_are_kept() -> None:
    many = MetricRecord({**{f"m{n}": n for n in range(MAX_METRICS + 5)}, "accuracy": 0.5, "loss": 2.0})

    result = read_any_reply("evaluate", reply(RecordDict({"metrics": many})))

    assert (len(result.metrics), result.left_out) == (MAX_METRICS, 7)
    assert (result.loss, accuracy_of("evaluate", result)) == (2.0, 0.5)


def test_a_reply_with_a_hundred_metrics_is_shown_whole() -> None:
    many = MetricRecord({f"class-{n}": n for n in range(100)})

    assert len(read_any_reply("evaluate", reply(RecordDict({"metrics": many}))).metrics) == 100


def test_long_names_are_cut_and_keep_apart() -> None:
    names = [f"{'m' * 300}{n}" for n in range(2)]

    result = read_any_reply("evaluate", reply(RecordDict({"metrics": MetricRecord(dict.fromkeys(names, 1))})))

    assert [len(name) for name in result.metrics] == [MAX_NAME, MAX_NAME]
    assert result.left_out == 0


def test_the_older_style_is_read_as_numpyclient_sends_it() -> None:
    fit = FitRes(
        OK,
        Parameters([saved(np.ones(1))], NUMPY),
        40,
        {"train_loss": 0.5, "lucky": True, "note": "x", "epoch": 3},
    )
    evaluate = EvaluateRes(OK, 0.25, 10, {"accuracy": 0.75, "raw": b"x"})

    trained = read_any_reply("train", reply(fitres_to_recorddict(fit, keep_input=True)))
    evaluated = read_any_reply("evaluate", reply(evaluateres_to_recorddict(evaluate)))

    assert trained == ClientResult(
        num_examples=40,
        train_loss=0.5,
        metrics={"train_loss": 0.5, "epoch": 3.0, "num_examples": 40.0},
    )
    assert evaluated == ClientResult(
        num_examples=10,
        loss=0.25,
        metrics={"loss": 0.25, "num_examples": 10.0, "accuracy": 0.75},
    )


NAMES = st.text(max_size=8) | st.sampled_from(
    [name for names in KNOWN_AS.values() for name in names] + ["Num-Examples", "fitres.metrics"]
)
NUMBERS = st.integers() | st.floats()
METRICS = st.dictionaries(NAMES, NUMBERS | st.lists(st.integers()) | st.lists(st.floats())).map(MetricRecord)
CONFIGS = st.dictionaries(NAMES, NUMBERS | st.booleans() | st.text() | st.binary()).map(
    lambda values: ConfigRecord(dict(values))
)


@given(
    st.sampled_from(["train", "evaluate", "query", "x"]),
    st.dictionaries(NAMES, METRICS | CONFIGS, max_size=4),
)
def test_any_reply_gives_something_that_can_be_shown(
    kind: str, records: dict[str, MetricRecord | ConfigRecord]
) -> None:
    result = read_any_reply(kind, reply(RecordDict(dict(records))))

    shown = ClientRound(
        train_loss=result.train_loss,
        loss=result.loss,
        accuracy=accuracy_of(kind, result),
        samples=result.num_examples,
        metrics=dict(result.metrics),
    )
    assert ClientRound.model_validate_json(shown.model_dump_json()) == shown
    assert result.num_examples is None or 0 <= result.num_examples <= 2**53


def check(message: Message) -> None:
    """As a reply is checked when it comes in."""
    open_any_reply(payload_of(message))


def arrays(**content: Array) -> Message:
    return reply(RecordDict({"arrays": ArrayRecord(OrderedDict(content))}))


def raw(data: bytes, stype: str = NUMPY, dtype: str = "float32", shape: tuple[int, ...] = (2,)) -> Array:
    return Array(dtype=dtype, shape=shape, stype=stype, data=data)


def saved(array: np.ndarray[Any, Any], allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3), np.float32),
        np.array(1.5),
        np.zeros((0, 4)),
        np.asfortranarray(np.ones((3, 2))),
        np.array([True]),
        np.array(["text"]),
        np.array([math.nan, math.inf]),
        np.zeros(2, dtype=[("a", "<f4"), ("b", "<i8")]),
        np.zeros(2, dtype=[(f"column {number}", "<f8") for number in range(80)]),
        np.arange(3, dtype=">i4"),
    ],
)
def test_any_array_that_can_be_read_is_let_through(array: np.ndarray[Any, Any]) -> None:
    check(arrays(w=Array(array)))


def test_a_reply_without_arrays_is_let_through() -> None:
    check(reply(RecordDict({"metrics": MetricRecord({"x": 1})})))
    check(reply(RecordDict()))


def test_the_older_style_is_let_through() -> None:
    weights = Parameters([saved(np.ones(3))], NUMPY)
    check(reply(fitres_to_recorddict(FitRes(OK, weights, 1, {}), keep_input=True)))
    check(reply(getparametersres_to_recorddict(GetParametersRes(OK, Parameters([], NUMPY)), True)))


def test_an_apps_own_format_is_left_to_the_app() -> None:
    check(arrays(trees=raw(b'{"trees": []}', stype="", dtype="", shape=())))


class Bomb:
    """Says so when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _explode, ("unpickled",)


def _explode(_: str) -> None:
    pytest.fail("a reply was unpickled")


def test_python_objects_are_refused_and_never_unpickled() -> None:
    bomb = np.array([Bomb()], dtype=object)

    with pytest.raises(ReplyInvalid, match=r"arrays\.w holds Python objects, which are never unpickled"):
        check(arrays(w=raw(saved(bomb, allow_pickle=True))))
    with pytest.raises(ReplyInvalid, match="is not a NumPy array"):
        check(arrays(w=raw(pickle.dumps([1, 2]))))


def test_python_objects_within_a_structure_are_refused() -> None:
    header = io.BytesIO()
    npy.write_array_header_1_0(
        header, {"descr": [("a", "|O"), ("b", "<f8")], "fortran_order": False, "shape": (1,)}
    )

    with pytest.raises(ReplyInvalid, match="Python objects"):
        check(arrays(w=raw(header.getvalue() + b"\0" * 16)))


def with_shape(*shape: int) -> bytes:
    """The header of an array of this shape, with the content of one of two numbers."""
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return header.getvalue() + b"\0" * 8


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not a NumPy array"),
        (b"hello", "not a NumPy array"),
        (saved(np.ones(2, np.float32))[:-1], "cut short"),
        (saved(np.ones(2, np.float32)) + b"x", "goes on after its end"),
        (with_shape(3), "cut short"),
        (with_shape(2**40, 2**40), "cut short"),
        (with_shape(2**32, 2**32), "cut short"),
        (with_shape(-1, -2), "cut short"),
        (with_shape(-2), "cut short"),
    ],
)
def test_an_array_that_cannot_be_read_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(ReplyInvalid, match=complaint):
        check(arrays(w=raw(data)))


@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 255))
def test_any_bytes_are_let_through_or_refused(garbage: bytes, position: int, value: int) -> None:
    damaged = bytearray(saved(np.ones((2, 2))))
    damaged[position] = value
    for data in (garbage, bytes(damaged)):
        try:
            check(arrays(w=raw(data)))
        except ReplyInvalid:
            continue
        np.load(io.BytesIO(data), allow_pickle=False)
