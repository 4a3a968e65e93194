"""What a ledger's file holds is read as it was written, or nothing is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.ledger.chain import Chain, LineDamaged, whole

TEXTS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\n\0")).map(str.encode), min_size=1, max_size=6
)


def written(texts: list[bytes]) -> list[bytes]:
    chain = Chain()
    lines = []
    for text in texts:
        lines.append(chain.line(text))
        chain.read(lines[-1])
    return lines


@given(texts=TEXTS, at=st.integers(0))
def test_what_was_written_is_read_in_however_many_pieces(texts: list[bytes], at: int) -> None:
    lines = written(texts)
    chain = Chain()
    at %= len(lines) + 1

    assert chain.read(b"".join(lines[:at])) + chain.read(b"".join(lines[at:])) == texts


@given(texts=TEXTS, cut=st.integers(1), zeros=st.integers(0, 100), data=st.data())
def test_a_line_that_was_torn_takes_none_of_those_before_it_along(
    texts: list[bytes], cut: int, zeros: int, data: st.DataObject
) -> None:
    *before, last = written(texts)
    left = last[: cut % len(last)]
    left += b"\0" * zeros

    found = b"".join(before) + left

    assert whole(found) == len(b"".join(before))


@given(texts=TEXTS, start=st.integers(0), length=st.integers(1))
def test_zeros_where_the_disk_had_not_come_to_it_are_no_line(
    texts: list[bytes], start: int, length: int
) -> None:
    *before, last = written(texts)
    start %= len(last) - 1
    length = 1 + length % (len(last) - 1 - start)
    torn = last[:start] + b"\0" * length + last[start + length :]

    assert whole(b"".join(before) + torn) == len(b"".join(before))


@given(texts=TEXTS, data=st.data())
def test_a_line_that_was_changed_is_noticed(texts: list[bytes], data: st.DataObject) -> None:
    found = bytearray(b"".join(written(texts)))
    at = data.draw(st.integers(0, len(found) - 1))
    found[at] ^= data.draw(st.integers(1, 255))

    try:
        read = Chain().read(bytes(found))
    except LineDamaged:
        return
    assert read == texts[: len(read)]
    assert len(read) < len(texts)  # a line has no end any more


@given(texts=TEXTS.filter(lambda texts: len(texts) > 1), data=st.data())
def test_a_line_that_is_gone_is_noticed_by_the_next(texts: list[bytes], data: st.DataObject) -> None:
    lines = written(texts)
    del lines[data.draw(st.integers(0, len(lines) - 2))]

    with pytest.raises(LineDamaged, match="or one before it is gone"):
        Chain().read(b"".join(lines))
