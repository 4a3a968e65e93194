"""Outbox: nobody waits for a process that takes nothing, but it is not listened to without end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.federation.runs import outbox as module
from app.federation.runs.outbox import Outbox
from shared.errors import AppDied

LIMIT_S = 10


class Process:
    """Takes a frame each time when it may."""

    def __init__(self) -> None:
        self.may_take = threading.Semaphore(0)
        self.is_dead = False
        self.took: list[int] = []

    def send(self, kind: str, parts: Any, *, call: int) -> None:
        assert self.may_take.acquire(timeout=LIMIT_S)
        if self.is_dead:
            raise AppDied("It is gone.")
        self.took.append(call)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    process = Process()
    yield process
    process.may_take.release(100)


def waiting(outbox: Outbox) -> threading.Thread:
    """Somebody who would like to ask the next thing."""
    thread = threading.Thread(target=outbox.wait_for_room, daemon=True)
    thread.start()
    return thread


def full(process: Process, failed: list[BaseException]) -> Outbox:
    outbox = Outbox(process.send, failed.append)
    for call in range(5):
        outbox.put("result", call=call)
    return outbox


def test_a_process_is_heard_again_when_it_has_taken_its_answers(process: Process) -> None:
    failed: list[BaseException] = []
    outbox = full(process, failed)
    asking = waiting(outbox)
    process.may_take.release(2)
    assert asking.is_alive()

    process.may_take.release(100)

    asking.join(LIMIT_S)
    assert not asking.is_alive()
    assert failed == []


@pytest.mark.parametrize("how", ["the run ends", "the process dies"])
def test_nobody_waits_for_a_process_whose_run_is_over(process: Process, how: str) -> None:
    failed: list[BaseException] = []
    outbox = full(process, failed)
    asking = waiting(outbox)

    if how == "the run ends":
        outbox.close()
    else:
        process.is_dead = True
        process.may_take.release()

    asking.join(LIMIT_S)
    assert not asking.is_alive()
    assert failed == []


def test_frames_go_out_in_their_order(process: Process) -> None:
    outbox = full(process, [])
    process.may_take.release(100)
    outbox.wait_for_room()
    asking = waiting(outbox)
    asking.join(LIMIT_S)

    assert process.took == sorted(process.took)
