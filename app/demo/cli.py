"""The command line of `run_demo.py`, and the course of a demo."""

from __future__ import annotations

import argparse
import sys
import threading
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.demo.fleet import DemoFailed, Fleet, Ports
from app.demo.report import make_report, write_report
from app.federation.runs.states import IDLE_STATES
from app.run_flags import add_run_flags, spec_from
from app.settings import ServerSettings, port_number
from client.settings import ClientSettings
from shared import paths
from shared.errors import DatasetUnavailable, FedLoomError, SettingsInvalid
from shared.interrupt import INTERRUPTED, end_on_signals
from shared.names import DEFAULT_WEB_PORT, DatasetName
from shared.result_file import try_to_write
from shared.run_spec import RunSpec

FALLBACK = DatasetName.DIGITS
POLL_S = 0.2


@dataclass(frozen=True)
class DemoSettings:
    """What `run_demo.py` was asked for. `dataset_is_default`: none was named, another may take its place."""

    spec: RunSpec
    dataset_is_default: bool
    clients: int
    port: int
    data_dir: Path
    max_samples: int
    report: Path | None
    browser: bool
    exit_when_done: bool


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


def parse(argv: list[str] | None) -> DemoSettings:
    """Settings from a command line; ends the process with a message when a flag is wrong."""
    parser = argparse.ArgumentParser(
        prog="run_demo.py",
        description="Start a server, clients and a run on this machine, and show the live page.",
    )
    demo = parser.add_argument_group("demo")
    demo.add_argument("--clients", type=int, default=3, help="client processes (%(default)s)")
    demo.add_argument(
        "--rounds", type=int, default=5, dest="num_rounds", help="rounds of training (%(default)s)"
    )
    demo.add_argument(
        "--port", type=port_number, default=DEFAULT_WEB_PORT, help="port of the page (%(default)s)"
    )
    demo.add_argument(
        "--data-dir",
        type=Path,
        default=paths.data_dir(),
        help="where the data sets are (FEDLOOM_DATA_DIR, %(default)s)",
    )
    demo.add_argument(
        "--max-samples", type=int, default=0, help="each client trains on at most so many samples (0: all)"
    )
    demo.add_argument("--report", type=Path, help="write what the run achieved to this file, as JSON")
    demo.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    demo.add_argument("--exit-when-done", action="store_true", help="end when the run has ended")
    run = parser.add_argument_group("the run")
    add_run_flags(run)
    parser.set_defaults(dataset=DatasetName.MNIST, min_clients=None)
    arguments = parser.parse_args(argv, argparse.Namespace(dataset=None))  # None: not given
    dataset_is_default = arguments.dataset is None
    if dataset_is_default:
        arguments.dataset = parser.get_default("dataset")
    if arguments.clients < 1:
        parser.error(f"--clients {arguments.clients}: at least 1 is needed")
    if arguments.max_samples < 0:
        parser.error(f"--max-samples {arguments.max_samples}: use a number from 1 up, or 0 for all")
    if arguments.min_clients is None:
        arguments.min_clients = arguments.clients
    if arguments.min_clients > arguments.clients:
        parser.error(
            f"--min-clients {arguments.min_clients} would wait for ever: --clients is {arguments.clients}"
        )
    if arguments.report is not None:
        try:
            try_to_write(arguments.report)
        except OSError as error:
            parser.error(f"--report {arguments.report}: nothing can be written there ({error.strerror})")
    try:
        spec = spec_from(arguments, rounds_flag="--rounds")
    except SettingsInvalid as error:
        parser.error(str(error))
    return DemoSettings(
        spec=spec,
        dataset_is_default=dataset_is_default,
        clients=arguments.clients,
        port=arguments.port,
        data_dir=arguments.data_dir,
        max_samples=arguments.max_samples,
        report=arguments.report,
        browser=not arguments.no_browser,
        exit_when_done=arguments.exit_when_done,
    )


def _demo(fleet: Fleet, settings: DemoSettings, started: float) -> int:
    _check_strategy(settings)
    spec = _with_available_dataset(fleet, settings)
    _say(f"Starting the server and {settings.clients} clients with {spec.dataset}.")
    ports = fleet.start_server(
        ServerSettings(
            port=settings.port,
            link_port=0,
            data_dir=settings.data_dir,
            spec=spec,
            queue_run=True,
            resume="never",
            home=paths.home_dir() / "demo",
        ),
    )
    _start_clients(fleet, settings, spec, ports)
    url = f"http://localhost:{ports.web}"
    _say(f"The live page: {url}")
    if settings.browser and not settings.exit_when_done:
        # In a thread: a browser in the terminal would not return
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    # trust_env: a proxy for the web is not meant for this machine's own server
    with httpx.Client(base_url=f"http://127.0.0.1:{ports.web}/api/v1", timeout=10, trust_env=False) as api:
        run = _wait_for_end(fleet, api, spec)
        report = make_report(
            run,
            api.get(f"/runs/{run['id']}/rounds").json()["rounds"],
            settings.clients,
            time.monotonic() - started,
        )
    if settings.report is not None:
        write_report(report, settings.report)
        _say(f"Report written to {settings.report}.")
    _say(_outcome(report, run["reason"]))
    if not settings.exit_when_done:
        _say(f"The page stays at {url}, where you can start another run. Ctrl-C ends everything.")
        _wait_for_interrupt(fleet)
    return 0 if run["state"] == "completed" else 1


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
    for number in range(1, settings.clients + 1):
        fleet.start_client(
            ClientSettings(
                client_id=f"client-{number}",
                dataset=spec.dataset,
                server=f"127.0.0.1:{ports.link}",
                data_dir=settings.data_dir,
                max_samples=settings.max_samples,
            )
        )


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
        if len(fleet.clients) - len(ended) < spec.min_clients:
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
    reached = "" if accuracy is None else f" at an accuracy of {accuracy:.1%} on the test set"
    why = f": {reason}" if reason else ""
    return f"Run {report['run_id']} {report['status']} after {report['wall_s']:.1f} s{reached}{why}."


def _say(text: str) -> None:
    print(text, flush=True)
