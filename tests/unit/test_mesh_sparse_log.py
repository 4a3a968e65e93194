"""A log that others cannot fill."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from mesh.drop_log import DropLog
from mesh.protocol.counts import Counts, Reason
from mesh.refused_models import RefusedModels
from mesh.sparse_log import IN_FULL, ONCE_S, SPELL_S, OnceLog, SparseLog
from tests.support.mesh import KnownMembers, a_key


def test_others_cannot_fill_it(caplog: pytest.LogCaptureFixture) -> None:
    now = 5.0
    sparse = SparseLog(logging.getLogger("x"), lambda: now)
    for number in range(1_000):
        sparse.warning("%d knocks", number)

    assert len(caplog.messages) == IN_FULL
    assert caplog.messages[0] == "0 knocks"
    assert caplog.messages[-1] == f"{IN_FULL - 1} knocks. More of this is not said for the next minute"
    now += SPELL_S
    sparse.warning("another day")
    assert caplog.messages[-1] == "another day"


def test_what_is_about_the_same_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    now = 5.0
    once = OnceLog(logging.getLogger("x"), lambda: now)
    for number in range(1_000):
        once.say(logging.WARNING, number % 2, "%d knocks", number)

    assert caplog.messages == ["0 knocks", "1 knocks"]
    now += ONCE_S
    once.say(logging.WARNING, 0, "0 knocks once more")
    assert caplog.messages[2:] == ["0 knocks once more"]


def test_what_is_dropped_is_said_once_for_each_peer_and_reason_with_its_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    ana, ben = a_key(1), a_key(2)
    members = KnownMembers()
    members.add(ana)
    counts, refused, models = Counts(), Counter[str](), RefusedModels()
    log = DropLog(logging.getLogger("x"), counts, refused, models, lambda: 5.0)
    for _ in range(100):
        counts.drop(Reason.BAD_SIGNATURE, ana)
        counts.drop(Reason.NOT_ASKED, ben)
        counts.drop(Reason.NO_ROUTE, ben)
        counts.drop(Reason.NOT_ASKED)
        models.count(ana, "norm")
        refused["stranger"] += 1
        log.look(members.all())

    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [(level, words.partition(". ")[0]) for level, words in told] == [
        (
            "WARNING",
            "dropped what came from node-1: bad-signature, 1 until now "
            "(a forged message: its signature is wrong)",
        ),
        (
            "INFO",
            f"dropped what came from {ben.short}: not-asked, 1 until now "
            "(an answer for which nobody has asked)",
        ),
        ("INFO", f"dropped what came from {ben.short}: no-route, 1 until now (what could not be passed on)"),
        (
            "WARNING",
            "refused a model of node-1: norm, 1 until now (a model much larger than the node's own)",
        ),
        (
            "INFO",
            "refused a connection: stranger, 1 until now "
            "(a connection of somebody whom the node does not trust)",
        ),
    ]
