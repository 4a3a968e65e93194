"""A message's parts are counted before it is read, so that a small one cannot take gigabytes."""

from __future__ import annotations

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.proto.recorddict_pb2 import RecordDict as RecordDictProto
from hypothesis import given
from hypothesis import strategies as st

from shared.app_host import codec, parts
from shared.app_host.codec import CodecError
from shared.app_host.parts import MAX_PARTS, TooManyParts, require_few_parts
from shared.payload import MAX_ARRAYS


def message(**lists: list[object]) -> bytes:
    """A serialised message with these lists in one record of settings."""
    content = RecordDictProto()
    record = content.items.add(key="r").config_record
    for kind, values in lists.items():
        getattr(record.items.add(key=kind).value, kind).vals.extend(values)
    return bytes(MessageProto(content=content).SerializeToString())


def empty_records(number: int) -> bytes:
    """A serialised message with so many of them."""
    content = RecordDictProto()
    for _ in range(number):
        content.items.add()
    return bytes(MessageProto(content=content).SerializeToString())


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small messages are counted as well."""
    monkeypatch.setattr(parts, "UNCOUNTED_BYTES", 0)


def is_taken(data: bytes, most: int) -> bool:
    try:
        require_few_parts(data, most)
    except TooManyParts:
        return False
    return True


@pytest.mark.usefixtures("counted")
class TestCount:
    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            ("double_list", [1.0] * 50),
            ("sint_list", [-1, 1, 200, 2**40, -(2**62)] * 10),
            ("uint_list", [0, 300, 2**63] * 10),
            ("bool_list", [True, False] * 20),
            ("string_list", ["", "ab", "x" * 500] * 10),
            ("bytes_list", [b"", b"ab"] * 10),
        ],
    )
    def test_each_element_of_a_list_is_one(self, kind: str, values: list[object]) -> None:
        data, empty = message(**{kind: values}), message(**{kind: []})
        base = next(most for most in range(100) if is_taken(empty, most))
        packs = 1 if kind in ("double_list", "sint_list", "uint_list", "bool_list") else 0

        assert is_taken(data, base + packs + len(values))
        assert not is_taken(data, base + packs + len(values) - 1)

    def test_what_is_in_a_text_is_none(self) -> None:
        assert is_taken(message(string_list=["\n\0" * 100_000]), 20)

    @given(st.binary(max_size=200))
    def test_whatever_comes_is_counted_or_no_message(self, data: bytes) -> None:
        try:
            require_few_parts(data, 1_000)
        except ValueError:
            return
        assert is_taken(data, len(data)), "a part has a byte at least"

    @given(st.binary(max_size=80), st.integers(0, 500))
    def test_a_message_that_was_damaged_is_counted_or_no_message(self, noise: bytes, place: int) -> None:
        sound = message(sint_list=[1, 2, 3], string_list=["a", "b"])
        place %= len(sound)

        for data in (sound[:place] + noise + sound[place:], sound[:place]):
            try:
                require_few_parts(data, 1_000)
            except ValueError:
                continue

    def test_a_message_as_flower_makes_it_is_taken(self) -> None:
        records = RecordDict(
            {"m": MetricRecord({"x": 1.0, "y": [1, 2]}), "c": ConfigRecord({"z": b"\0" * 9})}
        )

        assert is_taken(codec.encode_content(records).skeleton, 40)


def test_a_model_of_as_many_arrays_as_travel_is_taken() -> None:
    content = RecordDictProto()
    arrays = content.items.add(key="arrays").array_record.items
    for number in range(MAX_ARRAYS):
        value = arrays.add(key=f"layer.{number}.weight").value
        value.dtype, value.stype, value.data = "float32", "numpy.ndarray", number.to_bytes(4, "little")
        value.shape.extend([64, 3, 3, 3])

    require_few_parts(MessageProto(content=content).SerializeToString())


@pytest.mark.parametrize(
    "hostile",
    [
        message(string_list=[""] * (MAX_PARTS + 1)),
        message(sint_list=[0] * (MAX_PARTS + 1)),
        empty_records(MAX_PARTS),
        b"\x12\0" * (MAX_PARTS + 1),
    ],
    ids=["empty texts", "zeros", "empty records", "empty contents"],
)
def test_a_few_megabytes_that_would_become_hundreds_are_refused_unread(hostile: bytes) -> None:
    assert len(hostile) < 4 << 20

    for read in (
        lambda: codec.decode(hostile, []),
        lambda: codec.decode_envelope(hostile),
        lambda: codec.decode_content_unopened(hostile, 0),
    ):
        with pytest.raises(CodecError, match=r"more than the 1,500,000 parts|more than the 500,000"):
            read()


def test_arrays_are_not_counted_by_their_data() -> None:
    serialised = codec.encode_content(RecordDict({"a": ArrayRecord([np.zeros(1 << 20)])}))

    assert len(serialised.skeleton) < 1_000
