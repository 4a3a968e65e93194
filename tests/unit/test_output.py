"""What an app prints becomes lines, however it comes in, and never more than FedLoom can take."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.app_host.output import (
    BURST,
    LINE_BYTES,
    LINES_PER_S,
    STUCK_S,
    WAITING_BYTES,
    Allowance,
    Lines,
    Reports,
    Terminal,
)

MANY = 1_000_000

printed = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b" "]), max_size=30).map(b"".join)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut for cut in cuts if cut < len(data)} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


def lines_of(pieces: list[bytes]) -> list[bytes]:
    lines = Lines()
    found = [line for piece in pieces for line in lines.feed(piece, MANY)[0]]
    return found + [line for line in [lines.finish()] if line.strip()]


@given(printed, st.lists(st.integers(0, 60)))
def test_lines_are_the_same_in_whatever_pieces_they_come(data: bytes, cuts: list[int]) -> None:
    assert lines_of(in_pieces(data, cuts)) == lines_of([data])


@given(printed)
def test_a_line_is_what_it_was_written_over_with_last(data: bytes) -> None:
    expected = [line.rstrip(b"\r").split(b"\r")[-1] for line in data.split(b"\n")]

    assert lines_of([data]) == [line for line in expected if line.strip()]


@given(printed, st.integers(0, 5), st.lists(st.integers(0, 60)))
def test_lines_for_which_there_is_no_room_are_counted(data: bytes, room: int, cuts: list[int]) -> None:
    lines = Lines()
    passed = left_out = 0
    for piece in in_pieces(data, cuts):
        found, more = lines.feed(piece, room)
        assert len(found) <= room
        passed += len(found)
        left_out += more

    assert passed + left_out <= data.count(b"\n")
    assert lines_of([data]) == [] or passed + left_out + 1 >= len(lines_of([data]))


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    lines = Lines()
    for _ in range(100):
        lines.feed(b"x" * 65536, MANY)
        assert len(lines._begun) <= 8 * LINE_BYTES
    for _ in range(100):
        lines.feed(b"\rstep" + b"y" * 65536, MANY)
        assert len(lines._begun) <= 8 * LINE_BYTES

    assert len(lines.feed(b"\n", MANY)[0][0]) == LINE_BYTES


def test_so_many_lines_may_come_at_once_and_then_some_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("shared.app_host.output.time.monotonic", lambda: now)
    allowance = Allowance()
    assert allowance.room() == BURST

    allowance.take(BURST)
    assert allowance.room() == 0
    now += 0.5
    assert allowance.room() == LINES_PER_S // 2
    now += 1000
    assert allowance.room() == BURST


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(5)
        yield ours, theirs


def test_fedloom_is_told_how_many_lines_were_left_out(ends: tuple[socket.socket, socket.socket]) -> None:
    reports = Reports(ends[0])

    reports.lines([b"a"], left_out=0)
    reports.lines([], left_out=7)
    reports.log(b'{"level": 20,\n "name": "x"}')
    reports.lines([b"\xff"], left_out=2)
    reports.finish(1)
    ends[0].close()

    said = [json.loads(line) for line in ends[1].makefile("rb")]
    assert said == [
        {"line": "a"},
        {"left_out": 7},
        {"log": {"level": 20, "name": "x"}},
        {"line": "\ufffd"},
        {"left_out": 2},
    ]


def test_a_fedloom_that_does_not_listen_does_not_fill_the_memory(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Allowance, "room", lambda self: BURST)
    reports = Reports(ends[0])
    for _ in range(1000):
        reports.lines([b"x" * LINE_BYTES] * min(reports.room("line"), 10), left_out=0)
        reports.send()

    assert len(reports._waiting) < WAITING_BYTES + 20 * LINE_BYTES
    assert reports.room("line") == 0


def test_a_terminal_that_takes_nothing_does_not_hold_the_app_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("shared.app_host.output.time.monotonic", lambda: now)
    reader, writer = os.pipe()
    terminal = Terminal()
    size = 256 << 10

    for _ in range(WAITING_BYTES // size):
        assert terminal.has_room()
        terminal.put(writer, b"x" * size)
    assert not terminal.has_room(), "first it is waited for"
    now += STUCK_S + 1

    assert terminal.has_room(), "then what it does not take is lost"
    terminal.put(writer, b"lost")
    assert terminal._bytes == WAITING_BYTES
    os.close(reader)
    terminal.finish(5)
    assert terminal.has_room()
    os.close(writer)
