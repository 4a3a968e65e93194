"""How long a server takes to answer REST, measured while something goes on, beside another that is idle."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass
from types import TracebackType

import httpx

EVERY_S = 0.02


@dataclass(frozen=True)
class Latency:
    """Of the answers of some time, in milliseconds."""

    answers: int
    median_ms: float
    p95_ms: float
    """What 95 of 100 took at most."""
    worst_ms: float

    def __str__(self) -> str:
        return (
            f"{self.answers} answers, median {self.median_ms:.1f} ms, "
            f"95% within {self.p95_ms:.1f} ms, worst {self.worst_ms:.1f} ms"
        )


class Asked:
    """A server that is asked again and again for its status, in a thread; a context manager."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._is_over = threading.Event()
        self._seconds: list[float] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Asked:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._http.close()

    @property
    def answers(self) -> int:
        """How many there were so far."""
        return len(self._seconds)

    @property
    def latency(self) -> Latency:
        """Of all answers so far."""
        taken = sorted(1000 * seconds for seconds in self._seconds)
        return Latency(len(taken), statistics.median(taken), taken[len(taken) * 95 // 100], taken[-1])

    def _ask(self) -> None:
        while not self._is_over.wait(EVERY_S):
            began = time.perf_counter()
            response = self._http.get("/api/v1/status")
            self._seconds.append(time.perf_counter() - began)
            assert response.status_code == 200, response.text


class Measured:
    """Two servers at the same time, of which one has nothing to do: it shows what the machine makes of an
    answer meanwhile. A context manager, after which the latencies are known."""

    def __init__(self, url: str, idle_url: str) -> None:
        self._asked, self._idle = Asked(url), Asked(idle_url)

    def __enter__(self) -> Measured:
        self._idle.__enter__()
        self._asked.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked.__exit__(kind, error, trace)
        self._idle.__exit__(kind, error, trace)

    @property
    def answers(self) -> int:
        """How many there were so far of the server that is looked at."""
        return self._asked.answers

    @property
    def latency(self) -> Latency:
        """Of that one."""
        return self._asked.latency

    @property
    def idle(self) -> Latency:
        """Of the other."""
        return self._idle.latency

    def __str__(self) -> str:
        return f"{self.latency}; of an idle server: {self.idle}"
