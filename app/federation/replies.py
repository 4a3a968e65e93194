"""Checks the built-in ClientApp's replies before anything is done with them: a client may be wrong."""

from __future__ import annotations

import numpy as np
from flwr.app import Array, ArrayRecord, Message

from app.federation.grid import Instruction
from shared.errors import ReplyInvalid
from shared.results import EvaluateMetrics, TrainMetrics


def check_reply(instruction: Instruction, reply: Message) -> None:
    """Raise ReplyInvalid unless the metrics are sane and, after training, the arrays fit the model sent."""
    if instruction.kind == "evaluate":
        EvaluateMetrics.from_reply(reply)
    elif instruction.kind == "train":
        TrainMetrics.from_reply(reply)
        _check_update(_only_arrays(instruction.message), _only_arrays(reply))


def _only_arrays(message: Message) -> ArrayRecord:
    records = list(message.content.array_records.values())
    if len(records) != 1:
        raise ReplyInvalid(f"The reply has {len(records)} array records, not one.")
    return records[0]


def _check_update(sent: ArrayRecord, got: ArrayRecord) -> None:
    """The same names, shapes and dtypes, in the bytes as well as in the description; every value finite."""
    if missing := sorted(sent.keys() - got.keys()):
        raise ReplyInvalid(f"The update does not fit the model: {missing[0]} is missing.")
    if unknown := sorted(got.keys() - sent.keys()):
        raise ReplyInvalid(f"The update does not fit the model: there is no {unknown[0][:100]!r} in it.")
    for name, array in sent.items():
        values = _read(name, got[name])
        if values.shape != array.shape:
            raise ReplyInvalid(
                f"The update does not fit the model: {name} has shape {values.shape}, not {array.shape}."
            )
        if str(values.dtype) != array.dtype:
            raise ReplyInvalid(
                f"The update does not fit the model: {name} has dtype {values.dtype}, not {array.dtype}."
            )
        if not np.isfinite(values).all():
            raise ReplyInvalid(
                f"The update cannot be used: {name} has values that are infinite or not numbers."
            )


def _read(name: str, array: Array) -> np.ndarray:
    try:
        return array.numpy()  # Flower reads it without pickle
    except (TypeError, ValueError, EOFError, OSError) as error:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array ({error}).") from error
