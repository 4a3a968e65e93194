"""EngineMembership: who is in an active run whose clients are those of one of Flower's engines."""

from __future__ import annotations

from collections.abc import Sequence

from app.federation.engines.engine import Engine
from app.federation.runs.book import RunBook
from app.federation.runs.membership import WaitUntil
from app.federation.runs.run_status import RunStatus
from app.records import Run, WaitingFor, WaitKind


class EngineMembership:
    """As `app.federation.runs.membership.Membership`, but that nobody is told anything: an engine's clients
    have their parts from it. Used in the run thread."""

    def __init__(self, run: Run, engine: Engine, shown: RunStatus, book: RunBook) -> None:
        self._run = run
        self._engine = engine
        self._shown = shown
        self._book = book
        self.size = 0

    def admit(self) -> Sequence[str]:
        """All that the engine has."""
        clients = tuple(self._engine.clients())
        if self._book.run(self._run.id).clients != clients:
            self._book.update(self._run.id, clients=clients)
        self.size = len(clients)
        return clients

    def are_enough(self) -> bool:
        """Whether a round could start with the clients that are there."""
        return len(self._engine.clients()) >= self._run.spec.min_clients

    def wait(self, wait_until: WaitUntil) -> None:
        """Return once enough clients are there."""
        wait_until(self._can_begin, None)
        self._shown.goes_on()

    def explain(self) -> None:
        """Nothing to do: whoever an engine has takes part."""

    def dismiss(self) -> None:
        """Nothing to do."""

    def _can_begin(self) -> bool:
        if self.are_enough():
            return True
        have, need = len(self._engine.clients()), self._run.spec.min_clients
        self._shown.waits(WaitingFor(kind=WaitKind.ENGINE, have=have, need=need), self._engine.what)
        self._book.update(self._run.id, progress=None)
        return False
