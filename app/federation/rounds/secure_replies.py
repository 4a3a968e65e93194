"""Reads the built-in ClientApp's replies in a run with secure aggregation: their form, and no more."""

from __future__ import annotations

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message

from app.federation.grid.instruction import Instruction
from app.federation.rounds.built_in_replies import check_size, open_array, read_reply
from app.federation.rounds.results import ClientResult
from shared.errors import ReplyInvalid
from shared.npy import flat_view
from shared.results import MaskedMetrics, records_of
from shared.secagg import messages
from shared.secagg.masks import bytes_of
from shared.secagg.model import size_of
from shared.secagg.packing import TOTALS
from shared.secagg.settings import SecureAggregation


def read_secure_reply(settings: SecureAggregation, instruction: Instruction, reply: Message) -> ClientResult:
    """What a reply says that can be shown. Raises ReplyInvalid for one that must not be used."""
    if instruction.message_type in messages.READ_REPLY:
        _check_record(instruction.message_type, reply)
        return ClientResult()
    if instruction.kind != "train":
        return read_reply(instruction, reply)
    metrics = MaskedMetrics.from_reply(reply)
    (sent,) = records_of(instruction.message.content, ArrayRecord).values()
    wanted = bytes_of(TOTALS, size_of(sent), settings.bits)
    if (got := len(masked_in(reply))) != wanted:
        raise ReplyInvalid(f"The masked update has {got:,} bytes, and one of this model has {wanted:,}.")
    return ClientResult(duration_s=metrics.duration_s, spent=metrics.spent())


def record_in(reply: Message) -> ConfigRecord:
    """What the reply to one of the messages of secure aggregation says. Raises ReplyInvalid."""
    record = records_of(reply.content, ConfigRecord).get(messages.RECORD)
    if record is None or len(reply.content) != 1:
        raise ReplyInvalid(f"The reply has other records than {messages.RECORD!r} alone.")
    return record


def _check_record(message_type: str, reply: Message) -> None:
    try:
        messages.READ_REPLY[message_type](record_in(reply))
    except messages.Unreadable as error:
        raise ReplyInvalid(f"The reply cannot be read: {error}.") from error


def masked_in(reply: Message) -> memoryview:
    """The masked update in a reply to training; not copied. Raises ReplyInvalid."""
    record = reply.content.get(messages.MASKED)
    if not isinstance(record, ArrayRecord) or set(record) != {messages.MASKED}:
        raise ReplyInvalid("The reply holds no masked update.")
    array = record[messages.MASKED]
    header = open_array(messages.MASKED, array.data)
    check_size(messages.MASKED, header, len(array.data))
    if header.dtype != np.uint8 or len(header.shape) != 1:
        raise ReplyInvalid("The masked update is no row of bytes.")
    return flat_view(array).data
