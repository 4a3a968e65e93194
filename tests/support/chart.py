"""The chart for Kubernetes: rendered, and asked for its objects."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT
from tests.support.tools import give_up

Json = dict[str, Any]

CHART = ROOT / "containers" / "helm" / "fedloom"
EXAMPLES = ("small", "full", "secrets", "gpu")
"""Values that stand for an installation each: `ci/NAME-values.yaml` in the chart."""

WORKLOADS = ("StatefulSet", "Deployment")
RELEASE = "prod"
MARK = "app.kubernetes.io/component"
TIMEOUT_S = 60.0


class ChartRefused(Exception):
    """Helm does not render the chart with these values; says why."""


@dataclass(frozen=True)
class Installation:
    """What would be sent to the cluster, and what whoever installs it reads."""

    objects: Sequence[Json]
    notes: str

    def all(self, *kinds: str) -> list[Json]:
        """The objects of these kinds."""
        return [each for each in self.objects if each["kind"] in kinds]

    def one(self, kind: str, name: str) -> Json:
        """The object of this kind and name."""
        (found,) = [each for each in self.all(kind) if each["metadata"]["name"] == name]
        return found

    def pods(self) -> Iterator[tuple[str, Json]]:
        """Component and template of each kind of pod."""
        for each in self.all(*WORKLOADS):
            template = each["spec"]["template"]
            yield template["metadata"]["labels"][MARK], template

    def container(self, component: str) -> Json:
        """The one container in the pods of a component."""
        (container,) = dict(self.pods())[component]["spec"]["containers"]
        assert isinstance(container, dict)
        return container

    def components(self, selector: Mapping[str, str]) -> set[str]:
        """Whose pods have these labels."""
        return {
            component
            for component, template in self.pods()
            if selector.items() <= template["metadata"]["labels"].items()
        }


def example(name: str) -> str:
    """The values of an example, as YAML."""
    return (CHART / "ci" / f"{name}-values.yaml").read_text(encoding="utf-8")


@cache
def installed(name: str) -> Installation:
    """An example, rendered."""
    every = _results([{"do": "render", "values": example(each), "release": RELEASE} for each in EXAMPLES])
    return _installation(every[EXAMPLES.index(name)])


def rendered(
    values: str, kubeconfig: str | None = None, *, is_upgrade: bool = False, release: str = RELEASE
) -> Installation:
    """The chart with values in YAML. Raises ChartRefused."""
    task = {"values": values, "release": release, "kubeconfig": kubeconfig, "is_upgrade": is_upgrade}
    return _installation(_results([{"do": "render", **task}])[0])


def linted(values: str) -> list[str]:
    """What `helm lint --strict` objects to."""
    found: list[str] = _results([{"do": "lint", "values": values}])[0]["found"]
    return found


def _installation(result: Json) -> Installation:
    if "error" in result:
        raise ChartRefused(result["error"])
    return Installation(result["objects"], result["notes"])


def _results(tasks: Sequence[Json]) -> list[Json]:
    if importlib.util.find_spec("helm_python") is None:
        give_up("needs helm-python-sdk: it renders the chart as Helm does")
    command = [sys.executable, "-m", "tests.support.chart_renderer", str(CHART)]
    done = subprocess.run(
        command, input=json.dumps(tasks), capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    results: list[Json] = json.loads(done.stdout)
    return results


def mounted(template: Json, path: str) -> Path:
    """Where a file of a container's comes from, as `volume/file`: the volume that is mounted there."""
    (container,) = template["spec"]["containers"]
    for mount in container["volumeMounts"]:
        if Path(path).is_relative_to(mount["mountPath"]):
            return Path(mount["name"]) / Path(path).relative_to(mount["mountPath"])
    raise AssertionError(f"nothing is mounted where {path} would be")
