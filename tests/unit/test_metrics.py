"""Prometheus reads what the documents promise, and the dashboard asks for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from app.environment import Environment
from app.metrics import MAX_NODES, ServerMetrics
from app.records import Client, GlobalScore, GpuUsage, PrivacySpent, Protected, RunState
from app.settings import ServerSettings
from shared.proto.link_pb2 import MeshNow, MeshRefusal
from tests.support.processes import ROOT
from tests.support.records import A_KEY, a_client, a_hello, a_run
from tests.support.usage import a_usage

DOCUMENT = ROOT / "docs" / "metrics.md"
GRAFANA = ROOT / "containers" / "grafana" / "fedloom.json"
OF_PROCESS = "process_"


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    env = Environment(ServerSettings(home=tmp_path, async_mode="threading"))
    yield env
    env.auth.stop()
    env.store.close()


def scraped(env: Environment) -> dict[str, Metric]:
    """As Prometheus understands it."""
    text = ServerMetrics(env).text().decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(env: Environment, name: str) -> dict[tuple[str, ...], float]:
    family = scraped(env)[name]
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def names(env: Environment) -> set[str]:
    """Of all samples that there can be; a counter's end in _total, that of an Info in _info."""
    endings = {"counter": "_total", "info": "_info"}
    text = ServerMetrics(env).text().decode()
    kinds = re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE)
    return {name.removesuffix(endings.get(kind, "")) + endings.get(kind, "") for name, kind in kinds}


def documented() -> set[str]:
    return set(re.findall(r"`((?:fedloom|process)_[a-z_]+)`", DOCUMENT.read_text(encoding="utf-8")))


def test_the_document_names_what_there_is_and_nothing_else(env: Environment) -> None:
    assert names(env) == documented()


def test_the_dashboard_asks_for_what_there_is(env: Environment) -> None:
    dashboard = json.loads(GRAFANA.read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [variable["query"]["query"] for variable in dashboard["templating"]["list"][1:]]

    used = {name for expression in asked for name in re.findall(r"(?:fedloom|process)_\w+", expression)}

    assert len(asked) > 20
    assert used <= names(env)
    assert {name for name in names(env) if not name.startswith(OF_PROCESS)} - used <= {
        "fedloom_runs",
        "fedloom_nodes_left_out",
        "fedloom_node_process_memory_bytes",
        "fedloom_node_disk_read_bytes_per_second",
        "fedloom_node_disk_written_bytes_per_second",
    }
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_where_there_is_no_value_there_is_no_sample(env: Environment) -> None:
    for name in ("round", "accuracy", "loss", "round_duration_seconds", "epsilon_max"):
        assert samples(env, f"fedloom_{name}") == {}
    assert set(samples(env, "fedloom_run_state").values()) == {0}


def test_the_run_is_told_as_it_is(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(
        "a",
        state=RunState.COMPLETED,
        round=3,
        num_rounds=5,
        final=GlobalScore(loss=0.5, accuracy=0.75),
        privacy=PrivacySpent(protects=Protected.CLIENT, epsilon=1.5, delta=1e-5, releases=3),
    )
    monkeypatch.setattr(env.book, "newest_first", lambda: [run])
    monkeypatch.setattr(env.book, "rounds", lambda run_id: [])

    assert samples(env, "fedloom_round") == {(): 3}
    assert samples(env, "fedloom_rounds_planned") == {(): 5}
    assert samples(env, "fedloom_accuracy") == {(): 0.75}
    assert samples(env, "fedloom_epsilon_max") == {(): 1.5}
    states = samples(env, "fedloom_run_state")
    assert {state for state, value in states.items() if value} == {("completed",)}
    assert states.keys() == {(state.value,) for state in RunState}


def test_clients_are_counted_by_state_and_their_replies_by_verdict(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[Client] = [
        a_client("a", state="idle", verdicts={"accepted": 3}),
        a_client("b", state="lost", verdicts={"accepted": 1, "malformed": 2}),
        a_client("c", state="lost", membership="pending"),
    ]
    monkeypatch.setattr(env.registry, "snapshot", lambda: clients)

    states = samples(env, "fedloom_clients")
    assert {state: count for state, count in states.items() if count} == {("idle",): 1, ("lost",): 1}
    assert samples(env, "fedloom_clients_pending") == {(): 1}
    verdicts = samples(env, "fedloom_verdicts")
    assert {verdict: count for verdict, count in verdicts.items() if count} == {
        ("accepted",): 4,
        ("malformed",): 2,
    }


def test_however_many_clients_there_are_the_series_are_bounded(env: Environment) -> None:
    gpus = tuple(GpuUsage(busy=0.5, memory_used=1, memory_total=2) for _ in range(16))
    env.usage.add(None, a_usage(1.0))
    for number in range(300):
        env.usage.add(f"client-{number}", a_usage(1.0, gpus=gpus))

    cores = samples(env, "fedloom_node_process_cores")
    assert len(cores) == MAX_NODES + 1
    assert ("server", "server") in cores
    assert ("client", "client-99") in cores
    assert ("client", "client-100") not in cores
    assert samples(env, "fedloom_nodes_left_out") == {(): 200}
    assert len(samples(env, "fedloom_node_gpu_ratio")) == MAX_NODES * 8


def test_a_client_with_the_servers_name_is_another_node(env: Environment) -> None:
    env.usage.add(None, a_usage(1.0, cpu=0.25))
    env.usage.add("server", a_usage(1.0, cpu=0.75))

    assert samples(env, "fedloom_node_cpu_ratio") == {("server", "server"): 0.25, ("client", "server"): 0.75}


def test_what_clients_refuse_in_the_mesh_is_counted_by_client_and_reason(env: Environment) -> None:
    env.registry.connected(a_hello("ana"), A_KEY)
    by_two = [MeshRefusal(key=bytes([end]) * 32, reason="replay", count=2) for end in (1, 2)]
    env.registry.meshes_now("ana", MeshNow(refused=[*by_two, MeshRefusal(reason="rate", count=9)]))

    assert samples(env, "fedloom_mesh_refusals") == {("ana", "replay"): 4, ("ana", "rate"): 9}
