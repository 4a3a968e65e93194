"""What the built-in ClientApp tells in a run with differential privacy, and what it keeps to itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict, UserConfig

from client import progress
from client.client_app import app
from shared.dp_spec import DpSpec
from shared.flower import identify_server_task, set_message_id
from shared.models import build_model
from shared.results import EvaluateMetrics, TrainMetrics
from shared.run_spec import RunSpec
from shared.secagg.settings import SecureAggregation
from shared.training import EVALUATED_AT_ONCE, BatchProgress

SPEC = RunSpec.model_validate(
    {"dataset": "synthetic", "model": "linear", "batch_size": 20, "dp": DpSpec(noise_multiplier=2.0)}
)

SECURE = SPEC.with_changes(dp=None, secure_aggregation=SecureAggregation(), min_clients=3)


def a_context(home: Path, **node_config: Any) -> Context:
    node: UserConfig = {
        "partition-id": 0,
        "num-partitions": 9,
        "data-dir": "nowhere",
        "device": "cpu",
        "home": str(home),
    }
    return Context(1, 7, {**node, **node_config}, RecordDict(), SPEC.to_run_config())


def ask(kind: str, context: Context, server_round: int = 1) -> tuple[Message, list[Any]]:
    """The reply to a message, and all that was reported meanwhile."""
    content = RecordDict(
        {
            "arrays": ArrayRecord(build_model("linear", "synthetic", seed=1).state_dict()),
            "config": ConfigRecord({"server-round": server_round}),
        }
    )
    identify_server_task(context.run_id)
    message = Message(content, dst_node_id=context.node_id, message_type=kind)
    set_message_id(message, "m")
    reported: list[Any] = []
    with progress.reporting_to(reported.append, reported.append):
        return app(message, context), reported


def test_neither_loss_nor_accuracy_nor_labels_leave_it_unless_the_site_says_so(tmp_path: Path) -> None:
    context = a_context(tmp_path)

    reply, reported = ask(MessageType.TRAIN, context)
    trained = TrainMetrics.from_reply(reply)
    evaluated = EvaluateMetrics.from_reply(ask(MessageType.EVALUATE, context)[0])

    assert trained.train_loss is None
    assert (evaluated.loss, evaluated.accuracy, evaluated.num_examples) == (None, None, None)
    assert {type(each) for each in reported} == {BatchProgress}, "and no label counts"
    assert {each.loss for each in reported} == {None}
    assert [each.examples for each in reported] == [20 * each.done for each in reported], (
        "as expected, not as drawn"
    )


@pytest.mark.parametrize("spec", [SPEC, SECURE], ids=["dp", "secagg"])
def test_nor_does_on_how_many_samples_it_evaluates(tmp_path: Path, spec: RunSpec) -> None:
    """They are a tenth of all that it has."""
    context = a_context(tmp_path)
    context.run_config = spec.to_run_config()

    reply, reported = ask(MessageType.EVALUATE, context)

    assert set(reply.content["metrics"]) == {"duration_s"}
    assert [each.examples for each in reported] == [EVALUATED_AT_ONCE * each.done for each in reported]


def test_all_of_it_leaves_where_the_site_allows_it(tmp_path: Path) -> None:
    context = a_context(tmp_path, **{"tells-metrics": True})

    reply, reported = ask(MessageType.TRAIN, context)
    evaluated = EvaluateMetrics.from_reply(ask(MessageType.EVALUATE, context)[0])

    assert (TrainMetrics.from_reply(reply).train_loss or 0) > 0
    assert evaluated.accuracy is not None
    assert evaluated.num_examples is not None
    assert any(isinstance(each, tuple) for each in reported), "label counts"


def test_epsilon_is_of_all_that_was_released_in_the_run_and_a_repeated_round_counts_once(
    tmp_path: Path,
) -> None:
    context = a_context(tmp_path)

    def spent(server_round: int) -> float:
        epsilon = TrainMetrics.from_reply(ask(MessageType.TRAIN, context, server_round)[0]).epsilon
        assert epsilon is not None
        return epsilon

    first = spent(1)
    assert spent(2) > first
    assert spent(2) == spent(1) > first
    anew = TrainMetrics.from_reply(ask(MessageType.TRAIN, a_context(tmp_path))[0])
    assert anew.epsilon == spent(2), "a client that is started anew goes on counting"
