"""The built-in Flower ClientApp: puts a Learner behind Flower's messages.

What to do comes from the run config (a RunSpec) and from the message's own config; which part, and where the
data is, from the node config.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict, UserConfig
from flwr.clientapp import ClientApp

from client import progress
from client.learner import Learner, OnLabels, Place, Site, Weights
from shared import paths
from shared.results import EvaluateMetrics, TrainMetrics, records_of
from shared.run_spec import RunSpec
from shared.wire import ConfigScalar

LABELS_TOLD = "label-counts-told"
"""The record in the context's state, which lasts as long as the run and the process, of what was reported."""

app = ClientApp()


def node_config_of(site: Site, *, private_labels: bool) -> UserConfig:
    """What a client tells this app of itself; with `private_labels`, label counts are not reported."""
    return {
        "dataset": site.dataset or "",
        "data-dir": str(site.data_dir),
        "max-samples": site.max_samples,
        "device": site.device,
        "private-labels": private_labels,
    }


@app.train()
def train_round(message: Message, context: Context) -> Message:
    """Train the global model in the message; the reply holds the new weights and how the training went."""
    server_round = _config_of(message)["server-round"]
    # FedProx's mu as Flower's strategy of that name sends it; other strategies send none
    proximal_mu = _config_of(message).get("proximal-mu", 0.0)
    assert isinstance(server_round, int)
    assert isinstance(proximal_mu, float | int)
    update = _learner(_site_of(context.node_config)).train(
        _place_in(context),
        _weights_in(message),
        server_round=server_round,
        proximal_mu=float(proximal_mu),
        on_batch=progress.report,
        on_labels=_label_reporter(context),
    )
    metrics = TrainMetrics(
        num_examples=update.result.examples,
        train_loss=update.result.loss,
        duration_s=update.result.duration_s,
        **update.result.metrics,
    )
    return Message(
        RecordDict({"arrays": ArrayRecord(dict(update.weights)), "metrics": metrics.to_record()}),
        reply_to=message,
    )


@app.evaluate()
def evaluate_round(message: Message, context: Context) -> Message:
    """Evaluate the global model in the message on the held-out samples."""
    result = _learner(_site_of(context.node_config)).evaluate(
        _place_in(context),
        _weights_in(message),
        on_batch=progress.report,
        on_labels=_label_reporter(context),
    )
    metrics = EvaluateMetrics(
        num_examples=result.examples,
        loss=result.loss,
        accuracy=result.accuracy,
        duration_s=result.duration_s,
    )
    return Message(RecordDict({"metrics": metrics.to_record()}), reply_to=message)


@lru_cache(maxsize=1)
def _learner(site: Site) -> Learner:
    """Kept between messages and runs; one message is executed at a time."""
    return Learner(site)


def _site_of(node: UserConfig) -> Site:
    return Site(
        data_dir=Path(str(node.get("data-dir") or paths.data_dir())),
        dataset=str(node.get("dataset") or "") or None,
        max_samples=int(node.get("max-samples", 0)),
        device=str(node.get("device", "auto")),
    )


def _place_in(context: Context) -> Place:
    node = context.node_config
    return Place(
        _spec(tuple(context.run_config.items())), int(node["partition-id"]), int(node["num-partitions"])
    )


@lru_cache(maxsize=1)
def _spec(run_config: tuple[tuple[str, ConfigScalar], ...]) -> RunSpec:
    """Read once per run, from a run config that can be a key."""
    return RunSpec.from_run_config(dict(run_config))


def _weights_in(message: Message) -> Weights:
    return records_of(message.content, ArrayRecord)["arrays"].to_torch_state_dict()


def _config_of(message: Message) -> ConfigRecord:
    return records_of(message.content, ConfigRecord)["config"]


def _label_reporter(context: Context) -> OnLabels | None:
    return None if context.node_config.get("private-labels", False) else partial(_report_labels, context)


def _report_labels(context: Context, counts: tuple[int, ...]) -> None:
    """Report the counts at the first message of a run, and again if this client's part has changed since."""
    told = ConfigRecord({"counts": list(counts)})
    if context.state.config_records.get(LABELS_TOLD) != told:
        progress.report_labels(counts)
        context.state[LABELS_TOLD] = told
