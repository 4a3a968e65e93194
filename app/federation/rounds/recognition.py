"""AppRounds: the rounds of any Flower app, recognised by what it sends. No I/O.

FedLoom numbers rounds itself, 1, 2, …; 0 is the evaluation of the initial model. An app's own number says
which messages belong together, and becomes the round's label. `docs/flower-apps.md` has the rules in words.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.federation.rounds.seen import MAX_STAGES, Asked, Place, Rounds, SeenRound, kind_of

REMEMBERED = 8
"""So many of the newest rounds keep who was asked in them: an app may evaluate one model while it trains the
next."""


@dataclass(frozen=True)
class Group:
    """Messages of one batch that have the type and number in common, one for each client."""

    message_type: str
    number: int | None
    name: str | None
    client_ids: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Flower's category of the messages."""
        return kind_of(self.message_type)


class AppRounds(Rounds):
    """Recognises rounds in the batches of one run, in their order, and in what its ServerApp computes."""

    def __init__(self) -> None:
        super().__init__()
        self._by_number: dict[int, SeenRound] = {}
        """Since the app began to count."""
        self._unnumbered_since: list[SeenRound] = []
        """The rounds without a number since then."""
        self._recent: deque[SeenRound] = deque()
        self._opener: str | None = None
        """The type of message that begins a round, in an app that does not number its rounds."""
        self._trains = False

    def sent(self, batch: Sequence[Asked]) -> list[Place]:
        """Where each message belongs. A client that is asked twice in a batch is asked in two stages."""
        places: dict[int, Place] = {}
        rounds: dict[tuple[str, int | None], SeenRound] = {}
        for group, positions in _groups(batch):
            key = (group.message_type, group.number)
            round_ = rounds[key] = rounds.get(key) or self._round_of(group)
            self._trains = self._trains or group.kind == "train"
            place = Place(round_, round_.ask(group.message_type, group.client_ids, group.number))
            places.update(dict.fromkeys(positions, place))
        return [places[position] for position in range(len(batch))]

    def evaluated(self, number: int | None) -> SeenRound | None:
        """The round that the ServerApp's evaluation is of."""
        round_ = self._scored(number)
        if round_ is not None:
            round_.is_scored, round_.score_number = True, number
            round_.is_evaluated = round_.is_evaluated or round_.trains
        return round_

    def aggregated(self, kind: str, number: int | None) -> Place | None:
        """The newest stage of that kind, in the round of that number or else in the newest."""
        round_ = self._called(number) or self.open
        if round_ is None:
            return None
        if kind == "evaluate":
            round_.is_evaluated = round_.is_evaluated or round_.trains
        stage = round_.newest_of(kind)
        return None if stage is None else Place(round_, stage)

    # which round messages belong to

    def _round_of(self, group: Group) -> SeenRound:
        round_ = self._known_round(group)
        if round_ is None or not (
            len(round_.stages) < MAX_STAGES or round_.can_take(group.message_type, group.client_ids)
        ):
            return self._begin(group)
        return round_

    def _known_round(self, group: Group) -> SeenRound | None:
        """One of the rounds that are there; None: another begins."""
        round_ = self.open
        if group.kind == "evaluate" and not group.number and (round_ is None or not round_.round):
            return round_ or self.begin(0)
        if round_ is None or not round_.round:
            return None
        return self._unnumbered(group, round_) if group.number is None else self._numbered(group, round_)

    def _numbered(self, group: Group, newest: SeenRound) -> SeenRound | None:
        if newest.number == group.number:
            return None if _starts_over(group, newest) else newest
        if self._takes_its_number_from(group, newest):
            newest.number = group.number
            self._remember(newest)
            return newest
        return self._trained_before(group, newest) if group.kind == "evaluate" else None

    def _takes_its_number_from(self, group: Group, newest: SeenRound) -> bool:
        """A round that began without a number, or as 0 with questions before the first training."""
        if newest.number is None:
            return newest.can_take(group.message_type, group.client_ids)
        return newest.number == 0 and group.kind == "train" and not self._trains

    def _trained_before(self, group: Group, newest: SeenRound) -> SeenRound | None:
        """The round whose training an evaluation follows, whatever it is called.

        It is the one of that number, where that has been waiting for its evaluation, else the newest. Apps
        whose rounds begin with an evaluation have none.
        """
        if self._opener is None or kind_of(self._opener) == "evaluate":
            return None
        named = self._by_number.get(group.number or 0)
        for round_ in (named, newest):
            if round_ is not None and _lacks_evaluation(group, round_):
                return round_
        return None

    def _unnumbered(self, group: Group, newest: SeenRound) -> SeenRound | None:
        stage = newest.newest(group.message_type)
        if group.kind == "evaluate":
            return newest
        if stage is None:
            return None if group.message_type == self._opener else newest
        is_joined = not stage.asked.intersection(group.client_ids) and (
            len(group.client_ids) == 1 or not stage.is_answered
        )
        if is_joined:
            return newest
        if group.kind == "train":
            self._opener = group.message_type
            return None
        asks_more = group.message_type != self._opener or (self._trains and not newest.trains)
        return newest if asks_more else None

    def _begin(self, group: Group) -> SeenRound:
        newest = self.open
        if group.number is not None and newest is not None and self._is_behind(group.number, newest):
            self._count_anew()
        self._opener = self._opener or group.message_type
        return self._begin_next(group.number, group.name)

    def _begin_next(self, number: int | None, name: str | None = None) -> SeenRound:
        round_ = self.begin(self.open.round + 1 if self.open is not None else 1, number, name)
        self._remember(round_)
        if number is None:
            self._unnumbered_since.append(round_)
        self._recent.append(round_)
        if len(self._recent) > REMEMBERED:
            self._recent.popleft().forget()
        return round_

    def _is_behind(self, number: int, newest: SeenRound) -> bool:
        """Whether the app has begun to count anew."""
        return number in self._by_number or (newest.number is not None and number < newest.number)

    def _count_anew(self) -> None:
        self._by_number.clear()
        self._unnumbered_since.clear()

    def _remember(self, round_: SeenRound) -> None:
        if round_.number is not None:
            self._by_number[round_.number] = round_

    def _called(self, number: int | None) -> SeenRound | None:
        """The round that the ServerApp calls by a number: that of its messages, or if they have none the
        one so many rounds after it began to count."""
        if number is None:
            return None
        unnumbered = self._unnumbered_since
        counted = unnumbered[number - 1] if 1 <= number <= len(unnumbered) else None
        return self._by_number.get(number, counted)

    # which round the ServerApp's evaluation is of

    def _scored(self, number: int | None) -> SeenRound | None:
        newest = self.open
        if newest is None or not newest.round:
            return self._begin_next(number) if number else newest or self.begin(0)
        if number is None or number in (newest.number, newest.score_number):
            return newest
        called = self._called(number)
        if called is not None and not called.is_scored:
            return called
        if not newest.is_scored and (number or newest.round == 1):
            return newest
        if number > (newest.score_number or 0):
            return self._begin_next(number)
        self._count_anew()  # the initial model again
        return None


