"""Arrays are taken out of a message as protobuf would read them, and no message takes more than it may."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import BinaryIO, cast

import pytest
from flwr.app import Message
from flwr.common.serde import message_from_proto, recorddict_to_proto
from flwr.common.serde_utils import metadata_to_proto
from flwr.proto.message_pb2 import Message as MessageProto
from hypothesis import given, settings
from hypothesis import strategies as st

import shared.protowire
from shared.errors import WireError
from shared.flower import decode, identify_server_task, node_id_of, set_message_id
from shared.protowire import InFile, InMemory, Source, head, take_out
from tests.unit.test_flower import contents

PATH = (3, 2)
"""To the byte strings in the messages that are made here: field 2 of field 3."""


def in_file(data: bytes) -> InFile:
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - InFile closes it
    file.write(data)
    file.flush()
    return InFile(file)


def field(number: int, content: bytes) -> bytes:
    return head(number, len(content)) + content


@st.composite
def serialised(draw: st.DrawFn) -> bytes:
    """A message as protobuf writes it, in one piece or in several that it merges."""
    identify_server_task(7)
    message = Message(draw(contents()), node_id_of("a"), "train", group_id=draw(st.text(max_size=3)))
    set_message_id(message, "m")
    proto = MessageProto(
        metadata=metadata_to_proto(message.metadata), content=recorddict_to_proto(message.content)
    )
    more = [
        MessageProto(content=recorddict_to_proto(each)) for each in draw(st.lists(contents(), max_size=2))
    ]
    pieces: Iterable[MessageProto] = draw(st.permutations([proto, *more]))
    return b"".join(piece.SerializeToString() for piece in pieces)


@settings(max_examples=40, deadline=None)
@given(serialised())
def test_a_message_is_read_as_flower_reads_it(payload: bytes) -> None:
    expected = message_from_proto(MessageProto.FromString(payload))

    for source in (payload, InMemory(payload), in_file(payload)):
        got = decode(source)
        assert got.metadata == expected.metadata
        assert got.content == expected.content


@settings(max_examples=40, deadline=None)
@given(serialised(), st.data())
def test_a_message_that_is_cut_short_is_refused_wherever_it_lies(payload: bytes, data: st.DataObject) -> None:
    """Or read as Flower reads it, where it is cut between two fields."""
    cut = payload[: data.draw(st.integers(0, len(payload) - 1))]
    try:
        expected = message_from_proto(MessageProto.FromString(cut)).content
    except Exception:  # noqa: BLE001 - whatever protobuf and Flower raise
        expected = None

    for source in (cut, in_file(cut)):
        if expected is None:
            with pytest.raises(WireError):
                decode(source)
        else:
            assert decode(source).content == expected


@given(st.lists(st.binary(max_size=20), max_size=4), st.binary(max_size=20))
def test_byte_strings_are_replaced_by_their_numbers(blobs: list[bytes], other: bytes) -> None:
    message = field(1, other) + b"".join(field(3, field(2, blob) + field(1, other)) for blob in blobs)

    for source in (InMemory(message), in_file(message)):
        rest, taken = take_out(source, PATH)

        assert taken == blobs
        numbers = [field(3, field(2, str(n).encode()) + field(1, other)) for n in range(len(blobs))]
        assert rest == field(1, other) + b"".join(numbers)


def deep(number: int) -> bytes:
    """So many fields on the way to the byte strings, all of them empty."""
    return b"".join(field(3, b"") for _ in range(number))


@pytest.mark.parametrize(
    ("limit", "value", "within", "beyond", "complaint"),
    [
        ("MAX_FIELDS", 8, deep(8), deep(9), "more than 8 fields"),
        ("MAX_FIELDS", 8, field(3, deep(7)), field(3, deep(8)), "more than 8 fields"),
        ("MAX_BLOBS", 2, field(3, field(2, b"") * 2), field(3, field(2, b"") * 3), "more than 2 arrays"),
        ("MAX_REST", 9, field(1, bytes(7)), field(1, bytes(8)), "more than 9 bytes that belong to no array"),
        ("MAX_REST", 9, field(3, field(1, bytes(7))), field(3, field(1, bytes(8))), "more than 9 bytes"),
    ],
)
def test_a_message_has_limits(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, within: bytes, beyond: bytes, complaint: str
) -> None:
    monkeypatch.setattr(shared.protowire, limit, value)
    for make in (InMemory, in_file):
        source: Source = make(within)
        take_out(source, PATH)
        with pytest.raises(ValueError, match=complaint):
            take_out(make(beyond), PATH)


def test_a_source_gives_what_there_is() -> None:
    for source in (InMemory(b"abcdef"), in_file(b"abcdef")):
        assert len(source) == 6
        assert (source.read(0, 6), source.read(2, 3), source.read(4, 99)) == (b"abcdef", b"cde", b"ef")
        assert (source.read(6, 1), source.read(0, 0)) == (b"", b"")


def test_a_file_is_read_whole_also_when_the_system_gives_it_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linux gives 2 GiB at most, whatever is asked for."""
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, start: pread(file, min(length, 2), start))
    source = in_file(b"abcdef")

    assert (source.read(0, 6), source.read(1, 3), source.read(5, 9)) == (b"abcdef", b"bcd", b"f")
