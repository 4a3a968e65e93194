"""Which runs are listed, and in which order. Pure functions on runs, newest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.exporting.times import duration_s
from app.records import Run, RunState
from shared.names import DatasetName, StrategyName


class SortKey(StrEnum):
    """What runs can be put in order by."""

    CREATED = "created"
    STARTED = "started"
    STATE = "state"
    NAME = "name"
    ID = "id"
    DATASET = "dataset"
    MODEL = "model"
    STRATEGY = "strategy"
    ALPHA = "alpha"
    EPOCHS = "epochs"
    LR = "lr"
    SEED = "seed"
    ROUNDS = "rounds"
    ACCURACY = "accuracy"
    LOSS = "loss"
    EPSILON = "epsilon"
    BYTES = "bytes"
    DURATION = "duration"


class Order(StrEnum):
    ASCENDING = "asc"
    DESCENDING = "desc"


Key = float | str | None
"""None: the run has no such value, and comes last in either order."""


@dataclass(frozen=True)
class Wanted:
    """What a run has to be to be listed. An empty collection lets all pass."""

    text: str = ""
    """Each of its words stands somewhere in the run's id, name, tags, notes or kind of training."""
    states: Collection[RunState] = ()
    datasets: Collection[DatasetName] = ()
    strategies: Collection[StrategyName] = ()
    tags: Collection[str] = ()
    """It has all of them."""


def found(runs: Iterable[Run], wanted: Wanted) -> list[Run]:
    """Those of the runs that are wanted, in the order given."""
    words = wanted.text.casefold().split()
    return [run for run in runs if _is_wanted(run, wanted) and _has_words(run, words)]


def in_order(
    runs: Sequence[Run], by: SortKey, order: Order, received: Mapping[str, int], now: float
) -> list[Run]:
    """The runs by one of their values; equal ones stay in the order given.

    `received`: bytes from the clients, by run id; `now`: Unix seconds, up to which a run that goes on lasts.
    """
    key = _key_of(by, received, now)
    known = [(value, run) for run in runs if (value := key(run)) is not None]
    nothing = [run for run in runs if key(run) is None]
    known.sort(key=lambda pair: _comparable(pair[0]), reverse=order is Order.DESCENDING)
    return [*(run for _, run in known), *nothing]


def _is_wanted(run: Run, wanted: Wanted) -> bool:
    of_built_in = run.spec.app is None
    return (
        (not wanted.states or run.state in wanted.states)
        and (not wanted.datasets or (of_built_in and run.spec.dataset in wanted.datasets))
        and (not wanted.strategies or (of_built_in and run.spec.strategy in wanted.strategies))
        and all(tag in run.tags for tag in wanted.tags)
    )


def _has_words(run: Run, words: Sequence[str]) -> bool:
    if not words:
        return True
    spec = run.spec
    kind = (spec.app,) if spec.app is not None else (spec.dataset, spec.model, spec.strategy)
    text = "\n".join(filter(None, (run.id, run.name, *run.tags, run.notes, *kind))).casefold()
    return all(word in text for word in words)


def _key_of(by: SortKey, received: Mapping[str, int], now: float) -> Callable[[Run], Key]:
    keys: dict[SortKey, Callable[[Run], Key]] = {
        SortKey.CREATED: lambda run: run.created_at,
        SortKey.STARTED: lambda run: run.started_at,
        SortKey.STATE: lambda run: run.state,
        SortKey.NAME: lambda run: run.name,
        SortKey.ID: lambda run: run.id,
        SortKey.DATASET: lambda run: run.spec.app or run.spec.dataset,
        SortKey.MODEL: lambda run: _own(run, run.spec.model),
        SortKey.STRATEGY: lambda run: _own(run, run.spec.strategy),
        SortKey.ALPHA: lambda run: _own(run, run.spec.alpha),
        SortKey.EPOCHS: lambda run: _own(run, run.spec.local_epochs),
        SortKey.LR: lambda run: _own(run, run.spec.lr),
        SortKey.SEED: lambda run: _own(run, run.spec.seed),
        SortKey.ROUNDS: lambda run: run.round,
        SortKey.ACCURACY: lambda run: run.final.accuracy if run.final else None,
        SortKey.LOSS: lambda run: run.final.loss if run.final else None,
        SortKey.EPSILON: lambda run: run.privacy.epsilon if run.privacy else None,
        SortKey.BYTES: lambda run: received.get(run.id),
        SortKey.DURATION: lambda run: duration_s(run, now),
    }
    return keys[by]


def _own(run: Run, value: Key) -> Key:
    """Another Flower app has settings of its own in place of these."""
    return None if run.spec.app is not None else value


def _comparable(value: float | str) -> tuple[float, str]:
    return (0.0, value.casefold()) if isinstance(value, str) else (value, "")
