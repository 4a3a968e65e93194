"""`python -m tests.support.flower_engine JOBS.json`: Flower apps in Flower's own simulation engine.

JOBS.json holds a list of jobs, `{"folder": ..., "run_config": {...}}`, and how many `clients` there are. All
jobs run one after the other in one simulation, each with the app freshly imported and clients without memory.
In a job with `"direct": true`, the ClientApps are called in the process of the ServerApp: Ray's actors do not
survive what some apps do.

For each job a line `reference: {...}` says what Flower made of it: the messages that were sent, with the
numbers of their replies, and the Results and Histories that strategies filled. Nothing of
FedLoom takes part.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import tomllib
import traceback
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flwr.app import ConfigRecord, Context, Error, Message, RecordDict, UserConfig
from flwr.clientapp import ClientApp
from flwr.common.config import flatten_dict
from flwr.server.history import History
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import Result
from flwr.simulation import run_simulation

from tests.support.flower_record import Json, Record, collect_instances, watch

OWN_STATE = "engine-job"
"""The record in a client's state that says which job it is of."""


@dataclass(frozen=True)
class Job:
    """One app to run."""

    number: int
    folder: str
    run_config: UserConfig
    direct: bool = False
    node_configs: list[UserConfig] = field(default_factory=list)
    """By part: what is added to each client's node config."""

    def load(self, component: str) -> Any:
        """The app's `serverapp` or `clientapp`, freshly imported."""
        forget_modules(Path(self.folder))
        sys.path[:] = [self.folder, *(place for place in sys.path if place != self.folder)]
        importlib.invalidate_caches()
        module, _, attribute = components(Path(self.folder))[component].partition(":")
        return getattr(importlib.import_module(module), attribute)


def app_table(folder: Path) -> Json:
    """[tool.flwr.app] of the app in a folder."""
    table: Json = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["flwr"][
        "app"
    ]
    return table


def components(folder: Path) -> dict[str, str]:
    """Where the app's two ends are, as `module:attribute`."""
    named: dict[str, str] = app_table(folder)["components"]
    return named


_folders: set[Path] = set()


def forget_modules(folder: Path) -> None:
    """Have the modules of all apps so far imported anew: apps have modules of the same names."""
    _folders.add(folder)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).is_relative_to(known) for known in _folders):
            del sys.modules[name]


def call_directly(grid: Grid, job: Job) -> None:
    """Have the ClientApps called at once, in this process, instead of by the engine."""
    nodes = sorted(grid.get_node_ids())
    contexts = {
        node_id: Context(
            1,
            node_id,
            {"partition-id": part, "num-partitions": len(nodes)},
            RecordDict(),
            dict(job.run_config),
        )
        for part, node_id in enumerate(nodes)
    }
    replies: dict[str, Message] = {}

    def push_messages(messages: Iterable[Message]) -> list[str]:
        ids = []
        for message in messages:
            message.metadata.__dict__["_message_id"] = uuid.uuid4().hex
            reply: Message | None = answer(job, message, contexts[message.metadata.dst_node_id])
            if reply is None:  # which Flower's engine would wait for, for ever
                reply = Message(Error(0, "the ClientApp returned nothing"), reply_to=message)
            replies[message.metadata.message_id] = reply
            ids.append(message.metadata.message_id)
        return ids

    def pull_messages(message_ids: Iterable[str]) -> list[Message]:
        return [replies.pop(message_id) for message_id in list(message_ids) if message_id in replies]

    grid.push_messages, grid.pull_messages = push_messages, pull_messages  # type: ignore[method-assign]


def simulate(jobs: list[Job], clients: int) -> None:
    """Run all jobs, and print what became of each."""
    outer_server = ServerApp()
    current = Path(tempfile.mkdtemp()) / "job.json"

    @outer_server.main()
    def serve(grid: Grid, context: Context) -> None:
        new_results, new_histories = collect_instances(Result), collect_instances(History)
        push, pull = grid.push_messages, grid.pull_messages
        for job in jobs:
            current.write_text(json.dumps(vars(job)), encoding="utf-8")
            record = Record()
            if job.direct:
                call_directly(grid, job)
            watch(grid, record)
            mine = Context(context.run_id, context.node_id, {}, RecordDict(), dict(job.run_config))
            try:
                job.load("serverapp")(grid, mine)
            except BaseException:  # noqa: BLE001 - whatever an app raises is what it came to
                record.error = traceback.format_exc()
            record.results, record.histories = new_results(), new_histories()
            grid.push_messages, grid.pull_messages = push, pull  # type: ignore[method-assign]
            sys.stdout.write(f"\nreference: {json.dumps(record.as_json())}\n")
            sys.stdout.flush()

    class Outer(ClientApp):
        def __call__(self, message: Message, context: Context) -> Message:
            job = Job(**json.loads(current.read_text(encoding="utf-8")))
            return answer(job, message, context)

    run_simulation(
        server_app=outer_server,
        client_app=Outer(),
        num_supernodes=clients,
        backend_config={
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {"num_cpus": 1, "include_dashboard": False},
        },
    )


_loaded: dict[int, ClientApp] = {}


def answer(job: Job, message: Message, context: Context) -> Message:
    """One client's reply, with the state that it has from this job only."""
    if job.number not in _loaded:
        _loaded.clear()
        _loaded[job.number] = job.load("clientapp")
    state = context.state
    known = state.config_records.pop(OWN_STATE, None)
    if known is None or known["number"] != job.number:
        state.clear()
    node_config = dict(context.node_config)
    if job.node_configs:
        node_config |= job.node_configs[int(str(node_config["partition-id"]))]
    mine = Context(context.run_id, context.node_id, node_config, state, dict(job.run_config))
    try:
        return _loaded[job.number](message, mine)
    finally:
        context.state = mine.state
        context.state[OWN_STATE] = ConfigRecord({"number": job.number})


def read_jobs(path: Path) -> tuple[list[Job], int]:
    """What is to be run, with each app's own run config below that of the job."""
    told = json.loads(path.read_text(encoding="utf-8"))
    jobs = []
    for number, job in enumerate(told["jobs"]):
        own = flatten_dict(app_table(Path(job["folder"])).get("config", {}))
        jobs.append(Job(**{**job, "number": number, "run_config": {**own, **job["run_config"]}}))
    return jobs, told["clients"]


if __name__ == "__main__":
    from tests.support import flower_engine  # by its name, so that Ray's workers import it and pickle nothing

    flower_engine.simulate(*flower_engine.read_jobs(Path(sys.argv[1])))
