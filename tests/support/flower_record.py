"""What is written down of an app that Flower's engine runs: see `tests.support.flower_engine`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flwr.app import ConfigRecord, Message, MetricRecord, RecordDict
from flwr.server.history import History
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Result

Json = dict[str, Any]


@dataclass
class Exchange:
    """Messages that were sent together, and what came back."""

    kinds: list[str]
    nodes: list[int]
    replies: dict[str, Json] = field(default_factory=dict)
    """By the id of the message: the reply's numbers, or `error`."""


@dataclass
class Record:
    """What happened in one job."""

    exchanges: list[Exchange] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)
    error: str | None = None

    def as_json(self) -> Json:
        return {
            "exchanges": [
                {"kinds": sent.kinds, "nodes": sent.nodes, "replies": list(sent.replies.values())}
                for sent in self.exchanges
            ],
            "results": [result_as_json(result) for result in self.results],
            "histories": [history_as_json(history) for history in self.histories],
            "error": self.error,
        }


def result_as_json(result: Result) -> Json:
    """By stage and round: what a strategy aggregated, and what the ServerApp computed."""
    return {
        "train": by_round(result.train_metrics_clientapp),
        "evaluate": by_round(result.evaluate_metrics_clientapp),
        "server": by_round(result.evaluate_metrics_serverapp),
    }


def history_as_json(history: History) -> Json:
    """The same of the older style."""

    def turned(by_name: Mapping[str, Iterable[tuple[int, Any]]]) -> dict[int, dict[str, Any]]:
        rounds: dict[int, dict[str, Any]] = {}
        for name, values in by_name.items():
            for server_round, value in values:
                rounds.setdefault(server_round, {})[name] = value
        return rounds

    return {
        "train": by_round(turned(history.metrics_distributed_fit)),
        "evaluate": by_round(turned({**history.metrics_distributed, "loss": history.losses_distributed})),
        "server": by_round(turned({**history.metrics_centralized, "loss": history.losses_centralized})),
    }


def by_round(rounds: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Only numbers, with rounds as JSON has keys."""
    return {str(number): numbers(metrics) for number, metrics in rounds.items()}


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The single numbers among metrics."""
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def numbers_of(content: RecordDict) -> Json:
    """All single numbers of a reply, but for the code by which the older style says that all went well."""
    found: Json = {}
    for name, record in content.items():
        if isinstance(record, MetricRecord | ConfigRecord) and not name.endswith("res.status"):
            found |= numbers(record)
    return found


def watch(grid: Grid, record: Record) -> None:
    """Have everything that goes over the grid written down."""
    push, pull = grid.push_messages, grid.pull_messages
    exchanges: dict[str, Exchange] = {}

    def push_messages(messages: Iterable[Message]) -> list[str]:
        sent = list(messages)
        if not sent:
            return []
        exchange = Exchange(
            kinds=[message.metadata.message_type for message in sent],
            nodes=[message.metadata.dst_node_id for message in sent],
        )
        record.exchanges.append(exchange)
        ids = list(push(sent))
        exchanges.update(dict.fromkeys(ids, exchange))
        return ids

    def pull_messages(message_ids: Iterable[str]) -> list[Message]:
        replies = list(pull(message_ids))
        for reply in replies:
            answered = reply.metadata.reply_to_message_id
            found = {"error": reply.error.reason} if reply.has_error() else numbers_of(reply.content)
            exchanges[answered].replies[answered] = found
        return replies

    grid.push_messages, grid.pull_messages = push_messages, pull_messages  # type: ignore[method-assign]


def collect_instances(kind: type[Any]) -> Callable[[], list[Any]]:
    """Have all new instances of a class kept; the function returned gives them, and forgets them."""
    begin, made = kind.__init__, []

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: N807
        begin(self, *arguments, **options)
        made.append(self)

    def take() -> list[Any]:
        taken = made.copy()
        made.clear()
        return taken

    kind.__init__ = __init__
    return take