def _groups(batch: Sequence[Asked]) -> Iterator[tuple[Group, list[int]]]:
    """What of a batch belongs together, with the positions of the messages."""
    times: Counter[tuple[str, str, int | None]] = Counter()
    groups: dict[tuple[int, str, int | None], list[int]] = {}
    for position, asked in enumerate(batch):
        again = times[asked.client_id, asked.message_type, asked.number]
        times[asked.client_id, asked.message_type, asked.number] += 1
        groups.setdefault((again, asked.message_type, asked.number), []).append(position)
    for (_, message_type, number), positions in groups.items():
        names = {batch[position].name for position in positions}
        clients = tuple(batch[position].client_id for position in positions)
        yield Group(message_type, number, names.pop() if len(names) == 1 else None, clients), positions


def _starts_over(group: Group, newest: SeenRound) -> bool:
    """Whether a number that comes again is that of another round: an evaluation has followed its training."""
    return (
        group.kind == "train"
        and newest.is_evaluated
        and not newest.can_take(group.message_type, group.client_ids)
    )


def _lacks_evaluation(group: Group, round_: SeenRound) -> bool:
    stage = round_.newest_of("evaluate")
    if round_.is_forgotten:
        return False
    return stage is None or (stage.number == group.number and stage.can_take(group.client_ids))
