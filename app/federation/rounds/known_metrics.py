"""The numbers of any Flower app, by the names that apps give them.

`KNOWN_AS` is the whole table: for each thing that the page shows first, the names under which apps report it,
with dashes or underscores, in whatever case; the first that is there counts. All numbers, these and others,
are shown under their own names as well.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    # the examples that the other numbers come from
    "num_examples": (
        "num_examples",
        "num_samples",
        "n_examples",
        "n_samples",
        "num_train_examples",
        "num_eval_examples",
        "dataset_size",
    ),
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
        "federated_evaluate_loss",
        "centralized_loss",
        "server_loss",
        "global_loss",
        "cen_loss",
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
        "federated_evaluate_accuracy",
        "centralized_accuracy",
        "server_accuracy",
        "global_accuracy",
        "cen_accuracy",
    ),
    # of whatever the reply is about: in one to "train" of training, in any other of the model
    "plain_loss": ("loss", "logloss", "log_loss", "avg_loss"),
    "plain_accuracy": ("accuracy", "acc", "avg_acc", "avg_accuracy"),
}

MAX_METRICS = 1000
"""Of one reply, or of one result of the ServerApp."""
MAX_NAME = 100
DIGEST_LENGTH = 8
MAX_EXAMPLES = 2**53
MAX_LOSS = 1e30
"""A larger one is not shown: a weighted mean of it could be infinite."""

_KNOWN = frozenset(name for names in KNOWN_AS.values() for name in names)

Numbers = Mapping[str, float]


def finite(value: object) -> float | None:
    """A value as a number; None: it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def finite_numbers(metrics: Mapping[str, object]) -> dict[str, float]:
    """Those of the values that are finite numbers."""
    found = ((name, finite(value)) for name, value in metrics.items())
    return {name: number for name, number in found if number is not None}


def shown(numbers: Numbers) -> tuple[dict[str, float], int]:
    """At most `MAX_METRICS` of the numbers, the known ones first, and how many are left out."""
    names: Iterable[str] = numbers
    if len(numbers) > MAX_METRICS:
        names = sorted(numbers, key=lambda name: _plain(name) not in _KNOWN)
    kept = {short(name): numbers[name] for name in islice(names, MAX_METRICS)}
    return kept, len(numbers) - len(kept)


def short(name: str) -> str:
    """A name of at most `MAX_NAME` characters. Long ones that differ stay different."""
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:DIGEST_LENGTH]
    return f"{name[: MAX_NAME - DIGEST_LENGTH - 1]}~{digest}"


def examples_name(numbers: Numbers) -> str | None:
    """The name under which the number of examples stands, by which Flower weights means."""
    return next(_names("num_examples", _by_plain_name(numbers)), None)


def examples_of(numbers: Numbers) -> int | None:
    """The number of examples that the other numbers come from."""
    name = examples_name(numbers)
    value = None if name is None else numbers[name]
    return int(value) if value is not None and value.is_integer() and 0 <= value <= MAX_EXAMPLES else None


def train_loss_of(kind: str, numbers: Numbers) -> float | None:
    """The loss of training, in a reply to "train"."""
    return _loss(numbers, "train_loss", "plain_loss") if kind == "train" else None


def loss_of(kind: str, numbers: Numbers) -> float | None:
    """The loss of the model on data that it was not trained on."""
    return _loss(numbers, "loss", *(() if kind == "train" else ("plain_loss",)))


def accuracy_names(kind: str, numbers: Numbers) -> list[str]:
    """The names under which an accuracy of the model may stand, the best first."""
    by_plain_name = _by_plain_name(numbers)
    things = ("accuracy",) if kind == "train" else ("accuracy", "plain_accuracy")
    return [name for thing in things for name in _names(thing, by_plain_name)]


def _loss(numbers: Numbers, *things: str) -> float | None:
    by_plain_name = _by_plain_name(numbers)
    for thing in things:
        for name in _names(thing, by_plain_name):
            return numbers[name] if abs(numbers[name]) <= MAX_LOSS else None
    return None


def _names(thing: str, by_plain_name: Mapping[str, str]) -> Iterator[str]:
    return (by_plain_name[name] for name in KNOWN_AS[thing] if name in by_plain_name)


def _by_plain_name(numbers: Numbers) -> dict[str, str]:
    """The names by how the table writes them; the first of those that it writes alike."""
    return {_plain(name): name for name in reversed(list(numbers))}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
