"""A long run of twenty clients that is over, whose curve has been flat for a long time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

from app.events import Event, event_of
from app.records import ClientRound, GlobalScore, LogRecord, Round, RoundUpdate, RunState
from app.store.store import Store
from shared.run_spec import RunSpec
from tests.support.records import a_run

RUN, NEWER = "f1a7c0de", "0ddba115"
"""The newer one was stopped before its first round: what the page has of the other is of a past run."""
CLIENTS = [f"client-{number}" for number in range(1, 21)]
ROUNDS = 200
FEW = {"client-7": 4, "client-12": 9}
"""On how many samples these evaluate; the others on many."""
MANY = 60
LOWEST, HIGHEST = 0.978, 0.983
"""Of the global accuracy, from round 20 on."""
WARNINGS = 2_500
"""Of the run: more than a page holds."""
TRAIN_S, EVALUATE_S, SLOWEST_S, ROUND_S = 1.0, 0.5, 3.0, 4.0
AGO_S = 7_200.0
"""That it began before now: old events are not kept."""


def fill(store: Store) -> None:
    """Have the store keep it."""
    numbers = count(store.last_seq() + 1)
    store.apply(list(_events(numbers)))


def accuracy_at(number: int) -> float:
    """Of the global model."""
    if number < 20:
        return LOWEST * number / 20 + 0.1 * (1 - number / 20)
    return (LOWEST, HIGHEST, (LOWEST + HIGHEST) / 2)[number % 3]


def _events(numbers: Iterator[int]) -> Iterator[Event]:
    began = time.time() - AGO_S
    ended = began + ROUND_S * (ROUNDS + 1)
    run = a_run(
        RUN,
        state=RunState.COMPLETED,
        spec=RunSpec(num_rounds=ROUNDS, min_clients=len(CLIENTS)),
        clients=tuple(CLIENTS),
        round=ROUNDS,
        created_at=began,
        started_at=began,
        finished_at=ended,
        final=GlobalScore(loss=0.06, accuracy=accuracy_at(ROUNDS)),
    )
    yield event_of(next(numbers), began, run)
    for number in range(ROUNDS + 1):
        at = began + ROUND_S * number
        yield event_of(next(numbers), at, RoundUpdate(run_id=RUN, round=_round(number, at)))
    for number in range(WARNINGS):
        line = LogRecord(level="warning", source="server", logger="t", message=f"{number}", run_id=RUN)
        yield event_of(next(numbers), began + number / WARNINGS, line)
    newer = a_run(NEWER, state=RunState.STOPPED, clients=tuple(CLIENTS[:2]), created_at=ended)
    yield event_of(next(numbers), ended, newer)


def _round(number: int, at: float) -> Round:
    accuracy = accuracy_at(number)
    parts = {
        name: ClientRound(
            accuracy=min(1.0, accuracy + (place - 10) / 10_000),
            loss=1 - accuracy,
            samples=600,
            held_out=FEW.get(name, MANY),
            train_s=SLOWEST_S if place == 0 else TRAIN_S,
            evaluate_s=EVALUATE_S,
        )
        for place, name in enumerate(CLIENTS)
    }
    return Round(
        round=number,
        complete=True,
        accuracy=accuracy,
        loss=1 - accuracy,
        clients=len(CLIENTS),
        started_at=at,
        duration_s=ROUND_S,
        per_client=parts if number > 0 else {},
    )
