"""Messages about a folder are read only as they are written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.files.manifest import MAX_FILE_BYTES
from mesh.files.messages import Kind, Message, MessageRefused
from mesh.files.version import MAX_COUNTER
from mesh.node import Content
from shared.canonical import canonical

contents = st.builds(Content, st.binary(min_size=32, max_size=32), st.integers(0, MAX_FILE_BYTES))
messages = st.builds(
    Message, st.sampled_from([Kind.MANIFEST, Kind.NEWS]), contents, st.integers(1, MAX_COUNTER)
) | st.builds(Message, st.sampled_from([Kind.WANT, Kind.HAVE, Kind.LACK]), contents)


@given(messages)
def test_what_is_written_is_read(message: Message) -> None:
    assert Message.parse(message.to_bytes()) == message


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)


@given(
    st.binary(max_size=600) | st.dictionaries(st.sampled_from(["kind", "root", "size"]), json).map(canonical)
)
def test_anything_else_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(MessageRefused):
        Message.parse(data)


GOOD: dict[str, Any] = {"kind": "news", "root": "11" * 32, "size": 1, "sequence": 1}


@pytest.mark.parametrize(
    "lie",
    [
        {"kind": "want"},
        {"kind": "wish"},
        {"root": "11" * 31},
        {"root": "AA" * 32},
        {"root": None},
        {"size": -1},
        {"size": MAX_FILE_BYTES + 1},
        {"size": 1.5},
        {"size": True},
        {"sequence": 0},
        {"sequence": MAX_COUNTER + 1},
        {"sequence": "1"},
        {"more": 1},
    ],
    ids=str,
)
def test_one_field_that_is_wrong_is_enough(lie: dict[str, Any]) -> None:
    assert Message.parse(canonical(GOOD)).kind is Kind.NEWS
    with pytest.raises(MessageRefused):
        Message.parse(canonical(GOOD | lie))
