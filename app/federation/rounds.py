"""RoundTracker: makes rounds, per-client results and progress out of the messages that pass over the grid."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any

from flwr.app import Message

from app.federation.grid import Instruction
from app.federation.run_book import RunBook
from app.records import ClientRound, GlobalScore, Phase, Round, RunProgress
from shared.results import EvaluateMetrics, TrainMetrics
from shared.wire import MAX_LOG_TEXT

NoteClient = Callable[..., None]
"""`note(client_id, **changes)`: changes what the client registry says of a client."""

_PHASE_OF = {"train": Phase.TRAINING, "evaluate": Phase.EVALUATING}


PUBLISH_INTERVAL_S = 0.05
"""A round that is not complete is published at most this often: it holds all its clients' results so far."""


class RoundTracker:
    """Watches one run, in the run thread; what it learns goes to the run book and the client registry."""

    def __init__(self, run_id: str, book: RunBook, note_client: NoteClient) -> None:
        self._run_id = run_id
        self._book = book
        self._note_client = note_client
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})
        self._round = Round(round=0, started_at=time.time())
        self._clock = time.monotonic()
        self._published_at = 0.0
        self._score = GlobalScore(loss=None, accuracy=None)
        self._weights: dict[str, int] = {}
        self._asked = 0
        self._answers = 0
        self._asked_to_train = 0

    # app.federation.grid.Observer

    def sent(self, instructions: list[Instruction]) -> None:
        """A phase begins: these clients were asked."""
        kind = instructions[0].kind if instructions else None
        if kind not in _PHASE_OF or instructions[0].round is None:
            return
        if instructions[0].round != self._round.round:
            self.begin(instructions[0].round)
        self._asked, self._answers, self._weights = len(instructions), 0, {}
        if kind == "train":
            self._asked_to_train = self._asked
        self._book.update(self._run_id, round=self._round.round, progress=self._progress(_PHASE_OF[kind], 0))

    def replied(self, instruction: Instruction, reply: Message) -> None:
        """A client answered, or an error stands for its answer."""
        if instruction.kind not in _PHASE_OF or instruction.round != self._round.round:
            return
        client_id = instruction.client_id
        before = self._round.per_client.get(client_id, ClientRound())
        if reply.has_error():
            self._log.warning(
                "round %d: no result of %s from %s: %s",
                self._round.round,
                instruction.kind,
                client_id,
                last_line(reply),
            )
            mine = before.model_copy(update={"error": (reply.error.reason or "")[:MAX_LOG_TEXT]})
        else:
            mine = self._record(client_id, instruction.kind, reply, before)
        self._change(per_client={**self._round.per_client, client_id: mine})
        self._advance(instruction.kind)

    def _record(self, client_id: str, kind: str, reply: Message, before: ClientRound) -> ClientRound:
        """What a good reply adds to the client's part in the round."""
        if kind == "train":
            trained = TrainMetrics.from_reply(reply)
            self._weights[client_id] = trained.num_examples
            self._note_client(client_id, train_loss=trained.train_loss, samples=trained.num_examples)
            return ClientRound(
                train_loss=trained.train_loss, samples=trained.num_examples, train_s=trained.duration_s
            )
        evaluated = EvaluateMetrics.from_reply(reply)
        self._weights[client_id] = evaluated.num_examples
        self._note_client(client_id, loss=evaluated.loss, accuracy=evaluated.accuracy)
        return before.model_copy(
            update={
                "loss": evaluated.loss,
                "accuracy": evaluated.accuracy,
                "evaluate_s": evaluated.duration_s,
            }
        )

    def begin(self, server_round: int) -> None:
        """A round's clock starts; called for round 0, later rounds are seen to begin by their messages."""
        self._clock = time.monotonic()
        self._round = Round(round=server_round, started_at=time.time())

    # app.federation.server_app.RunCallbacks, as far as it is about results

    def evaluated(self, server_round: int, loss: float, accuracy: float) -> None:
        """The global model after `server_round` was evaluated on the server's test set."""
        if server_round != self._round.round:
            self.begin(server_round)
        self._score = GlobalScore(loss=_number(loss), accuracy=_number(accuracy))

    def finished(self, server_round: int) -> None:
        """The round is over: its global score counts from now on, together with all the rest of it."""
        self._change(
            complete=True,
            loss=self._score.loss,
            accuracy=self._score.accuracy,
            duration_s=time.monotonic() - self._clock,
        )
        self._publish()
        self._book.update(self._run_id, round=server_round, final=self._score)
        done = self._round
        self._log.info(
            "round %d %s: accuracy %s, loss %s",
            server_round,
            f"aggregated from {done.clients} of {self._asked_to_train} clients"
            if server_round
            else "(initial model)",
            "–" if done.accuracy is None else f"{done.accuracy:.1%}",
            "–" if done.loss is None else f"{done.loss:.4f}",
        )

    def _advance(self, kind: str) -> None:
        self._answers += 1
        phase = _PHASE_OF[kind]
        if self._answers == self._asked:
            if kind == "train":
                phase = Phase.AGGREGATING
                self._change(clients=len(self._weights), train_loss=self._mean("train_loss"))
            else:
                self._change(client_loss=self._mean("loss"), client_accuracy=self._mean("accuracy"))
            self._publish()
        elif time.monotonic() - self._published_at >= PUBLISH_INTERVAL_S:
            self._publish()
        self._book.update(self._run_id, progress=self._progress(phase, self._answers))

    def _progress(self, phase: Phase, done: int) -> RunProgress:
        # `since` moves with each reply: it says how long the page has had no news
        return RunProgress(phase=phase, done=done, total=self._asked, since=time.time())

    def _mean(self, field: str) -> float | None:
        """Mean of a per-client result, weighted by the examples that it comes from."""
        pairs = [
            (getattr(self._round.per_client[client_id], field), weight)
            for client_id, weight in self._weights.items()
        ]
        known = [(value, weight) for value, weight in pairs if value is not None]
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total else None

    def _change(self, **changes: Any) -> None:
        self._round = self._round.model_copy(update=changes)

    def _publish(self) -> None:
        self._published_at = time.monotonic()
        self._book.put_round(self._run_id, self._round)


def last_line(reply: Message) -> str:
    """The last line of an error reply's reason: of a traceback, the exception."""
    lines = (reply.error.reason or "").strip().splitlines()
    return lines[-1][:500] if lines else "no reason given"


def _number(value: float) -> float | None:
    """A finite number as it is; a model that diverged has none."""
    return value if math.isfinite(value) else None
