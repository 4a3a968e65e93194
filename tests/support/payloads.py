"""Messages as they lie at their receiver."""

from __future__ import annotations

from flwr.app import Message

from shared.app_host.serialised import Serialised
from shared.buffers import MemoryBuffer
from shared.flower import encode
from shared.payload import Payload


def payload_of(message: Message | Serialised | bytes) -> Payload:
    """A message that came in whole, in memory. Bytes: a skeleton, whatever it is, without arrays."""
    match message:
        case bytes():
            serialised = Serialised(message)
        case Serialised():
            serialised = message
        case _:
            serialised = encode(message)
    buffer = MemoryBuffer()
    for part in (serialised.skeleton, *serialised.arrays):
        buffer.add(part)
    return Payload(buffer, serialised.array_bytes)
