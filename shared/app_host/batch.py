"""Messages that travel together from a ServerApp's process to FedLoom: what they share travels once.

Strategies send all clients of a round one content, which goes on to the clients as the bytes that came. The
same holds for the data of arrays that stand in several contents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flwr.app import Message, RecordDict

from .codec import CodecError, decode_content_unopened, decode_envelope, encode_content, encode_envelope
from .serialised import Serialised

Layout = dict[str, list[list[int]]]
"""Which of a frame's parts belong to what.

`contents`: of each, its skeleton and the data of its arrays; `messages`: of each, its envelope, and its place
in `contents`.
"""


@dataclass(frozen=True)
class Outgoing:
    """A message to a client, and its content as it travels, which messages may share.

    The message itself may lack its arrays: nobody at the server opens those of another app.
    """

    message: Message
    content: Serialised


def outgoing(messages: Iterable[Message]) -> list[Outgoing]:
    """Messages with their content serialised, which those that have one object as content share."""
    contents: dict[int, Serialised] = {}
    ready = []
    for message in messages:
        record = message.content
        if (content := contents.get(id(record))) is None:
            content = contents[id(record)] = encode_content(record)
        ready.append(Outgoing(message, content))
    return ready


def pack(messages: Sequence[Message]) -> tuple[Layout, list[bytes]]:
    """Messages with contents as the layout and the parts of a frame; no data is copied."""
    parts = _Parts()
    layout: Layout = {"contents": [], "messages": []}
    places: dict[int, int] = {}
    for each in outgoing(messages):
        place = places.setdefault(id(each.content), len(places))
        if place == len(layout["contents"]):
            layout["contents"].append(list(map(parts.add, each.content.parts)))
        layout["messages"].append([parts.add(encode_envelope(each.message)), place])
    return layout, parts.all


def unpack(layout: Any, parts: Sequence[bytes]) -> list[Outgoing]:
    """The messages in a frame that `pack` has made. Raises CodecError for what it cannot have made."""
    try:
        contents = [_content([parts[_place(index)] for index in content]) for content in layout["contents"]]
        return [
            _message(parts[_place(envelope)], *contents[_place(content)])
            for envelope, content in layout["messages"]
        ]
    except (TypeError, ValueError, LookupError) as error:
        raise CodecError(f"A batch of messages cannot be read: {error}") from error


class _Parts:
    """The parts of a frame, each object once; they live as long as this does, and so do their ids."""

    def __init__(self) -> None:
        self.all: list[bytes] = []
        self._known: dict[int, int] = {}

    def add(self, part: bytes) -> int:
        """The place of a part."""
        place = self._known.setdefault(id(part), len(self.all))
        if place == len(self.all):
            self.all.append(part)
        return place


def _place(index: Any) -> int:
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise ValueError(f"{index!r} is no place in a list")
    return index


def _content(parts: Sequence[bytes]) -> tuple[RecordDict, Serialised]:
    skeleton, *arrays = parts
    return decode_content_unopened(skeleton, len(arrays)), Serialised(skeleton, tuple(arrays))


def _message(envelope: bytes, content: RecordDict, serialised: Serialised) -> Outgoing:
    message = decode_envelope(envelope + _NO_RECORDS)
    message.content = content  # Flower makes no message without one
    return Outgoing(message, serialised)


_NO_RECORDS = encode_content(RecordDict()).skeleton
