"""The built-in ClientApp: what it tells of its data, and to whom; and that it does what the message asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict

from client import learner, progress
from client.client_app import app
from shared.data.datasets import RawSamples, load_train_labels, read_train
from shared.flower import identify_server_task, set_message_id
from shared.models import build_model
from shared.names import PARTS_IN_TURN
from shared.results import TrainMetrics
from shared.run_spec import RunSpec

Counts = tuple[int, ...]
SPEC = RunSpec(dataset="synthetic", model="linear", batch_size=64)  # type: ignore[arg-type]


def a_context(**node_config: Any) -> Context:
    """Of one run: the first of two parts of synthetic."""
    node = {"partition-id": 0, "num-partitions": 2, "data-dir": "nowhere", "device": "cpu", **node_config}
    return Context(1, 7, node, RecordDict(), SPEC.to_run_config())


def ask(kind: str, context: Context, **config: Any) -> Message:
    """The reply to a message of round 1."""
    model = build_model("linear", "synthetic", seed=1)
    content = RecordDict(
        {
            "arrays": ArrayRecord(model.state_dict()),
            "config": ConfigRecord({"server-round": 1, **config}),
        }
    )
    identify_server_task(context.run_id)
    message = Message(content, dst_node_id=context.node_id, message_type=kind)
    set_message_id(message, "m")
    return app(message, context)


def weights(reply: Message) -> np.ndarray:
    return np.concatenate([array.numpy().ravel() for array in reply.content.array_records["arrays"].values()])


@contextmanager
def listening() -> Iterator[list[Counts]]:
    """What is reported in this block."""
    told: list[Counts] = []
    with progress.reporting_to(lambda _: None, told.append):
        yield told


def test_labels_are_counted_once_in_a_run_and_are_those_that_it_trains_on() -> None:
    context = a_context()
    with listening() as told:
        trained = ask(MessageType.TRAIN, context)
        ask(MessageType.EVALUATE, context)
        ask(MessageType.TRAIN, context)

    assert len(told) == 1
    assert len(told[0]) == 10
    assert sum(told[0]) == TrainMetrics.from_reply(trained).num_examples
    assert max(told[0]) > 1.5 * min(told[0]), "alpha 0.5 makes unequal parts"
    whole = np.bincount(load_train_labels("synthetic", Path()))
    assert all(0 <= mine <= all_ for mine, all_ in zip(told[0], whole, strict=True))


def test_the_next_run_is_told_again_also_when_the_data_is_at_hand() -> None:
    with listening() as told:
        ask(MessageType.EVALUATE, a_context())
        ask(MessageType.EVALUATE, a_context())
    assert len(told) == 2
    assert told[0] == told[1]


def test_another_part_in_the_same_run_is_told() -> None:
    context = a_context()
    with listening() as told:
        ask(MessageType.EVALUATE, context)
        context.node_config["partition-id"] = 1
        ask(MessageType.EVALUATE, context)
        ask(MessageType.EVALUATE, context)
    assert len(told) == 2
    assert told[0] != told[1]


def test_a_limit_on_the_samples_limits_the_counts() -> None:
    with listening() as told:
        ask(MessageType.TRAIN, a_context(**{"max-samples": 40}))
    assert sum(told[0]) == 40


def test_a_private_client_tells_no_counts() -> None:
    with listening() as told:
        ask(MessageType.TRAIN, a_context(**{"private-labels": True}))
        ask(MessageType.EVALUATE, a_context(**{"private-labels": True}))
    assert told == []


def test_a_reporter_that_fails_is_asked_again() -> None:
    context = a_context()

    def refuse(_: Counts) -> None:
        raise RuntimeError("the link is gone")

    with progress.reporting_to(lambda _: None, refuse), pytest.raises(RuntimeError, match="the link is gone"):
        ask(MessageType.TRAIN, context)
    with listening() as told:
        ask(MessageType.TRAIN, context)
    assert len(told) == 1


def test_elsewhere_nobody_is_told_and_all_works_the_same() -> None:
    """Under Flower's own engines there is no reporter."""
    with listening():
        pass
    progress.report_labels((1, 2))
    with progress.reporting_to(lambda _: None):
        progress.report_labels((1, 2))
        assert ask(MessageType.TRAIN, a_context()).has_content()


@pytest.mark.parametrize(("in_turn", "times"), [(True, 1), (False, 3)])
def test_where_it_works_for_many_clients_it_reads_the_data_set_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_turn: bool, times: int
) -> None:
    read: list[str] = []

    def counted(name: str, data_dir: Path) -> RawSamples:
        read.append(name)
        return read_train(name, data_dir)

    monkeypatch.setattr(learner, "read_train", counted)
    node = {"data-dir": str(tmp_path), PARTS_IN_TURN: in_turn}
    for part in (0, 1, 0):
        ask(MessageType.EVALUATE, a_context(**{"partition-id": part, **node}))

    assert read == ["synthetic"] * times


def test_the_proximal_mu_of_the_message_reaches_the_training() -> None:
    start = build_model("linear", "synthetic", seed=1).state_dict()
    begun = np.concatenate([tensor.numpy().ravel() for tensor in start.values()])
    plain, none, strong = (
        weights(ask(MessageType.TRAIN, a_context(), **config))
        for config in ({}, {"proximal-mu": 0.0}, {"proximal-mu": 5.0})
    )
    assert np.array_equal(plain, none)
    assert np.linalg.norm(strong - begun) < 0.5 * np.linalg.norm(plain - begun)
