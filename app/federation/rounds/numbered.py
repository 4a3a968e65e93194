"""NumberedRounds: the rounds of the built-in ServerApp, which begin, start over and end as it says."""

from __future__ import annotations

from collections.abc import Sequence

from app.federation.rounds.seen import Asked, Place, Rounds, SeenRound


class NumberedRounds(Rounds):
    """A message's number is its round."""

    end_by_word = True

    def sent(self, batch: Sequence[Asked]) -> list[Place]:
        """One stage, of the round that the messages name."""
        first = batch[0]
        round_ = self._round(first.number)
        stage = round_.newest(first.message_type) or round_.begin_stage(first.message_type)
        stage.ask([asked.client_id for asked in batch])
        return [Place(round_, stage)] * len(batch)

    def evaluated(self, number: int | None) -> SeenRound:
        """The round of that number."""
        return self._round(number)

    def aggregated(self, kind: str, number: int | None) -> Place | None:
        """Its strategies fold in each reply as it comes, and tell of nothing else."""
        return None

    def _round(self, number: int | None) -> SeenRound:
        if self.open is None:
            return self.begin(number or 0)
        return self.open if number in (None, self.open.round) else self.begin(number or 0)
