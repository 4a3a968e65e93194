"""Replies of the built-in ClientApp, made by hand: right ones, and as wrong as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict

from shared.app_host.serialised import Serialised
from shared.flower import decode, encode
from tests.support.raw_link import RawClient

TRAINED: Mapping[str, Any] = {"num-examples": 10, "train_loss": 0.5, "duration_s": 0.1}
EVALUATED: Mapping[str, Any] = {"num-examples": 10, "loss": 0.5, "accuracy": 0.5, "duration_s": 0.1}


def answer_to(message: Message, **content: Any) -> Serialised:
    """A reply with these records."""
    return encode(Message(RecordDict(content), reply_to=message))


def trained(
    message: Message, arrays: ArrayRecord | None = None, metrics: Mapping[str, Any] = TRAINED
) -> Serialised:
    """The reply to a message that asks to train; by default with the model as it was sent."""
    model = message.content.array_records["arrays"] if arrays is None else arrays
    return answer_to(message, arrays=model, metrics=MetricRecord(dict(metrics)))


def evaluated(message: Message, metrics: Mapping[str, Any] = EVALUATED) -> Serialised:
    """The reply to a message that asks to evaluate."""
    return answer_to(message, metrics=MetricRecord(dict(metrics)))


def serve(link: RawClient) -> str:
    """Answer the next message as it should be; returns its kind."""
    message_id, payload = link.read_task()
    message = decode(payload)
    kind: str = message.metadata.message_type
    link.reply(message_id, trained(message) if kind == "train" else evaluated(message))
    return kind


def saved(values: np.ndarray[Any, Any], **options: Any) -> bytes:
    """An array in NumPy's file format."""
    stream = BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


def like(array: Array, **changes: Any) -> Array:
    """An array with some fields of another: dtype, shape, stype, data."""
    fields = {"dtype": array.dtype, "shape": array.shape, "stype": array.stype, "data": array.data}
    return Array(**{**fields, **changes})


def model_of(message: Message) -> dict[str, Array]:
    """The model in a message."""
    return dict(message.content.array_records["arrays"])
