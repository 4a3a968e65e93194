"""Flower's control API, which its `flwr` command speaks: messages in protobuf over HTTP.

None of it is public API of Flower, so its names are used from here only. `tests/unit/test_flower.py` fails in
words when an upgrade moves one of them, `test_flower_control_messages.py` when the command asks elsewhere.
"""

from __future__ import annotations

from flwr.common.constant import FAB_MAX_SIZE, Status, SubStatus
from flwr.common.serde import user_config_from_proto
from flwr.proto.control_pb2 import (
    ListRunsRequest,
    ListRunsResponse,
    StartRunRequest,
    StartRunResponse,
    StopRunRequest,
    StopRunResponse,
    StreamLogsRequest,
    StreamLogsResponse,
)
from flwr.proto.run_pb2 import Run as RunProto
from flwr.proto.run_pb2 import RunStatus as RunStatusProto
from flwr.supercore.protobuf.constants import (
    FRAME_HEADER_SIZE,
    PROTOBUF_MEDIA_TYPE,
    PROTOBUF_STREAM_MEDIA_TYPE,
)

from shared.wire import ConfigScalar

__all__ = [
    "FAB_MAX_SIZE",
    "PREFIX",
    "PROTOBUF_MEDIA_TYPE",
    "PROTOBUF_STREAM_MEDIA_TYPE",
    "ListRunsRequest",
    "ListRunsResponse",
    "RunProto",
    "RunStatusProto",
    "StartRunRequest",
    "StartRunResponse",
    "Status",
    "StopRunRequest",
    "StopRunResponse",
    "StreamLogsRequest",
    "StreamLogsResponse",
    "SubStatus",
    "in_frame",
    "overrides_of",
]

PREFIX = "/v1/control"
"""Where the API is: a call is a POST to one path below it."""


def in_frame(message: StreamLogsResponse) -> bytes:
    """A message as one of those that follow each other in a streamed answer: its length, then itself."""
    content = message.SerializeToString()
    return len(content).to_bytes(FRAME_HEADER_SIZE, "big") + content


def overrides_of(request: StartRunRequest) -> dict[str, ConfigScalar]:
    """The values of `flwr run --run-config`. Raises ValueError for an entry that has none."""
    empty = [key for key, value in request.override_config.items() if value.WhichOneof("scalar") is None]
    if empty:
        raise ValueError(f"{empty[0]!r} has no value")
    values: dict[str, ConfigScalar] = user_config_from_proto(request.override_config)
    return values
