"""Records of a reply, read without keeping it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from flwr.app import ArrayRecord, MetricRecord

from shared.results import TrainMetrics, records_of
from tests.support.updates import a_model, a_reply


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """What is freed now is freed by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_records_are_told_apart_by_their_kind() -> None:
    content = a_reply(2, a_model(0)).content

    assert records_of(content, ArrayRecord) == {"arrays": content["arrays"]}
    assert records_of(content, MetricRecord) == {"metrics": content["metrics"]}


@pytest.mark.usefixtures("_no_collector")
def test_a_reply_that_was_read_is_freed_with_its_last_reference() -> None:
    reply = a_reply(2, a_model(0))
    TrainMetrics.from_reply(reply)
    records_of(reply.content, ArrayRecord)
    content = weakref.ref(reply.content)

    del reply

    assert content() is None
