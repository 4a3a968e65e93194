"""What a test does to Python's loggers is undone: all tests of a process share them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logging_as_before() -> Iterator[None]:
    """Give every logger back its handlers, level and propagation at the end of the block."""
    root = logging.getLogger()
    before = {each: (each.handlers[:], each.level, each.propagate) for each in (root, *_named())}
    try:
        yield
    finally:
        for each in (root, *_named()):
            each.handlers, level, each.propagate = before.get(each, ([], logging.NOTSET, True))
            if each.level != level:  # to set one has all loggers forget what they know of theirs
                each.setLevel(level)


def _named() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.values())
    return [each for each in known if isinstance(each, logging.Logger)]
