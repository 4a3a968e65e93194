"""What Flower itself makes of an app: the numbers of each round, as its own strategies aggregate them.

Tests start a `FlowerReference` with the apps that they run here, and compare. The work is done by
`tests.support.flower_engine` in a process of its own, one app after the other, while a test does its part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.processes import Command
from tests.support.waiting import wait_until

Numbers = dict[str, float]
Config = dict[str, str | int | float | bool]
Json = dict[str, Any]

START_S, APP_S = 60.0, 10.0
"""How long it may take until Ray has started, and until each app has run."""
WEIGHTS = ("num-examples", "num_examples")


@dataclass(frozen=True)
class ReferenceApp:
    """An app that Flower is to run."""

    folder: Path
    run_config: Config = field(default_factory=dict)
    direct: bool = False
    """Whether to call its ClientApp in the ServerApp's process: some do what Ray's actors do not survive."""
    node_configs: tuple[Config, ...] = ()
    """By part: what is added to each client's node config."""

    def as_json(self) -> Json:
        return {
            "folder": str(self.folder),
            "run_config": self.run_config,
            "direct": self.direct,
            "node_configs": list(self.node_configs),
        }


@dataclass(frozen=True)
class RoundOf:
    """Which of an app's messages make one round: the types of its stages, in order."""

    stages: tuple[str, ...]
    result: tuple[int, int] | None = None
    """Which `start` of a strategy, counted from 0, and which of its rounds has what it aggregated."""


@dataclass(frozen=True)
class Outcome:
    """What Flower made of one app."""

    phases: tuple[tuple[str, tuple[Numbers, ...]], ...]
    """Messages of one type to all clients that were asked, with the good replies' numbers; in order."""
    results: tuple[dict[str, dict[str, Numbers]], ...]
    """Of each strategy that ran, by stage and round."""
    error: str | None
    """The traceback of what ended the ServerApp."""
    failures: tuple[str, ...] = ()
    """Why clients could not answer."""

    def rounds(self, layout: Iterable[RoundOf]) -> list[dict[str, Numbers]]:
        """Of each round by stage: the mean of all numbers, or what a strategy aggregated in its place."""
        phases = iter(self.phases)
        rounds = []
        for expected in layout:
            metrics: dict[str, Numbers] = {}
            for kind in expected.stages:
                found, replies = next(phases)
                assert found == kind, f"Flower's app sent {found!r} where {kind!r} was expected"
                again = sum(each == kind for each in (name.partition(" ")[0] for name in metrics))
                metrics[f"{kind} {again + 1}" if again else kind] = mean(replies)
            if expected.result is not None:
                self._put_in_place(metrics, *expected.result)
            rounds.append({name: numbers for name, numbers in metrics.items() if numbers})
        assert next(phases, None) is None, "Flower's app sent more than was expected"
        return rounds

    def in_order(self) -> list[tuple[str, Numbers]]:
        """All exchanges and evaluations at the server, each with its numbers, rounds left aside."""
        stages = [(kind, mean(replies)) for kind, replies in self.phases]
        for stage in ("train", "evaluate"):
            places = [place for place, (kind, _) in enumerate(stages) if kind == stage]
            known = self._aggregated(stage)
            if known and len(places) % len(known) == 0:  # the last of those of a round is what was aggregated
                last = len(places) // len(known)
                for place, numbers in zip(places[last - 1 :: last], known, strict=True):
                    stages[place] = (stage, {**stages[place][1], **numbers})
        stages += [("server", numbers) for numbers in self._aggregated("server")]
        return [(kind, numbers) for kind, numbers in stages if numbers]

    def _aggregated(self, stage: str) -> list[Numbers]:
        return [
            result[stage][server_round]
            for result in self.results
            for server_round in sorted(result[stage], key=int)
        ]

    def _put_in_place(self, metrics: dict[str, Numbers], start: int, server_round: int) -> None:
        for stage, rounds in self.results[start].items():
            numbers = rounds.get(str(server_round), {})
            name = next((name for name in reversed(metrics) if name.partition(" ")[0] == stage), stage)
            metrics[name] = {**metrics.get(name, {}), **numbers}


def mean(replies: Sequence[Numbers]) -> Numbers:
    """The mean of every number but the weight, weighted by the examples where a reply says how many."""
    means: Numbers = {}
    for name in dict.fromkeys(name for reply in replies for name in reply if name not in WEIGHTS):
        weighted = [(reply[name], weight(reply)) for reply in replies if name in reply]
        means[name] = sum(value * share for value, share in weighted) / sum(share for _, share in weighted)
    return means


def weight(reply: Numbers) -> float:
    """What a reply counts."""
    return next((reply[name] for name in WEIGHTS if name in reply), 1.0)


def read_outcome(told: Json) -> Outcome:
    """An outcome as the engine prints it; the older style, which sends to one client at a time, included."""
    phases: list[tuple[str, set[int], list[Numbers]]] = []
    for sent in told["exchanges"]:
        kind, nodes = sent["kinds"][0], set(sent["nodes"])
        good = [reply for reply in sent["replies"] if "error" not in reply]
        if phases and len(nodes) == 1 and phases[-1][0] == kind and not phases[-1][1] & nodes:
            phases[-1][1].update(nodes)
            phases[-1][2].extend(good)
        else:
            phases.append((kind, nodes, good))
    return Outcome(
        phases=tuple((kind, tuple(replies)) for kind, _, replies in phases),
        results=tuple(told["results"] + told["histories"]),
        error=told["error"],
        failures=tuple(
            reply["error"] for sent in told["exchanges"] for reply in sent["replies"] if "error" in reply
        ),
    )


class FlowerReference:
    """Flower's engine at work on some apps, with so many clients each."""

    def __init__(
        self, apps: Sequence[ReferenceApp], clients: int, home: Path, env: Mapping[str, str] | None = None
    ) -> None:
        jobs = home / "jobs.json"
        jobs.write_text(json.dumps({"clients": clients, "jobs": [app.as_json() for app in apps]}), "utf-8")
        self._apps = list(apps)
        self._command = Command(
            "-m tests.support.flower_engine",
            str(jobs),
            home=home,
            env={"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "FLWR_TELEMETRY_ENABLED": "0", **(env or {})},
        )

    def of(self, app: ReferenceApp, app_s: float = APP_S) -> Outcome:
        """What became of one of the apps; waits until its turn has come, so long for each before it."""
        place = self._apps.index(app)

        def look() -> str | None:
            lines = [line for line in self._command.output.splitlines() if line.startswith("reference: ")]
            if len(lines) > place:
                return lines[place]
            assert self._command.process.poll() is None, f"Flower's engine has ended: {self._command}"
            return None

        line = wait_until(look, "Flower has run the app", START_S + app_s * (place + 1))
        return read_outcome(json.loads(line.removeprefix("reference: ")))

    def end(self) -> None:
        """End the engine, whether it is done or not."""
        self._command.end()
