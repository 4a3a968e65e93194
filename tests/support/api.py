"""The REST API as a person or a script uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from tests.support.waiting import LIMIT_S, wait_until

Json = dict[str, Any]

FINAL = ("completed", "stopped", "failed")


class Api:
    """Talks to one server."""

    def __init__(self, url: str) -> None:
        # no proxy, and the server's certificate may be its own
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False, verify=False)

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str, **query: Any) -> Json:
        """The JSON of a GET below /api/v1 that must succeed."""
        response = self.http.get(f"/api/v1{path}", params=query)
        assert response.status_code == 200, f"GET {path}: {response.status_code} {response.text}"
        answer: Json = response.json()
        return answer

    def start(self, **spec: Any) -> Json:
        """Queue a run."""
        response = self.http.post("/api/v1/runs", json=spec)
        assert response.status_code == 201, response.text
        run: Json = response.json()
        return run

    def stop(self, run_id: str) -> httpx.Response:
        """Ask a run to stop."""
        return self.http.post(f"/api/v1/runs/{run_id}/stop")

    def command(self, run_id: str, command: str) -> Json:
        """Have a run "pause" or "resume", which must be taken; the run as it was answered."""
        response = self.http.post(f"/api/v1/runs/{run_id}/{command}")
        assert response.status_code == 200, response.text
        run: Json = response.json()
        return run

    def run(self, run_id: str) -> Json:
        return self.get(f"/runs/{run_id}")

    def rounds(self, run_id: str) -> list[Json]:
        rounds: list[Json] = self.get(f"/runs/{run_id}/rounds")["rounds"]
        return rounds

    def clients(self) -> dict[str, Json]:
        """Clients by id."""
        return {client["id"]: client for client in self.get("/clients")["clients"]}

    def logs(self, **query: Any) -> list[Json]:
        logs: list[Json] = self.get("/logs", **query)["logs"]
        return logs

    def wait_for_run(self, run_id: str, *states: str, timeout_s: float = LIMIT_S) -> Json:
        """The run, once it is in one of these states. Fails at once if it ends in another."""

        def look() -> Json | None:
            run = self.run(run_id)
            if run["state"] in states:
                return run
            assert run["state"] not in FINAL, f"the run is {run['state']}: {run['reason']}\n{run['error']}"
            return None

        return wait_until(look, f"run {run_id} is {' or '.join(states)}", timeout_s)

    def wait_for_reason(self, run_id: str, beginning: str) -> Json:
        """The run, once it waits with a reason that begins like this."""

        def look() -> Json | None:
            run = self.wait_for_run(run_id, "waiting")
            return run if (run["reason"] or "").startswith(beginning) else None

        return wait_until(look, f"run {run_id} says {beginning!r}")

    def wait_for_round(self, run_id: str, number: int, timeout_s: float = LIMIT_S) -> Json:
        """The run, once round `number` is complete."""

        def look() -> Json | None:
            run = self.run(run_id)
            if any(round_["round"] == number for round_ in self.rounds(run_id)):
                return run
            assert run["state"] not in FINAL, f"the run is {run['state']}: {run['reason']}\n{run['error']}"
            return None

        return wait_until(look, f"round {number} of run {run_id} is complete", timeout_s)

    def wait_for_client(self, client_id: str, *states: str, timeout_s: float = LIMIT_S) -> Json:
        """A client, once it is in one of these states."""

        def look() -> Json | None:
            client = self.clients().get(client_id)
            return client if client is not None and client["state"] in states else None

        return wait_until(look, f"{client_id} is {' or '.join(states)}", timeout_s)

    def end_all_runs(self) -> None:
        """Stop whatever a test has left behind."""
        runs = self.get("/runs")["runs"]
        for run in runs:
            if run["state"] not in FINAL:
                self.stop(run["id"])
        wait_until(
            lambda: all(run["state"] in FINAL for run in self.get("/runs")["runs"]), "all runs have ended"
        )
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until the server works on no run, so that nothing more happens by itself."""

        def idle() -> bool:
            status = self.get("/status")
            return status["active_run"] is None and not status["queued_runs"]

        wait_until(idle, "no run is active")


@contextmanager
def tidied(url: str) -> Iterator[Api]:
    """The API of a server; runs that the block leaves behind are stopped."""
    with Api(url) as api:
        yield api
        api.end_all_runs()


def problem_of(response: httpx.Response, status: int) -> Json:
    """The problem in a response, after a look at its form (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem
