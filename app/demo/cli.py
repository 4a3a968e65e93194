"""The course of a demo."""

from __future__ import annotations

import sys
import threading
import time
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from app.demo.browser import address_to_open
from app.demo.fleet import DemoFailed, Fleet, Ports
from app.demo.outage import AFTER_S, Outage
from app.demo.packages import compare_packages, words_of
from app.demo.report import make_report, write_report
from app.demo.settings import DemoSettings, parse
from app.federation.runs.states import IDLE_STATES
from app.running_server import RunningServer
from app.settings import ServerSettings
from client.settings import ClientSettings, MeshOptions
from client.site.policy import read_policy
from shared import paths
from shared.errors import DatasetUnavailable, FedLoomError, SettingsInvalid
from shared.interrupt import INTERRUPTED, end_on_signals
from shared.names import DatasetName
from shared.run_spec import RunSpec

FALLBACK = DatasetName.DIGITS
POLL_S = 0.2


def main(argv: list[str] | None = None) -> int:
    """Run a demo; returns 0 if the run completed, and 130 after Ctrl-C before that."""
    started = time.monotonic()
    settings = parse(argv)
    end_on_signals()
    try:
        with Fleet() as fleet:
            return _demo(fleet, settings, started)
    except KeyboardInterrupt:
        _say("Stopped.")
        return INTERRUPTED
    except httpx.HTTPError as error:
        print(f"error: The server stopped answering ({error}); its message is above.", file=sys.stderr)
        return 1
    except (FedLoomError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _demo(fleet: Fleet, settings: DemoSettings, started: float) -> int:
    spec = _prepared(fleet, settings)
    what = f"the Flower app {spec.app}" if spec.app else spec.dataset
    which = "clients" if settings.processes else "simulated clients"
    _say(f"Starting the server and {settings.clients} {which} with {what}.")
    server = ServerSettings(
        port=settings.port,
        link_port=0,
        data_dir=settings.data_dir,
        spec=spec,
        queue_run=True,
        app=settings.app,
        resume="never",
        trackers=settings.trackers,
        home=_home(),
    )
    ports = fleet.start_server(server)
    _start_clients(fleet, settings, spec, ports)
    url = f"http://localhost:{ports.web}"
    _say(f"The live page: {url}")
    key = _key()
    if settings.browser and not settings.exit_when_done:
        # In a thread: a browser in the terminal would not return
        opened = address_to_open(url, key, _home())
        threading.Thread(target=webbrowser.open, args=(opened,), daemon=True).start()
    with _api(ports, key) as api:
        killed_in = None
        if settings.kill_server_at is not None:
            same = replace(server, port=ports.web, link_port=ports.link)
            killed_in = Outage(fleet, same, _home(), _say).happen(
                api, settings.kill_server_at, spec.num_rounds
            )
        run = _wait_for_end(fleet, api, spec)
        report = make_report(
            run,
            api.get(f"/runs/{run['id']}/rounds").json()["rounds"],
            settings.clients,
            time.monotonic() - started,
            killed_in,
        )
    if settings.report is not None:
        write_report(report, settings.report)
        _say(f"Report written to {settings.report}.")
    _say(_outcome(report, run["reason"]))
    if not settings.exit_when_done:
        _say(f"The page stays at {url}, where you can start another run. Ctrl-C ends everything.")
        _wait_for_interrupt(fleet)
    return 0 if run["state"] == "completed" else 1


def _key() -> str:
    """What opens the page of the demo's server. Raises DemoFailed."""
    server = RunningServer.find(_home())
    if server is None:
        raise DemoFailed(f"The server has left no word in {_home()} of how to reach its page.")
    return server.key


def _api(ports: Ports, key: str) -> httpx.Client:
    # trust_env: a proxy for the web is not meant for this machine's own server
    return httpx.Client(
        base_url=f"http://127.0.0.1:{ports.web}/api/v1",
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
        trust_env=False,
    )


def _home() -> Path:
    """FedLoom's own folder for all demos."""
    return paths.home_dir() / "demo"


def _prepared(fleet: Fleet, settings: DemoSettings) -> RunSpec:
    """Say what should be known before anything starts; the spec of the run. Raises FedLoomError."""
    if settings.app is None:
        _check_strategy(settings)
        return _with_available_dataset(fleet, settings)
    for note in (*settings.notes, *words_of(compare_packages(settings.app.dependencies))):
        _say(note)
    return settings.spec


def _check_strategy(settings: DemoSettings) -> None:
    """Raise SettingsInvalid where the server would only say so after it has started."""
    from app.federation.strategies import build_strategy  # only now: it imports Flower

    try:
        build_strategy(settings.spec)
    except SettingsInvalid as error:
        hint = " (--clients sets min_clients)" if error.field == "min_clients" else ""
        raise SettingsInvalid(f"{error}{hint}") from error


def _with_available_dataset(fleet: Fleet, settings: DemoSettings) -> RunSpec:
    """The spec; where nobody named the data set and it cannot be had, with one that needs no network.

    Raises DatasetUnavailable for one that was named.
    """
    spec = settings.spec
    _say(f"Loading PyTorch and the data set {spec.dataset}.")
    problem = fleet.dataset_problem(spec.dataset, settings.data_dir)
    if problem is None:
        return spec
    if not settings.dataset_is_default:
        raise DatasetUnavailable(problem)
    _say(f"{'=' * 80}\n{problem}\nThe demo goes on with {FALLBACK}, which needs no download.\n{'=' * 80}")
    return spec.with_changes(dataset=FALLBACK)


def _start_clients(fleet: Fleet, settings: DemoSettings, spec: RunSpec, ports: Ports) -> None:
    """They are clients of this site, whose policy holds for them. Raises PolicyInvalid."""
    policy = read_policy(_home())
    for number in range(1, settings.processes + 1):
        fleet.start_client(
            ClientSettings(
                client_id=f"client-{number}",
                dataset=spec.dataset,
                server=f"127.0.0.1:{ports.link}",
                data_dir=settings.data_dir,
                max_samples=settings.max_samples,
                app=settings.app,
                home=_home(),
                policy=policy,
                mesh=_mesh(settings, number),
            )
        )


def _mesh(settings: DemoSettings, number: int) -> MeshOptions | None:
    """Where somebody looks on, the first client has a page: it is there while the server is away."""
    if not settings.mesh:
        return None
    return MeshOptions(after_s=AFTER_S, page=0 if number == 1 and not settings.exit_when_done else None)


def _wait_for_end(fleet: Fleet, api: httpx.Client, spec: RunSpec) -> dict[str, Any]:
    """The demo's run once it does not go on by itself. Raises DemoFailed when it can never get there."""
    ended: set[str] = set()
    run_id = api.get("/runs").json()["runs"][0]["id"]  # older ones are of earlier demos
    while True:
        _require_server(fleet)
        run: dict[str, Any] = api.get(f"/runs/{run_id}").json()
        if run["state"] in IDLE_STATES:
            return run
        for client_id, process in fleet.clients.items():
            if not process.is_alive() and client_id not in ended:
                ended.add(client_id)
                _say(f"{client_id} ended (exit code {process.exitcode}).")
        if fleet.clients and len(fleet.clients) - len(ended) < spec.min_clients:
            raise DemoFailed(
                f"Only {len(fleet.clients) - len(ended)} of {len(fleet.clients)} clients are left, "
                f"the run needs {spec.min_clients}. Their messages are above."
            )
        time.sleep(POLL_S)


def _wait_for_interrupt(fleet: Fleet) -> None:
    """Until Ctrl-C, or until the server ends."""
    assert fleet.server is not None
    fleet.server.join()
    _require_server(fleet)


def _require_server(fleet: Fleet) -> None:
    if fleet.server is None or not fleet.server.is_alive():
        raise DemoFailed("The server ended unexpectedly; its message is above.")


def _outcome(report: dict[str, Any], reason: str | None) -> str:
    accuracy = report["final"]["accuracy"]
    test_set = " on the test set" if report.get("dataset") else ""
    reached = "" if accuracy is None else f" at an accuracy of {accuracy:.1%}{test_set}"
    why = f": {reason}" if reason else ""
    return f"Run {report['run_id']} {report['status']} after {report['wall_s']:.1f} s{reached}{why}."


def _say(text: str) -> None:
    print(text, flush=True)
