"""Messages that travel together between a ServerApp's process and FedLoom: what they share travels once.

Strategies send all clients of a round one content; at the other side it is one object again, so that it is
serialised once for the link. The same holds for the data of arrays that stand in several contents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flwr.app import Message, RecordDict

from .codec import CodecError, decode, decode_records, encode_content, encode_envelope, encode_records

Layout = dict[str, list[list[int | None]]]
"""Which of a frame's parts belong to what.

`contents`: of each, its skeleton and the data of its arrays; `messages`: of each, its envelope, and its place
in `contents` (None: an error stands in the place of a content).
"""


def pack(messages: Sequence[Message]) -> tuple[Layout, list[bytes]]:
    """Messages as the layout and the parts of a frame; no data is copied."""
    parts = _Parts()
    contents: dict[int, int] = {}
    layout: Layout = {"contents": [], "messages": []}
    for message in messages:
        place = None
        if message.has_content():
            record = message.content
            if (place := contents.get(id(record))) is None:
                place = contents[id(record)] = len(contents)
                encoded = encode_records(record)
                layout["contents"].append([parts.add(part) for part in (encoded.skeleton, *encoded.arrays)])
        layout["messages"].append([parts.add(encode_envelope(message)), place])
    return layout, parts.all


def unpack(layout: Any, parts: Sequence[bytes]) -> list[Message]:
    """The messages in a frame that `pack` has made. Raises CodecError for what it cannot have made."""
    try:
        contents = [_content([parts[_place(index)] for index in content]) for content in layout["contents"]]
        return [
            _message(parts[_place(envelope)], None if content is None else contents[_place(content)])
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


def _content(parts: Sequence[bytes]) -> RecordDict:
    return decode_records(parts[0], parts[1:])


def _message(envelope: bytes, content: RecordDict | None) -> Message:
    if content is None:
        return decode(envelope, ())
    message = decode(envelope + _NO_RECORDS, ())
    message.content = content  # Flower makes no message without one
    return message


_NO_RECORDS = encode_content(RecordDict()).skeleton
