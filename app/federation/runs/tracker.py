"""RoundTracker: makes rounds, per-client results and progress out of the messages that pass over the grid.

It knows no app: what a reply says is read by a function that the run gives it, and a round begins with the
first message that belongs to it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from flwr.app import Message

from app.federation.grid.instruction import Instruction
from app.federation.rounds.results import ClientResult, ReadReply
from app.federation.runs.book import RunBook
from app.records import ClientRound, GlobalScore, Phase, Round, RunProgress
from shared.error_line import error_line
from shared.flower import is_unavailable
from shared.training import EvalResult
from shared.wire import MAX_LOG_TEXT

NoteClient = Callable[..., None]
"""`note(client_id, **changes)`: changes what the client registry says of a client."""

_PHASE_OF = {"train": Phase.TRAINING, "evaluate": Phase.EVALUATING, "query": Phase.QUERYING}


PUBLISH_INTERVAL_S = 0.05
"""A round that is not complete is published at most this often: it holds all its clients' results so far."""


class RoundTracker:
    """Watches one run, in the run thread; what it learns goes to the run book and the client registry."""

    def __init__(self, run_id: str, book: RunBook, note_client: NoteClient, read: ReadReply) -> None:
        self._run_id = run_id
        self._book = book
        self._note_client = note_client
        self._read = read
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})
        self._round = Round(round=0, started_at=time.time())
        self._clock = time.monotonic()
        self._published_at = 0.0
        self._score: GlobalScore | None = None
        self._weights: dict[str, int] = {}
        self._kind: str | None = None
        self._asked: set[str] = set()
        self._answered: set[str] = set()
        self._asked_to_train = 0

    # app.federation.grid.owner.Observer

    def sent(self, instructions: list[Instruction]) -> None:
        """A phase begins: these clients were asked."""
        kind = instructions[0].kind if instructions else None
        if kind not in _PHASE_OF:
            return
        self._move_to(instructions[0].round, kind)
        if kind != self._kind:
            self.start_over()
            self._kind = kind
        client_ids = {instruction.client_id for instruction in instructions}
        self._asked |= client_ids
        self._answered -= client_ids
        if kind == "train":
            self._asked_to_train = len(self._asked)
        self._book.update(self._run_id, round=self._round.round, progress=self._progress(_PHASE_OF[kind]))

    def start_over(self) -> None:
        """What was asked and answered in this phase so far does not count."""
        self._asked, self._answered, self._weights = set(), set(), {}

    def _move_to(self, server_round: int | None, kind: str) -> None:
        """Begin the round that messages of this kind belong to, unless it is the one that is open."""
        if server_round is None:  # the app does not say: a round is whatever asks for more than a score
            server_round = self._round.round + (kind != "evaluate")
        if server_round == self._round.round:
            return
        self.close()
        self.begin(server_round)

    def replied(self, instruction: Instruction, reply: Message) -> None:
        """A client answered, or an error stands for its answer. Raises ReplyInvalid as reading does."""
        result = None if reply.has_error() else self._read(instruction, reply)
        if instruction.kind not in _PHASE_OF or instruction.round not in (None, self._round.round):
            return
        client_id = instruction.client_id
        before = self._round.per_client.get(client_id, ClientRound())
        if result is None:
            self._log.warning(
                "round %d: no result of %s from %s: %s",
                self._round.round,
                instruction.kind,
                client_id,
                error_line(reply.error.reason),
            )
            error = (reply.error.reason or "")[:MAX_LOG_TEXT]
            mine = before.changed(error=error, lost=is_unavailable(reply))
        else:
            mine = self._record(client_id, instruction.kind, result, before)
        self._put(client_id, mine)
        self._advance(instruction)

    def late(self, instruction: Instruction) -> None:
        """The round goes on without this client's reply."""
        if instruction.kind not in _PHASE_OF or instruction.round not in (None, self._round.round):
            return
        client_id = instruction.client_id
        self._log.warning(
            "round %d: %s is late, its result of %s is not waited for",
            self._round.round,
            client_id,
            instruction.kind,
        )
        before = self._round.per_client.get(client_id, ClientRound())
        mine = before.changed(late=True)
        self._put(client_id, mine)
        self._advance(instruction)

    def _record(self, client_id: str, kind: str, result: ClientResult, before: ClientRound) -> ClientRound:
        """What a good reply adds to the client's part in the round."""
        self._weights[client_id] = result.num_examples if result.num_examples is not None else 1
        metrics = {**before.metrics, **result.metrics}
        if kind == "train":
            self._note_client(client_id, train_loss=result.train_loss, samples=result.num_examples)
            return ClientRound(
                train_loss=result.train_loss,
                loss=result.loss,
                accuracy=result.accuracy,
                samples=result.num_examples,
                train_s=result.duration_s,
                metrics=metrics,
            )
        self._note_client(client_id, loss=result.loss, accuracy=result.accuracy)
        return before.changed(
            loss=result.loss, accuracy=result.accuracy, evaluate_s=result.duration_s, metrics=metrics
        )

    def reopen(self, round_: Round) -> None:
        """Go on with a round that was cut after it was aggregated."""
        self._clock = time.monotonic() - max(time.time() - round_.started_at, 0.0)
        self._round = round_
        self._asked_to_train = len(round_.per_client)

    def begin(self, server_round: int) -> None:
        """A round's clock starts; called for round 0, later rounds are seen to begin by their messages."""
        self._clock = time.monotonic()
        self._round = Round(round=server_round, started_at=time.time())
        self._kind = None

    # app.federation.rounds.server_app.RunCallbacks, as far as it is about results

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """The global model after `server_round` was evaluated on the server's test set."""
        if server_round != self._round.round:
            self.begin(server_round)
        self._score = GlobalScore(loss=_number(result.loss), accuracy=_number(result.accuracy))
        self._change(class_accuracy=result.class_accuracy, confusion=result.confusion)

    def finished(self, server_round: int) -> None:
        """The round is over: its global score counts from now on, together with all the rest of it."""
        if self._score is not None:
            self._change(loss=self._score.loss, accuracy=self._score.accuracy)
        self._change(complete=True, duration_s=time.monotonic() - self._clock)
        self._publish()
        self._book.update(self._run_id, round=server_round)
        if self._score is not None:
            self._book.update(self._run_id, final=self._score)
        self._score = None
        self._log.info("round %d %s", server_round, self._summary())

    # app.federation.rounds.results.AppResults

    def app_evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        """The ServerApp evaluated the global model."""
        self._change(metrics={**self._round.metrics, "server": dict(metrics)})

    def app_aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        """The app's strategy made one result of the replies to messages of a kind."""
        self._change(metrics={**self._round.metrics, kind: dict(metrics)})

    def close(self) -> None:
        """What is open of a round is over, for an app that does not say when a round ends."""
        if self._round.round and not self._round.complete:
            self.finished(self._round.round)

    def _summary(self) -> str:
        done = self._round
        parts = [
            f"aggregated from {done.clients} of {self._asked_to_train} clients"
            if done.clients
            else "over"
            if done.round
            else "(initial model)"
        ]
        for name, value, form in (
            ("accuracy", done.accuracy, ".1%"),
            ("loss", done.loss, ".4f"),
            ("clients' accuracy", done.client_accuracy, ".1%"),
            ("clients' loss", done.client_loss, ".4f"),
        ):
            if value is not None:
                parts.append(f"{name} {value:{form}}")
        return f"{parts[0]}: {', '.join(parts[1:])}" if parts[1:] else parts[0]

    def _advance(self, instruction: Instruction) -> None:
        kind = instruction.kind
        self._answered.add(instruction.client_id)
        phase = _PHASE_OF[kind]
        if self._answered == self._asked:
            if kind == "train":
                phase = Phase.AGGREGATING
                self._change(clients=len(self._weights), train_loss=self._mean("train_loss"))
            elif kind == "evaluate":
                self._change(client_loss=self._mean("loss"), client_accuracy=self._mean("accuracy"))
            self._publish()
        elif time.monotonic() - self._published_at >= PUBLISH_INTERVAL_S:
            self._publish()
        self._book.update(self._run_id, progress=self._progress(phase))

    def _progress(self, phase: Phase) -> RunProgress:
        # `since` moves with each reply: it says how long the page has had no news
        return RunProgress(phase=phase, done=len(self._answered), total=len(self._asked), since=time.time())

    def _mean(self, name: str) -> float | None:
        """Mean of a per-client result, weighted by the examples that it comes from."""
        pairs = [
            (getattr(self._round.per_client[client_id], name), weight)
            for client_id, weight in sorted(self._weights.items())  # sums depend on their order
        ]
        known = [(value, weight) for value, weight in pairs if value is not None]
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total else None

    def _put(self, client_id: str, mine: ClientRound) -> None:
        """Enter a client's part in the round.

        Unchecked: the part is a checked record, and to check all others again for each reply takes long.
        """
        self._round = self._round.model_copy(
            update={"per_client": {**self._round.per_client, client_id: mine}}
        )

    def _change(self, **changes: Any) -> None:
        self._round = self._round.changed(**changes)

    def _publish(self) -> None:
        self._published_at = time.monotonic()
        self._book.put_round(self._run_id, self._round)


def _number(value: float) -> float | None:
    """A finite number as it is; a model that diverged has none."""
    return value if math.isfinite(value) else None
