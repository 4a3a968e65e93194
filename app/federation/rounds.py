"""RoundTracker: makes rounds, per-client results and progress out of the messages that pass over the grid."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from flwr.app import Message, MetricRecord

from app.federation.grid import Instruction
from app.federation.run_book import RunBook
from app.records import ClientRound, GlobalScore, Phase, Round, RunProgress

NoteClient = Callable[..., None]
"""`note(client_id, **changes)`: changes what the client registry says of a client."""

_RESULTS_OF = {
    # message type: {field of ClientRound: key in the reply's metrics}
    "train": {"train_loss": "train_loss", "samples": "num-examples", "train_s": "duration_s"},
    "evaluate": {"loss": "loss", "accuracy": "accuracy", "evaluate_s": "duration_s"},
}
_PHASE_OF = {"train": Phase.TRAINING, "evaluate": Phase.EVALUATING}


class RoundTracker:
    """Watches one run, in the run thread; what it learns goes to the run book and the client registry."""

    def __init__(self, run_id: str, book: RunBook, note_client: NoteClient) -> None:
        self._run_id = run_id
        self._book = book
        self._note_client = note_client
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})
        self._round = Round(round=0, started_at=time.time())
        self._clock = time.monotonic()
        self._weights: dict[str, float] = {}
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
        if reply.has_error():
            reason = reply.error.reason or "no reason given"
            changes: dict[str, Any] = {"error": reason}
            self._log.warning(
                "round %d: %s returned no result (%s): %s",
                self._round.round,
                client_id,
                instruction.message.metadata.message_type,
                reason.strip().splitlines()[-1],
            )
        else:
            metrics = _flatten(reply.content.metric_records.values())
            changes = {name: _number(metrics.get(key)) for name, key in _RESULTS_OF[instruction.kind].items()}
            changes["error"] = None
            self._weights[client_id] = _number(metrics.get("num-examples")) or 0.0
            self._note_client(
                client_id, **{k: v for k, v in changes.items() if k in _CLIENT_FIELDS and v is not None}
            )
        mine = self._round.per_client.get(client_id, ClientRound()).model_copy(update=changes)
        self._update(per_client={**self._round.per_client, client_id: mine})
        self._advance(instruction.kind)

    def begin(self, server_round: int) -> None:
        """A round's clock starts; called for round 0, later rounds are seen to begin by their messages."""
        self._clock = time.monotonic()
        self._round = Round(round=server_round, started_at=time.time())

    # app.federation.server_app.RunCallbacks, as far as it is about results

    def evaluated(self, server_round: int, loss: float, accuracy: float) -> None:
        """The global model after `server_round` was evaluated on the server's test set."""
        if server_round != self._round.round:
            self.begin(server_round)
        score = GlobalScore(loss=_number(loss), accuracy=_number(accuracy))
        self._update(loss=score.loss, accuracy=score.accuracy)
        self._book.update(self._run_id, round=server_round, final=score)

    def finished(self, server_round: int) -> None:
        """The round is over."""
        self._update(complete=True, duration_s=time.monotonic() - self._clock)
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
                self._update(clients=len(self._weights), train_loss=self._mean("train_loss"))
            else:
                self._update(client_loss=self._mean("loss"), client_accuracy=self._mean("accuracy"))
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

    def _update(self, **changes: Any) -> None:
        self._round = self._round.model_copy(update=changes)
        self._book.put_round(self._run_id, self._round)


_CLIENT_FIELDS = frozenset({"train_loss", "loss", "accuracy", "samples"})


def _flatten(records: Iterable[MetricRecord]) -> dict[str, Any]:
    return {key: value for record in records for key, value in record.items()}


def _number(value: object) -> Any:
    """A finite number as it is; anything else, which a client may well send, as None."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None
