"""The built-in Flower ClientApp: puts a Learner behind Flower's messages.

What to do comes from the run config (a RunSpec) and from the message's own config; which part, and where the
data is, from the node config.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict, UserConfig
from flwr.clientapp import ClientApp

from client import progress
from client.learner import Learner, OnLabels, Place, Site, Weights
from client.ledger.ledger import Ledger
from client.privacy import Privacy, secret_of
from client.site.policy import Budget
from shared import paths
from shared.dp_spec import DELTA
from shared.names import PARTS_IN_TURN
from shared.results import EvaluateMetrics, TrainMetrics, records_of
from shared.run_spec import RunSpec
from shared.spent import fields_of
from shared.training import EVALUATED_AT_ONCE, BatchProgress, OnBatch
from shared.wire import ConfigScalar

LABELS_TOLD = "label-counts-told"
"""The record in the context's state, which lasts as long as the run and the process, of what was reported."""

app = ClientApp()


NO_BUDGET = ""
"""Stands for the budget of a client that may spend without a limit."""


def node_config_of(
    site: Site,
    home: Path,
    *,
    private_labels: bool,
    tells_metrics: bool,
    client_id: str = "",
    budget: Budget | None = None,
) -> UserConfig:
    """What a client tells this app of itself; `home` is FedLoom's own folder.

    With `private_labels`, label counts are not reported. Without `tells_metrics` neither they nor a loss or
    an accuracy are in a private run. `budget`: the most that may be spent of its data set.
    """
    return {
        "home": str(home),
        "client-id": client_id,
        "privacy-budget": NO_BUDGET if budget is None else budget.epsilon,
        "privacy-delta": DELTA if budget is None else budget.delta,
        "tells-metrics": tells_metrics,
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
    update = learner_in(context).train(
        place_in(context),
        _weights_in(message),
        server_round=server_round,
        proximal_mu=float(proximal_mu),
        privacy=privacy_in(context),
        on_batch=_lot_reporter(context),
        on_labels=_label_reporter(context),
    )
    metrics = TrainMetrics(
        num_examples=update.result.examples,
        # with secure aggregation it goes no further than into the masked sum
        train_loss=update.result.loss if not spec_of(context).dp or _tells(context) else None,
        duration_s=update.result.duration_s,
        **fields_of(update.spent),
        **update.result.metrics,
    )
    return Message(
        RecordDict({"arrays": ArrayRecord(dict(update.weights)), "metrics": metrics.to_record()}),
        reply_to=message,
    )


@app.evaluate()
def evaluate_round(message: Message, context: Context) -> Message:
    """Evaluate the global model in the message on the held-out samples."""
    result = learner_in(context).evaluate(
        place_in(context),
        _weights_in(message),
        on_batch=_batch_reporter(context),
        on_labels=_label_reporter(context),
    )
    told = tells_metrics(context)
    metrics = EvaluateMetrics(
        num_examples=result.examples if told else None,
        loss=result.loss if told else None,
        accuracy=result.accuracy if told else None,
        duration_s=result.duration_s,
    )
    return Message(RecordDict({"metrics": metrics.to_record()}), reply_to=message)


def learner_in(context: Context) -> Learner:
    """The client's, for whoever is in the thread that messages are executed in."""
    return _learner(_site_of(context.node_config))


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
        parts_in_turn=node.get(PARTS_IN_TURN, False) is True,
    )


def place_in(context: Context) -> Place:
    """Its place in the run."""
    node = context.node_config
    return Place(spec_of(context), int(node["partition-id"]), int(node["num-partitions"]))


def spec_of(context: Context) -> RunSpec:
    """The run's settings, as the server says them."""
    return _spec(tuple(context.run_config.items()))


@lru_cache(maxsize=1)
def _spec(run_config: tuple[tuple[str, ConfigScalar], ...]) -> RunSpec:
    """Read once per run, from a run config that can be a key."""
    return RunSpec.from_run_config(dict(run_config))


def _weights_in(message: Message) -> Weights:
    return records_of(message.content, ArrayRecord)["arrays"].to_torch_state_dict()


def _config_of(message: Message) -> ConfigRecord:
    return records_of(message.content, ConfigRecord)["config"]


def privacy_in(context: Context) -> Privacy | None:
    """What the run needs for differential privacy, if it has it."""
    spec, node = spec_of(context), context.node_config
    if spec.dp is None:
        return None
    home = Path(str(node.get("home") or paths.home_dir()))
    client = str(node.get("client-id") or context.node_id)
    ledger = _ledger(home, spec.dataset, client, _budget_in(node))
    return Privacy(secret_of(home), f"{context.run_id:08x}", ledger)


def _budget_in(node: UserConfig) -> Budget | None:
    epsilon = node.get("privacy-budget", NO_BUDGET)
    return None if epsilon == NO_BUDGET else Budget(float(epsilon), float(node["privacy-delta"]))


@lru_cache(maxsize=16)
def _ledger(home: Path, dataset: str, client: str, budget: Budget | None) -> Ledger:
    """Kept between messages and runs, as what was read of it."""
    return Ledger(home, dataset, client, budget)


def tells_metrics(context: Context) -> bool:
    """Whether numbers that neither differential privacy nor a mask covers may leave this client."""
    return not spec_of(context).is_private or _tells(context)


def _tells(context: Context) -> bool:
    return context.node_config.get("tells-metrics", False) is True


def _lot_reporter(context: Context) -> OnBatch:
    return progress.report if tells_metrics(context) else partial(_report_lot, spec_of(context).batch_size)


def _batch_reporter(context: Context) -> OnBatch:
    return progress.report if tells_metrics(context) else partial(_report_lot, EVALUATED_AT_ONCE)


def _report_lot(expected: int, batch: BatchProgress) -> None:
    """Without a loss, and with as many samples as a batch has on average: how many a lot has drawn, the noise
    does not hide, nor how many are in the last batch."""
    progress.report(replace(batch, examples=expected * batch.done, loss=None))


def _label_reporter(context: Context) -> OnLabels | None:
    is_private = context.node_config.get("private-labels", False) or not tells_metrics(context)
    return None if is_private else partial(_report_labels, context)


def _report_labels(context: Context, counts: tuple[int, ...]) -> None:
    """Report the counts at the first message of a run, and again if this client's part has changed since."""
    told = ConfigRecord({"counts": list(counts)})
    if context.state.config_records.get(LABELS_TOLD) != told:
        progress.report_labels(counts)
        context.state[LABELS_TOLD] = told
