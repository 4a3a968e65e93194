"""What both ends of the link agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import WireError
from shared.payload import MAX_ARRAYS
from shared.proto.link_pb2 import Chunk, ServerFrame, Value
from shared.wire import (
    CHANNEL_OPTIONS,
    CHUNK_BYTES,
    MAX_MESSAGE_BYTES,
    ConfigScalar,
    from_values,
    to_values,
)

configs = st.dictionaries(
    st.text(max_size=20),
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=40),
)


def test_a_chunk_fits_into_a_frame_of_grpc() -> None:
    assert dict(CHANNEL_OPTIONS)["grpc.max_receive_message_length"] > CHUNK_BYTES + 1024


def test_the_first_chunk_of_the_message_with_most_arrays_fits_into_a_frame_of_grpc() -> None:
    largest = Chunk(
        message_id="m" * 255,
        total_bytes=MAX_MESSAGE_BYTES,
        array_bytes=[MAX_MESSAGE_BYTES] * MAX_ARRAYS,
        data=bytes(CHUNK_BYTES),
    )

    frame = ServerFrame(task=largest).SerializeToString()

    assert len(frame) < dict(CHANNEL_OPTIONS)["grpc.max_send_message_length"]


@given(configs)
def test_config_values_keep_value_and_type(config: dict[str, ConfigScalar]) -> None:
    restored = from_values(to_values(config))

    assert restored == config
    assert {key: type(value) for key, value in restored.items()} == {
        key: type(value) for key, value in config.items()
    }


def test_a_config_value_without_content_is_refused() -> None:
    with pytest.raises(WireError, match="'lr' has no content"):
        from_values({"lr": Value()})


def test_config_text_that_is_no_utf_8_is_sent_as_far_as_it_can_be() -> None:
    assert from_values(to_values({"B\udce4r": "/data/B\udce4r.csv"})) == {"B\ufffdr": "/data/B\ufffdr.csv"}
