"""Known: who is at a dashboard's sockets, as the federation says.

The federation alone knows users, sessions and tokens. A dashboard asks whose a request is, and every second
whether all those still are who they were. What was not confirmed for some seconds does not hold any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus

from flask import Request, Response

from app.api.access import client_address, unauthorized
from app.api.aside import Sleep, outcome_of
from app.api.problems import problem
from app.auth.identity import Credential, Identity
from app.auth.peer import mark_known
from app.auth.roles import Role
from app.auth.secret import hash_of
from app.replica.federation import Federation, FederationAway

CONFIRMED_S = 10.0
"""For so long a credential holds without the federation's word."""

UNASKED_S = 60.0
"""A credential that nobody here has used for so long is forgotten."""

SHOWN = ("Authorization", "Cookie")
"""The headers by which somebody is recognised."""

NOT_READY = "The federation was not reached yet. The page tries again by itself."
LOG_IN = "You are not known here. Log in on the page; a program sends a token: Authorization: Bearer TOKEN."


@dataclass
class _Holder:
    identity: Identity
    confirmed_at: float
    asked_at: float


class Known:
    """Safe from any thread."""

    def __init__(
        self,
        federation: Federation,
        sleep: Sleep,
        is_ready: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sleep`: how a thread of the web server waits. `is_ready`: whether there is something to show."""
        self._is_ready = is_ready
        self._federation = federation
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._holders: dict[Credential, _Holder] = {}
        self._credentials: dict[str, Credential] = {}
        self._asking: dict[str, Future[Identity | None]] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Changes whenever somebody may have lost what they had."""
        return self._version

    # at the sockets

    def identify(self, incoming: Request) -> Identity | None:
        """Whose request it is, whose connection is kept from now on; None: nobody's who is known. Raises
        FederationAway."""
        identity = self._identify(incoming)
        if identity is not None:
            mark_known(incoming.environ)
        return identity

    def _identify(self, incoming: Request) -> Identity | None:
        headers = {name: incoming.headers[name] for name in SHOWN if name in incoming.headers}
        if not headers:
            return None  # not even of the user who started the federation: this is another process
        mark = hash_of("\n".join(headers.get(name, "") for name in SHOWN))
        with self._lock:
            credential = self._credentials.get(mark)
        # The same secret is the same credential, as long as that holds, as the federation says every second.
        if credential is not None and (identity := self.identity(credential)) is not None:
            return identity
        sent = {name: value.encode("latin-1") for name, value in headers.items()}  # as it came
        return self._asked(mark, {**sent, "X-Forwarded-For": client_address(incoming).encode()})

    def _asked(self, mark: str, headers: Mapping[str, bytes]) -> Identity | None:
        """What the federation says; of many requests at once with the same headers, the first one asks."""
        with self._lock:
            asking = self._asking.get(mark)
            is_first = asking is None
            if asking is None:
                asking = self._asking[mark] = Future()
        if is_first:
            threading.Thread(target=self._ask, args=(mark, headers, asking), name="who", daemon=True).start()
        return outcome_of(self._sleep, asking)

    def _ask(self, mark: str, headers: Mapping[str, bytes], asking: Future[Identity | None]) -> None:
        try:
            identity = self._federation.identity(headers)
        except Exception as error:  # noqa: BLE001 - the edge of the thread, told to whoever waits
            with self._lock:
                self._asking.pop(mark, None)
            asking.set_exception(error)
            return
        with self._lock:
            self._asking.pop(mark, None)
            if identity is not None:
                now = self._clock()
                self._holders[identity.credential] = _Holder(identity, now, now)
                self._credentials[mark] = identity.credential
        asking.set_result(identity)

    def identity(self, credential: Credential) -> Identity | None:
        """Whose a credential is as of now; None once it does not hold, or was not confirmed for long."""
        now = self._clock()
        with self._lock:
            holder = self._holders.get(credential)
            if holder is None or now - holder.confirmed_at > CONFIRMED_S:
                return None
            holder.asked_at = now
            return holder.identity

    def socket_refusal(self, incoming: Request, needed: Role) -> Response | None:
        """Why a request of Socket.IO is not let in; None: it is."""
        try:
            identity = self.identify(incoming)
        except FederationAway as error:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        if not self._is_ready():
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_READY)
        if identity is None:
            return unauthorized(LOG_IN)
        if not identity.role.includes(needed):
            return problem(HTTPStatus.FORBIDDEN, f"This takes the role {needed}, and you are {identity}.")
        return None

    # with the federation

    def credentials(self) -> list[Credential]:
        """Those to ask about. The others are forgotten."""
        now = self._clock()
        with self._lock:
            self._holders = {
                credential: holder
                for credential, holder in self._holders.items()
                if now - holder.asked_at < UNASKED_S
            }
            held = self._holders
            self._credentials = {mark: of for mark, of in self._credentials.items() if of in held}
            return list(held)

    def confirm(self, credentials: Sequence[Credential], identities: Sequence[Identity | None]) -> None:
        """What the federation has said of those that it was asked about."""
        now = self._clock()
        with self._lock:
            for credential, identity in zip(credentials, identities, strict=True):
                holder = self._holders.get(credential)
                if holder is None:
                    continue
                if identity is None:
                    del self._holders[credential]
                elif holder.identity != identity:
                    self._holders[credential] = _Holder(identity, now, holder.asked_at)
                else:
                    holder.confirmed_at = now
                    continue
                self._version += 1
