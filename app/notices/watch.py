"""Watch: what of all that happens is worth a notice."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from app.events import ClientEvent, ClientGoneEvent, Event, RoundEvent, RunEvent, RunGoneEvent
from app.records import (
    Client,
    MembershipState,
    RoundUpdate,
    Run,
    RunState,
    WaitKind,
)
from app.records.notices import ClientOfNotice, Notice, NoticeKind, RunOfNotice

NEARLY = 0.9
"""The share of a privacy budget from which on it is nearly spent."""

_ENDS = {
    RunState.COMPLETED: NoticeKind.RUN_COMPLETED,
    RunState.STOPPED: NoticeKind.RUN_STOPPED,
    RunState.FAILED: NoticeKind.RUN_FAILED,
    RunState.INTERRUPTED: NoticeKind.RUN_INTERRUPTED,
}

_ON_CLIENTS = frozenset({WaitKind.CLIENTS, WaitKind.RETURN, WaitKind.REPLIES, WaitKind.RETRY})


class Watch:
    """Follows runs, rounds and clients without a thread or a clock of its own."""

    def __init__(self, server: str, waiting_s: float, runs: Iterable[Run], clients: Iterable[Client]) -> None:
        """What there is already is no news. `waiting_s`: how long a run may wait for clients."""
        self._server = server
        self._waiting_s = waiting_s
        self._states = {run.id: run.state for run in runs}
        self._pending = {client.id: _waiting_keys(client) for client in clients}
        self._waits: dict[str, tuple[float, Run]] = {}
        """Since when a run waits, and as it is now; of those of which nothing was told yet."""
        self._told_of_waiting: set[str] = set()
        self._nearly_spent: set[tuple[str, float]] = set()
        """Budgets of which was told, by client."""

    def take(self, events: Sequence[Event], now: float) -> list[Notice]:
        """What is to be told of these events, and of what has gone on until now."""
        found: list[Notice] = []
        for event in events:
            match event:
                case RunEvent():
                    found += self._of_run(event.data, event.time)
                case RunGoneEvent():
                    self._forget(event.data.id)
                case RoundEvent():
                    found += self._of_round(event.data, event.time)
                case ClientEvent():
                    found += self._of_client(event.data, event.time)
                case ClientGoneEvent():
                    self._pending.pop(event.data.id, None)
        return found + self._of_waiting(now)

    def take_all(self, runs: Iterable[Run], clients: Iterable[Client], now: float) -> list[Notice]:
        """The same of everything as it is now, where it is not known what happened meanwhile."""
        found = [notice for run in runs for notice in self._of_run(run, now)]
        return found + [notice for client in clients for notice in self._of_client(client, now)]

    def _of_run(self, run: Run, at: float) -> list[Notice]:
        before, self._states[run.id] = self._states.get(run.id), run.state
        if run.waiting_for is not None and run.waiting_for.kind in _ON_CLIENTS:
            since, _ = self._waits.get(run.id, (at, run))
            self._waits[run.id] = since, run
        else:
            self._waits.pop(run.id, None)
            self._told_of_waiting.discard(run.id)
        kind = _ENDS.get(run.state)
        if kind is None or before is run.state:
            return []
        return [self._notice(kind, at, _end_in_words(run), run=RunOfNotice.of(run))]

    def _forget(self, run_id: str) -> None:
        self._states.pop(run_id, None)
        self._waits.pop(run_id, None)
        self._told_of_waiting.discard(run_id)

    def _of_waiting(self, now: float) -> list[Notice]:
        found = []
        for run_id, (since, run) in self._waits.items():
            if run_id not in self._told_of_waiting and now - since >= self._waiting_s:
                self._told_of_waiting.add(run_id)
                words = f"Run {_name(run)} has been waiting for {now - since:.0f} s: {run.reason}."
                found.append(self._notice(NoticeKind.RUN_WAITING, now, words, run=RunOfNotice.of(run)))
        return found

    def _of_round(self, update: RoundUpdate, at: float) -> list[Notice]:
        found = []
        for client_id, part in update.round.per_client.items():
            spent, budget = part.epsilon, part.epsilon_budget
            if spent is None or budget is None or spent < NEARLY * budget:
                continue
            if (client_id, budget) in self._nearly_spent:
                continue
            self._nearly_spent.add((client_id, budget))
            words = f"{client_id} has spent an epsilon of {spent:.3g}; its site allows {budget:.3g}."
            who = ClientOfNotice(id=client_id, epsilon=spent, epsilon_budget=budget)
            found.append(self._notice(NoticeKind.BUDGET_NEARLY_SPENT, at, words, client=who))
        return found

    def _of_client(self, client: Client, at: float) -> list[Notice]:
        keys = _waiting_keys(client)
        before, self._pending[client.id] = self._pending.get(client.id, frozenset()), keys
        if not (news := keys - before):
            return []
        words = f"{client.id} at {client.host} waits to be approved as a client."
        who = ClientOfNotice.pending(client, tuple(sorted(news)))
        return [self._notice(NoticeKind.CLIENT_PENDING, at, words, client=who)]

    def test(self, now: float) -> Notice:
        """What an administrator sends to see whether it arrives."""
        return self._notice(NoticeKind.TEST, now, "This is a test: notices of this server arrive here.")

    def _notice(self, kind: NoticeKind, at: float, text: str, **about: Any) -> Notice:
        return Notice(id=uuid.uuid4().hex, event=kind, time=at, text=text, server=self._server, **about)


def _waiting_keys(client: Client) -> frozenset[str]:
    own = {client.key} if client.membership is MembershipState.PENDING and client.key else set()
    return frozenset({*own, *client.waiting_keys})


def _end_in_words(run: Run) -> str:
    what = {
        RunState.COMPLETED: "is complete",
        RunState.STOPPED: "was stopped",
        RunState.FAILED: "has failed",
        RunState.INTERRUPTED: "was interrupted",
    }[run.state]
    rounds = f"round {run.round}" + (f" of {run.num_rounds}" if run.num_rounds else "")
    accuracy = f", accuracy {run.final.accuracy:.1%}" if run.final and run.final.accuracy is not None else ""
    reason = "" if run.state is RunState.COMPLETED or not run.reason else f" {run.reason.rstrip('.')}."
    return f"Run {_name(run)} {what} in {rounds}{accuracy}.{reason}"


def _name(run: Run) -> str:
    return f"{run.name} ({run.id})" if run.name else run.id
