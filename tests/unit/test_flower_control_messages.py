"""Flower's command asks where this server answers, and understands what it answers.

That the names still are where they were is tested in test_flower.py.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from flwr.app import UserConfig
from flwr.common.serde import user_config_to_proto
from flwr.supercore.control import ControlHttpClient

from shared.flower_control import (
    PREFIX,
    PROTOBUF_MEDIA_TYPE,
    ListRunsRequest,
    StartRunRequest,
    StopRunRequest,
    StreamLogsRequest,
    StreamLogsResponse,
    in_frame,
    overrides_of,
)

Answer = Callable[[httpx.Request], httpx.Response]
Request = StartRunRequest | ListRunsRequest | StopRunRequest | StreamLogsRequest


@pytest.mark.parametrize(
    ("call", "asked", "path"),
    [
        ("StartRun", StartRunRequest(), "start-run"),
        ("ListRuns", ListRunsRequest(), "list-runs"),
        ("StopRun", StopRunRequest(), "stop-run"),
        ("StreamLogs", StreamLogsRequest(), "stream-logs"),
    ],
)
def test_flowers_command_asks_at_the_paths_that_are_served(call: str, asked: Request, path: str) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=b"")

    answers = getattr(answered_by(answer), call)(asked)
    if call == "StreamLogs":
        assert list(answers) == []

    assert [request.url.path for request in requests] == [f"{PREFIX}/{path}"], (
        f"Flower's command asks elsewhere for {call}: change app/flower_control/api.py."
    )
    assert requests[0].headers["content-type"] == PROTOBUF_MEDIA_TYPE


def test_flowers_command_reads_what_is_streamed() -> None:
    sent = [StreamLogsResponse(log_output=text) for text in ("one\n", "", "three\n")]
    content = b"".join(map(in_frame, sent))

    client = answered_by(lambda _: httpx.Response(200, content=content))

    assert list(client.StreamLogs(StreamLogsRequest())) == sent


def test_overrides_of_a_run_keep_their_types() -> None:
    values: UserConfig = {"rounds": 3, "lr": 0.5, "on": True, "name": "x"}

    assert overrides_of(StartRunRequest(override_config=user_config_to_proto(values))) == values


def test_an_override_without_a_value_is_said_so() -> None:
    empty = StartRunRequest()
    empty.override_config["lr"].SetInParent()

    with pytest.raises(ValueError, match="'lr' has no value"):
        overrides_of(empty)


def answered_by(answer: Answer) -> ControlHttpClient:
    """Flower's own client of the control API, in front of a server that is a function."""
    client = ControlHttpClient("http://fedloom")
    client._client = httpx.Client(transport=httpx.MockTransport(answer))
    return client
