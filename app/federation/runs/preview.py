"""What a run would be like, before anybody starts it: who would have which labels, how long a round takes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
from pydantic import Field

from app.federation.runs.book import RunBook
from app.records import Client, ClientState, Run
from app.records.base import Record
from shared.data.datasets import Labels, dataset_info, is_here, load_train_labels
from shared.data.partition import partition_owners
from shared.errors import DatasetUnavailable, PartitionImpossible
from shared.names import EngineName
from shared.run_spec import RunSpec

SHOWN_PARTS = 1_000
"""Of a data set in more parts than that, nobody is told which part has what."""

LIKE_RUNS = 5
"""Of so many runs with the same work, the newest, the time of a round is taken."""


class Preview(Record):
    """A run that was not started. Times are seconds."""

    clients: int = Field(description="connected clients that have its data set, or run its app")
    needed: int = Field(description="clients that it waits for before its first round")
    parts: int | None = Field(
        default=None, description="parts that the data set is divided into; null: its app decides"
    )
    label_counts: tuple[tuple[int, ...], ...] | None = Field(
        default=None,
        description="samples by label of each part, held-out ones among them; null: see `unknown`",
    )
    unknown: str | None = Field(default=None, description="why the parts cannot be told")
    round_s: float | None = Field(
        default=None, description="of a round in runs with the same work here; null: there was none yet"
    )
    like: tuple[str, ...] = Field(default=(), description="the runs that `round_s` is the median of")


def preview_of(spec: RunSpec, clients: Iterable[Client], book: RunBook, data_dir: Path) -> Preview:
    """Reads the labels of the data set, but does not fetch one that is not here. Not for the web thread."""
    holders = _clients_of(spec, clients)
    seconds, like = _round_time(spec, holders, book)
    preview = Preview(clients=holders, needed=spec.min_clients, round_s=seconds, like=like)
    if spec.app is not None:
        return preview
    if spec.engine is EngineName.SUPERLINK:
        return preview.model_copy(
            update={"unknown": "Each SuperNode's own node config says which part it has."}
        )
    parts = _parts(spec, holders)
    counts, unknown = _label_counts(spec, parts, data_dir)
    return preview.model_copy(update={"parts": parts, "label_counts": counts, "unknown": unknown})


def _clients_of(spec: RunSpec, clients: Iterable[Client]) -> int:
    """How many would take part; of a SuperLink, whose nodes are only known in a run, those that it needs."""
    match spec.engine:
        case EngineName.SIMULATION:
            return spec.simulated_clients
        case EngineName.SUPERLINK:
            return spec.min_clients
        case EngineName.EMBEDDED:
            return sum(_takes_part(client, spec) for client in clients)


def _parts(spec: RunSpec, clients: int) -> int:
    """That the data set is divided into, with so many clients at the start."""
    return spec.num_partitions or max(clients, spec.min_clients)


def _takes_part(client: Client, spec: RunSpec) -> bool:
    if client.state is ClientState.LOST:
        return False
    return client.app == spec.app if spec.app is not None else client.dataset == spec.dataset


def _label_counts(
    spec: RunSpec, parts: int, data_dir: Path
) -> tuple[tuple[tuple[int, ...], ...] | None, str | None]:
    if parts > SHOWN_PARTS:
        return None, f"The labels of more than {SHOWN_PARTS:,} parts are not shown."
    try:
        if not is_here(spec.dataset, data_dir):
            return None, f"The server does not have {spec.dataset} yet. It fetches it when a run starts."
        labels = _labels(spec.dataset, data_dir)
        owners = partition_owners(labels, parts, alpha=spec.alpha, seed=spec.seed)
    except (DatasetUnavailable, PartitionImpossible) as error:
        return None, str(error)
    classes = dataset_info(spec.dataset).num_classes
    counted = np.bincount(owners * classes + labels, minlength=parts * classes).reshape(parts, classes)
    return tuple(tuple(row) for row in counted.tolist()), None


@lru_cache(maxsize=2)
def _labels(dataset: str, data_dir: Path) -> Labels:
    """They do not change, and whoever fills in a form asks for them again and again."""
    return load_train_labels(dataset, data_dir)


def _round_time(spec: RunSpec, clients: int, book: RunBook) -> tuple[float | None, tuple[str, ...]]:
    alike = list(islice((run for run in book.newest_first() if _same_work(run, spec, clients)), LIKE_RUNS))
    seconds = {
        run.id: [each.duration_s for each in book.rounds(run.id) if each.complete and each.round > 0]
        for run in alike
    }
    known = [duration for durations in seconds.values() for duration in durations if duration is not None]
    return (
        (median(known), tuple(run for run, durations in seconds.items() if durations))
        if known
        else (None, ())
    )


_WORK = (
    "app",
    "run_config",
    "engine",
    "dataset",
    "model",
    "local_epochs",
    "batch_size",
    "fraction_train",
    "fraction_evaluate",
)
"""Settings that decide how long a round takes, whatever its engine."""

_SIMULATED_WORK = ("simulated_clients", "simulated_client_cpus")
"""How many clients this machine is all of, and how many of them work at once."""


def _same_work(run: Run, spec: RunSpec, clients: int) -> bool:
    """Whether a round of it is as much work, for each of the `clients` and for all of them."""
    simulated = spec.engine is EngineName.SIMULATION
    return (
        run.round > 0
        and all(getattr(run.spec, name) == getattr(spec, name) for name in _WORK)
        and (not simulated or all(getattr(run.spec, name) == getattr(spec, name) for name in _SIMULATED_WORK))
        and (run.spec.dp is None) == (spec.dp is None)
        and (run.spec.secure_aggregation is None) == (spec.secure_aggregation is None)
        and _same_share(run, spec, clients)
    )


def _same_share(run: Run, spec: RunSpec, clients: int) -> bool:
    """Whether each client has as large a part of the data, as far as the server decides about that."""
    if spec.app is not None or spec.engine is EngineName.SUPERLINK:
        return True
    before = clients if spec.engine is EngineName.SIMULATION else len(run.clients)
    return _parts(run.spec, before) == _parts(spec, clients)
