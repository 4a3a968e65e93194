"""Frames: what travels over a connection, each with its length before it."""

from __future__ import annotations

import struct

from google.protobuf.message import DecodeError

from mesh.protocol.counts import Reason
from mesh.protocol.limits import MAX_FRAME_BYTES
from mesh.protocol.mesh_pb2 import Frame
from shared.errors import WireError

LENGTH_BYTES = 4


class FrameInvalid(WireError):
    """What came from another node does not follow the protocol of the mesh."""

    reason = Reason.MALFORMED
    """By which it is counted."""


class FrameTooLarge(FrameInvalid):
    """A frame, or a part of it, is larger than any may be."""

    reason = Reason.TOO_LARGE


def encode_frame(frame: Frame) -> bytes:
    """As it travels, without its length. Raises FrameTooLarge."""
    data = frame.SerializeToString()
    if len(data) > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"A frame of {len(data):,} bytes is not sent: {MAX_FRAME_BYTES:,} are allowed.")
    return data


def parse_frame(data: bytes) -> Frame:
    """The inverse. Raises FrameInvalid, which says what is wrong."""
    if len(data) > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"A frame has {len(data):,} bytes, and {MAX_FRAME_BYTES:,} are allowed.")
    frame = Frame()
    try:
        frame.ParseFromString(data)
    except DecodeError as error:
        raise FrameInvalid("A frame cannot be read: it is not protobuf, or was cut.") from error
    if frame.WhichOneof("content") is None:
        raise FrameInvalid("A frame holds nothing that this version knows.")
    return frame


def with_length(data: bytes) -> bytes:
    """A frame's bytes with their length before them."""
    return struct.pack("!I", len(data)) + data


def length_in(head: bytes) -> int:
    """How many bytes the frame has that comes after this head. Raises FrameTooLarge, and FrameInvalid for an
    empty one."""
    (length,) = struct.unpack("!I", head)
    if length > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"A frame is to have {length:,} bytes, and {MAX_FRAME_BYTES:,} are allowed.")
    if length == 0:
        raise FrameInvalid("A frame is to have no bytes.")
    return int(length)
