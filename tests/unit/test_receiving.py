"""Where replies are collected: in memory as far as there is room, in files beyond that."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.federation.link.spool import Receiving
from shared.protowire import InFile, InMemory, Source
from shared.wire import Room

LIMIT_S = 2.0


def filled(room: Room, data: bytes) -> Source:
    room.add(data[:3])
    room.add(data[3:])
    whole = room.whole()
    assert not isinstance(whole, bytes)
    return whole


def test_what_does_not_fit_into_memory_goes_into_a_file(tmp_path: Path) -> None:
    receiving = Receiving(tmp_path / "spool", in_memory_bytes=10)

    first = filled(receiving.room(6), b"abcdef")
    second = filled(receiving.room(6), b"ghijkl")

    assert isinstance(first, InMemory)
    assert isinstance(second, InFile)
    assert (first.read(0, 99), second.read(0, 99)) == (b"abcdef", b"ghijkl")
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("complete", [True, False])
def test_memory_is_free_again_when_nobody_has_the_reply_any_more(tmp_path: Path, complete: bool) -> None:
    receiving = Receiving(tmp_path / "spool", in_memory_bytes=6)
    kept: list[object] = [receiving.room(6)]
    if complete:
        kept = [filled(receiving.room(0), b"")]

    kept.clear()

    assert isinstance(filled(receiving.room(6), b"abcdef"), InMemory)


def test_a_share_can_be_given_back_in_the_middle_of_making_a_room(tmp_path: Path) -> None:
    """The garbage collector runs whenever it likes, in whichever thread."""
    receiving = Receiving(tmp_path / "spool", in_memory_bytes=10)
    garbage = [receiving.room(4)]

    class Size(int):
        """A number of bytes that is compared just when the garbage collector runs."""

        def __le__(self, other: int) -> bool:
            garbage.clear()
            return int(self) <= other

        def __gt__(self, other: int) -> bool:
            garbage.clear()
            return int(self) > other

    rooms: list[Room] = []
    thread = threading.Thread(target=lambda: rooms.append(receiving.room(Size(6))), daemon=True)
    thread.start()
    thread.join(LIMIT_S)

    assert not thread.is_alive(), "it waits for a lock that it has itself"
    assert garbage == []
    assert isinstance(filled(rooms[0], b"abcdef"), InMemory)
    assert isinstance(filled(receiving.room(4), b"ghij"), InMemory), "the share was given back"
