"""`python -m mesh run`: learn together with all nodes that can be reached and whose sites allow it.

The node that runs proposes, trains and keeps the model; the command shows how far it is. What trains is a
whole client: the node is within one, or has one loaded when it is needed (`mesh/commands/site.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from mesh.agreement import Agreed, Agreement, Site
from mesh.commands.command import Command, node_folder
from mesh.control import Answer, Json, Say, ask
from mesh.gossip import MeshRound
from mesh.learning.proposal import AgreedRun
from mesh.running import RunningNode
from shared.errors import SettingsInvalid
from shared.names import DatasetName, ModelName
from shared.run_spec import RunSpec, words_of

OnRound = Callable[[AgreedRun, MeshRound], None]
"""Told of a round that this node has done."""


class TrainingSite(Site, Protocol):
    """What trains, and tells how far it is."""

    def watch(self, on_round: OnRound) -> Callable[[], None]:
        """Have this told of each round, until the function is called that is returned."""

    def model_file(self, run: str) -> Path:
        """Where the model of a run is kept."""


log = logging.getLogger(__name__)


@asynccontextmanager
async def taking_part(node: RunningNode, site: TrainingSite) -> AsyncIterator[Answer]:
    """Take part meanwhile in the runs that members propose; what answers this command."""
    agreement = Agreement(node.network, site)
    going_on: set[asyncio.Task[None]] = set()

    async def answer(request: Json, say: Say) -> Json:
        agreed = await agreement.propose(_spec(request["spec"]))
        say(_told_of(agreed))
        task = asyncio.ensure_future(agreement.carry_out(agreed.run))
        going_on.add(task)  # which goes on if the command is ended
        task.add_done_callback(going_on.discard)
        task.add_done_callback(_say_what_failed)
        unwatch = site.watch(lambda run, done: say(_told_of_round(done, run.spec)))
        try:
            await asyncio.shield(task)
        finally:
            unwatch()
        return {"model": str(site.model_file(agreed.run.run).absolute())}

    agreement.open()
    try:
        yield answer
    finally:
        for task in going_on:
            task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)
        await agreement.close()


def _say_what_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the run has ended here: %s", error)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    default = RunSpec()
    parser.add_argument("--dataset", choices=list(DatasetName), default=default.dataset, help="(digits)")
    parser.add_argument("--model", choices=list(ModelName), default=default.model, help="(cnn)")
    for flag, name, kind in (
        ("--rounds", "num_rounds", int),
        ("--min-nodes", "min_clients", int),
        ("--lr", "lr", float),
        ("--local-epochs", "local_epochs", int),
        ("--batch-size", "batch_size", int),
        ("--seed", "seed", int),
    ):
        value = getattr(default, name)
        words = RunSpec.model_fields[name].description
        parser.add_argument(flag, dest=name, type=kind, default=value, help=f"{words} ({value})")
    skew = parser.add_mutually_exclusive_group()
    words = RunSpec.model_fields["alpha"].description
    skew.add_argument("--alpha", type=float, default=default.alpha, help=f"{words} ({default.alpha})")
    skew.add_argument("--iid", dest="alpha", action="store_const", const=None, help="equal, shuffled parts")
    parser.add_argument(
        "--dp-noise-multiplier",
        type=float,
        help="with differential privacy at the nodes: noise in parts of the clipping norm",
    )
    parser.add_argument("--dp-clipping-norm", type=float, help="to which each sample's gradient is clipped")


FIELDS = (
    "dataset",
    "model",
    "num_rounds",
    "min_clients",
    "lr",
    "local_epochs",
    "batch_size",
    "seed",
    "alpha",
)


def _carry_out(arguments: argparse.Namespace) -> int:
    values: Json = {name: getattr(arguments, name) for name in FIELDS}
    dp = {
        name: value
        for name in ("noise_multiplier", "clipping_norm")
        if (value := getattr(arguments, f"dp_{name}")) is not None
    }
    spec = _spec(values | ({"dp": dp} if dp else {}))
    done = ask(node_folder(arguments), COMMAND.name, _show, spec=spec.model_dump(mode="json"))
    print(f"The model is in {done['model']}.")
    return 0


def _spec(values: Json) -> RunSpec:
    try:
        return RunSpec.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise SettingsInvalid(f"The run's {field} cannot be so: {words_of(first)}.", field) from error


def _told_of(agreed: Agreed) -> Json:
    declined = {key.short: why for key, why in agreed.declined.items()}
    return {"run": agreed.run.run, "members": len(agreed.run.members), "declined": declined}


def _told_of_round(done: MeshRound, spec: RunSpec) -> Json:
    evaluated = done.evaluated
    return {
        "mesh_round": done.mesh_round,
        "learns": done.mesh_round <= spec.num_rounds,
        "peers": done.peers,
        "averaged": len(done.averaged_with),
        "divergence": done.divergence,
        "accuracy": None if evaluated is None else evaluated.accuracy,
    }


def _show(news: Json) -> None:
    if "run" in news:
        print(f"Run {news['run']}: {news['members']} nodes take part.", flush=True)
        for key, why in news["declined"].items():
            print(f"  not {key}: {why}", flush=True)
        return
    alone = "" if news["learns"] else ", without training"
    words = [
        f"mesh round {news['mesh_round']}{alone}: averaged with {news['averaged']} of {news['peers']} peers"
    ]
    if news["divergence"] is not None:
        words.append(f"which differed by {news['divergence']:.1%}")
    if news["accuracy"] is not None:
        words.append(f"accuracy {news['accuracy']:.1%}")
    print(", ".join(words), flush=True)


COMMAND = Command("run", "learn together with other nodes, without a server", _add_flags, _carry_out)
