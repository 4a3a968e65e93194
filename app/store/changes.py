"""What a batch of events changes in the database, compared with what is known to be in it already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.events import Event
from app.records import (
    Cause,
    Client,
    ClientGone,
    ClientRound,
    ClientState,
    Judgement,
    LogRecord,
    MembershipState,
    Round,
    RoundUpdate,
    Run,
    RunGone,
)
from app.store.rows import (
    CLIENT_FIELDS,
    client_round_row,
    client_row,
    log_row,
    round_row,
    run_row,
    verdict_row,
)
from app.store.salvage import Row

RoundKey = tuple[str, int]

OF_THE_MOMENT = {
    **{name: info.default for name, info in Client.model_fields.items() if name not in CLIENT_FIELDS},
    "state": ClientState.LOST,
    "last_seen": 0.0,
}
"""What of a client changes all the time, with the values that stand for it when clients are compared."""


@dataclass
class Changes:
    """Rows to write in one transaction, and what is known once they are written."""

    runs: list[Row] = field(default_factory=list)
    gone_runs: list[str] = field(default_factory=list)
    """Ids; what else there is of them in the same batch is left out."""
    rounds: list[Row] = field(default_factory=list)
    begun_rounds: list[Row] = field(default_factory=list)
    """Rounds of which nothing is known: what the database has of their clients goes first."""
    gone_client_rounds: list[Row] = field(default_factory=list)
    client_rounds: list[Row] = field(default_factory=list)
    clients: list[Row] = field(default_factory=list)
    labels: list[Row] = field(default_factory=list)
    """Label counts of clients, each of the run in which it told them."""
    gone_clients: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    logs: list[Row] = field(default_factory=list)
    verdicts: list[Row] = field(default_factory=list)
    known: Known = field(default_factory=lambda: Known())

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return any(
            (
                self.runs,
                self.gone_runs,
                self.rounds,
                self.client_rounds,
                self.clients,
                self.labels,
                self.gone_clients,
                self.events,
                self.logs,
                self.verdicts,
            )
        )


@dataclass
class Known:
    """The newest that is known to be in the database."""

    runs: dict[str, Run] = field(default_factory=dict)
    rounds: dict[str, Round] = field(default_factory=dict)
    """Of each run, the round that was written last: the one that is still changing."""
    clients: dict[str, Client] = field(default_factory=dict)
    labels: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    """Of each client, the last run in which it told its label counts, and these."""
    states: dict[tuple[type[Run] | type[Client], str], str] = field(default_factory=dict)
    """The last state of which an event tells."""
    completed: dict[str, int] = field(default_factory=dict)
    """Of each run, the last round of which an event tells that it is complete. One may change after that."""

    def add(self, newer: Known) -> None:
        """Take over what is known since."""
        self.runs |= newer.runs
        self.rounds |= newer.rounds
        self.clients |= newer.clients
        self.labels |= newer.labels
        self.states |= newer.states
        self.completed |= newer.completed

    def forget_run(self, run_id: str) -> None:
        """It was deleted."""
        self.runs.pop(run_id, None)
        self.rounds.pop(run_id, None)
        self.completed.pop(run_id, None)
        self.states.pop((Run, run_id), None)

    def forget_rows(self) -> None:
        """Nothing is certain any more: what comes next is written whole."""
        self.runs.clear()
        self.rounds.clear()
        self.clients.clear()
        self.labels.clear()


def changes_of(events: Sequence[Event], known: Known) -> Changes:
    """The last update of each run, round and client wins; ticks (progress, signs of life) change nothing."""
    changes = Changes()
    runs: dict[str, tuple[int, Run]] = {}
    rounds: dict[RoundKey, Event] = {}
    clients: dict[str, Client] = {}
    gone: set[str] = set()
    for event in events:
        match event.data:
            case Run() as run:
                runs[run.id] = (runs[run.id][0] if run.id in runs else event.seq, run)
                _note_state(changes, known, event, run)
            case RunGone(id=run_id):
                runs.pop(run_id, None)
                rounds = {key: event for key, event in rounds.items() if key[0] != run_id}
                known.forget_run(run_id)
                changes.known.forget_run(run_id)
                changes.gone_runs.append(run_id)
                changes.events.append(_event_row(event, run_id, None, {}))
            case RoundUpdate(run_id=run_id, round=round_):
                rounds.pop((run_id, round_.round), None)
                rounds[run_id, round_.round] = event
            case Client() as client:
                clients[client.id] = client
                _note_labels(changes, known, client)
                _note_state(changes, known, event, client)
            case ClientGone(id=client_id):
                clients.pop(client_id, None)
                known.clients.pop(client_id, None)  # if it comes again, it is written again
                gone.add(client_id)
            case LogRecord() as record:
                changes.logs.append(log_row(event.seq, event.time, record))
            case Judgement() as judgement:
                changes.verdicts.append(verdict_row(event.seq, judgement))
    _add_runs(changes, known, runs)
    _add_rounds(changes, known, rounds)
    _add_clients(changes, known, clients)
    changes.gone_clients += [{"id": client_id} for client_id in sorted(gone)]
    return changes


def _note_state(changes: Changes, known: Known, event: Event, subject: Run | Client) -> None:
    """Enter a change of state into the history."""
    if isinstance(subject, Client) and subject.membership is MembershipState.PENDING:
        return  # anybody can be that, under any number of names
    key = (type(subject), subject.id)
    state = subject.state.value if isinstance(subject, Run) else _presence(subject)
    before = changes.known.states.get(key) or known.states.get(key)
    if state == before:
        return
    changes.known.states[key] = state
    is_run = isinstance(subject, Run)
    data = {"state": state, "reason": subject.reason, **({"round": subject.round} if is_run else {})}
    changes.events.append(_event_row(event, subject.id, subject.id if is_run else None, data))


def _note_labels(changes: Changes, known: Known, client: Client) -> None:
    """Keep label counts with the run that they are of: the client's next run replaces them in its own row."""
    if client.run is None or client.label_counts is None:
        return
    told = client.run, client.label_counts
    if told != (changes.known.labels.get(client.id) or known.labels.get(client.id)):
        changes.known.labels[client.id] = told
        row = {"run_id": client.run, "client_id": client.id, "label_counts": list(client.label_counts)}
        changes.labels.append(row)


