"""A run of many clients as a server's records tell of it, without anybody who trains.

A thousand clients do the same at the same time on any machine, and leave its cores to whoever is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.federation.link.clients import ClientRegistry
from app.federation.runs.book import RunBook
from app.records import (
    ClientProgress,
    ClientRound,
    ClientState,
    Phase,
    Round,
    Run,
    RunProgress,
    RunState,
    Verdict,
)
from bench.crowd_run import CLASSES, SAMPLES
from bench.light import SPEC
from shared.names import EngineName
from shared.run_spec import RunSpec

TOLD_RUN = "c0ffee02"
ROUNDS = 100
WITHIN_S = 0.8
"""Of a step, for all clients, one after the other."""
AT_ONCE = 20
"""Clients of whom is told in one go."""


class Step(StrEnum):
    """What all clients do at the same time, in the order of a round."""

    ASKED = "all are asked"
    TRAINING = "all train"
    DELIVERED = "all deliver"
    EVALUATED = "all evaluate"
    ENDED = "the round ends"


class ToldRun:
    """Tells a server's records what the clients of a run do, as its link and its runs would."""

    def __init__(
        self, book: RunBook, registry: ClientRegistry, ids: Sequence[str], *, simulated: bool
    ) -> None:
        """The run goes on, and has no round yet. `simulated`: its clients are no members of the server."""
        self._book, self._registry, self._ids = book, registry, ids
        self._members = () if simulated else ids
        self._round = Round(round=0, started_at=time.time())
        self._steps: Mapping[Step, Callable[[], None]] = MappingProxyType(
            {
                Step.ASKED: self._ask,
                Step.TRAINING: lambda: self._one_by_one(self._train),
                Step.DELIVERED: lambda: self._one_by_one(self._deliver),
                Step.EVALUATED: lambda: self._one_by_one(self._evaluate),
                Step.ENDED: self._end,
            }
        )
        book.add(_run(ids, simulated))
        for client_id in self._members:
            registry.update(client_id, state=ClientState.IDLE, run=TOLD_RUN)

    def tell(self, step: Step) -> None:
        """Have it happen; returns once it has."""
        self._steps[step]()

    def _one_by_one(self, does: Callable[[int, str], None]) -> None:
        for at, client_id in enumerate(self._ids):
            does(at, client_id)
            if at % AT_ONCE == 0:
                time.sleep(WITHIN_S * AT_ONCE / len(self._ids))

    def _ask(self) -> None:
        self._put(Round(round=self._round.round + 1, started_at=time.time()))
        self._progress(Phase.TRAINING, 0, round=self._round.round)
        for client_id in self._members:
            self._registry.update(client_id, state=ClientState.TRAINING, round=self._round.round)

    def _train(self, at: int, client_id: str) -> None:
        progress = ClientProgress(done=1 + at % 10, total=10, examples_per_s=1_000.0, loss=0.5)
        self._registry.update(client_id, progress=progress)

    def _deliver(self, at: int, client_id: str) -> None:
        learned = {"train_loss": 0.5, "samples": SAMPLES, "verdict": Verdict.ACCEPTED}
        self._take(Phase.TRAINING, at, client_id, train_s=1.0, **learned)
        self._registry.update(client_id, state=ClientState.IDLE, progress=None, **learned)

    def _evaluate(self, at: int, client_id: str) -> None:
        accuracy = self._accuracy * (1 - at / (4 * len(self._ids)))
        found = {"accuracy": accuracy, "loss": 1 - accuracy}
        self._take(Phase.EVALUATING, at, client_id, evaluate_s=0.1, **found)
        self._registry.update(client_id, **found)

    def _end(self) -> None:
        accuracy = self._accuracy
        right = round(SAMPLES * accuracy)
        self._put(
            self._round.changed(
                complete=True,
                accuracy=accuracy,
                loss=1 - accuracy,
                class_accuracy=(accuracy,) * CLASSES,
                confusion=tuple(
                    tuple(right if is_ == taken else (SAMPLES - right) // 9 for taken in range(CLASSES))
                    for is_ in range(CLASSES)
                ),
                clients=len(self._ids),
                duration_s=time.time() - self._round.started_at,
            )
        )

    @property
    def _accuracy(self) -> float:
        return self._round.round / (self._round.round + 20)

    def _take(self, phase: Phase, at: int, client_id: str, **numbers: Any) -> None:
        """A client has answered: its part in the round has these numbers as well."""
        part = self._round.per_client.get(client_id, ClientRound()).changed(**numbers)
        self._put(self._round.with_part(client_id, part))
        self._progress(phase, at + 1)

    def _put(self, round_: Round) -> None:
        self._round = round_
        self._book.put_round(TOLD_RUN, round_)

    def _progress(self, phase: Phase, done: int, **changes: Any) -> None:
        progress = RunProgress(phase=phase, done=done, total=len(self._ids), since=time.time())
        self._book.update(TOLD_RUN, progress=progress, **changes)


def _run(ids: Sequence[str], simulated: bool) -> Run:
    engine = {"engine": EngineName.SIMULATION, "simulated_clients": len(ids)} if simulated else {}
    spec = {**SPEC, "num_rounds": ROUNDS, "min_clients": len(ids), **engine}
    now = time.time()
    return Run(
        id=TOLD_RUN,
        state=RunState.RUNNING,
        spec=RunSpec.model_validate(spec),
        num_rounds=ROUNDS,
        created_at=now,
        started_at=now,
        clients=tuple(ids),
        classes=tuple(str(label) for label in range(CLASSES)),
    )
