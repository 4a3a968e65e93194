"""A run of many clients and many rounds that is over, in the store of a server that is not at work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from app.events import Event, event_of
from app.records import (
    Client,
    ClientRound,
    ClientState,
    LogRecord,
    Round,
    RoundUpdate,
    Run,
    RunState,
)
from app.store.store import Store
from app.store.urls import default_url
from bench.light import SPEC, names
from shared.run_spec import RunSpec

CROWD_RUN = "c0ffee01"
CLASSES = 10
SAMPLES = 100


def fill(
    home: Path,
    clients: int,
    rounds: int,
    *,
    run_id: str = CROWD_RUN,
    created_at: float | None = None,
    known: bool = False,
) -> None:
    """Put a run with so many clients and rounds into the store.

    `created_at`: Unix seconds; None: now. `known`: the clients stand on the server's list as well, with the
    labels that they have, and were heard of in the log.
    """
    began = time.time() if created_at is None else created_at
    ids = names(clients)
    with Store.open(default_url(home)) as store:
        numbers = count(store.last_seq() + 1)
        store.apply([event_of(next(numbers), began, _run(run_id, ids, rounds, began))])
        for number in range(1, rounds + 1):
            update = RoundUpdate(run_id=run_id, round=_round(number, ids, began + number - 1))
            store.apply([event_of(next(numbers), began + number, update)])
        if known:
            store.apply(list(_of_clients(numbers, run_id, ids, began)))


def _run(run_id: str, ids: Sequence[str], rounds: int, created_at: float) -> Run:
    return Run(
        id=run_id,
        state=RunState.COMPLETED,
        spec=RunSpec.model_validate({**SPEC, "num_rounds": rounds, "min_clients": len(ids)}),
        num_rounds=rounds,
        created_at=created_at,
        started_at=created_at,
        finished_at=created_at + rounds,
        round=rounds,
        clients=tuple(ids),
        classes=tuple(str(label) for label in range(CLASSES)),
    )


def _round(number: int, ids: Sequence[str], started_at: float) -> Round:
    progress = number / (number + 20)
    part = ClientRound(samples=SAMPLES, train_s=1.0, evaluate_s=0.1)
    parts = {
        name: part.model_copy(update={"accuracy": progress * (1 - at / (4 * len(ids))), "loss": 1 - progress})
        for at, name in enumerate(ids)
    }
    right = round(SAMPLES * progress)
    return Round(
        round=number,
        complete=True,
        accuracy=progress,
        loss=1 - progress,
        class_accuracy=(progress,) * CLASSES,
        confusion=tuple(
            tuple(right if is_ == taken else (SAMPLES - right) // 9 for taken in range(CLASSES))
            for is_ in range(CLASSES)
        ),
        clients=len(ids),
        started_at=started_at,
        duration_s=1.0,
        per_client=parts,
    )


def _of_clients(numbers: Iterator[int], run_id: str, ids: Sequence[str], at: float) -> Iterator[Event]:
    for place, name in enumerate(ids):
        client = Client(
            id=name,
            state=ClientState.LOST,
            dataset=SPEC["dataset"],
            models=(SPEC["model"],),
            run=run_id,
            samples=SAMPLES,
            label_counts=tuple((place + label) % CLASSES for label in range(CLASSES)),
            host="here",
            device="cpu",
            connected_at=at,
            last_seen=at,
            accuracy=0.5,
        )
        yield event_of(next(numbers), at, client)
        joined = LogRecord(
            level="info", source="server", logger="link", message=f"{name} has joined", run_id=run_id
        )
        yield event_of(next(numbers), at, joined)
