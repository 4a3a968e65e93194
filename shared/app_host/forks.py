"""Code of an app may fork. What comes back from it in a child must not go on as if that were the host."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def only_here() -> Iterator[None]:
    """After this block only this process goes on: a child that was forked in it ends where it does."""
    here = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != here:
            _end(error)
        raise
    if os.getpid() != here:
        _end(None)


def _end(error: BaseException | None) -> NoReturn:
    """As Python would end it, but for what the parent has registered for its own end."""
    code: object = error.code if isinstance(error, SystemExit) else None
    if error is not None and not isinstance(error, SystemExit):
        traceback.print_exception(error)
        code = 1
    elif code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as sys.exit has it
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code or 0) & 0xFF)
