"""Shared memory: what is put in comes out, in its order, and the other side is not believed."""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.app_host.ring import NO_MEMORY, RING_BYTES, Ring, rings, share_memory

SIZE = 100
HEAD_BYTES = 64


def two_ends(memory: bytearray) -> tuple[Ring, Ring]:
    return Ring(memoryview(memory)), Ring(memoryview(memory))


def put(sender: Ring, data: bytes) -> bool:
    return sender.put(len(data), [memoryview(data)])


@given(st.lists(st.one_of(st.none(), st.lists(st.binary(max_size=60), max_size=4)), max_size=40))
def test_what_was_put_in_comes_out_in_its_order(steps: list[list[bytes] | None]) -> None:
    """None: the receiver takes the oldest; else these pieces are put in, as one."""
    sender, receiver = two_ends(bytearray(HEAD_BYTES + SIZE))
    inside: deque[bytes] = deque()
    for pieces in steps:
        if pieces is not None:
            whole = b"".join(pieces)
            has_room = sum(map(len, inside)) + len(whole) <= SIZE
            assert sender.put(len(whole), map(memoryview, pieces)) is has_room
            if has_room:
                inside.append(whole)
        elif inside:
            expected = inside.popleft()
            assert receiver.take(len(expected)) == expected
    for expected in inside:
        assert receiver.take(len(expected)) == expected


@given(st.binary(min_size=8, max_size=8), st.integers(0, SIZE + 10))
def test_a_count_that_cannot_be_right_leaves_no_room_and_does_no_harm(count: bytes, length: int) -> None:
    memory = bytearray(HEAD_BYTES + SIZE + 50)
    sender, _ = Ring(memoryview(memory)[: HEAD_BYTES + SIZE]), None
    assert put(sender, b"a" * 60)
    memory[:8] = count

    went_in = put(sender, b"b" * length)

    taken = int.from_bytes(count, "little")
    assert went_in is (taken <= 60 and length <= SIZE - 60 + taken)
    assert memory[HEAD_BYTES + SIZE :] == bytes(50), "nothing is written beyond its end"


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = share_memory()
    yield descriptor
    os.close(descriptor)


def test_both_directions_have_memory_of_their_own(memory: int) -> None:
    to_host, to_fedloom = rings(memory)
    from_fedloom, from_host = rings(memory)  # mapped again, as in the other process
    assert to_host is not None
    assert to_fedloom is not None
    assert from_fedloom is not None
    assert from_host is not None

    assert put(to_host, b"x" * RING_BYTES)
    assert put(to_fedloom, b"y" * RING_BYTES)
    assert not put(to_host, b"z")

    assert from_fedloom.take(RING_BYTES) == b"x" * RING_BYTES
    assert from_host.take(RING_BYTES) == b"y" * RING_BYTES
    assert put(to_host, b"z")


def test_nobody_can_take_the_memory_away_from_the_others(memory: int) -> None:
    """Whoever touched it then would be killed by SIGBUS."""
    for size in (0, 1 << 30):
        with pytest.raises(PermissionError):
            os.ftruncate(memory, size)
    with pytest.raises(PermissionError):
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    status = os.fstat(memory)
    assert status.st_blocks * 512 >= status.st_size, "it was all there from the start"


@pytest.mark.parametrize("missing", ["memfd_create", "posix_fallocate"])
def test_without_such_memory_there_is_none(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise OSError(12, "no memory")

    before = len(list(Path("/dev/fd").iterdir()))
    monkeypatch.setattr(os, missing, fails)

    assert share_memory() == NO_MEMORY
    assert rings(NO_MEMORY) == (None, None)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_system_without_the_call_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")

    assert share_memory() == NO_MEMORY
