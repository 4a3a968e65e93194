"""What came of a run, in the few numbers by which runs are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from app.exporting.times import duration_s, ended_at
from app.records import Record, Round, Run

ENOUGH = 0.9
"""Of an accuracy of 1, or of the run's own last one."""


class Reached(Record):
    """When something was so for the first time."""

    round: int
    seconds: float | None = Field(
        description="from the run's start to the end of that round, pauses included"
    )


class Score(Record):
    """A value of the global model, or where nobody evaluates that, the mean of the clients."""

    round: int
    accuracy: float


class Outcome(Record):
    """What came of a run. What nobody has measured is null."""

    rounds: int = Field(description="complete ones, without round 0")
    best: Score | None = Field(description="the highest accuracy; the first of equals")
    final: Score | None = Field(description="the newest accuracy")
    final_loss: float | None
    reached: Reached | None = Field(description=f"an accuracy of {ENOUGH:.0%}")
    reached_of_final: Reached | None = Field(description=f"{ENOUGH:.0%} of its own newest accuracy")
    epsilon: float | None = Field(description="privacy spent, as the run's `privacy` says")
    duration_s: float | None = Field(description="from its start to its end, or so far")
    received: int | None = Field(description="bytes of replies that came from its clients")


def accuracy_of(round_: Round) -> float | None:
    """Of the global model; where nobody evaluates that, the clients' mean."""
    return round_.client_accuracy if round_.accuracy is None else round_.accuracy


def loss_of(round_: Round) -> float | None:
    """Likewise; where the clients do not evaluate either, that of their training."""
    known = (round_.loss, round_.client_loss, round_.train_loss)
    return next((value for value in known if value is not None), None)


def elapsed_s(run: Run, round_: Round) -> float | None:
    """From a run's start to the end of a round."""
    end = ended_at(round_)
    return None if end is None or run.started_at is None else max(0.0, end - run.started_at)


def outcome(run: Run, rounds: Sequence[Round], received: int | None, now: float) -> Outcome:
    """`rounds`: in order. `received`: bytes; `now`: Unix seconds, up to which a run that goes on lasts."""
    complete = [round_ for round_ in rounds if round_.complete]
    scores = [
        Score(round=round_.round, accuracy=accuracy)
        for round_ in complete
        if (accuracy := accuracy_of(round_)) is not None
    ]
    losses = [loss for round_ in complete if (loss := loss_of(round_)) is not None]
    final = scores[-1] if scores else None
    return Outcome(
        rounds=sum(round_.round > 0 for round_ in complete),
        best=max(scores, key=lambda score: (score.accuracy, -score.round), default=None),
        final=final,
        final_loss=losses[-1] if losses else None,
        reached=_reached(run, complete, ENOUGH),
        reached_of_final=_reached(run, complete, ENOUGH * final.accuracy) if final else None,
        epsilon=run.privacy.epsilon if run.privacy else None,
        duration_s=duration_s(run, now),
        received=received,
    )


def _reached(run: Run, rounds: Iterable[Round], wanted: float) -> Reached | None:
    for round_ in rounds:
        accuracy = accuracy_of(round_)
        if accuracy is not None and accuracy >= wanted:
            return Reached(round=round_.round, seconds=elapsed_s(run, round_))
    return None
