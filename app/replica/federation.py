"""Federation: the process that a dashboard shows, as it is asked over HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from app.auth.identity import Credential, Identity
from app.auth.replica_key import FOR_ANOTHER_HEADER, KEY_HEADER
from app.event_log.messages import PREFIX, Following, Pulse, PulseAnswer, Recognised
from app.events import Event
from app.replica.pinned import trust
from app.replica.shares import Shares
from shared.errors import FedLoomError

CONNECT_S = 3.0
ANSWER_S = 10.0
"""For a question of the dashboard's own."""

PASSED_ON = 256
"""Requests that are passed on at once. They take no connection from the dashboard's own questions, and those
that ask who somebody is take none from those that ask how the federation is."""

RECOGNISED = 32
OWN = 8

STREAMS_OF_ONE = 64
"""Large or endless answers that go to one address at once, so that the others have theirs."""

M = TypeVar("M", bound=BaseModel)


class FederationAway(FedLoomError):
    """The federation does not answer, or not as it should."""


class LogGone(Exception):
    """The federation does not have these events any more, or has started again."""


class Federation:
    """Any thread asks."""

    def __init__(self, url: str, key: str, certificate: Path | None = None) -> None:
        """`key`: the secret that both have. `certificate`: the only one that is accepted of it, in PEM; None:
        any that authorities vouch for. Raises SettingsInvalid."""
        self.url = url
        self.streams = Shares(STREAMS_OF_ONE)
        trusted = trust(certificate)
        self._passing_on = _client(url, trusted, PASSED_ON, {KEY_HEADER: key, FOR_ANOTHER_HEADER: "1"})
        self._recognising = _client(url, trusted, RECOGNISED, {KEY_HEADER: key})
        self._own = _client(url, trusted, OWN, {KEY_HEADER: key})

    def close(self) -> None:
        """Let go of the connections."""
        for each in (self._passing_on, self._recognising, self._own):
            each.close()

    def request(self, method: str, path: str, *, timeout_s: float, **parts: Any) -> httpx.Request:
        """One that is passed on, to be sent by `send`; the key is in it. `path`: quoted. Raises
        httpx.InvalidURL."""
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)
        return self._passing_on.build_request(method, path, timeout=timeout, **parts)

    def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer; whoever asked reads the rest, and closes it. Raises httpx.HTTPError."""
        return self._passing_on.send(request, stream=True)

    def snapshot(self) -> str:
        """What a page starts from, as JSON. Raises FederationAway."""
        return self._ask("GET", "/snapshot").text

    def recent(self) -> tuple[Event, ...]:
        """The newest events. Raises FederationAway."""
        return _read(Following, self._ask("GET", "/recent")).events

    def events(self, instance: str, after: int, wait_s: float) -> tuple[Event, ...]:
        """Those after a number, once there are any; after `wait_s` none. Raises FederationAway, LogGone."""
        asked = {"instance": instance, "since": after, "wait_s": wait_s}
        return _read(Following, self._ask("GET", "/events", params=asked)).events

    def pulse(self, credentials: Sequence[Credential]) -> PulseAnswer:
        """How it is. Raises FederationAway."""
        body = Pulse(credentials=tuple(credentials)).model_dump_json()
        return _read(PulseAnswer, self._ask("POST", "/pulse", content=body))

    def identity(self, headers: Mapping[str, bytes]) -> Identity | None:
        """Whose request it is that has these headers; None: nobody's who is known. Raises FederationAway."""
        answer = self._ask("GET", "/identity", by=self._recognising, headers=headers)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return None
        return _read(Recognised, answer).identity

    def _ask(self, method: str, path: str, by: httpx.Client | None = None, **parts: Any) -> httpx.Response:
        try:
            answer = (by or self._own).request(method, f"{PREFIX}{path}", **parts)
        except httpx.HTTPError as error:
            raise FederationAway(f"The federation at {self.url} cannot be reached: {error}.") from error
        match answer.status_code:
            case HTTPStatus.GONE:
                raise LogGone
            case HTTPStatus.OK | HTTPStatus.UNAUTHORIZED:
                return answer
            case HTTPStatus.FORBIDDEN:
                raise FederationAway(
                    f"The federation at {self.url} does not know this dashboard: both must have the same "
                    "secret (--replica-key)."
                )
            case HTTPStatus.NOT_FOUND:
                raise FederationAway(
                    f"The server at {self.url} is no federation of this version: start it with "
                    "--role federation."
                )
        raise FederationAway(f"The federation at {self.url} answered {answer.status_code}.")


def _read(model: type[M], answer: httpx.Response) -> M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise FederationAway(
            "The federation's answer cannot be read: federation and dashboards must be of the same version."
        ) from error


def _client(url: str, trusted: ssl.SSLContext, connections: int, headers: dict[str, str]) -> httpx.Client:
    made = httpx.Client(
        base_url=url,
        headers=headers,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one caller's are never sent for another
        timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=connections),
        trust_env=False,  # a proxy for the web has no business between the two
        verify=trusted,
    )
    for name in ("Accept", "Accept-Encoding", "User-Agent"):  # the library's own, of no caller's
        del made.headers[name]
    return made
