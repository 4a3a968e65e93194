"""Replies: what `send_and_receive` gives to an app, a list that fills while the app reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from flwr.app import Message

F = TypeVar("F", bound=Callable[..., Any])


class Replies(list[Message]):
    """A list, as Flower's own grids return one, and apps and strategies count on it: they take its length,
    read it twice, sort it, add to it.

    Its first pass yields each reply as it arrives; later ones have them all. Whatever needs the whole list (a
    length, an index, a comparison, a change) waits until it is complete. Any thread may read; whoever waits
    gets the error that the exchange ended by, if it did.

    The replies are in the list itself, so that code which reads a list without asking its methods has those
    that have arrived.
    """

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()
        self._is_complete = False
        self._error: BaseException | None = None

    # for the grid

    def arrived(self, reply: Message) -> None:
        """One more."""
        with self._news:
            list.append(self, reply)
            self._news.notify_all()

    def close(self, error: BaseException | None = None) -> None:
        """No more will come. `error`: because of this, which whoever waits for more gets."""
        with self._news:
            if not self._is_complete:
                self._is_complete, self._error = True, error
                self._news.notify_all()

    def wait(self) -> None:
        """Return when all are here. Raises the error that the exchange ended by."""
        with self._news:
            self._news.wait_for(lambda: self._is_complete)
            self._raise_if_failed()

    # as they arrive

    def __iter__(self) -> Iterator[Message]:
        index = 0
        while self._has(index):
            yield list.__getitem__(self, index)
            index += 1

    def __bool__(self) -> bool:
        """Whether there is any: known as soon as the first has come."""
        return self._has(0)

    def _has(self, index: int) -> bool:
        """Whether the list has so many, and one more; waits until that is certain."""
        with self._news:
            self._news.wait_for(lambda: self._is_complete or list.__len__(self) > index)
            if list.__len__(self) > index:
                return True
            self._raise_if_failed()
            return False

    def _raise_if_failed(self) -> None:
        if self._error is not None:
            raise self._error

    # with `other + replies` and `other += replies`, list's own way of adding reads what is in the list

    def __radd__(self, other: Any) -> Any:
        self.wait()
        return NotImplemented

    def __rmul__(self, other: Any) -> Any:
        return list(self).__rmul__(other)

    def __copy__(self) -> list[Message]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Message]:
        from copy import deepcopy

        return deepcopy(list(self), memo)

    def __reduce_ex__(self, protocol: Any) -> tuple[type[list[Message]], tuple[list[Message]]]:
        """Copied or pickled, it is a plain list."""
        return list, (list(self),)

    __hash__ = None  # as of a list


def _waiting(method: F) -> F:
    """A method of list, which waits until the list is complete."""

    @wraps(method)
    def wait_first(replies: Replies, *args: Any, **kwargs: Any) -> Any:
        replies.wait()
        return method(replies, *args, **kwargs)

    return wait_first  # type: ignore[return-value]


_OF_A_WHOLE_LIST = (
    *("__len__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__reversed__", "__repr__"),
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"),
    *("__add__", "__iadd__", "__mul__", "__imul__"),
    *("append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"),
)
for _name in _OF_A_WHOLE_LIST:
    setattr(Replies, _name, _waiting(getattr(list, _name)))
