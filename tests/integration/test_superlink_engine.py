"""A run on a real SuperLink with two SuperNodes: watched, ended by either side, and refused in words.

`tests/e2e/test_page_superlink.py` starts, watches and stops one in the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shared.flower_superlink import SuperLink
from tests.support.api import Api
from tests.support.ports import free_port
from tests.support.processes import ServerProcess
from tests.support.superlink import START_S, Federation, states, superlink_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

SPEC: dict[str, Any] = {"engine": "superlink", "model": "linear", "min_clients": 2, "alpha": None}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with ExitStack() as ending:
        yield Federation(tmp_path_factory.mktemp("superlink"), ending)


@pytest.fixture(scope="module")
def api(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    server = ServerProcess(*federation.flags, home=tmp_path_factory.mktemp("server"))
    with Api(server.url) as api:
        yield api
        api.end_all_runs()
    server.end()


@pytest.fixture(scope="module")
def superlink(federation: Federation) -> Iterator[SuperLink]:
    with superlink_of(federation) as superlink:
        yield superlink


def test_a_run_on_a_superlink_completes_and_looks_like_any_other(api: Api) -> None:
    run = api.wait_for_run(
        api.start(**SPEC, num_rounds=1, fraction_evaluate=0.0)["id"], "completed", timeout_s=START_S
    )

    assert len(run["clients"]) == 2
    assert all(name.startswith("supernode-") for name in run["clients"])
    first, last = api.rounds(run["id"])
    assert last["accuracy"] > first["accuracy"]
    assert set(last["per_client"]) == set(run["clients"])
    assert api.clients() == {}, "SuperNodes are no members"


def test_a_stop_in_the_first_moments_leaves_nothing_pending(api: Api, superlink: SuperLink) -> None:
    before = len(states(superlink))
    run_id = api.start(**SPEC)["id"]
    wait_until(lambda: len(states(superlink)) > before, "the run is submitted", START_S)

    api.stop(run_id)

    api.wait_for_run(run_id, "stopped", timeout_s=START_S)
    wait_until(lambda: states(superlink)[-1] == "finished:stopped", "the SuperLink has stopped it", START_S)


def test_a_run_that_is_stopped_at_the_superlink_is_interrupted_with_that_reason(
    api: Api, superlink: SuperLink
) -> None:
    run_id = api.start(**SPEC, num_rounds=500)["id"]
    wait_until(lambda: api.run(run_id)["clients"], "the run has its clients", START_S)

    (running,) = (run for run, state in superlink.runs().items() if not state.startswith("finished"))
    superlink.stop_run(running)

    run = api.wait_for_run(run_id, "interrupted", timeout_s=START_S)
    assert run["cause"] == "engine"
    assert "The run was ended at the SuperLink, where it is finished:stopped" in run["reason"]
    api.stop(run_id)


def test_a_superlink_that_does_not_answer_is_named(tmp_path: Path) -> None:
    server = ServerProcess("--superlink", f"127.0.0.1:{free_port()}", "--superlink-insecure", home=tmp_path)
    with Api(server.url) as api:
        run_id = api.start(**SPEC)["id"]
        run = api.wait_for_run(run_id, "interrupted", timeout_s=START_S)
    server.end()

    assert "cannot be reached" in run["reason"]
    assert "--superlink-insecure" in run["reason"]
    assert run["can_resume"]
