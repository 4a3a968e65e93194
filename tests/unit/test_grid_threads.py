"""LinkGrid with several threads of a run: whichever takes what comes, all go by it, none waits for ever."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import pytest

from app.federation.grid.inbox import Inbox
from app.federation.grid.link_grid import LinkGrid
from shared.errors import RunStopped
from shared.flower import identify_server_task
from tests.support.fake_link import RUN_ID, FakeLink, FakeOwner, Watching, messages_to
from tests.support.waiting import wait_until

LIMIT_S = 2.0


@pytest.fixture
def link() -> FakeLink:
    identify_server_task(RUN_ID)
    return FakeLink()


@pytest.fixture
def owner() -> FakeOwner:
    return FakeOwner()


@pytest.fixture
def grid(link: FakeLink, owner: FakeOwner) -> LinkGrid:
    return LinkGrid(link, RUN_ID, owner, Watching())


def never(looked: threading.Event) -> bool:
    """A condition that does not hold, and tells that it was looked at."""
    looked.set()
    return False


class Waiting:
    """Threads of the run that wait on its grid, and what ended them. None outlives its test."""

    def __init__(self, grid: LinkGrid) -> None:
        self._grid = grid
        self._threads: list[threading.Thread] = []
        self.ended: list[str] = []

    def add(self, function: Callable[[], object]) -> None:
        """Have one more thread call this, which waits."""

        def work() -> None:
            try:
                function()
                self.ended.append("returned")
            except RunStopped as stopped:
                self.ended.append(str(stopped))

        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def add_idle(self) -> None:
        """Have one more thread wait for nothing; returns when it has begun to."""
        looked = threading.Event()
        self.add(lambda: self._grid.wait_until(lambda: never(looked)))
        assert looked.wait(LIMIT_S)

    def join(self) -> None:
        """Wait until all have ended; AssertionError where one does not."""
        for thread in self._threads:
            thread.join(LIMIT_S)
        assert not [thread for thread in self._threads if thread.is_alive()], "a thread waits for ever"


@pytest.fixture
def waiting(grid: LinkGrid) -> Iterator[Waiting]:
    waiting = Waiting(grid)
    yield waiting
    grid.stop("the test is over")
    waiting.join()


@pytest.mark.parametrize("command", ["stop", "pause and resume, then stop"])
def test_a_command_reaches_a_thread_that_waits_in_its_turn_also_when_another_waits_as_well(
    link: FakeLink, command: str
) -> None:
    for _ in range(10):  # which of the two is woken first is left to the system
        owner = FakeOwner()
        grid = LinkGrid(link, RUN_ID, owner, Watching())
        waiting = Waiting(grid)
        inside = threading.Event()
        resumed = threading.Event()
        owner.went_on = resumed.set

        # as an app's run waits for clients
        owner.looks_for_clients = partial(grid.wait_until, partial(never, inside))
        waiting.add_idle()
        waiting.add(grid.get_node_ids)
        assert inside.wait(LIMIT_S)

        if command != "stop":
            grid.pause()
            grid.resume()
            assert resumed.wait(LIMIT_S)
        grid.stop("stopped by request")

        waiting.join()
        assert waiting.ended == ["stopped by request"] * 2


def test_commands_have_their_effect_in_order_whichever_thread_takes_them(
    grid: LinkGrid, owner: FakeOwner, waiting: Waiting
) -> None:
    resumed = threading.Event()
    owner.went_on = resumed.set
    for _ in range(3):
        waiting.add_idle()

    def in_turn() -> bool:  # nobody else has it meanwhile
        grid.pause()
        let_others_run()
        grid.resume()
        let_others_run()
        return True

    for _ in range(200):
        owner.said.clear()
        resumed.clear()
        with other_threads_first():
            grid.wait_until(in_turn)
        assert resumed.wait(LIMIT_S), f"the run was {owner.said}, and not resumed"
        assert owner.said == ["paused", "resumed"]


def test_a_client_that_was_lost_and_is_back_is_back_whichever_thread_takes_the_news(
    grid: LinkGrid, link: FakeLink, waiting: Waiting
) -> None:
    (message_id,) = grid.push_messages(messages_to(grid, "client-1"))
    for _ in range(3):
        waiting.add_idle()

    def in_turn() -> bool:
        link.lose("client-1")
        let_others_run()
        link.come_back("client-1")
        let_others_run()
        return True

    for _ in range(100):
        with other_threads_first():
            grid.wait_until(in_turn)
        assert grid.pull_messages([message_id]) == []
    assert link.withdrawn == {}


def let_others_run() -> None:
    for _ in range(2_000):
        pass


@contextmanager
def other_threads_first() -> Iterator[None]:
    """Have the interpreter change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_a_pause_that_another_thread_ends_in_the_wrong_moment_is_over_for_all(
    grid: LinkGrid, owner: FakeOwner, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment is the one between the look at whether the run is paused and the wait for news."""
    paused, resumed = threading.Event(), threading.Event()
    owner.changed, owner.went_on = paused.set, resumed.set
    waiting.add_idle()
    grid.pause()
    assert paused.wait(LIMIT_S)
    real = cast(Any, Inbox.version).fget
    held = threading.Event()

    def version(inbox: Inbox) -> int:
        if threading.current_thread().name == "held" and not held.is_set():
            held.set()
            before = real(inbox)
            grid.resume()
            assert resumed.wait(LIMIT_S)
            wait_until(lambda: real(inbox) >= before + 2, "it was put in and handled", LIMIT_S)
        return int(real(inbox))

    monkeypatch.setattr(Inbox, "version", property(version))
    thread = threading.Thread(target=grid.breathe, name="held", daemon=True)
    thread.start()
    thread.join(LIMIT_S)

    assert held.is_set()
    assert not thread.is_alive(), "it waits for news that it has missed"


def test_a_change_that_came_before_the_wait_for_it_ends_the_wait(grid: LinkGrid, waiting: Waiting) -> None:
    before = grid.changes
    grid.membership_changed()
    grid.breathe()
    assert grid.changes == before + 1

    waiting.add(lambda: grid.wait_for_change(before))

    waiting.join()
    assert waiting.ended == ["returned"]


def test_a_change_that_is_yet_to_come_is_waited_for(grid: LinkGrid, waiting: Waiting) -> None:
    before = grid.changes
    waiting.add(lambda: grid.wait_for_change(before))
    assert waiting.ended == []

    grid.membership_changed()

    waiting.join()
    assert waiting.ended == ["returned"]


def test_the_first_stop_counts_also_when_another_thread_takes_the_second(
    grid: LinkGrid, waiting: Waiting
) -> None:
    for _ in range(3):
        waiting.add_idle()

    def in_turn() -> bool:
        grid.stop("stopped by request")
        let_others_run()
        grid.stop("the server was shut down", interrupts=True)
        let_others_run()
        return True

    with other_threads_first():
        grid.wait_until(in_turn)

    waiting.join()
    assert waiting.ended == ["stopped by request"] * 3
    assert not grid.interrupted
