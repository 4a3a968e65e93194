"""SiteApp: an app that a client answers messages with, behind the policy of its site."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from client.runtime import LocalApp, Place
from client.site.confirmations import Confirmations, ConfirmationUnusable
from client.site.policy import Policy
from client.site.round_count import CountUnusable, RoundCount
from client.site.rules import Declined, RunFacts, objection
from client.site.terminal import Terminal
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.errors import Cancelled, WireError
from shared.flower import decode_envelope
from shared.flower_app import FlowerApp

LOOK_S = 0.5
"""How often it is looked whether somebody has confirmed a run in another process."""

log = logging.getLogger(__name__)


class SiteApp:
    """As `client.runtime.LocalApp` has it; asks the policy before the app sees a message.

    Only what the policy lets pass reaches the app. Another raises Declined, as the app does at the end of a
    privacy budget.
    """

    def __init__(
        self,
        app: LocalApp,
        policy: Policy,
        flower_app: FlowerApp | None,
        rounds: RoundCount,
        confirmations: Confirmations,
        server: Callable[[], str],
        terminal: Terminal | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`flower_app`: what the client runs; None: the built-in app. `server`: the id of the key of the
        server that it is connected to."""
        self._app = app
        self._policy = policy
        self._flower_app = flower_app
        self._rounds = rounds
        self._confirmations = confirmations
        self._server = server
        self._terminal = terminal or Terminal()
        self._clock = clock
        self._run: RunFacts | None = None
        self._run_id = 0
        self._waited: dict[str, float] = {}
        """When the first message of a run began to wait for somebody, by the run's digest."""
        self._untrained: Declined | None = None
        """Why the app has not trained, where it was to do so last."""
        self._wake = threading.Condition()
        self._is_closed = False

    # in the runtime's thread

    def begin(self, place: Place) -> None:
        """As LocalApp has it."""
        app = self._flower_app
        self._run, self._run_id = None, place.run_id
        self._untrained = None
        self._run = RunFacts(
            server=self._server(),
            run=f"{place.run_id:08x}",
            clients=place.clients,
            config=tuple(sorted(place.run_config.items())),
            **({} if app is None else {"app": app.digest, "app_name": f"{app.name} {app.version}"}),
        )
        self._app.begin(place)

    def answer(self, work: Work) -> Serialised:
        """As LocalApp has it. Raises Declined where the site takes no part."""
        message = decode_envelope(work.payload).metadata
        if self._run is None or message.run_id != self._run_id:
            raise WireError("The server sent a message of a run in which it gave this client no place.")
        self._require(self._run, work, message.message_type)
        return self._answered_by_app(work, is_training=message.message_type.partition(".")[0] == "train")

    def _answered_by_app(self, work: Work, *, is_training: bool) -> Serialised:
        """Its reply; or that it declines to train, for then nothing else leaves either, before it does."""
        if self._untrained is not None and not is_training:
            raise self._untrained
        try:
            reply = self._app.answer(work)
        except Declined as declined:
            self._untrained = declined
            raise
        self._untrained = None
        return reply

    def end_run(self) -> None:
        """As LocalApp has it."""
        self._run = None
        self._waited.clear()
        self._terminal.let_go()
        self._app.end_run()

    def make_ready(self) -> None:
        """As LocalApp has it."""
        self._app.make_ready()

    # in any thread

    def cancel(self, work: Work) -> None:
        """As LocalApp has it."""
        self._look_again()
        self._app.cancel(work)

    def abandon(self) -> None:
        """As LocalApp has it."""
        self._look_again()
        self._app.abandon()

    def pause(self, paused: bool) -> None:
        """As LocalApp has it."""
        self._app.pause(paused)

    def close(self) -> None:
        """As LocalApp has it."""
        self._is_closed = True
        self._look_again()
        self._app.close()

    def _look_again(self) -> None:
        with self._wake:
            self._wake.notify_all()

    # the decision

    def _require(self, run: RunFacts, work: Work, message_type: str) -> None:
        """Raise Declined unless the site takes part; what is counted is counted."""
        if (declined := objection(self._policy, run, work.cohort)) is not None:
            raise declined
        try:
            self._require_rounds_left(run, message_type)
            if self._policy.confirm:
                self._require_word(run, work)
            if self._policy.rounds_a_day is not None:
                self._rounds.add(run.run, message_type)
        except (CountUnusable, ConfirmationUnusable) as error:
            log.error("%s", error)
            rule = "rounds_a_day" if isinstance(error, CountUnusable) else "confirm"
            raise Declined(rule, f"{rule} is given, and what is kept for it there cannot be used") from error

    def _require_rounds_left(self, run: RunFacts, message_type: str) -> None:
        limit = self._policy.rounds_a_day
        if limit is not None and self._rounds.after(run.run, message_type) > limit:
            raise Declined("rounds_a_day", f"rounds_a_day = {limit}, and today there were so many")

    def _require_word(self, run: RunFacts, work: Work) -> None:
        """Wait for a person's word, as long as the policy has it and the server waits for the reply."""
        self._confirmations.ask(run)
        if (yes := self._confirmations.answer_to(run)) is None:
            yes = self._wait_for_word(run, work)
        if yes is None:
            raise Declined("confirm", f"confirm = true, and nobody has confirmed run {run.run} there so far")
        if not yes:
            raise Declined("confirm", f"confirm = true, and run {run.run} was declined there by hand")

    def _wait_for_word(self, run: RunFacts, work: Work) -> bool | None:
        began = self._waited.setdefault(run.digest, self._clock())
        ends = began + 60 * self._policy.confirm_minutes
        if self._clock() >= ends:
            return None
        self._say_what_is_asked(run)
        work.held(work.message_id, f"run {run.run} waits to be confirmed by hand at this site")
        try:
            while (yes := self._confirmations.answer_to(run)) is None and self._clock() < ends:
                with self._wake:
                    if work.cancelled.is_set() or self._is_closed:
                        self._terminal.let_go()
                        raise Cancelled("it is no longer wanted")
                    self._wake.wait(LOOK_S)
        finally:
            work.held(work.message_id, "")
        if yes is not None:  # else a later word counts as well, for the next message
            self._terminal.let_go()
        return yes

    def _say_what_is_asked(self, run: RunFacts) -> None:
        log.warning(
            "run %s waits to be confirmed: `python -m client.confirm %s`, or with --decline", run.run, run.run
        )
        if self._terminal.is_there:
            self._terminal.ask(
                f"This client is asked to take part in {run}. Confirm it?",
                lambda yes: self._answered(run, yes),
            )

    def _answered(self, run: RunFacts, yes: bool) -> None:
        """In the terminal's thread."""
        try:
            self._confirmations.answer(run.run, yes=yes)
        except ConfirmationUnusable as error:
            log.error("%s", error)
        self._look_again()
