"""How long a server takes to answer REST, measured while something goes on."""

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
    most_ms: float
    """What 95 of 100 took at most."""
    worst_ms: float

    def __str__(self) -> str:
        return (
            f"{self.answers} answers, median {self.median_ms:.1f} ms, "
            f"95% within {self.most_ms:.1f} ms, worst {self.worst_ms:.1f} ms"
        )


class Measured:
    """Asks again and again for the status, in a thread; a context manager, after which `latency` is known."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._is_over = threading.Event()
        self._seconds: list[float] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Measured:
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
