"""Frames of the link, as they are read from and written to a call of gRPC."""

from __future__ import annotations

import grpc.aio
from google.protobuf.message import DecodeError

from app.federation.link.clients_at_work import OutgoingFrame
from shared.errors import WireError
from shared.pieces import Piece
from shared.proto.link_pb2 import ClientFrame, Refusal, ServerFrame
from shared.text import printable

Context = grpc.aio.ServicerContext[ClientFrame | Piece, OutgoingFrame]
"""One client's call."""


async def read_frame(context: Context) -> ClientFrame | Piece | None:
    """The next frame; None at the end of the stream. Raises WireError for bytes that are no frame."""
    try:
        frame = await context.read()
    except DecodeError as error:
        raise WireError("It sent bytes that are no frame.") from error
    return frame if isinstance(frame, ClientFrame | Piece) else None


def serialise(frame: OutgoingFrame) -> bytes:
    """As it travels."""
    return frame if isinstance(frame, bytes) else bytes(frame.SerializeToString())


def refuse(reason: str, *, final: bool) -> ServerFrame:
    """The last frame to somebody who may not be here; with `final`, trying again cannot help."""
    return ServerFrame(refusal=Refusal(reason=printable(reason), final=final))
