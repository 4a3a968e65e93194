"""A store with very many runs that are over, as a year of experiments leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from app.events import Event, event_of
from app.records import ClientRound, GlobalScore, Judgement, Round, RoundUpdate, Run, RunState, Verdict
from app.store.store import Store
from shared.run_spec import RunSpec
from tests.support.records import a_run

CLIENTS = [f"client-{number}" for number in range(1, 3)]
BATCH = 100
FIRST_AT = 1_760_000_000.0


def fill(store: Store, runs: int, rounds: int) -> None:
    """Have the store keep so many runs of so many rounds, each with two clients and all their verdicts."""
    numbers = count(store.last_seq() + 1)
    for first in range(0, runs, BATCH):
        batch = range(first, min(first + BATCH, runs))
        store.apply([event for place in batch for event in _events(place, rounds, numbers)])


def run_id(place: int) -> str:
    """The id of a run by its place, the oldest first."""
    return f"{place:08x}"


def _events(place: int, rounds: int, numbers: Iterator[int]) -> Iterator[Event]:
    at = FIRST_AT + 600 * place
    yield event_of(next(numbers), at, _run(place, rounds, at))
    for number in range(1, rounds + 1):
        accuracy = 1 - 0.9 / (number + place % 7)
        part = ClientRound(accuracy=accuracy, loss=1 - accuracy, samples=100, train_s=1.0)
        round_ = Round(
            round=number,
            complete=True,
            accuracy=accuracy,
            loss=1 - accuracy,
            clients=len(CLIENTS),
            started_at=at + 5 * number,
            duration_s=5.0,
            per_client=dict.fromkeys(CLIENTS, part),
        )
        yield event_of(next(numbers), at, RoundUpdate(run_id=run_id(place), round=round_))
        for client_id in CLIENTS:
            yield event_of(next(numbers), at, _verdict(place, number, client_id))


def _run(place: int, rounds: int, at: float) -> Run:
    return a_run(
        run_id(place),
        state=RunState.COMPLETED if place % 10 else RunState.FAILED,
        name=f"sweep {place // 20}" if place % 3 else None,
        tags=("sweep", f"batch-{place % 5}") if place % 2 else (),
        spec=RunSpec(lr=0.01 * (1 + place % 9), seed=place, local_epochs=1 + place % 4, num_rounds=rounds),
        clients=tuple(CLIENTS),
        round=rounds,
        created_at=at,
        started_at=at + 1,
        finished_at=at + 5 * rounds + 10,
        final=GlobalScore(loss=0.1, accuracy=0.5 + 0.4 * (place % 100) / 100),
    )


def _verdict(place: int, number: int, client_id: str) -> Judgement:
    return Judgement(
        run_id=run_id(place),
        round=number,
        client_id=client_id,
        key="k",
        message_id=f"{place}-{number}-{client_id}",
        kind="train",
        verdict=Verdict.ACCEPTED,
        time=1.0,
        bytes=40_000,
        sequence=number,
        arrays_digest="d",
    )
