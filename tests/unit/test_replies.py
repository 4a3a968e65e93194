"""Replies: a list that fills while it is read, and is a list in whatever an app does with it."""

from __future__ import annotations

import copy
import json
import pickle
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from shared.app_host.replies import Replies

LIMIT_S = 10
ALL = ["a", "b", "c"]


class Exchange:
    """Replies that arrive when the test says so; texts stand for messages."""

    def __init__(self) -> None:
        self.replies: Any = Replies()

    def arrives(self, *replies: str) -> None:
        for reply in replies:
            self.replies.arrived(cast(Any, reply))

    def ends(self, error: BaseException | None = None) -> None:
        self.replies.close(error)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


class Reader:
    """Does something with replies in a thread of its own, because it may wait."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._outcome: list[Any] = []
        self.began = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self.began.wait(LIMIT_S)

    def _run(self) -> None:
        self.began.set()
        try:
            self._outcome.append(self._work())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self._outcome.append(error)

    @property
    def waits(self) -> bool:
        self._thread.join(0.05)
        return self._thread.is_alive()

    @property
    def outcome(self) -> Any:
        self._thread.join(LIMIT_S)
        return self._outcome[0]


def test_the_first_pass_yields_each_reply_as_it_arrives(exchange: Exchange) -> None:
    exchange.arrives("a")
    first_pass = iter(exchange.replies)

    assert next(first_pass) == "a"
    rest = Reader(lambda: list(first_pass))
    exchange.arrives("b", "c")
    assert rest.waits, "there may be more"
    exchange.ends()

    assert rest.outcome == ["b", "c"]
    assert list(exchange.replies) == ALL, "a second pass has them all"


def test_there_are_some_as_soon_as_one_is_here_and_none_once_it_is_over(exchange: Exchange) -> None:
    any_of_them, nothing = Reader(lambda: bool(exchange.replies)), Exchange()
    assert any_of_them.waits
    exchange.arrives("a")
    assert any_of_them.outcome is True

    nothing.ends()
    assert not nothing.replies
    assert nothing.replies == []


WHOLE: dict[str, Callable[[Any], Any]] = {
    "its length": len,
    "the first by its index": lambda replies: replies[0],
    "the last by its index": lambda replies: replies[-1],
    "a slice": lambda replies: replies[1:],
    "all of it": list,
    "a tuple": tuple,
    "unpacked": lambda replies: [*replies],
    "backwards": lambda replies: list(reversed(replies)),
    "sorted": lambda replies: sorted(replies, reverse=True),
    "compared with a list": lambda replies: replies == ALL,
    "a list compared with it": lambda replies: replies == ALL,
    "compared with another": lambda replies: replies != ["a"],
    "something in it": lambda replies: "c" in replies,
    "something not in it": lambda replies: "z" in replies,
    "added to": lambda replies: [*replies, "z"],
    "with a list added": lambda replies: replies + ["z"],  # noqa: RUF005 - the operator is tested
    "added to a list": lambda replies: ["z"] + replies,  # noqa: RUF005
    "twice": lambda replies: replies * 2,
    "twice, from the left": lambda replies: 2 * replies,
    "as text": repr,
    "copied": lambda replies: replies.copy(),
    "copied by the library": copy.copy,
    "copied deep": copy.deepcopy,
    "pickled": lambda replies: pickle.loads(pickle.dumps(replies)),
    "as JSON": json.dumps,
    "its numbers": lambda replies: [replies.index("b"), replies.count("b")],
    "a sample": lambda replies: sorted(random.Random(0).sample(replies, 2)),
    "a dictionary": lambda replies: dict(zip(replies, replies, strict=True)),
}


@pytest.mark.parametrize("use", WHOLE.values(), ids=WHOLE.keys())
def test_what_needs_all_of_it_waits_for_all_and_is_as_with_a_list(
    exchange: Exchange, use: Callable[[Any], Any]
) -> None:
    reader = Reader(lambda: use(exchange.replies))
    exchange.arrives("a", "b")
    exchange.arrives("c")
    exchange.ends()

    assert reader.outcome == use(list(ALL))


@pytest.mark.parametrize(
    "use", [WHOLE[name] for name in ("its length", "the first by its index", "added to a list", "as text")]
)
def test_it_waits_for_the_last(exchange: Exchange, use: Callable[[Any], Any]) -> None:
    exchange.arrives("a", "b")
    reader = Reader(lambda: use(exchange.replies))

    assert reader.waits
    exchange.arrives("c")
    exchange.ends()
    assert reader.outcome == use(list(ALL))


def _sorted_backwards(replies: Any) -> Any:
    replies.sort(reverse=True)
    return replies


def _changed_in_many_ways(replies: Any) -> Any:
    replies.append("d")
    replies.insert(0, "z")
    replies.extend(["e"])
    replies.remove("b")
    del replies[0]
    replies[0] = "A"
    replies += ["f"]
    return [replies.pop(), *replies]


def _added_in_place(replies: Any) -> Any:
    mine = ["z"]
    also_mine = mine
    mine += replies
    return also_mine


def _matched(replies: Any) -> Any:
    match replies:
        case [first, *rest]:
            return first, rest
    return None


@pytest.mark.parametrize("change", [_sorted_backwards, _changed_in_many_ways, _added_in_place, _matched])
def test_it_can_be_changed_as_a_list_can(exchange: Exchange, change: Callable[[Any], Any]) -> None:
    reader = Reader(lambda: change(exchange.replies))
    exchange.arrives(*ALL)
    exchange.ends()

    assert reader.outcome == change(list(ALL))
    assert isinstance(exchange.replies, list)


def test_several_threads_read_it_at_once_each_from_the_beginning(exchange: Exchange) -> None:
    readers = [Reader(lambda: list(exchange.replies)) for _ in range(4)]
    exchange.arrives(*ALL)
    exchange.ends()

    assert [reader.outcome for reader in readers] == [ALL] * 4


def test_whoever_waits_gets_the_error_that_ended_it_and_what_came_before_can_be_read(
    exchange: Exchange,
) -> None:
    length, first_pass = Reader(lambda: len(exchange.replies)), iter(exchange.replies)
    exchange.arrives("a")
    exchange.ends(ConnectionError("it is over"))

    assert isinstance(length.outcome, ConnectionError)
    assert next(first_pass) == "a"
    with pytest.raises(ConnectionError, match="it is over"):
        next(first_pass)
    with pytest.raises(ConnectionError):
        exchange.replies.wait()


def test_only_the_first_end_counts(exchange: Exchange) -> None:
    exchange.arrives("a")
    exchange.ends()
    exchange.ends(ConnectionError("too late"))

    assert len(exchange.replies) == 1


def test_it_has_no_hash_as_a_list_has_none(exchange: Exchange) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(exchange.replies)


def test_a_pass_that_began_sees_what_changes_as_that_of_a_list_does(exchange: Exchange) -> None:
    exchange.arrives(*ALL)
    exchange.ends()

    def passes(replies: Any) -> Iterator[str]:
        for reply in replies:
            yield reply
            if len(replies) < 5:
                replies.append("more")

    assert list(passes(exchange.replies)) == list(passes(list(ALL)))
