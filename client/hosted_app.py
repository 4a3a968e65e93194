"""Another Flower app's ClientApp, in a process of its own for each run.

The first one is started before the client connects, so that an app that cannot be imported is known at once.
It serves the first run; when that is over it ends, and the next one is started. One that ended in the middle
of a run, whyever, is replaced, and the state that the app had kept with its last reply goes on.
"""

from __future__ import annotations

import logging
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from flwr.app import RecordDict

from client.app_copies import AppCopies
from client.attempts import Attempts
from client.job import Job
from client.link import ClientIdentity
from client.runtime import Place
from client.settings import ClientSettings
from client.work import Work
from shared.app_copy import place_of
from shared.app_host.channel import Pieces
from shared.app_host.codec import encode_records
from shared.app_host.serialised import Serialised
from shared.app_process import AppProcess, Loaded
from shared.error_text import message_of
from shared.errors import AppDied, AppEnded, AppInvalid, Cancelled, WireError
from shared.flower import client_failed, decode_envelope, encode
from shared.flower_app import FlowerApp
from shared.wire import MAX_LOG_TEXT

GRACE_S = 3.0
"""How long an app may go on with a message that nobody waits for any more, and with ending."""
CLOSE_S = 1.0

NO_STATE = encode_records(RecordDict())

log = logging.getLogger(__name__)


def prepare(settings: ClientSettings, app: FlowerApp) -> Job:
    """Start the app's process and have it import the app, whose data is its own affair."""
    log.info("preparing: Flower app %s %s in %s", app.name, app.version, app.folder)
    copies = AppCopies(app, place_of(settings.home, app, settings.client_id))
    hosted = HostedApp(copies.start, copies.say_what_was_written)
    try:
        loaded = hosted.load()
    except AppDied as error:
        raise AppInvalid(f"The ClientApp of the Flower app {app.name} cannot be imported. {error}") from error
    log.info("ready: %s", app.clientapp)
    return Job(
        app=hosted,
        node_config=settings.node_config,
        identity=ClientIdentity(
            client_id=settings.client_id,
            dataset="",
            models=(),
            host=platform.node(),
            device=loaded.device,
            app=app.identity(),
        ),
    )


