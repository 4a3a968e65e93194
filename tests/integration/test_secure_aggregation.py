"""Runs with secure aggregation by real processes: the model is that of FedAvg, the updates stay unseen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audit.entry import Kind
from app.audit.replay import replay
from app.audit.updates import UPDATES
from app.audit.verify import entries_of, verify
from app.demo.fleet import Fleet
from app.store.checkpoints import CheckpointStore
from client.site.policy import Policy
from shared.npy import flat_view
from shared.secagg.packing import Packing
from shared.secagg.settings import SecureAggregation
from shared.training.private import LotSize
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer

TRIO = ("a", "b", "c")
SGD_BATCH, MOMENTUM = 32, 0.9
SPEC: dict[str, Any] = {"num_rounds": 1, "min_clients": 3, "num_partitions": 3, "model": "cnn", "seed": 3}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """One with three clients, of which "c" tells its metrics also in a private run."""
    server = ForkedServer(tmp_path_factory.mktemp("secure") / "home")
    server.start()
    with Fleet() as fleet:
        clients = Clients(fleet, server, server.home)
        clients.start("a", "b")
        clients.start("c", policy=Policy(metrics_of_private_runs=True))
        yield server
    server.end()


@pytest.fixture(scope="module")
def rest(server: ForkedServer) -> Iterator[Api]:
    with closing(Api(server.url)) as api:
        for client_id in TRIO:
            api.wait_for_client(client_id, "idle")
        yield api


def complete(rest: Api, **changes: Any) -> tuple[str, list[Json]]:
    """A run from beginning to end: its id and its rounds."""
    run_id: str = rest.start(**{**SPEC, **changes})["id"]
    rest.wait_for_run(run_id, "completed")
    return run_id, rest.rounds(run_id)


def model_of(server: ForkedServer, run_id: str) -> np.ndarray[Any, Any]:
    """The global model in the newest checkpoint, as one row."""
    checkpoint = CheckpointStore(server.home / "checkpoints").newest(run_id)
    assert checkpoint is not None
    return np.concatenate([flat_view(array) for array in checkpoint.arrays.values()])


@pytest.mark.parametrize("strategy", ["fedavg", "fedprox", "fedavgm"])
def test_the_model_is_that_of_the_plain_run_within_the_error_of_quantisation(
    strategy: str, server: ForkedServer, rest: Api
) -> None:
    plain, rounds = complete(rest, strategy=strategy)
    secure, _ = complete(rest, strategy=strategy, secure_aggregation={})

    samples = sum(part["samples"] for part in rounds[1]["per_client"].values())
    tolerance = Packing(SecureAggregation(), 3).tolerance(samples) + 1e-6  # float32's own rounding
    assert np.abs(model_of(server, secure) - model_of(server, plain)).max() <= tolerance


def test_a_coarse_range_is_as_exact_as_it_promises(server: ForkedServer, rest: Api) -> None:
    plain, rounds = complete(rest)
    coarse = SecureAggregation(bits=16, range=0.5, max_samples=1_000)
    secure, _ = complete(rest, secure_aggregation=coarse.model_dump())

    samples = sum(part["samples"] for part in rounds[1]["per_client"].values())
    tolerance = Packing(coarse, 3).tolerance(samples) + 1e-6
    assert np.abs(model_of(server, secure) - model_of(server, plain)).max() <= tolerance


def test_of_a_client_nothing_is_told_but_how_long_it_took_unless_its_site_allows_it(rest: Api) -> None:
    _, plain = complete(rest)
    _, rounds = complete(rest, secure_aggregation={})

    parts = rounds[1]["per_client"]
    for client_id in ("a", "b"):
        part = parts[client_id]
        kept = ("train_loss", "loss", "accuracy", "samples", "held_out")
        assert [part[name] for name in kept] == [None] * 5
        assert part["train_s"] > 0
        assert part["verdict"] == "accepted"
        assert rest.clients()[client_id]["label_counts"] is None
    assert parts["c"]["accuracy"] is not None
    assert parts["c"]["held_out"] == plain[1]["per_client"]["c"]["held_out"]
    assert parts["c"]["train_loss"] is None  # it is in the sum alone
    assert rounds[1]["clients"] == 3
    assert rounds[1]["train_loss"] == pytest.approx(plain[1]["train_loss"], abs=1e-3)


def test_the_share_of_clipped_values_is_told(rest: Api) -> None:
    _, rounds = complete(rest, secure_aggregation={"range": 1e-3, "max_samples": 100})

    numbers = rounds[1]["metrics"]["secure-aggregation"]
    assert 0.1 < numbers["clipped"] <= 1
    assert numbers["capped"] == 3
    assert numbers["samples"] == 300


NOISE = 50.0


def spread_of_the_mean(lr: float) -> float:
    """The standard deviation of what noise alone makes of a weight, in the mean of three clients."""
    size = LotSize(samples=431, batch_size=SGD_BATCH, local_epochs=1)
    of_a_step = lr * NOISE / SGD_BATCH
    by_momentum = [(1 - MOMENTUM**left) / (1 - MOMENTUM) for left in range(1, size.steps + 1)]
    return of_a_step * math.sqrt(sum(weight**2 for weight in by_momentum) / len(TRIO))


def test_the_audit_log_has_whose_masked_updates_are_in_a_model_and_says_why_none_is_replayed(
    server: ForkedServer, rest: Api
) -> None:
    run_id, _ = complete(rest, secure_aggregation={})
    export = rest.http.get("/api/v1/audit").content

    verify(BytesIO(export))
    [entry] = [
        entry
        for entry in entries_of(BytesIO(export))
        if entry.kind == Kind.AGGREGATED and entry.fields["run"] == run_id
    ]
    assert sorted(each["client"] for each in entry.fields["updates"]) == list(TRIO)
    assert all(each["samples"] is None for each in entry.fields["updates"])
    said = "\n".join(replay(BytesIO(export), server.home / UPDATES))
    assert f"run {run_id}: not recomputed: its updates were masked" in said


def test_with_differential_privacy_at_the_clients_the_sum_has_their_noise(
    server: ForkedServer, rest: Api
) -> None:
    """So much that it is nearly all that there is: what two such runs differ by is the noise of both."""
    noisy = {"model": "linear", "alpha": None, "lr": 0.02, "dp": {"noise_multiplier": NOISE}}
    one, _ = complete(rest, secure_aggregation={}, **noisy)
    other, rounds = complete(rest, secure_aggregation={}, **noisy)

    spread = (model_of(server, one) - model_of(server, other)).std()
    assert spread == pytest.approx(math.sqrt(2) * spread_of_the_mean(lr=0.02), rel=0.15)
    part = rounds[1]["per_client"]["a"]
    assert part["epsilon"] >= part["epsilon_of_run"] > 0
    assert part["train_loss"] is None
    assert math.isfinite(rounds[1]["loss"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategy": "krum", "min_clients": 3}, "looks at each update by itself"),
        ({"strategy": "fedmedian"}, "looks at each update by itself"),
        ({"strategy": "qfedavg"}, "looks at each update by itself"),
        ({"strategy": "dpfedavg-adaptive"}, "looks at each update by itself"),
        ({"keep_updates": True}, "nobody can open the updates"),
        ({"min_clients": 2}, "needs 3 clients in each round"),
        ({"secure_aggregation": {"threshold": 0.5}}, "at or below two thirds"),
        ({"secure_aggregation": {"bits": 24}}, "16 or 32"),
    ],
)
def test_what_cannot_be_combined_is_refused_at_the_start(
    changes: dict[str, Any], words: str, rest: Api
) -> None:
    answer = rest.http.post("/api/v1/runs", json={**SPEC, "secure_aggregation": {}, **changes})

    assert answer.status_code == 422, answer.text
    assert words in answer.text


def test_a_member_with_another_key_than_the_site_lists_is_refused(
    server: ForkedServer, rest: Api, tmp_path: Path
) -> None:
    keys = {client_id: client["key"] for client_id, client in rest.clients().items()}
    with Fleet() as fleet:
        clients = Clients(fleet, server, tmp_path)
        clients.start("picky", policy=Policy(members=(keys["a"], keys["b"])))
        rest.wait_for_client("picky", "idle")
        run_id, _ = complete(rest, num_partitions=4, min_clients=4, num_rounds=1, secure_aggregation={})
        [refusal] = rest.get(f"/runs/{run_id}/verdicts", verdict="declined", client="picky")["verdicts"]
    assert "is not among the members of this site's policy" in refusal["detail"]
