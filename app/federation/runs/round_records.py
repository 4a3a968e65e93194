"""RoundRecords: a run's rounds as they are published while it goes on."""

from __future__ import annotations

import logging
from time import monotonic, time
from typing import Any

from app.federation.link.traffic import Traffic
from app.federation.rounds.known_metrics import Numbers
from app.federation.rounds.seen import Place, SeenRound
from app.federation.rounds.shares import Shares
from app.federation.rounds.summary import SERVER, summed_up, with_aggregate, with_shares
from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.records import ClientRound, GlobalScore, Round

PUBLISH_INTERVAL_S = 0.05
"""A round that is not complete is published at most this often: it holds all its clients' results so far.
What comes in between waits for the end of this time, or of the stage."""

NUMBERS_AT_ONCE = 10_000
"""A round with more numbers than these is published the more rarely, the more there are."""


class RoundRecords:
    """The record of the newest round, and of those before it. Used in the run thread."""

    def __init__(self, run_id: str, book: RunBook, shares: Shares, traffic: Traffic | None = None) -> None:
        """`traffic`: of the link over which the rounds go; None: nobody counts it."""
        self._traffic = traffic
        self._carried = _carried(traffic)
        self._run_id = run_id
        self._book = book
        self._shares = shares
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})
        self._seen: SeenRound | None = None
        self._clock = monotonic()
        self._published_at = 0.0
        self._is_behind = False
        """Whether clients' parts are not published yet."""
        self._interval_s = PUBLISH_INTERVAL_S
        self.newest = Round(round=0, started_at=time())

    # from beginning to end

    def see(self, seen: SeenRound) -> None:
        """Something belongs to this round, which may begin with it."""
        if self._seen is None or seen.round > self._seen.round:
            self.close()
            self._begin(seen)
        elif seen is self._seen and seen.label != self.newest.label:
            self.change(label=seen.label)

    def reopen(self, seen: SeenRound, record: Round) -> None:
        """Go on with a round that was cut after it was aggregated."""
        self._clock = monotonic() - max(time() - record.started_at, 0.0)
        self._seen = seen
        self.newest = record

    def finish(self) -> None:
        """The newest round is over, also what of it was not answered."""
        trained: set[str] = set()
        if self._seen is not None:
            for stage in self._seen.stages:
                if not stage.is_answered:
                    self.newest = self._summed_up(Place(self._seen, stage), self.newest)
            trained = self._seen.asked_to_train()
        self.change(complete=True, duration_s=monotonic() - self._clock, **self._traffic_of_round())
        self.publish()
        self._book.update(self._run_id, round=self.newest.round)
        self._log.info("%s", words.end_of_round(self.newest, len(trained or self.newest.per_client)))

    def close(self) -> None:
        """The newest round is over, if there is one that is not yet."""
        if self._seen is not None and not self.newest.complete:
            self.finish()

    # what they hold

    def part(self, place: Place, client_id: str) -> ClientRound:
        """A client's part in a round."""
        return self._get(place.round).per_client.get(client_id, ClientRound())

    def put_part(self, place: Place, client_id: str, part: ClientRound) -> None:
        """Replace a client's part, and sum up the stage when nothing more is to come."""
        record = self._get(place.round).with_part(client_id, part)
        if place.stage.is_answered or place.round is not self._seen:
            self._put(place.round, self._summed_up(place, record))
        else:
            self.newest = record
            self._is_behind = True
            if self.due_s() == 0:
                self.publish()

    def put_aggregate(self, place: Place) -> None:
        """It is known what the strategy has made of the replies of a stage."""
        before = self._get(place.round)
        changes = with_aggregate(place.round, place.stage, before, self._shares)
        self._put(place.round, before.changed(**changes))

    def put_score(self, seen: SeenRound, numbers: Numbers, score: GlobalScore) -> None:
        """The ServerApp has evaluated the global model of a round."""
        before = self._get(seen)
        metrics = {**before.metrics, SERVER: numbers}
        self._put(seen, before.changed(metrics=metrics, loss=score.loss, accuracy=score.accuracy))

    def server_numbers(self, seen: SeenRound) -> Numbers:
        """What the ServerApp has computed of the global model of a round."""
        return self._get(seen).metrics.get(SERVER, {})

    def change(self, **changes: Any) -> None:
        """Change fields of the newest round."""
        self.newest = self.newest.changed(**changes)

    def correct(self) -> None:
        """Read the accuracies of all rounds anew, and publish again those that are others then."""
        for before in self._book.rounds(self._run_id):
            if (
                before.round != self.newest.round
                and (after := with_shares(before, self._shares)) is not before
            ):
                self._book.put_round(self._run_id, after)
        self.newest = with_shares(self.newest, self._shares)
        self.publish()

    def publish(self) -> None:
        """Publish the newest round as it is."""
        self._published_at = monotonic()
        self._is_behind = False
        self._interval_s = PUBLISH_INTERVAL_S * max(1.0, _size(self.newest) / NUMBERS_AT_ONCE)
        self._book.put_round(self._run_id, self.newest)

    def due_s(self) -> float | None:
        """Seconds until clients' parts that are not published should be; None: all are."""
        if not self._is_behind:
            return None
        return max(0.0, self._interval_s - (monotonic() - self._published_at))

    def _traffic_of_round(self) -> dict[str, int]:
        """How many bytes went over the link while the newest round went on."""
        if self._traffic is None:
            return {}
        (sent, received), before = _carried(self._traffic), self._carried
        return {"sent_bytes": sent - before[0], "received_bytes": received - before[1]}

    def _begin(self, seen: SeenRound) -> None:
        self._clock = monotonic()
        self._carried = _carried(self._traffic)
        self._interval_s = PUBLISH_INTERVAL_S
        self._seen = seen
        self.newest = Round(round=seen.round, label=seen.label, started_at=time())
        num_rounds = self._book.run(self._run_id).num_rounds
        if num_rounds is not None and seen.round > num_rounds:
            self._log.info("the app goes on after its %d rounds", num_rounds)
            self._book.update(self._run_id, num_rounds=None)

    def _get(self, seen: SeenRound) -> Round:
        """A round's record; that of the newest may be newer than what was published."""
        return self.newest if seen is self._seen else self._book.round(self._run_id, seen.round)

    def _put(self, seen: SeenRound, record: Round) -> None:
        """Replace a round's record, and publish it."""
        if seen is self._seen:
            self.newest = record
            self.publish()
        else:
            self._book.put_round(self._run_id, record)

    def _summed_up(self, place: Place, record: Round) -> Round:
        return record.changed(**summed_up(place.round, place.stage, record, self._shares))


def _carried(traffic: Traffic | None) -> tuple[int, int]:
    """Bytes sent and received so far."""
    return (0, 0) if traffic is None else (traffic.sent, traffic.received)


def _size(record: Round) -> int:
    """Numbers in a record, roughly: clients have as many as the first of them."""
    first = next(iter(record.per_client.values()), None)
    return 0 if first is None else len(record.per_client) * len(first.metrics)
