"""What the server makes of the replies of any Flower app, of which it knows no more than Flower's formats.

A reply is read by the names that its metrics have. `KNOWN_AS` is the whole table: for each thing that the
page shows, the names under which apps report it, with dashes or underscores, in whatever case; the first that
is there counts. All numbers, these and others, are shown under their own names as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice

from flwr.app import Array, ArrayRecord, Message, MetricRecord

from app.federation.rounds.built_in_replies import check_size, open_array
from app.federation.rounds.results import ClientResult
from shared.errors import ReplyInvalid
from shared.results import records_of

KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    # the examples that the other numbers come from
    "num_examples": ("num_examples", "num_samples", "n_examples", "n_samples"),
    # of training
    "train_loss": (
        "train_loss",
        "training_loss",
        "avg_train_loss",
        "avg_trainloss",
        "train_logloss",
    ),
    # of the model on data that it was not trained on
    "loss": (
        "eval_loss",
        "evaluation_loss",
        "val_loss",
        "valid_loss",
        "validation_loss",
        "test_loss",
        "eval_logloss",
        "val_logloss",
        "test_logloss",
    ),
    "accuracy": (
        "eval_accuracy",
        "eval_acc",
        "evaluation_accuracy",
        "val_accuracy",
        "val_acc",
        "valid_accuracy",
        "valid_acc",
        "validation_accuracy",
        "test_accuracy",
        "test_acc",
    ),
    # of whatever the reply is about: in one to "train" of training, in any other of the model
    "plain_loss": ("loss", "logloss", "log_loss"),
    "plain_accuracy": ("accuracy", "acc"),
}

OLDER_STYLE = ("fitres.metrics", "evaluateres.metrics")
"""The config records in which a NumPyClient's metrics come; its other numbers are in metric records."""

MAX_METRICS = 64
MAX_NAME = 100
MAX_EXAMPLES = 2**53
MAX_LOSS = 1e30
"""A larger one is not shown: a weighted mean of it could be infinite."""

ACCURACY_TOLERANCE = 1e-6
"""An accuracy that is a 32-bit float may be above 1 by so much."""

NUMPY = "numpy.ndarray"
"""Flower's name for arrays in NumPy's file format. Those of an app's own formats it reads itself."""


def read_any_reply(kind: str, reply: Message) -> ClientResult:
    """What a reply to a message of this kind ("train", "evaluate", "query" ...) says.

    Raises ReplyInvalid as `check_any_reply` has it. Metrics are taken as they are: those that cannot be shown
    are left out.
    """
    check_any_reply(reply)
    numbers = _numbers(reply)
    by_name = {_plain(name): value for name, value in reversed(numbers.items())}

    def known(thing: str) -> float | None:
        return next((by_name[name] for name in KNOWN_AS[thing] if name in by_name), None)

    train_loss, loss, accuracy = known("train_loss"), known("loss"), known("accuracy")
    if kind == "train":
        train_loss = known("plain_loss") if train_loss is None else train_loss
    else:
        loss = known("plain_loss") if loss is None else loss
        accuracy = known("plain_accuracy") if accuracy is None else accuracy
    return ClientResult(
        num_examples=_examples(known("num_examples")),
        train_loss=_loss(train_loss) if kind == "train" else None,
        loss=_loss(loss),
        accuracy=_accuracy(accuracy),
        metrics={name[:MAX_NAME]: value for name, value in islice(numbers.items(), MAX_METRICS)},
    )


def check_any_reply(reply: Message) -> None:
    """Raise ReplyInvalid unless every NumPy array can be read without executing anything.

    Which records and arrays belong in a reply only the app knows.
    """
    for record_name, record in records_of(reply.content, ArrayRecord).items():
        for name, array in record.items():
            if array.stype == NUMPY and not _is_placeholder(array):
                _check_array(f"{record_name}.{name}"[:MAX_NAME], array)


def _check_array(name: str, array: Array) -> None:
    header = open_array(name, array.data)
    if header.dtype.hasobject:
        raise ReplyInvalid(
            f"The update cannot be used: {name} holds Python objects, which are never unpickled."
        )
    check_size(name, header, array.data)


def _is_placeholder(array: Array) -> bool:
    """The older style sends an array of no bytes in place of an empty list of arrays."""
    return not array.data and not array.shape and not array.dtype


def _numbers(reply: Message) -> dict[str, float]:
    """All finite numbers by name; where a name comes again, with the record's name before it."""
    numbers: dict[str, float] = {}
    for record_name, record in reply.content.items():
        if not isinstance(record, MetricRecord) and record_name not in OLDER_STYLE:
            continue
        for key, value in record.items():
            if (number := _finite(value)) is not None:
                numbers[f"{record_name}.{key}" if key in numbers else key] = number
    return numbers


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _examples(value: float | None) -> int | None:
    return int(value) if value is not None and value.is_integer() and 0 <= value <= MAX_EXAMPLES else None


def _loss(value: float | None) -> float | None:
    return value if value is not None and abs(value) <= MAX_LOSS else None


def _accuracy(value: float | None) -> float | None:
    """As a share; a percentage, or something else of the same name, is left to the other metrics."""
    if value is None or not 0 <= value <= 1 + ACCURACY_TOLERANCE:
        return None
    return min(value, 1.0)
