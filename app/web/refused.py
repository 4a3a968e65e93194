"""RefusedRequests: counts the requests to the page, REST and the socket that were not let in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CODES: Mapping[str, str] = MappingProxyType(
    {"401": "page-unknown", "403": "page-forbidden", "429": "page-too-often"}
)
"""By the status of the answer, what it is counted as."""


class RefusedRequests:
    """A WSGI application around another."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def counts(self) -> dict[str, int]:
        """How many so far, by the reason's code."""
        with self._lock:
            return dict(self._counts)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, *rest: Any) -> Any:
            if (code := CODES.get(status[:3])) is not None:
                with self._lock:
                    self._counts[code] += 1
            return start_response(status, *rest)

        return self._application(environ, start)
