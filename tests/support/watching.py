"""A run that is watched, without a server: messages go out and replies come in as a test says."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flwr.app import Message, MetricRecord, RecordDict

from app.event_bus import EventBus
from app.federation.grid.instruction import Instruction
from app.federation.rounds.results import ReadReply
from app.federation.rounds.seen import Rounds
from app.federation.runs.book import RunBook
from app.federation.runs.tracker import RoundTracker
from app.records import Round, Run, RunState, Verdict
from shared.flower import client_failed, identify_server_task, node_id_of, set_message_id
from tests.support.records import a_run

RUN = "7f3a9c01"


class Watched:
    """A tracker with the book that it writes to, and what it says of clients."""

    def __init__(self, rounds: Rounds, read: ReadReply, **run: Any) -> None:
        identify_server_task(1)
        self.book = RunBook(EventBus())
        self.book.add(a_run(RUN, **run))
        self.book.update(RUN, state=RunState.WAITING)
        self.book.update(RUN, state=RunState.RUNNING)
        self.notes: dict[str, dict[str, Any]] = {}
        self.tracker = RoundTracker(RUN, self.book, self._note, read, rounds)

    def _note(self, client_id: str, **changes: Any) -> None:
        self.notes.setdefault(client_id, {}).update(changes)

    def ask(self, kind: str, *client_ids: str, server_round: int | None = 1) -> dict[str, Instruction]:
        """Send a batch of messages."""
        instructions = [self.instruction(client_id, kind, server_round) for client_id in client_ids]
        self.tracker.sent(instructions)
        return {instruction.client_id: instruction for instruction in instructions}

    @staticmethod
    def instruction(client_id: str, kind: str, server_round: int | None) -> Instruction:
        """A message that was not sent."""
        message = Message(RecordDict(), node_id_of(client_id), kind)
        set_message_id(message, uuid4().hex)
        return Instruction(client_id, message, server_round)

    def answer(self, instruction: Instruction, **metrics: float) -> None:
        """A client's reply with these metrics."""
        record = MetricRecord(
            {key.replace("num_examples", "num-examples"): value for key, value in metrics.items()}
        )
        self.tracker.replied(
            instruction,
            Message(RecordDict({"metrics": record}), reply_to=instruction.message),
            Verdict.ACCEPTED,
        )

    def fail(self, instruction: Instruction, reason: str, verdict: Verdict | None = None) -> None:
        """An error in place of a client's reply."""
        self.tracker.replied(instruction, client_failed(instruction.message, reason), verdict)

    @property
    def rounds(self) -> dict[int, Round]:
        """All rounds, by number."""
        return {round_.round: round_ for round_ in self.book.rounds(RUN)}

    @property
    def round(self) -> Round:
        """The newest round."""
        return self.book.rounds(RUN)[-1]

    @property
    def run(self) -> Run:
        """The run as it is now."""
        run = self.book.get(RUN)
        assert run is not None
        return run

    @property
    def progress(self) -> tuple[str, int, int]:
        """Phase, replies that have come, and clients that were asked."""
        progress = self.run.progress
        assert progress is not None
        return progress.phase.value, progress.done, progress.total