def _presence(client: Client) -> str:
    """Of a client's states those that are news: not each of the tasks that it does in every round."""
    if client.membership is not MembershipState.ADMITTED:
        return client.membership.value
    return client.state.value if client.state in (ClientState.LOST, ClientState.LATE) else "connected"


def _event_row(event: Event, subject: str, run_id: str | None, data: Row) -> Row:
    return {
        "seq": event.seq,
        "time": event.time,
        "type": event.type,
        "subject": subject,
        "run_id": run_id,
        "data": data,
    }


def _add_runs(changes: Changes, known: Known, runs: dict[str, tuple[int, Run]]) -> None:
    for run_id, (seq, run) in runs.items():
        if run.cause is Cause.RECORD:
            continue  # what is there says more than what could be read of it
        kept = run if run.progress is None else run.model_copy(update={"progress": None})
        if kept != known.runs.get(run_id):
            changes.runs.append(run_row(kept, seq))
            changes.known.runs[run_id] = kept


def _add_clients(changes: Changes, known: Known, clients: dict[str, Client]) -> None:
    for client_id, client in clients.items():
        if client.membership is MembershipState.PENDING:
            continue
        kept = client.model_copy(update=OF_THE_MOMENT)
        if kept != known.clients.get(client_id):
            changes.clients.append(client_row(client))
            changes.known.clients[client_id] = kept


def _add_rounds(changes: Changes, known: Known, rounds: dict[RoundKey, Event]) -> None:
    for (run_id, number), event in sorted(rounds.items(), key=lambda item: item[0]):
        assert isinstance(event.data, RoundUpdate)
        round_ = event.data.round
        if round_.unreadable is not None:
            continue
        before = changes.known.rounds.get(run_id) or known.rounds.get(run_id)
        if before is not None and before.round != number:
            before = None
        if round_ == before:
            continue
        changes.known.rounds[run_id] = round_
        changes.rounds.append(round_row(run_id, round_))
        if before is None:
            changes.begun_rounds.append({"run_id": run_id, "round": number})
        else:
            gone = before.per_client.keys() - round_.per_client.keys()
            changes.gone_client_rounds += [_client_key(run_id, number, client_id) for client_id in gone]
        changes.client_rounds += [
            client_round_row(run_id, number, client_id, part)
            for client_id, part in _changed_parts(before, round_)
        ]
        if round_.complete and _is_news(changes, known, run_id, number):
            changes.known.completed[run_id] = number
            changes.events.append(_event_row(event, run_id, run_id, _summary(round_)))


def _is_news(changes: Changes, known: Known, run_id: str, number: int) -> bool:
    """Whether it is news that a round is complete."""
    last = changes.known.completed.get(run_id, known.completed.get(run_id))
    return last is None or number > last


def _changed_parts(before: Round | None, after: Round) -> Iterator[tuple[str, ClientRound]]:
    known = before.per_client if before else {}
    for client_id, part in after.per_client.items():
        before_it = known.get(client_id)
        if before_it is not part and before_it != part:  # most often it is the very same object
            yield client_id, part


def _client_key(run_id: str, number: int, client_id: str) -> Row:
    return {"run_id": run_id, "round": number, "client_id": client_id}


def _summary(round_: Round) -> Row:
    return {
        "round": round_.round,
        "loss": round_.loss,
        "accuracy": round_.accuracy,
        "clients": round_.clients,
    }
