"""AppNumbers: what the numbers of another Flower app come to, over all rounds of a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from app.federation.rounds.known_metrics import MAX_METRICS, Numbers, finite_numbers, loss_of, shown
from app.federation.rounds.seen import Rounds
from app.federation.rounds.shares import Shares
from app.federation.rounds.summary import SERVER
from app.federation.runs.book import RunBook
from app.federation.runs.round_records import RoundRecords
from app.records import GlobalScore

NoteClient = Callable[..., None]
"""`note(client_id, **changes)`: changes what the client registry says of a client."""


class AppNumbers:
    """Takes what the ServerApp computes, and corrects what was shown. Used in the run thread.

    Whether accuracies are shares or percentages shows over time, of all rounds at once.
    """

    def __init__(
        self,
        run_id: str,
        book: RunBook,
        rounds: Rounds,
        records: RoundRecords,
        shares: Shares,
        note_client: NoteClient,
    ) -> None:
        self._run_id = run_id
        self._book = book
        self._rounds = rounds
        self._records = records
        self._shares = shares
        self._note_client = note_client
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})
        self._has_left_out = False
        self._final: Numbers = {}

    def evaluated(self, number: int | None, metrics: Mapping[str, object]) -> None:
        """The ServerApp evaluated the global model."""
        numbers = self._shown(metrics)
        seen = self._rounds.evaluated(number)
        if seen is None:
            self._log.info("the app starts over with a model that it evaluated as %s", numbers)
            return
        self._records.see(seen)
        if not numbers:
            return
        are_others = self._shares.note(SERVER, numbers)
        self._final = {**self._records.server_numbers(seen), **numbers}
        self._records.put_score(seen, self._final, self._score())
        self._show_final()
        if are_others:
            self.correct()

    def aggregated(self, kind: str, number: int | None, metrics: Mapping[str, object]) -> None:
        """The app's strategy made one result of the replies to messages of a kind."""
        numbers = self._shown(metrics)
        place = self._rounds.aggregated(kind, number)
        if place is None or not numbers:
            return
        are_others = self._shares.note(place.stage.name, numbers)
        place.stage.aggregated.update(numbers)
        self._records.put_aggregate(place)
        if are_others:
            self.correct()

    def correct(self) -> None:
        """Read all accuracies of the run anew."""
        self._records.correct()
        for client_id, part in self._records.newest.per_client.items():
            if part.accuracy is not None:
                self._note_client(client_id, accuracy=part.accuracy)
        self._show_final()

    def say_what_is_left_out(self, count: int) -> None:
        """So many numbers of one result are not shown, which is said once."""
        if count and not self._has_left_out:
            self._has_left_out = True
            self._log.warning(
                "%d numbers of one result are not shown: of each result, %d are", count, MAX_METRICS
            )

    def _score(self) -> GlobalScore:
        accuracy = self._shares.of_stage(SERVER, self._final)
        return GlobalScore(loss=loss_of(SERVER, self._final), accuracy=accuracy)

    def _show_final(self) -> None:
        score = self._score()
        if score.loss is not None or score.accuracy is not None:
            self._book.update(self._run_id, final=score)

    def _shown(self, metrics: Mapping[str, object]) -> dict[str, float]:
        numbers, left_out = shown(finite_numbers(metrics))
        self.say_what_is_left_out(left_out)
        return numbers
