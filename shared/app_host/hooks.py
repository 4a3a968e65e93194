"""Hooks: what an app's strategy computes is told to FedLoom, without a change of the app.

Before the app is imported, Flower's two base classes of strategies are made to wrap a few methods of every
class below them, whether Flower's or the app's own. A wrapped method does what it did, with the same
signature, result and exceptions; what it returned is told afterwards. Where one method calls another of the
same name (`super()`, or a strategy around another), the outermost is told: its result is what counts.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial, wraps
from types import FunctionType
from typing import Any, Protocol
from weakref import WeakSet

from .results import numbers_in, round_of, with_loss

log = logging.getLogger(__name__)

SERVER = "server"
"""The stage in which the ServerApp itself evaluates."""

Method = Callable[..., Any]


class Report(Protocol):
    """Takes what the app computes, also where that has no numbers: it shows where in its round the app is."""

    def evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        """The ServerApp evaluated the global model, in the app's round `number`."""

    def aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        """The strategy made one result of the replies to messages of a kind."""


class _OfThread(threading.local):
    """What one thread is in the middle of."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.told: set[tuple[str, int | None]] = set()


class Hooks:
    """Wraps Flower's strategies once in a process. Tells nothing until it has a `report`."""

    def __init__(self) -> None:
        self.report: Report | None = None
        self._of_thread = _OfThread()
        self._wrapped = WeakSet[Method]()

    def install(self) -> None:
        """Wrap all strategies, those that are defined and those that will be."""
        from flwr.server.strategy import Strategy as OlderStrategy
        from flwr.serverapp.strategy import Strategy

        self._follow(
            Strategy,
            {
                "start": self._start,
                "aggregate_train": self._telling("train", lambda result: result[1]),
                "aggregate_evaluate": self._telling("evaluate", lambda result: result),
            },
        )
        self._follow(
            OlderStrategy,
            {
                "evaluate": self._telling(SERVER, with_loss),
                "aggregate_fit": self._telling("train", lambda result: result[1]),
                "aggregate_evaluate": self._telling("evaluate", with_loss),
            },
        )

    def _follow(self, base: type, wrappers: Mapping[str, Callable[[Method], Method]]) -> None:
        """Wrap the methods of a class and of all below it, now and when one is defined."""

        def init_subclass(cls: Any, /, **kwargs: Any) -> None:
            super(base, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
            self._wrap_methods(cls, wrappers)

        base.__init_subclass__ = classmethod(init_subclass)  # type: ignore[assignment]
        for cls in _with_subclasses(base):
            self._wrap_methods(cls, wrappers)

    def _wrap_methods(self, cls: type, wrappers: Mapping[str, Callable[[Method], Method]]) -> None:
        """Wrap the methods of these names where they are defined: in the class, or what it inherits from.

        There, so that it stays as it was which of them is found first.
        """
        for owner in cls.__mro__:
            for name, wrap in wrappers.items():
                method = vars(owner).get(name)
                if isinstance(method, FunctionType) and method not in self._wrapped:
                    setattr(owner, name, self._remembered(wrap(method)))

    def _remembered(self, wrapped: Method) -> Method:
        self._wrapped.add(wrapped)
        return wrapped

    # the methods

    def _telling(self, stage: str, metrics_of: Callable[[Any], Any]) -> Callable[[Method], Method]:
        """Wraps a method whose first argument is the round, and whose result has metrics."""

        def wrap(method: Method) -> Method:
            @wraps(method)
            def told(*args: Any, **kwargs: Any) -> Any:
                with self._enter(stage) as is_outermost:
                    result = method(*args, **kwargs)
                if is_outermost and (result is not None or stage != SERVER):
                    self._tell(stage, lambda: (round_of(args[1:], kwargs), metrics_of(result)))
                return result

            return told

        return wrap

    def _start(self, method: Method) -> Method:
        """Wraps `start`: what `evaluate_fn` returns is told; at the end what was not told before."""

        @wraps(method)
        def told(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._with_evaluate_fn_told(method, args, kwargs)
            with self._enter("start") as is_outermost:
                if is_outermost:
                    self._of_thread.told.clear()
                result = method(*args, **kwargs)
            if is_outermost:
                with _harmless("the result of the strategy"):
                    self._tell_the_rest(result)
            return result

        return told

    def _with_evaluate_fn_told(
        self, method: Method, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call to `start`, with another function for `evaluate_fn` that does the same."""
        try:
            return self._replaced(inspect.signature(method).bind(*args, **kwargs), args, kwargs)
        except Exception:  # noqa: BLE001 - the call itself says what is wrong
            return args, kwargs

    def _replaced(
        self, bound: inspect.BoundArguments, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if "evaluate_fn" in kwargs:
            return args, {**kwargs, "evaluate_fn": self._evaluate_fn(kwargs["evaluate_fn"])}
        if "evaluate_fn" in bound.arguments:
            place = list(bound.signature.parameters).index("evaluate_fn")
            if place < len(args):
                told = self._evaluate_fn(args[place])
                return (*args[:place], told, *args[place + 1 :]), kwargs
        return args, kwargs

    def _evaluate_fn(self, function: Any) -> Any:
        if not callable(function) or not function or _is_in(self._wrapped, function):
            return function

        @wraps(function)
        def told(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            if result is not None:
                self._tell(SERVER, lambda: (round_of(args, kwargs), result))
            return result

        return self._remembered(told)

    @contextmanager
    def _enter(self, name: str) -> Iterator[bool]:
        """Whether the thread is not in a method of that name already."""
        inside = self._of_thread.inside
        if name in inside:
            yield False
            return
        inside.add(name)
        try:
            yield True
        finally:
            inside.discard(name)

    # what is told

    def _tell(self, stage: str, read: Callable[[], tuple[int | None, Any]]) -> None:
        """Whatever becomes of it, the app goes on."""
        if self.report is None:
            return
        with _harmless(f"what the app computed in stage {stage}"):
            number, metrics = read()
            self._of_thread.told.add((stage, number))
            if stage == SERVER:
                self.report.evaluated(number, numbers_in(metrics))
            else:
                self.report.aggregated(stage, number, numbers_in(metrics))

    def _tell_the_rest(self, result: Any) -> None:
        """What the Result of `start` holds, of methods that were not seen."""
        for stage, name in (
            ("train", "train_metrics_clientapp"),
            ("evaluate", "evaluate_metrics_clientapp"),
            (SERVER, "evaluate_metrics_serverapp"),
        ):
            by_round = getattr(result, name, None)
            for number, metrics in by_round.items() if isinstance(by_round, dict) else ():
                if (stage, number) not in self._of_thread.told:
                    self._tell(stage, partial(_pair, number, metrics))


@contextmanager
def _harmless(what: str) -> Iterator[None]:
    """What goes wrong here is no failure of the app."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - an app may return anything
        log.warning("%s could not be shown: %r", what, error)


def _with_subclasses(cls: type) -> Iterator[type]:
    yield cls
    subclasses: list[type] = type.__subclasses__(cls)
    for subclass in subclasses:
        yield from _with_subclasses(subclass)


def _pair(number: Any, metrics: Any) -> tuple[int | None, Any]:
    return round_of((number,), {}), metrics


def _is_in(functions: WeakSet[Method], function: Any) -> bool:
    """Whether it is one of them; a callable of the app may be one that nothing can refer to weakly."""
    return isinstance(function, FunctionType) and function in functions
