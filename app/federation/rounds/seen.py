"""What is seen of a run's rounds in the messages that pass: their stages, who was asked, who has answered.

No I/O, and no record: `app.federation.runs.tracker` makes those of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from app.federation.rounds.results import ClientResult

MAX_STAGES = 20
"""Of a round. An app that calls all of its rounds by one number would else have one that grows for ever."""


def kind_of(message_type: str) -> str:
    """Flower's category of a message type, and so of a stage: "train" of "train.setup" and of "train 2"."""
    return message_type.partition(".")[0].partition(" ")[0]


@dataclass(frozen=True)
class Asked:
    """One message of a batch, as far as rounds are recognised by it."""

    client_id: str
    message_type: str
    number: int | None
    """The app's own number of the round."""
    name: str | None = None
    """How the app calls the message's group, where that is no number."""


@dataclass(eq=False)
class Stage:
    """One exchange of a round: what each client is asked at most once. Named by the type of its messages."""

    name: str
    message_type: str
    number: int | None
    """The app's number in the message that it began with."""
    asked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    """Those whose reply, or an error in its place, has come in, or is not waited for."""
    results: dict[str, ClientResult] = field(default_factory=dict)
    """The good replies, by client."""
    aggregated: dict[str, float] = field(default_factory=dict)
    """What the app's strategy made of them, as far as that is known."""

    @property
    def kind(self) -> str:
        """Flower's category of its messages."""
        return kind_of(self.message_type)

    @property
    def is_answered(self) -> bool:
        """Whether nothing more is to come."""
        return self.answered == self.asked

    def can_take(self, client_ids: Iterable[str]) -> bool:
        """Whether these clients can be asked in it: none was, or those who were have failed."""
        failed = self.answered - self.results.keys()
        return all(client_id not in self.asked or client_id in failed for client_id in client_ids)

    def ask(self, client_ids: Collection[str]) -> None:
        """These clients are asked, for the first time or once more."""
        self.asked.update(client_ids)
        self.answered.difference_update(client_ids)
        for client_id in client_ids:
            self.results.pop(client_id, None)

    def answer(self, client_id: str, result: ClientResult | None) -> None:
        """A client's reply came in; None: it has failed, or is too late."""
        self.answered.add(client_id)
        if result is not None:
            self.results[client_id] = result


@dataclass(eq=False)
class SeenRound:
    """One round. Its `number` is the app's own, `round` is FedLoom's."""

    round: int
    number: int | None = None
    name: str | None = None
    stages: list[Stage] = field(default_factory=list)
    is_scored: bool = False
    """Whether the ServerApp is known to have evaluated the global model of this round."""
    score_number: int | None = None
    """The number under which it did."""
    is_evaluated: bool = False
    """Whether an evaluation has followed its training."""
    is_forgotten: bool = False
    """Whether it is no longer known who was asked and has answered."""

    @property
    def label(self) -> str | None:
        """How the app calls the round, where that is not how FedLoom does."""
        if self.number is None:
            return self.name
        return None if self.number == self.round else str(self.number)

    @property
    def trains(self) -> bool:
        """Whether clients were asked to train."""
        return any(stage.kind == "train" for stage in self.stages)

    @property
    def is_answered(self) -> bool:
        """Whether nothing more is to come of what was asked."""
        return all(stage.is_answered for stage in self.stages)

    def newest(self, message_type: str) -> Stage | None:
        """The last stage with messages of a type."""
        return next((stage for stage in reversed(self.stages) if stage.message_type == message_type), None)

    def newest_of(self, kind: str) -> Stage | None:
        """The last stage with messages of a kind."""
        return next((stage for stage in reversed(self.stages) if stage.kind == kind), None)

    def can_take(self, message_type: str, client_ids: Iterable[str]) -> bool:
        """Whether these clients can be asked without a further stage of a type that was there."""
        stage = self.newest(message_type)
        return stage is None or stage.can_take(client_ids)

    def ask(self, message_type: str, client_ids: Collection[str], number: int | None = None) -> Stage:
        """Messages of a type go to these clients: the stage that they belong to, which may be a new one."""
        stage = self.newest(message_type)
        if stage is None or not (stage.can_take(client_ids) or len(self.stages) >= MAX_STAGES):
            stage = self.begin_stage(message_type, number)
        stage.ask(client_ids)
        return stage

    def begin_stage(self, message_type: str, number: int | None = None) -> Stage:
        """A further stage."""
        before = sum(stage.message_type == message_type for stage in self.stages)
        stage = Stage(f"{message_type} {before + 1}" if before else message_type, message_type, number)
        if stage.kind == "evaluate" and self.trains:
            self.is_evaluated = True
        self.stages.append(stage)
        return stage

    def forget(self) -> None:
        """Nothing more is to come of the round, unless something was left unanswered."""
        if self.is_answered:
            self.is_forgotten = True
            for stage in self.stages:
                stage.asked, stage.answered, stage.results = set(), set(), {}

    def asked_to_train(self) -> set[str]:
        """The clients that were, in any stage."""
        return set().union(*(stage.asked for stage in self.stages if stage.kind == "train"))

    def have_trained(self) -> set[str]:
        """The clients whose newest reply to training was good."""
        good: set[str] = set()
        for stage in self.stages:
            if stage.kind == "train":
                good = (good - stage.answered) | stage.results.keys()
        return good


@dataclass(frozen=True)
class Place:
    """Where a message belongs."""

    round: SeenRound
    stage: Stage


class Rounds(ABC):
    """A run's rounds as they are seen to begin. `open` is the newest; None: there was none yet."""

    end_by_word: ClassVar[bool] = False
    """Whether the ServerApp says when a round is over; else it is when the next begins, or the run ends."""

    def __init__(self) -> None:
        self.open: SeenRound | None = None

    @abstractmethod
    def sent(self, batch: Sequence[Asked]) -> list[Place]:
        """Messages go out together: where each of them belongs. May begin rounds and stages."""

    @abstractmethod
    def evaluated(self, number: int | None) -> SeenRound | None:
        """The ServerApp evaluated the global model, of a round that it calls by this number: which it is.

        May begin a round. None: it is of no round.
        """

    @abstractmethod
    def aggregated(self, kind: str, number: int | None) -> Place | None:
        """The strategy made one result of the replies to messages of a kind: to which. None: to none."""

    def begin(self, server_round: int, number: int | None = None, name: str | None = None) -> SeenRound:
        """A round begins, under FedLoom's own number."""
        self.open = SeenRound(server_round, number, name)
        return self.open
