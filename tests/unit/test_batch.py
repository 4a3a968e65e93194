"""Messages in a frame: what they share travels once, and what is no frame of messages is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Error, Message, MetricRecord, RecordDict
from flwr.common.serde_utils import metadata_to_proto
from flwr.proto.error_pb2 import Error as ErrorProto
from flwr.proto.message_pb2 import Message as MessageProto

from shared.app_host.batch import Outgoing, pack, unpack
from shared.app_host.codec import CodecError, decode, encode_envelope
from shared.flower import identify_server_task, set_message_id


@pytest.fixture(autouse=True)
def _server_task() -> None:
    identify_server_task(7)


@pytest.fixture
def model() -> RecordDict:
    arrays = ArrayRecord({"w": _array(1000), "b": _array(10)})
    return RecordDict({"arrays": arrays, "config": ConfigRecord({"lr": 0.1, "server-round": 3})})


def _array(size: int) -> Any:
    return ArrayRecord([np.arange(size, dtype=np.float32)])["0"]


def sent_to(content: RecordDict, *node_ids: int) -> list[Message]:
    return [Message(content, node_id, "train", group_id="3", ttl=60.0) for node_id in node_ids]


def arrived_of(outgoing: Outgoing) -> Message:
    """The message as the client that it goes to reads it."""
    skeleton = encode_envelope(outgoing.message) + outgoing.content.skeleton
    return decode(skeleton, outgoing.content.arrays)


def test_messages_arrive_as_they_were_sent(model: RecordDict) -> None:
    other = RecordDict({"metrics": MetricRecord({"loss": 0.5})})
    messages = [*sent_to(model, 2, 3), Message(other, 4, "query.ages")]
    for number, message in enumerate(messages):
        set_message_id(message, f"message-{number}")

    arrived = list(map(arrived_of, unpack(*pack(messages))))

    assert [vars(message.metadata) for message in arrived] == [vars(message.metadata) for message in messages]
    assert [message.content for message in arrived] == [model, model, other]


def test_a_content_that_messages_share_travels_once_and_is_one_object_again(model: RecordDict) -> None:
    layout, parts = pack(sent_to(model, 2, 3, 4))

    assert len([part for part in parts if len(part) > 1000]) == 1
    first, *others = unpack(layout, parts)
    assert all(other.content is first.content for other in others)


def test_arrays_that_several_contents_share_travel_once(model: RecordDict) -> None:
    contents = [
        RecordDict({"arrays": model["arrays"], "config": ConfigRecord({"for": node_id})})
        for node_id in range(3)
    ]
    messages = [Message(content, 2 + node_id, "train") for node_id, content in enumerate(contents)]

    layout, parts = pack(messages)

    assert len([part for part in parts if len(part) > 1000]) == 1
    assert [arrived_of(outgoing).content for outgoing in unpack(layout, parts)] == contents


def test_the_data_of_arrays_is_not_copied(model: RecordDict) -> None:
    data = model.array_records["arrays"]["w"].data

    layout, parts = pack(sent_to(model, 2))

    assert any(part is data for part in parts)
    assert unpack(layout, parts)[0].content.arrays[0] is data


def test_the_settings_in_a_message_can_be_read_and_its_arrays_are_left_closed(model: RecordDict) -> None:
    (arrived,) = unpack(*pack(sent_to(model, 2)))

    assert arrived.message.content.config_records == model.config_records
    assert dict(arrived.message.content.array_records["arrays"]) == {}


def test_no_messages_are_a_frame_as_well() -> None:
    assert unpack(*pack([])) == []


def test_a_content_without_records_stays_one() -> None:
    (arrived,) = unpack(*pack(sent_to(RecordDict(), 2)))

    assert arrived_of(arrived).has_content()
    assert arrived_of(arrived).content == RecordDict()


def test_what_no_batch_can_be_is_refused(model: RecordDict) -> None:
    layout, parts = pack(sent_to(model, 2))
    skeleton, *arrays = layout["contents"][0]
    wrong: list[Any] = [
        None,
        {},
        [],
        {"contents": 3, "messages": []},
        {"contents": [], "messages": [[0]]},
        {"contents": [], "messages": [[0, 0]]},
        {**layout, "messages": [[99, 0]]},
        {**layout, "messages": [[-1, 0]]},
        {**layout, "messages": [[True, 0]]},
        {**layout, "messages": [["0", 0]]},
        {**layout, "messages": [[0, None]]},
        {"contents": [[]], "messages": []},
        {"contents": [[skeleton]], "messages": []},
        {"contents": [[arrays[0], skeleton]], "messages": []},
        {**layout, "messages": [[arrays[0], 0]]},
        {**layout, "messages": [[layout["messages"][0][0], None]]},
    ]
    for broken in wrong:
        with pytest.raises(CodecError):
            unpack(broken, parts)


@pytest.mark.parametrize("more", ["metadata", "error", "nothing"])
def test_a_content_that_says_more_than_that_is_refused(model: RecordDict, more: str) -> None:
    """It goes on to the clients behind the envelope that the server has made, and would go before it."""
    (message,) = sent_to(model, 2)
    layout, parts = pack([message])
    place = layout["contents"][0][0]
    other = {
        "metadata": MessageProto(metadata=metadata_to_proto(Message(RecordDict(), 99, "evaluate").metadata)),
        "error": MessageProto(error=ErrorProto(code=1)),
    }
    parts[place] = parts[place] + other[more].SerializeToString() if more in other else b""
    contents = layout["contents"] if more in other else [[place]]

    with pytest.raises(CodecError, match="not the content of a Flower message alone"):
        unpack({**layout, "contents": contents}, parts)


def test_a_message_with_an_error_is_refused(model: RecordDict) -> None:
    (message,) = sent_to(model, 2)
    layout, parts = pack([message])
    error = encode_envelope(Message(Error(code=2, reason="no"), reply_to=message))

    with pytest.raises(CodecError):
        unpack({**layout, "messages": [[len(parts), 0]]}, [*parts, error])
