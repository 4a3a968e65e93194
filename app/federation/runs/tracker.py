"""RoundTracker: makes rounds, per-client results and progress out of the messages that pass over the grid.

It knows no app: what a reply says is read by a function that the run gives it, and which round a message
belongs to is said by its `Rounds`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping

from flwr.app import Message

from app.federation.grid.instruction import Instruction
from app.federation.link.traffic import Traffic
from app.federation.rounds.results import ClientResult, ReadReply
from app.federation.rounds.seen import Asked, Place, Rounds, Stage
from app.federation.rounds.shares import Shares
from app.federation.rounds.summary import with_result
from app.federation.runs.app_numbers import AppNumbers, NoteClient
from app.federation.runs.book import RunBook
from app.federation.runs.round_records import RoundRecords
from app.records import ClientRound, GlobalScore, Phase, PrivacySpent, Protected, Round, RunProgress, Verdict
from shared.error_line import error_line
from shared.flower import is_unavailable
from shared.secagg.packing import Summed
from shared.spent import Spent
from shared.training import EvalResult
from shared.wire import MAX_LOG_TEXT

SECURE_AGGREGATION = "secure-aggregation"
"""The stage whose numbers are those of the sum, among a round's metrics."""

_PHASE_OF = {"train": Phase.TRAINING, "evaluate": Phase.EVALUATING, "query": Phase.QUERYING}


