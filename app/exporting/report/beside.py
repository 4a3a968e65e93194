"""What a report tells of a run beside its record and its rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.records import LogEntry, Verdict
from app.store.reader import PastEvent, StoreReader

MOST_EVENTS = 1_000
MOST_LOGS = 200


@dataclass(frozen=True)
class Beside:
    """Of a run: bytes that came in, verdicts by client, changes of its state, and the newest log records from
    warnings on, the last two oldest first."""

    received: int | None = None
    verdicts: Mapping[str, Counter[Verdict]] = field(default_factory=dict)
    events: Sequence[PastEvent] = ()
    logs: Sequence[LogEntry] = ()


NOTHING = Beside()


def beside(store: StoreReader, run_id: str) -> Beside:
    """As the store has it. Raises StoreUnavailable."""
    return Beside(
        received=store.summaries.received([run_id]).get(run_id),
        verdicts=store.summaries.verdicts(run_id),
        events=[each for each in store.events(MOST_EVENTS, run_id=run_id) if each.type == "run_update"],
        logs=store.logs(MOST_LOGS, level="warning", run_id=run_id),
    )
