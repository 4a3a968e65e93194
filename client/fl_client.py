"""The built-in Flower ClientApp: trains and evaluates a model on this client's part of a data set.

What to do comes from the run config (see `shared.run_spec.RunSpec.to_run_config`) and from the message's
own config; which part, and where the data is, from the node config. All randomness derives from (seed, round,
part), so that Flower's simulation engine, where a client has no name, computes the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from torch import nn

from client import progress
from shared import paths
from shared.datasets import TensorSet, dataset_info, load_train, load_train_labels
from shared.errors import DatasetUnavailable
from shared.models import build_model
from shared.partition import partition_indices, split_holdout
from shared.results import EvaluateMetrics, TrainMetrics, records_of
from shared.seeds import derive_seed
from shared.training import TrainConfig, evaluate, resolve_device, train

HELD_OUT = 0.1
"""Share of a client's samples that it does not train on but evaluates the global model with."""

LABELS_TOLD = "label-counts-told"
"""The record in the context's state, which lasts as long as the run and the process, of what was reported."""

app = ClientApp()


@dataclass(frozen=True)
class LocalData:
    """What one client has: the samples it trains on and those it evaluates on.

    `label_counts` says how many of the former there are of each label, by label.
    """

    train: TensorSet
    held_out: TensorSet
    label_counts: tuple[int, ...]


@app.train()
def train_round(message: Message, context: Context) -> Message:
    """Train the global model in the message; the reply holds the new weights and how the training went."""
    config = context.run_config
    model, device = _model(message, context)
    local = _local_data(context)
    result = train(
        model,
        local.train,
        TrainConfig(
            local_epochs=int(config["local-epochs"]),
            batch_size=int(config["batch-size"]),
            lr=float(config["lr"]),
            proximal_mu=_proximal_mu(message),
        ),
        device=device,
        seed=derive_seed(
            int(config["seed"]), "train", _server_round(message), int(context.node_config["partition-id"])
        ),
        on_batch=progress.report,
    )
    metrics = TrainMetrics(num_examples=result.examples, train_loss=result.loss, duration_s=result.duration_s)
    return Message(
        RecordDict({"arrays": ArrayRecord(model.state_dict()), "metrics": metrics.to_record()}),
        reply_to=message,
    )


@app.evaluate()
def evaluate_round(message: Message, context: Context) -> Message:
    """Evaluate the global model in the message on the held-out samples."""
    model, device = _model(message, context)
    result = evaluate(model, _local_data(context).held_out, device=device, on_batch=progress.report)
    metrics = EvaluateMetrics(
        num_examples=result.examples,
        loss=result.loss,
        accuracy=result.accuracy,
        duration_s=result.duration_s,
    )
    return Message(RecordDict({"metrics": metrics.to_record()}), reply_to=message)


def _model(message: Message, context: Context) -> tuple[nn.Module, torch.device]:
    """The run's model with the weights from the message."""
    config = context.run_config
    model = _empty_model(str(config["model"]), str(config["dataset"]))
    model.load_state_dict(records_of(message.content, ArrayRecord)["arrays"].to_torch_state_dict())
    return model, resolve_device(str(context.node_config.get("device", "auto")))


@lru_cache(maxsize=1)
def _empty_model(name: str, dataset: str) -> nn.Module:
    """A model whose weights are always replaced before it is used; one message is executed at a time."""
    return build_model(name, dataset, seed=0)


def _server_round(message: Message) -> int:
    server_round = records_of(message.content, ConfigRecord)["config"]["server-round"]
    assert isinstance(server_round, int)
    return server_round


def _proximal_mu(message: Message) -> float:
    """FedProx's mu as Flower's strategy of that name sends it; other strategies send none."""
    proximal_mu = records_of(message.content, ConfigRecord)["config"].get("proximal-mu", 0.0)
    assert isinstance(proximal_mu, float | int)
    return float(proximal_mu)


def _local_data(context: Context) -> LocalData:
    config, node = context.run_config, context.node_config
    dataset = str(config["dataset"])
    if (own := node.get("dataset", dataset)) != dataset:
        raise DatasetUnavailable(f"This client trains on {own} only, and was asked to train on {dataset}.")
    local = _load(
        dataset=dataset,
        data_dir=Path(str(node.get("data-dir") or paths.data_dir())),
        partition=int(node["partition-id"]),
        num_partitions=int(node["num-partitions"]),
        alpha=float(config["alpha"]) or None,
        seed=int(config["seed"]),
        max_samples=int(node.get("max-samples", 0)),
    )
    if not node.get("private-labels", False):
        _report_labels(local.label_counts, context)
    return local


def _report_labels(counts: tuple[int, ...], context: Context) -> None:
    """Report the counts at the first message of a run, and again if this client's part has changed since."""
    told = ConfigRecord({"counts": list(counts)})
    if context.state.config_records.get(LABELS_TOLD) != told:
        progress.report_labels(counts)
        context.state[LABELS_TOLD] = told


@lru_cache(maxsize=1)
def _load(
    dataset: str,
    data_dir: Path,
    partition: int,
    num_partitions: int,
    alpha: float | None,
    seed: int,
    max_samples: int,
) -> LocalData:
    """This client's part, read once per run."""
    labels = load_train_labels(dataset, data_dir)
    indices = partition_indices(labels, num_partitions, partition, alpha=alpha, seed=seed)
    train_indices, held_out = split_holdout(indices, HELD_OUT, derive_seed(seed, "held-out", partition))
    if not len(held_out):  # a part of one sample: all there is to evaluate on
        held_out = train_indices
    if max_samples:
        train_indices = train_indices[:max_samples]
        held_out = held_out[: math.ceil(max_samples * HELD_OUT / (1 - HELD_OUT))]
    counts = np.bincount(labels[train_indices], minlength=dataset_info(dataset).num_classes)
    return LocalData(
        train=load_train(dataset, data_dir, train_indices),
        held_out=load_train(dataset, data_dir, held_out),
        label_counts=tuple(counts.tolist()),
    )
