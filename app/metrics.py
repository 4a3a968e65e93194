"""What Prometheus reads: the server, its newest run and all nodes. docs/metrics.md has the names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from app.environment import Environment
from app.records import ClientState, MembershipState, Round, Run, RunState, Usage, Verdict
from app.usage.recent import Node
from shared.natural_order import natural_key
from shared.version import __version__

MAX_NODES = 100
"""Clients with series of their own, the first in their natural order; of the others there is the number."""

MAX_GPUS = 8

State = TypeVar("State", bound=StrEnum)

_OF_NODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cpu_ratio": ("cpu", "Share of all cores that all programs use."),
        "process_cores": ("process_cores", "Cores that FedLoom's process and its descendants use."),
        "memory_used_bytes": ("memory_used", "Memory that all programs use."),
        "memory_bytes": ("memory_total", "Memory of the machine."),
        "process_memory_bytes": ("process_memory", "Resident memory of the process and its descendants."),
        "disk_used_bytes": ("disk_used", "Used on the disk with FedLoom's folder."),
        "disk_bytes": ("disk_total", "Size of the disk with FedLoom's folder."),
        "disk_read_bytes_per_second": ("disk_read", "Read from all disks."),
        "disk_written_bytes_per_second": ("disk_written", "Written to all disks."),
        "sent_bytes_per_second": ("sent", "Sent over all interfaces."),
        "received_bytes_per_second": ("received", "Received over all interfaces."),
    }
)


class ServerMetrics:
    """Of one server. Any thread asks."""

    def __init__(self, env: Environment) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_OfServer(env))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of them now, as Prometheus reads them."""
        return generate_latest(self._registry)


class _OfServer(Collector):
    """All families, also those that have no value now."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def collect(self) -> Iterator[Metric]:
        """Called by the registry for each scrape."""
        env = self._env
        runs = env.book.newest_first()
        run = next((run for run in runs if run.id == env.runs.active_id), runs[0] if runs else None)
        yield InfoMetricFamily("fedloom", "This server.", value={"version": __version__})
        yield _counts("runs", "Runs by their state.", "state", Counter(run.state for run in runs), RunState)
        yield from _of_run(run, env.book.rounds(run.id) if run else [])
        yield from self._of_clients()
        yield from self._of_link()
        yield self._of_mesh()
        behind = max(0, env.bus.last - env.writer.written)
        yield GaugeMetricFamily("fedloom_event_queue", "Events that are not on the disk yet.", value=behind)
        works = float(env.writer.problem is None)
        yield GaugeMetricFamily("fedloom_store_up", "1: what happens is kept; 0: it is not.", value=works)
        yield from _of_nodes(env.usage.latest())

    def _of_clients(self) -> Iterator[Metric]:
        clients = self._env.registry.snapshot()
        states = Counter(c.state for c in clients if c.membership is MembershipState.ADMITTED)
        yield _counts("clients", "Clients that are members, by their state.", "state", states, ClientState)
        waiting = sum(client.membership is MembershipState.PENDING for client in clients)
        yield GaugeMetricFamily("fedloom_clients_pending", "Clients that wait to be approved.", value=waiting)
        judged: Counter[str] = Counter()
        for client in clients:
            judged.update(client.verdicts)
        verdicts = CounterMetricFamily(
            "fedloom_verdicts", "Replies by what was decided of them.", labels=["verdict"]
        )
        for verdict in Verdict:
            verdicts.add_metric([verdict.value], judged[verdict])
        yield verdicts

    def _of_link(self) -> Iterator[Metric]:
        traffic = CounterMetricFamily(
            "fedloom_link_bytes",
            "Bytes of frames on the link, before TLS.",
            labels=["direction"],
        )
        traffic.add_metric(["sent"], self._env.link.traffic.sent)
        traffic.add_metric(["received"], self._env.link.traffic.received)
        yield traffic
        refused = CounterMetricFamily(
            "fedloom_refusals", "Who was not let in, by the reason's code.", labels=["reason"]
        )
        for reason, count in sorted(self._env.refused().items()):
            refused.add_metric([reason], count)
        yield refused

    def _of_mesh(self) -> Metric:
        registry = self._env.registry
        refused = CounterMetricFamily(
            "fedloom_mesh_refusals",
            "What a client's node has not taken in the mesh, by its word and the reason's code.",
            labels=["client", "reason"],
        )
        for client in registry.snapshot()[:MAX_NODES]:
            now = registry.mesh_now(client.id)
            counts: Counter[str] = Counter()
            for refusal in now.refused if now else ():
                counts[refusal.reason] += refusal.count
            for reason, count in sorted(counts.items()):
                refused.add_metric([client.id, reason], count)
        return refused


def _of_run(run: Run | None, rounds: Iterable[Round]) -> Iterator[Metric]:
    """The active run, else the newest."""
    current = Counter([run.state] if run else [])
    yield _counts("run_state", "1: the state of the newest run.", "state", current, RunState)
    complete = [round_ for round_ in rounds if round_.complete]
    final = run.final if run else None
    yield _gauge("round", "Rounds that the newest run has completed.", run.round if run else None)
    yield _gauge("rounds_planned", "Rounds that it is to have.", run.num_rounds if run else None)
    yield _gauge(
        "accuracy", "Of its global model on the server's test set.", final.accuracy if final else None
    )
    yield _gauge("loss", "Of its global model on the server's test set.", final.loss if final else None)
    seconds = complete[-1].duration_s if complete else None
    yield _gauge("round_duration_seconds", "What its newest complete round has taken.", seconds)
    spent = [part.epsilon for part in (complete[-1].per_client.values() if complete else ())]
    spent.append(run.privacy.epsilon if run and run.privacy else None)
    most = max((epsilon for epsilon in spent if epsilon is not None), default=None)
    yield _gauge("epsilon_max", "The most that any client, or its model, has spent of privacy.", most)


def _of_nodes(latest: Mapping[Node, Usage]) -> Iterator[Metric]:
    nodes = sorted(latest, key=lambda node: (node is not None, natural_key(node or "")))
    shown = nodes[: MAX_NODES + (None in latest)]
    labels = {node: ["server", "server"] if node is None else ["client", node] for node in shown}
    left_out = len(nodes) - len(shown)
    yield _gauge("nodes_left_out", "Clients whose machines are not told, since they are too many.", left_out)
    for name, (field, words) in _OF_NODES.items():
        family = GaugeMetricFamily(f"fedloom_node_{name}", words, labels=["kind", "node"])
        for node in shown:
            family.add_metric(labels[node], getattr(latest[node], field))
        yield family
    busy = GaugeMetricFamily("fedloom_node_gpu_ratio", "How busy a GPU is.", labels=["kind", "node", "gpu"])
    for node in shown:
        for number, gpu in enumerate(latest[node].gpus[:MAX_GPUS]):
            busy.add_metric([*labels[node], str(number)], gpu.busy)
    yield busy


def _gauge(name: str, words: str, value: float | None) -> GaugeMetricFamily:
    """Without a sample where there is no value: a missing accuracy is not one of 0."""
    family = GaugeMetricFamily(f"fedloom_{name}", words)
    if value is not None:
        family.add_metric([], value)
    return family


def _counts(
    name: str, words: str, label: str, counts: Mapping[State, int], all_of: Iterable[State]
) -> GaugeMetricFamily:
    """One sample for each value that the label can have."""
    family = GaugeMetricFamily(f"fedloom_{name}", words, labels=[label])
    for value in all_of:
        family.add_metric([str(value)], counts.get(value, 0))
    return family