class RoundTracker:
    """Watches one run, in the run thread; what it learns goes to the run book and the client registry."""

    def __init__(
        self,
        run_id: str,
        book: RunBook,
        note_client: NoteClient,
        read: ReadReply,
        rounds: Rounds,
        traffic: Traffic | None = None,
    ) -> None:
        self._run_id = run_id
        self._book = book
        self._note_client = note_client
        self._read = read
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})
        self._rounds = rounds
        self._shares = Shares()
        self._records = RoundRecords(run_id, book, self._shares, traffic)
        self._numbers = AppNumbers(run_id, book, rounds, self._records, self._shares, note_client)
        self._places: dict[str, Place] = {}
        self._phase: list[Stage] = []
        self._score: GlobalScore | None = None

    # app.federation.grid.owner.Observer

    def sent(self, instructions: list[Instruction]) -> list[int | None]:
        """A phase begins, or goes on: these clients are asked. Returns the rounds that it is of."""
        known = [instruction for instruction in instructions if instruction.kind in _PHASE_OF]
        if known:
            self._ask(known)
        places = [self._places.get(each.message.metadata.message_id) for each in instructions]
        return [None if place is None else place.round.round for place in places]

    def replied(self, instruction: Instruction, reply: Message, verdict: Verdict | None) -> None:
        """A client answered, or an error stands for its answer. Raises ReplyInvalid as reading does."""
        result = None if reply.has_error() else self._read(instruction, reply)
        place = self._places.pop(instruction.message.metadata.message_id, None)
        if place is None:
            return
        if result is None:
            self._failed(place, instruction, reply, verdict)
        else:
            self._answered(place, instruction.client_id, result, verdict)

    def late(self, instruction: Instruction) -> None:
        """The round goes on without this client's reply."""
        place = self._places.pop(instruction.message.metadata.message_id, None)
        if place is None:
            return
        client_id = instruction.client_id
        self._log.warning(
            "round %d: %s is late, its result of %s is not waited for",
            place.round.round,
            client_id,
            instruction.kind,
        )
        place.stage.answer(client_id, None)
        part = self._records.part(place, client_id)
        self._put(place, client_id, part.changed(late=True, verdict=Verdict.LATE))

    def due_s(self) -> float | None:
        """Seconds until a round that replies have changed is to be published; None: none has."""
        return self._records.due_s()

    def catch_up(self) -> None:
        """Publish it."""
        self._records.publish()

    # app.federation.rounds.callbacks.RunCallbacks, as far as it is about results

    def start_over(self) -> None:
        """What was asked and answered in this round so far does not count."""
        if self._rounds.open is not None:
            self._rounds.open.stages.clear()

    def reopen(self, round_: Round) -> None:
        """Go on with a round that was cut after it was aggregated."""
        self._records.reopen(self._rounds.begin(round_.round), round_)

    def begin(self, server_round: int) -> None:
        """A round's clock starts; called for round 0, later rounds are seen to begin by their messages."""
        self._records.see(self._rounds.begin(server_round))

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """The global model after `server_round` was evaluated on the server's test set."""
        if (seen := self._rounds.evaluated(server_round)) is not None:
            self._records.see(seen)
        self._score = GlobalScore(loss=_number(result.loss), accuracy=_number(result.accuracy))
        self._records.change(class_accuracy=result.class_accuracy, confusion=result.confusion)

    def summed(self, summed: Summed) -> None:
        """The masked updates of the newest round have come to a sum."""
        told = {"clipped": summed.clipped, "capped": summed.capped, "samples": summed.samples}
        numbers = {name: number for name, number in told.items() if number is not None}
        self._records.change(
            train_loss=summed.loss,
            metrics={**self._records.newest.metrics, **({SECURE_AGGREGATION: numbers} if numbers else {})},
        )
        self._records.publish()

    def spent(self, epsilon: float | None) -> None:
        """So much of differential privacy is spent with the model of the newest round."""
        self._records.change(epsilon=epsilon)

    def finished(self, server_round: int) -> None:
        """The round is over: its global score counts from now on, together with all the rest of it."""
        if self._score is not None:
            self._records.change(loss=self._score.loss, accuracy=self._score.accuracy)
        self._records.finish()
        if self._score is not None:
            self._book.update(self._run_id, final=self._score)
        self._score = None

    # app.federation.rounds.results.AppResults

    def app_evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        """The ServerApp evaluated the global model."""
        self._numbers.evaluated(number, metrics)

    def app_aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        """The app's strategy made one result of the replies to messages of a kind."""
        self._numbers.aggregated(kind, number, metrics)

    # the end, for apps that do not say when a round ends

    def close(self) -> None:
        """What is open of a round is over: the ServerApp has ended well."""
        self._records.close()

    def cut(self) -> None:
        """The ServerApp goes on no longer. A round whose replies are all there is over, another is not."""
        if self._rounds.end_by_word or self._rounds.open is None:
            return
        if self._rounds.open.is_answered:
            self._records.close()
        else:
            self._records.publish()

    # messages and results

    def _ask(self, known: list[Instruction]) -> None:
        places = self._rounds.sent([_seen(instruction) for instruction in known])
        for instruction, place in zip(known, places, strict=True):
            self._places[instruction.message.metadata.message_id] = place
        for place in {id(place.round): place for place in places}.values():
            self._records.see(place.round)
        self._phase = list({id(place.stage): place.stage for place in places}.values())
        progress = self._progress(_PHASE_OF[known[0].kind])
        self._book.update(self._run_id, round=self._records.newest.round, progress=progress)

    def _answered(self, place: Place, client_id: str, result: ClientResult, verdict: Verdict | None) -> None:
        self._numbers.say_what_is_left_out(result.left_out)
        are_others = self._shares.note(place.stage.name, result.metrics)
        place.stage.answer(client_id, result)
        before = self._records.part(place, client_id)
        part = with_result(before, place.stage, result, self._shares)
        if part.error is None or before.verdict is not Verdict.DECLINED:
            part = part.model_copy(update={"verdict": verdict})
        self._note(place.stage.kind, client_id, result, part)
        self._note_spent(result.spent)
        self._put(place, client_id, part)
        if are_others:
            self._numbers.correct()

    def _failed(
        self, place: Place, instruction: Instruction, reply: Message, verdict: Verdict | None
    ) -> None:
        client_id = instruction.client_id
        self._log.log(
            logging.DEBUG if verdict is Verdict.DECLINED else logging.WARNING,  # of which the link tells
            "round %d: no result of %s from %s: %s",
            place.round.round,
            instruction.kind,
            client_id,
            error_line(reply.error.reason),
        )
        place.stage.answer(client_id, None)
        error = (reply.error.reason or "")[:MAX_LOG_TEXT]
        before = self._records.part(place, client_id)
        verdict = verdict or before.verdict
        self._put(place, client_id, before.changed(error=error, lost=is_unavailable(reply), verdict=verdict))

    def _note(self, kind: str, client_id: str, result: ClientResult, part: ClientRound) -> None:
        """Tell the client registry what is new of a client."""
        news: dict[str, float | None] = {"loss": result.loss, "accuracy": part.accuracy}
        if kind == "train":
            news |= {"train_loss": result.train_loss, "samples": result.num_examples}
        self._note_client(client_id, **{name: value for name, value in news.items() if value is not None})

    def _note_spent(self, spent: Spent | None) -> None:
        """A client has told what it has spent; the run shows the largest of a client."""
        run = self._book.run(self._run_id)
        if spent is not None and run.spec.dp is not None:
            before = (run.privacy.epsilon if run.privacy else None) or 0.0
            largest = max(spent.epsilon, before)
            privacy = PrivacySpent(
                protects=Protected.SAMPLE, from_server=True, epsilon=largest, delta=run.spec.dp.delta
            )
            self._book.update(self._run_id, privacy=privacy)
            self.spent(largest)

    def _put(self, place: Place, client_id: str, part: ClientRound) -> None:
        self._records.put_part(place, client_id, part)
        if place.stage in self._phase:
            kind = place.stage.kind
            is_over = kind == "train" and all(stage.is_answered for stage in self._phase)
            progress = self._progress(Phase.AGGREGATING if is_over else _PHASE_OF[kind])
            self._book.update(self._run_id, progress=progress)

    def _progress(self, phase: Phase) -> RunProgress:
        # `since` moves with each reply: it says how long the page has had no news
        return RunProgress(
            phase=phase,
            done=sum(len(stage.answered) for stage in self._phase),
            total=sum(len(stage.asked) for stage in self._phase),
            since=time.time(),
        )


def _seen(instruction: Instruction) -> Asked:
    return Asked(instruction.client_id, instruction.message_type, instruction.round, instruction.group_name)


def _number(value: float) -> float | None:
    """A finite number as it is; a model that diverged has none."""
    return value if math.isfinite(value) else None
