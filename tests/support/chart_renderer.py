"""`python -m tests.support.chart_renderer CHART < tasks.json`: what Helm's own library makes of a chart.

A process of its own, since that library brings Go's runtime, with threads and signals of its own.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from typing import Any

helm: Any = importlib.import_module("helm_python")  # there is none for some machines

Json = dict[str, Any]

NOTES = "NOTES.txt"
NAMESPACE = "fl"


def lint(chart: str, values: str) -> Json:
    """What `helm lint --strict` says that is more than advice. `values`: in YAML."""
    report = helm.lint(chart, helm.values_from_yaml(values), strict=True)
    found = [f"{each['path']}: {each['error']}" for each in report["messages"] if each["severity"] > 1]
    return {"found": [*found, *report["errors"]]}


def render(
    chart: str, values: str, release: str, kubeconfig: str | None = None, is_upgrade: bool = False
) -> Json:
    """The objects, by the file of their template, and the notes; or why there are none.

    `kubeconfig`: of a cluster in which the templates look things up.
    """
    options = {
        "name": release,
        "namespace": NAMESPACE,
        "is_install": not is_upgrade,
        "is_upgrade": is_upgrade,
        "revision": 2 if is_upgrade else 1,
    }
    try:
        with helm.Chart.load(chart) as loaded:
            given = helm.values_from_yaml(values)
            loaded.validate_schema(given)
            if kubeconfig is None:
                made = loaded.render(given, **options)
            else:
                with helm.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as config:
                    made = config.render(loaded, given, **options)
    except helm.HelmError as error:
        return {"error": str(error)}
    notes = "".join(text for path, text in made.items() if path.endswith(NOTES))
    objects = [
        parsed
        for path, text in sorted(made.items())
        if not path.endswith(NOTES)
        for document in re.split(r"^---$", text, flags=re.MULTILINE)
        if (parsed := helm.values_from_yaml(document))
    ]
    return {"objects": objects, "notes": notes}


def main(chart: str) -> None:
    """A list of tasks from stdin, a list of results to stdout."""
    does: dict[str, Callable[..., Json]] = {"lint": lint, "render": render}
    tasks = json.load(sys.stdin)
    json.dump([does[task.pop("do")](chart, **task) for task in tasks], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
