"""ActiveRun: the run that is being executed. It owns the grid on which its ServerApp runs."""

from __future__ import annotations

from collections.abc import Sequence

from flwr.app import Context, RecordDict

from app.federation.engines.engine import Engine
from app.federation.engines.making import engine_of
from app.federation.engines.unjudged import Unjudged
from app.federation.grid.link_grid import LinkGrid
from app.federation.link.server import LinkServer
from app.federation.rounds.numbered import NumberedRounds
from app.federation.rounds.recognition import AppRounds
from app.federation.rounds.seen import Rounds
from app.federation.runs.engine_membership import EngineMembership
from app.federation.runs.kind import RunKind, RunParts
from app.federation.runs.membership import Membership
from app.federation.runs.run_status import RunStatus
from app.federation.runs.services import Services
from app.federation.runs.tracker import RoundTracker
from app.records import Run, RunState, WaitingFor
from shared.flower import SERVER_NODE_ID, identify_server_task


class ActiveRun:
    """Puts the parts of one run together, and answers for them to the grid: it is its grid's Owner.

    Lives in the run thread; others use `grid`'s commands only.
    """

    def __init__(self, run: Run, services: Services, kind: RunKind) -> None:
        """Raises StoreUnavailable."""
        self.run_id = run.id
        self._services = services
        self._kind = kind
        self._deadline_s = run.spec.round_timeout_s
        shown = RunStatus(run.id, services.book)
        rounds: Rounds = NumberedRounds() if run.spec.app is None else AppRounds()
        link, self._engine = services.link, engine_of(run, services.data_dir, services.superlink)
        carrier: LinkServer | Engine = self._engine or link
        tracker = RoundTracker(run.id, services.book, link.note, kind.read, rounds, carrier.traffic)
        observer = tracker if self._engine is None else Unjudged(tracker)
        self.grid = LinkGrid(carrier, int(run.id, 16), self, observer, kind.open_reply)
        self.parts = RunParts(
            shown=shown,
            membership=Membership(
                run,
                kind.run_config,
                shown,
                services.book,
                services.link,
                services.registry,
                services.store,
            )
            if self._engine is None
            else EngineMembership(run, self._engine, shown, services.book),
            tracker=tracker,
            grid=self.grid,
        )

    def execute(self) -> None:
        """Run the ServerApp. Raises whatever ends it early."""
        if self._engine is None:
            self._services.link.post(self._listen)
        else:
            self._engine.start(self.grid.membership_changed, self.grid.fail)
        identify_server_task(self.grid.run.run_id)
        context = Context(
            run_id=self.grid.run.run_id,
            node_id=SERVER_NODE_ID,
            node_config={"data-dir": str(self._services.data_dir)},
            state=RecordDict(),
            run_config=self._kind.run_config.copy(),
        )
        try:
            self._kind.call_server_app(self.parts, context)
        except BaseException:
            self.parts.tracker.cut()
            raise
        self.goes_on()  # whatever it waited for last
        self.parts.tracker.close()

    def close(self) -> None:
        """Let go of the clients."""
        self.grid.end("the run is over")
        if self._engine is not None:
            run = self._services.book.get(self.run_id)
            self._engine.close(completed=run is not None and run.state is RunState.COMPLETED)
            return
        self._services.link.end_run(self.grid.run.run_id)
        self._services.link.post(self._services.registry.off_membership, self.grid.membership_changed)
        self.parts.membership.dismiss()

    # app.federation.grid.owner.Owner

    def admit(self) -> Sequence[str]:
        """Let in the clients that may take part, and tell each its part; returns the ids of all that have
        one."""
        self._kind.looks_for_clients(self.parts)
        return self.parts.membership.admit()

    def sending(self) -> None:
        """Messages go out: the run waits for nobody."""
        self._kind.sends()
        self.goes_on()

    def membership_changed(self) -> None:
        """A client has come or gone."""
        self.parts.membership.explain()

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """As the run's kind has it."""
        return self._kind.largest_reply(kind, sent_bytes)

    def deadline_s(self, kind: str) -> float | None:
        """The run's deadline holds for each phase of a round."""
        return self._deadline_s

    def required(self, kind: str, asked: int, declined: int) -> int:
        """As the run's kind has it."""
        return self._kind.required(kind, asked, declined, self.parts.membership.size)

    def least(self, kind: str, asked: int, declined: int) -> int:
        """As the run's kind has it."""
        return self._kind.least(kind, asked, declined, self.parts.membership.size)

    def cohort(self, asked: int) -> int:
        """As the run's kind has it."""
        return self._kind.cohort(asked, self.parts.membership.size)

    def can_start_over(self, kind: str) -> bool:
        """With whoever is there, if the run's kind can."""
        return self._kind.can_start_over(kind) and self.parts.membership.are_enough()

    def waits(self, waiting_for: WaitingFor) -> None:
        """The run waits, and for what."""
        self.parts.shown.waits(waiting_for)

    def goes_on(self) -> None:
        """The run waits no longer."""
        self.parts.shown.goes_on()

    def paused(self) -> None:
        """The run is held."""
        self._kind.held(True)
        self.parts.shown.paused()

    def resumed(self) -> None:
        """The run goes on as it was."""
        self.parts.shown.resumed()
        self._kind.held(False)

    def _listen(self) -> None:
        """In the link thread: hear of clients from now on, and of those that came just before."""
        self._services.registry.on_membership(self.grid.membership_changed)
        self.grid.membership_changed()
