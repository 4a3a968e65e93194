"""Each value has one way to be written, and no other is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import NotCanonical, canonical, from_canonical

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read(value: object) -> None:
    assert from_canonical(canonical(value)) == value


@given(VALUES, st.data())
def test_a_flipped_bit_is_another_value_or_none(value: object, data: st.DataObject) -> None:
    written = bytearray(canonical(value))
    place = data.draw(st.integers(0, len(written) * 8 - 1))
    written[place // 8] ^= 1 << place % 8

    try:
        read = from_canonical(bytes(written))
    except NotCanonical:
        return
    assert canonical(read) == bytes(written) != canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1,"a":1}',
        b"1.0e0",
        b"1E5",
        b"-0",
        b"01",
        b'"\\u0041"',
        b'"\\/"',
        '"é"'.encode(),
        b"\xef\xbb\xbf1",
        b"NaN",
        b"Infinity",
        b"",
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_other_ways_to_write_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        from_canonical(data)


def test_what_json_does_not_have_is_not_written() -> None:
    for value in (float("nan"), float("inf"), b"bytes", {1, 2}):
        with pytest.raises((TypeError, ValueError)):
            canonical(value)
