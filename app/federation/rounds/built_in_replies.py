"""Reads the built-in ClientApp's replies, and checks them before anything is done with them: a client may be
wrong.
"""

from __future__ import annotations

import numpy as np
from flwr.app import Array, ArrayRecord, Message

from app.federation.grid.instruction import Instruction
from app.federation.rounds.merging import Contribution
from app.federation.rounds.results import ClientResult
from app.federation.strategies.arrays import blocks
from app.federation.strategies.base import Update
from shared.errors import ReplyInvalid
from shared.mesh_contribution import MESH_UPDATE, ContributionMetrics
from shared.npy import Header, has_right_size, read_header
from shared.results import EvaluateMetrics, TrainMetrics, records_of

RECORDS_OF = {"train": {"arrays", "metrics"}, "evaluate": {"metrics"}}
"""The names of the records in a reply, by the kind of message. Strategies want the same from every client."""


class BuiltInReplies:
    """Reads each reply of a run once: for whoever watches the run, and for the strategy."""

    def __init__(self) -> None:
        self._trained: dict[str, TrainMetrics] = {}

    def read(self, instruction: Instruction, reply: Message) -> ClientResult:
        """As `read_reply` has it."""
        metrics = _read_metrics(instruction, reply)
        if isinstance(metrics, TrainMetrics):
            self._trained[instruction.message.metadata.message_id] = metrics
        return result_of(metrics)

    def update(self, reply: Message) -> Update:
        """A reply to "train" that was read when it came in, as a strategy takes it; once."""
        metrics = self._trained.pop(reply.metadata.reply_to_message_id)
        return Update(reply.metadata.src_node_id, _arrays_of(reply), metrics)

    def contribution(self, reply: Message) -> Contribution:
        """A contribution from the mesh that was read when it came in; once."""
        metrics = self._trained.pop(reply.metadata.reply_to_message_id)
        if not isinstance(metrics, ContributionMetrics):
            raise ReplyInvalid("The reply is no contribution from the mesh.")
        return Contribution(reply.metadata.src_node_id, _arrays_of(reply), metrics)

    def forget(self) -> None:
        """No strategy will ask for what was read so far."""
        self._trained.clear()


def read_reply(instruction: Instruction, reply: Message) -> ClientResult:
    """What a reply says; of one to another kind of message than the built-in app knows, nothing.

    Raises ReplyInvalid unless the metrics are sane and, after training, the arrays fit the model sent.
    """
    return result_of(_read_metrics(instruction, reply))


def result_of(metrics: TrainMetrics | EvaluateMetrics | None) -> ClientResult:
    """What of a reply's metrics is shown."""
    match metrics:
        case None:
            return ClientResult()
        case TrainMetrics():
            return ClientResult(
                metrics.num_examples,
                train_loss=metrics.train_loss,
                duration_s=metrics.duration_s,
                spent=metrics.spent(),
                metrics=metrics.further(),
            )
        case EvaluateMetrics():
            return ClientResult(
                metrics.num_examples,
                loss=metrics.loss,
                accuracy=metrics.accuracy,
                duration_s=metrics.duration_s,
                metrics=metrics.further(),
            )


def _read_metrics(instruction: Instruction, reply: Message) -> TrainMetrics | EvaluateMetrics | None:
    wanted = RECORDS_OF.get(instruction.kind)
    if wanted is None:
        return None
    if (got := set(reply.content.keys())) != wanted:
        raise ReplyInvalid(f"The reply has the records {sorted(got)}, not {sorted(wanted)}."[:1000])
    if instruction.kind == "evaluate":
        return EvaluateMetrics.from_reply(reply)
    of_mesh = instruction.message_type == MESH_UPDATE
    metrics = (ContributionMetrics if of_mesh else TrainMetrics).from_reply(reply)
    (sent,) = records_of(instruction.message.content, ArrayRecord).values()
    _check_update(sent, _arrays_of(reply))
    return metrics


def _arrays_of(reply: Message) -> ArrayRecord:
    arrays = reply.content["arrays"]
    if not isinstance(arrays, ArrayRecord):
        raise ReplyInvalid("The reply's record 'arrays' holds no arrays.")
    return arrays


def _check_update(sent: ArrayRecord, got: ArrayRecord) -> None:
    """The same names, shapes and dtypes as in the model that was sent, and every value finite."""
    if missing := sorted(sent.keys() - got.keys()):
        raise ReplyInvalid(f"The update does not fit the model: {missing[0]} is missing.")
    if unknown := sorted(got.keys() - sent.keys()):
        raise ReplyInvalid(f"The update does not fit the model: there is no {unknown[0][:100]!r} in it.")
    for name, array in sent.items():
        _check_array(name, array, got[name])


def _check_array(name: str, sent: Array, got: Array) -> None:
    """Judges by the bytes, which count in the end, and allocates nothing on their word."""
    if got.stype != sent.stype:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array.")
    header = open_array(name, got.data)
    if header.shape != sent.shape:
        raise ReplyInvalid(
            f"The update does not fit the model: {name} has shape {header.shape}, not {sent.shape}."
        )
    if str(header.dtype) != sent.dtype:
        raise ReplyInvalid(
            f"The update does not fit the model: {name} has dtype {header.dtype}, not {sent.dtype}."
        )
    check_size(name, header, len(got.data))
    values = np.frombuffer(got.data, header.dtype, offset=header.offset)
    if not all(np.isfinite(values[block]).all() for block in blocks(values.size)):
        raise ReplyInvalid(f"The update cannot be used: {name} has values that are infinite or not numbers.")


def open_array(name: str, data: bytes) -> Header:
    """The header of an array that begins like this, unchecked. Raises ReplyInvalid for one that has none."""
    try:
        return read_header(data)
    except ValueError as error:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array ({error}).") from None


def check_size(name: str, header: Header, size: int) -> None:
    """Raise ReplyInvalid unless an array with this header has so many bytes."""
    if not has_right_size(header, size):
        raise ReplyInvalid(f"The update cannot be read: {name} is cut short, or goes on after its end.")
