"""The demo is over when its run goes on no further, however it ended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from app.demo.cli import _wait_for_end
from shared.run_spec import RunSpec


@pytest.mark.parametrize("state", ["completed", "stopped", "failed", "interrupted"])
def test_the_demo_ends_with_its_run_also_when_somebody_could_resume_it(state: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        run = {"id": "7f3a9c01", "state": state}
        return httpx.Response(200, json={"runs": [run]} if request.url.path == "/runs" else run)

    fleet: Any = SimpleNamespace(server=SimpleNamespace(is_alive=lambda: True), clients={})
    with httpx.Client(base_url="http://server", transport=httpx.MockTransport(answer)) as api:
        assert _wait_for_end(fleet, api, RunSpec())["state"] == state
