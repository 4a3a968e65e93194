"""What the results of clients come to: a client's part in a round, and the round's own numbers. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from app.federation.rounds.known_metrics import examples_name, loss_of, train_loss_of
from app.federation.rounds.results import ClientResult
from app.federation.rounds.seen import SeenRound, Stage
from app.federation.rounds.shares import Shares
from app.records import ClientRound, Round
from shared.spent import fields_of

SERVER = "server"
"""The stage that is no exchange: what the ServerApp computed of the global model."""


def with_result(before: ClientRound, stage: Stage, result: ClientResult, shares: Shares) -> ClientRound:
    """A client's part in a round with one more good reply. What that does not say stays as it was."""
    changes: dict[str, Any] = {"loss": result.loss, "accuracy": result.accuracy}
    if stage.kind == "train":
        changes |= {
            "train_loss": result.train_loss,
            "samples": result.num_examples,
            "train_s": result.duration_s,
            **fields_of(result.spent),
        }
    else:
        changes |= {"held_out": result.num_examples, "evaluate_s": result.duration_s}
    if result.metrics:
        changes["metrics"] = {**before.metrics, **result.metrics}
        changes["stages"] = stages = {**before.stages, stage.name: result.metrics}
        if result.accuracy is None:
            changes["accuracy"] = shares.of_stages(stages)
    said = {name: value for name, value in changes.items() if value is not None}
    forgiven = {"error": None, "lost": False, "late": False} if stage.kind == "train" else {}
    return before.changed(**said, **forgiven)


def summed_up(seen: SeenRound, stage: Stage, before: Round, shares: Shares) -> dict[str, Any]:
    """What changes in a round's record when the replies of a stage are there.

    Means are weighted by examples, as Flower's `aggregate_metricrecords` does, unless it is known what the
    strategy has made of the numbers.
    """
    metrics = {**before.metrics, stage.name: {**mean_metrics(stage), **stage.aggregated}}
    metrics = {name: numbers for name, numbers in metrics.items() if numbers}
    newest_first = list(reversed(seen.stages))
    changes = {
        "metrics": metrics,
        "client_loss": _newest(map(_client_loss, newest_first)),
        "client_accuracy": _newest(
            _client_accuracy(each, metrics.get(each.name, {}), shares) for each in newest_first
        ),
    }
    if stage.kind == "train":
        changes["clients"] = len(seen.have_trained())
        changes["train_loss"] = _newest(map(_train_loss, newest_first))
    return changes


def with_aggregate(seen: SeenRound, stage: Stage, before: Round, shares: Shares) -> dict[str, Any]:
    """What changes in a round's record when it is known what the strategy has made of a stage."""
    numbers = {**before.metrics.get(stage.name, {}), **stage.aggregated}
    changes: dict[str, Any] = {"metrics": {**before.metrics, stage.name: numbers}}
    of_newest = {
        "train_loss": (seen.newest_of("train"), train_loss_of(stage.kind, stage.aggregated)),
        "client_loss": (seen.stages[-1], loss_of(stage.kind, stage.aggregated)),
        "client_accuracy": (seen.stages[-1], shares.of_stage(stage.name, numbers)),
    }
    return changes | {
        name: value
        for name, (newest, value) in of_newest.items()
        if value is not None and (stage is newest or getattr(before, name) is None)
    }


def mean_metrics(stage: Stage) -> dict[str, float]:
    """The mean of every number of the clients' replies but the weight itself."""
    sums: dict[str, float] = defaultdict(float)
    weights: dict[str, int] = defaultdict(int)
    for _, result in sorted(stage.results.items()):  # sums depend on their order
        weight = _weight(result)
        of_weight = examples_name(result.metrics)
        for name, value in result.metrics.items():
            if name != of_weight:
                sums[name] += value * weight
                weights[name] += weight
    means = {name: total / weights[name] for name, total in sums.items() if weights[name]}
    return {name: mean for name, mean in means.items() if math.isfinite(mean)}


def with_shares(record: Round, shares: Shares) -> Round:
    """A round whose accuracies are read anew, after it has shown what an app's numbers are."""
    changes: dict[str, Any] = {}
    parts = {
        client_id: _with_share(part, shares) if part.stages else part
        for client_id, part in record.per_client.items()
    }
    if any(part is not record.per_client[client_id] for client_id, part in parts.items()):
        changes["per_client"] = parts
    of_clients = {name: numbers for name, numbers in record.metrics.items() if name != SERVER}
    accuracies = {
        "client_accuracy": shares.of_stages(of_clients) if of_clients else record.client_accuracy,
        "accuracy": shares.of_stage(SERVER, record.metrics[SERVER])
        if SERVER in record.metrics
        else record.accuracy,
    }
    changes |= {name: value for name, value in accuracies.items() if value != getattr(record, name)}
    return record.model_copy(update=changes) if changes else record


def _with_share(part: ClientRound, shares: Shares) -> ClientRound:
    accuracy = shares.of_stages(part.stages)
    return part if accuracy == part.accuracy else part.model_copy(update={"accuracy": accuracy})


def _newest(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _train_loss(stage: Stage) -> float | None:
    if stage.kind != "train":
        return None
    known = train_loss_of(stage.kind, stage.aggregated)
    return _mean(stage, "train_loss") if known is None else known


def _client_loss(stage: Stage) -> float | None:
    known = loss_of(stage.kind, stage.aggregated)
    return _mean(stage, "loss") if known is None else known


def _client_accuracy(stage: Stage, metrics: Mapping[str, float], shares: Shares) -> float | None:
    share = shares.of_stage(stage.name, metrics)
    return _mean(stage, "accuracy") if share is None else share


def _mean(stage: Stage, name: str) -> float | None:
    """Mean of a result, weighted by the examples that it comes from."""
    pairs = [(getattr(result, name), _weight(result)) for _, result in sorted(stage.results.items())]
    known = [(value, weight) for value, weight in pairs if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _weight(result: ClientResult) -> int:
    return 1 if result.num_examples is None else result.num_examples
