"""The inbox of a grid: commands go first, and nobody who waits misses what comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.federation.grid.inbox import Away, Back, Inbox, Item, MembershipChanged, Pause, Reply, Stop
from app.records import Verdict
from shared.app_host.serialised import Serialised
from tests.support.payloads import payload_of
from tests.support.waiting import wait_until

LIMIT_S = 2.0


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@contextmanager
def waiting(wait: Callable[[], None]) -> Iterator[threading.Thread]:
    """A thread that waits, and has ended by the end of the block."""
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    yield thread
    thread.join(LIMIT_S)
    assert not thread.is_alive(), "it waits for ever"


def test_commands_go_first_and_else_all_is_in_order(inbox: Inbox) -> None:
    items: list[Item] = [Away("m", "lost"), Pause(True), Back("m"), Pause(False), Stop("enough", False)]
    for item in items:
        inbox.put(item)

    taken = [inbox.take() for _ in range(6)]

    assert taken == [Pause(True), Pause(False), Stop("enough", False), Away("m", "lost"), Back("m"), None]


def test_who_takes_commands_only_leaves_the_others(inbox: Inbox) -> None:
    inbox.put(Back("m"))
    assert inbox.take(commands_only=True) is None
    inbox.put(MembershipChanged())
    assert inbox.take(commands_only=True) == MembershipChanged()

    assert inbox.take() == Back("m")


def test_a_wait_takes_nothing_out(inbox: Inbox) -> None:
    inbox.put(Back("m"))

    inbox.wait(inbox.version, LIMIT_S)

    assert inbox.take() == Back("m")


@pytest.mark.parametrize("news", ["an item", "an item was handled"])
def test_a_wait_ends_with_any_news(inbox: Inbox, news: str) -> None:
    seen = inbox.version
    with waiting(lambda: inbox.wait(seen, None)):
        if news == "an item":
            inbox.put(MembershipChanged())
        else:
            inbox.handled(Back("m"))


@pytest.mark.parametrize("news", ["an item", "an item was handled"])
def test_who_waits_for_commands_wakes_for_commands_alone(inbox: Inbox, news: str) -> None:
    tell = inbox.put if news == "an item" else inbox.handled
    awake = threading.Event()

    def wait() -> None:
        inbox.wait(inbox.version, None, commands_only=True)
        awake.set()

    with waiting(wait):
        wait_until(lambda: inbox._commands_news._waiters, "it waits")  # type: ignore[attr-defined]
        for _ in range(10):
            tell(Back("m"))
        assert not awake.wait(0.2), "it woke for what it does not wait for"
        tell(MembershipChanged())
        assert awake.wait(LIMIT_S)


@pytest.mark.parametrize("when", ["before it is closed", "afterwards"])
def test_who_judges_a_reply_that_nobody_takes_waits_for_nobody_at_the_inbox(inbox: Inbox, when: str) -> None:
    """As the audit log does, in whose moments others put something in."""
    judged: list[Verdict] = []

    def judge(verdict: Verdict, _: str | None) -> None:
        with waiting(lambda: inbox.put(MembershipChanged())):
            pass
        judged.append(verdict)

    reply = Reply("m", payload_of(Serialised(b"a reply")), judge)
    if when == "before it is closed":
        inbox.put(reply)
        inbox.close()
    else:
        inbox.close()
        inbox.put(reply)

    assert judged == [Verdict.LATE]


def test_all_who_wait_hear_of_one_item(inbox: Inbox) -> None:
    seen = inbox.version
    with waiting(lambda: inbox.wait(seen, None)), waiting(lambda: inbox.wait(seen, None)):
        inbox.put(MembershipChanged())
        assert inbox.take() == MembershipChanged()


def test_news_from_before_the_wait_ends_it_at_once(inbox: Inbox) -> None:
    seen = inbox.version
    inbox.put(MembershipChanged())
    inbox.take()

    with waiting(lambda: inbox.wait(seen, None)):
        pass


def test_a_reply_that_lies_there_does_not_end_a_wait_for_commands(inbox: Inbox) -> None:
    inbox.put(Back("m"))
    began = time.monotonic()

    inbox.wait(inbox.version, 0.05, commands_only=True)

    assert time.monotonic() - began >= 0.05
    inbox.put(Pause(False))
    with waiting(lambda: inbox.wait(inbox.version, None, commands_only=True)):
        pass


def test_a_wait_ends_after_its_time(inbox: Inbox) -> None:
    with waiting(lambda: inbox.wait(inbox.version, 0.01)):
        pass

    assert inbox.take() is None
