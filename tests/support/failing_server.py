"""`python -m tests.support.failing_server --port …`: `run_server.py` with routes that fail.

/fail/now/NAME     raises the exception NAME
/fail/first/NAME   raises it when the first piece of the answer is made
/fail/later/NAME   when the second is
/fail/thread/NAME  in a thread of its own
/fail/page/NAME    for the next page that connects over Socket.IO
/fail/pump/NAME    in the pump, once
/fail/writer/NAME  in the thread of the store, once
/fail/start/NAME   when the next thread is to start
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from eventlet.support.greenlets import GreenletExit
from flask import Flask, Response

import app.server
from app.auth.roles import public
from app.cli import main
from app.environment import Environment
from app.web.sockets import Pump
from shared.interrupt import leave


class Unprintable(Exception):
    """Its message cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no message")

    __repr__ = __str__


class Panic(BaseException):
    """As libraries in Rust raise it."""


NAMES: dict[str, type[BaseException]] = {
    kind.__name__: kind
    for kind in (RuntimeError, KeyboardInterrupt, SystemExit, GreenletExit, Unprintable, Panic, MemoryError)
}


def fail(name: str) -> Any:
    raise NAMES[name]("on purpose")


def fail_once(owner: Any, method: str, name: str) -> str:
    """Have the next call of a method fail."""
    original: Callable[..., Any] = getattr(owner, method)

    def failing(*args: Any, **kwargs: Any) -> Any:
        setattr(owner, method, original)
        return fail(name)

    setattr(owner, method, failing)
    return "armed"


def add_routes(flask_app: Flask, env: Environment) -> None:
    def pieces(name: str, good: int) -> Iterator[bytes]:
        for _ in range(good):
            yield b"x" * 10_000
        fail(name)

    def in_thread(name: str) -> str:
        thread = threading.Thread(target=fail, args=(name,), name="hapless")
        thread.start()
        thread.join()
        return "done"

    def pump() -> Pump:
        pump: Pump = flask_app.extensions["fedloom-pump"]
        return pump

    ways: dict[str, Callable[[str], Any]] = {
        "now": fail,
        "first": lambda name: Response(pieces(name, 0)),
        "later": lambda name: Response(pieces(name, 1)),
        "thread": in_thread,
        "page": lambda name: fail_once(pump(), "welcome", name),
        "pump": lambda name: fail_once(pump(), "_pump", name),
        "start": lambda name: fail_once(threading.Thread, "start", name),
        "writer": lambda name: fail_once(env.store, "apply", name),
    }
    flask_app.add_url_rule("/fail/<way>/<name>", view_func=public(lambda way, name: ways[way](name)))


if __name__ == "__main__":
    create_app = app.server.create_app

    def create_failing_app(env: Environment) -> Any:
        flask_app = create_app(env)
        add_routes(flask_app, env)
        return flask_app

    app.server.create_app = create_failing_app
    leave(main(sys.argv[1:]))
