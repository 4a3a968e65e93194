"""Flower's SuperLink, as whoever carries out a run's ServerApp speaks with it: protobuf over HTTP.

None of it is public API of Flower, so its names are used from here only. `tests/unit/test_flower.py` fails in
words when an upgrade moves one of them. It brings much of Flower: for a process of its own alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from flwr.cli.build import build_fab_from_files
from flwr.cli.cli_client_interceptor import CliClientHttpInterceptor
from flwr.common.serde import fab_to_proto, run_from_proto
from flwr.proto.control_pb2 import ListRunsRequest, StartRunRequest, StopRunRequest
from flwr.proto.runtime_pb2 import (
    AcquireTaskRequest,
    PullTaskInputRequest,
    PushTaskOutputRequest,
    SendTaskHeartbeatRequest,
)
from flwr.supercore.constant import TaskType
from flwr.supercore.control.control_http_client import ControlHttpClient
from flwr.supercore.fab import Fab
from flwr.supercore.inflatable.inflatable_utils import ObjectPullError, ObjectPushError
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor, SuperExecAuthHttpInterceptor
from flwr.supercore.runtime import RuntimeHttpClient
from flwr.superlink.grid import HttpGrid

COMPONENT = "FedLoom"
ACQUIRE = "/flwr.proto.Runtime/AcquireTask"

PATIENCE_S = 30.0
AGAIN_S = 1.0
PASSING = frozenset({502, 503, 504})
"""What a proxy says of a server that is away, or a server that is busy."""

REFUSED = (httpx.HTTPStatusError, ObjectPullError, ObjectPushError)
"""What a SuperLink's refusal is raised as, also where it no longer takes a part of a message."""

COMPLETED, FAILED, STOPPED = "completed", "failed", "stopped"
"""How a run has ended, in Flower's words."""


@dataclass(frozen=True)
class Address:
    """Where a SuperLink is. `root_certificates`: in PEM; None: the system's, or none where it is `insecure`.
    `secret`: by which it knows who may carry out ServerApps; empty: whoever reaches it."""

    address: str
    insecure: bool
    root_certificates: bytes | None
    secret: bytes = b""

    @property
    def connection(self) -> Mapping[str, Any]:
        """As Flower's clients take it."""
        return {
            "server_address": self.address,
            "insecure": self.insecure,
            "root_certificates": self.root_certificates,
        }


class SuperLink:
    """One SuperLink, until `close`. Any other call raises httpx.HTTPError."""

    def __init__(self, address: Address) -> None:
        self._address = address
        version = RuntimeVersionHttpInterceptor(component_name=COMPONENT)
        self._control = ControlHttpClient.from_server_address(
            **address.connection, interceptors=[CliClientHttpInterceptor(), version]
        )
        secret = address.secret
        signing = [SuperExecAuthHttpInterceptor(master_secret=secret, protected_methods=[ACQUIRE])]
        self._executor = RuntimeHttpClient.from_server_address(
            **address.connection, interceptors=[version, *(signing if secret else [])]
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._control.close()
        self._executor.close()

    def start_run(self, files: Mapping[str, bytes]) -> int:
        """Submit a run of the app in these files; returns its number there."""
        fab, _ = build_fab_from_files(dict(files))
        request = StartRunRequest(fab=fab_to_proto(Fab(hashlib.sha256(fab).hexdigest(), fab, {})))
        return int(self._control.StartRun(request).run_id)

    def acquire(self, run_id: int) -> str | None:
        """The token by which the run's ServerApp is known, if it can be had now.

        A ServerApp of another run that comes first is given up, as failed: nobody else would carry it out.
        """
        request = AcquireTaskRequest(supported_task_types=[TaskType.SERVER_APP])
        answer = self._executor.AcquireTask(request)
        if not answer.token:
            return None
        if answer.task.run_id == run_id:
            return str(answer.token)
        grid = TokenGrid(self._address, answer.token)
        try:
            grid.begin()
            grid.finish(
                FAILED, "FedLoom carries out this SuperLink's ServerApps, and has not begun this run."
            )
        finally:
            grid.close()
        return None

    def runs(self) -> Mapping[int, str]:
        """The state of each run, oldest first: "pending", "running", "finished:stopped" and so on."""
        found = self._control.ListRuns(ListRunsRequest()).run_dict
        runs = sorted(found.items(), key=lambda item: item[1].pending_at)
        states = ((run_id, (run.status.status, run.status.sub_status)) for run_id, run in runs)
        return {run_id: ":".join(filter(None, state)) for run_id, state in states}

    def state_of(self, run_id: int) -> str:
        """The state of one."""
        return self.runs().get(run_id, "unknown")

    def stop_run(self, run_id: int) -> None:
        """Stop a run, for all its nodes."""
        self._control.StopRun(StopRunRequest(run_id=run_id))


class Patience:
    """Sends a request again while the SuperLink cannot be reached, or whoever stands before it says so."""

    def __init__(self, for_s: float = PATIENCE_S, every_s: float = AGAIN_S) -> None:
        self._for_s = for_s
        self._every_s = every_s

    def invoke(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """What `send` returns, at last. Raises what it has raised when the time is up, and at once what
        another try would not change."""
        ends = time.monotonic() + self._for_s
        while True:
            try:
                return send()
            except httpx.HTTPError as error:
                if not _may_pass(error) or time.monotonic() > ends:
                    raise
            time.sleep(self._every_s)


def _may_pass(error: httpx.HTTPError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in PASSING
    return isinstance(error, httpx.TransportError)


class TokenGrid(HttpGrid):
    """Flower's grid for a ServerApp, for the holder of its token.

    Without Flower's way to try again, which ends the process by a signal where a token is refused, and tries
    for ever.
    """

    def __init__(self, address: Address, token: str) -> None:
        super().__init__(
            runtime_api_address=address.address,
            insecure=address.insecure,
            root_certificates=address.root_certificates,
            token=token,
        )
        self.__dict__["_retry_invoker"] = Patience()

    def begin(self) -> None:
        """Say that the ServerApp begins."""
        answer = self._runtime_client.PullTaskInput(PullTaskInputRequest())
        self.set_run(run_from_proto(answer.run))

    def beat(self) -> None:
        """Say that it is still there, at least every half minute."""
        self._runtime_client.SendTaskHeartbeat(SendTaskHeartbeatRequest())

    def finish(self, how: str, details: str = "") -> None:
        """Say that it has ended."""
        self._runtime_client.PushTaskOutput(PushTaskOutputRequest(sub_status=how, details=details))