class HostedApp:
    """An app in a process, as `client.runtime.LocalApp` has it."""

    def __init__(
        self, start: Callable[[], AppProcess], on_run_end: Callable[[], None] = lambda: None
    ) -> None:
        """`start` starts a process for the app; `on_run_end` is called when one has worked for a run."""
        self._start = start
        self._on_run_end = on_run_end
        self._starts = Attempts()
        self._place: Place | None = None
        self._state = NO_STATE
        """As the app had it with its last reply in this run."""
        self._has_begun = False
        """Whether the process has been told its place."""
        self._lock = threading.Lock()
        """Guards what follows, which other threads than the runtime's need."""
        self._process: AppProcess | None = None
        self._work: Work | None = None
        self._is_paused = False
        self._is_closed = False

    def load(self) -> Loaded:
        """Start a process and have it import the app. Raises AppInvalid and AppDied."""
        process = self._start()
        with self._lock:
            self._process, self._has_begun = process, False
            if self._is_closed:
                process.kill()
        loaded = process.load()
        with self._lock:
            if self._is_paused:
                process.pause(True)
        return loaded

    # in the runtime's thread

    def begin(self, place: Place) -> None:
        """Take a place. The process is told with the next message; until then it can serve any run."""
        before, self._place = self._place, place
        if before is None or before.run_id != place.run_id:
            self._state = NO_STATE
        elif place != before == replace(place, clients=before.clients):
            return  # only others came or went, of which the app is told nothing
        if self._has_begun:
            self._tell(place)

    def answer(self, work: Work) -> Serialised:
        """As LocalApp has it. What the app raises, and the end of its process, are answers."""
        message = decode_envelope(work.payload)
        if self._place is None or self._place.run_id != message.metadata.run_id:
            raise WireError("The server sent a message of a run in which it gave this client no place.")
        try:
            return self._ask(self._ready(self._place), work)
        except _Raised as error:  # whose process has logged it, with the traceback
            reason = str(error)
        except (AppDied, AppInvalid) as error:
            if isinstance(error, AppEnded) or work.cancelled.is_set():
                raise Cancelled("it is no longer wanted, and the app's process was ended") from error
            reason = message_of(error)
            log.error("%s failed: %s", message.metadata.message_type, reason)
        return encode(client_failed(message, reason[-MAX_LOG_TEXT:]))

    def end_run(self) -> None:
        """Let the process end in order, if it has had to do with the run."""
        self._place, self._state = None, NO_STATE
        if self._has_begun:
            self._drop(GRACE_S)
            self._on_run_end()

    def make_ready(self) -> None:
        """Replace a process that has ended. If that fails, the next message tries it again."""
        if self._is_gone and not self._is_closed and not self._starts.failed:
            try:
                self._replace()
            except AppEnded:
                log.debug("the app is not needed any more")
            except (AppDied, AppInvalid) as error:
                log.error("the app cannot be loaded again: %s", error)

    # in any thread

    def cancel(self, work: Work) -> None:
        """Give the app some time to finish the message, since all that it has loaded would go with it."""
        with self._lock:
            if work is self._work:
                timer = threading.Timer(GRACE_S, self._kill_if_working_on, (work,))
                timer.daemon = True
                timer.start()

    def abandon(self) -> None:
        """Kill the process if it works: there is no other way to be sure that it stops."""
        with self._lock:
            if self._work is not None and self._process is not None:
                self._process.kill()

    def pause(self, paused: bool) -> None:
        """Stop the process where it is, or let it go on."""
        with self._lock:
            self._is_paused = paused
            if self._process is not None:
                self._process.pause(paused)

    def close(self) -> None:
        """Kill the process, with all that it has started."""
        with self._lock:
            self._is_closed = True
            process = self._process
        if process is not None:
            process.kill()
            process.wait(CLOSE_S)

    # a message

    def _ask(self, process: AppProcess, work: Work) -> Serialised:
        with self._working_on(work):
            pieces = map(Pieces, work.payload.array_pieces())
            process.send("execute", [work.payload.skeleton(), *pieces])
            answer = process.receive()
        match answer.kind, answer.fields:
            case "raised", {"reason": str(reason)}:
                raise _Raised(reason)
            case "reply", {"arrays": int(arrays)} if 0 <= arrays < len(answer.parts):
                skeleton, *parts = answer.parts
                if state := parts[arrays:]:
                    self._state = Serialised(state[0], tuple(state[1:]))
                return Serialised(skeleton, tuple(parts[:arrays]))
        raise process.broken(f"it answered a message with {answer.kind!r} and {len(answer.parts)} parts")

    @contextmanager
    def _working_on(self, work: Work) -> Iterator[None]:
        with self._lock:
            self._work = work
        try:
            if work.cancelled.is_set():
                raise Cancelled("it is no longer wanted")
            yield
        finally:
            with self._lock:
                self._work = None

    def _kill_if_working_on(self, work: Work) -> None:
        with self._lock:
            if work is self._work and self._process is not None:
                self._process.kill()

    # the process

    @property
    def _is_gone(self) -> bool:
        return self._process is None or not self._process.is_alive

    def _ready(self, place: Place) -> AppProcess:
        """The process, which knows its place. Raises AppInvalid and AppDied."""
        if self._is_gone:
            self._replace()
        assert self._process is not None
        if not self._has_begun:
            self._tell(place)
            self._has_begun = True
        return self._process

    def _tell(self, place: Place) -> None:
        assert self._process is not None
        self._process.send(
            "begin",
            self._state.parts,
            run_id=place.run_id,
            node_config=place.node_config,
            run_config=place.run_config,
            threads=place.threads,
        )

    def _replace(self) -> None:
        with self._starts.attempt():
            self._drop(0.0)
            self.load()

    def _drop(self, grace_s: float) -> None:
        with self._lock:
            process, self._process, self._has_begun = self._process, None, False
        if process is not None:
            process.end(grace_s)


class _Raised(Exception):
    """The app raised something, which is in the message with its traceback."""
