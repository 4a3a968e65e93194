"""An MLflow server as far as its REST API 2.0 documents what the tracker uses: what it does not take, and
what the documentation does not name, is refused as MLflow refuses it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

PREFIX = "/api/2.0/mlflow/"
NAME = re.compile(r"[\w./ -]{1,250}", re.ASCII)
TAG_FILTER = re.compile(r"tags\.`([^`]+)` = '([^']*)'")

FIELDS = {
    "experiments/create": {"name"},
    "runs/create": {"experiment_id", "run_name", "start_time", "tags"},
    "runs/search": {"experiment_ids", "filter", "max_results"},
    "runs/update": {"run_id", "status", "end_time"},
    "runs/log-batch": {"run_id", "metrics", "params", "tags"},
}
"""What may be in the body of a POST."""


class Refused(Exception):
    """As MLflow answers: a status and an error code."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code = status, code


@dataclass
class KeptRun:
    run_id: str
    experiment_id: str
    status: str = "RUNNING"
    end_time: int | None = None
    metrics: dict[str, list[Json]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        """As `runs/search` tells of it: of each metric the newest value."""
        newest = [max(values, key=lambda each: each["step"]) for values in self.metrics.values()]
        return {"info": {"run_id": self.run_id, "status": self.status}, "data": {"metrics": newest}}


class MlflowServer:
    """`refusal`: what it answers to everything, if not None."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, KeptRun] = {}
        self.authorizations: list[str | None] = []
        self.refusal: tuple[int, Json] | None = None

    def answer(self, path: str, fields: Json) -> Json:
        """The answer to a request. Raises Refused."""
        if unknown := fields.keys() - FIELDS.get(path, {"experiment_name"}):
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"unknown fields {unknown}")
        match path:
            case "experiments/get-by-name":
                if (known := self.experiments.get(fields["experiment_name"])) is None:
                    raise Refused(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment")
                return {"experiment": {"experiment_id": known}}
            case "experiments/create":
                self.experiments[fields["name"]] = str(len(self.experiments) + 1)
                return {"experiment_id": self.experiments[fields["name"]]}
            case "runs/create":
                run = KeptRun(f"{len(self.runs):032x}", fields["experiment_id"])
                run.tags.update({tag["key"]: tag["value"] for tag in fields["tags"]})
                self.runs[run.run_id] = run
                return {"run": run.as_json()}
            case "runs/search":
                return self._search(fields)
            case "runs/update":
                run = self.runs[fields["run_id"]]
                run.status = fields["status"]
                run.end_time = fields.get("end_time")
                return {"run_info": run.as_json()["info"]}
            case "runs/log-batch":
                self._log(**fields)
                return {}
        raise Refused(404, "ENDPOINT_NOT_FOUND", path)

    def _search(self, fields: Json) -> Json:
        wanted = TAG_FILTER.fullmatch(fields["filter"])
        if wanted is None:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Invalid filter {fields['filter']}")
        found = [
            run.as_json()
            for run in self.runs.values()
            if run.experiment_id in fields["experiment_ids"] and run.tags.get(wanted[1]) == wanted[2]
        ]
        return {"runs": found[: fields["max_results"]]} if found else {}

    def _log(
        self,
        run_id: str,
        metrics: list[Json] | None = None,
        params: list[Json] | None = None,
        tags: list[Json] | None = None,
    ) -> None:
        run, metrics, params, tags = self.runs[run_id], metrics or [], params or [], tags or []
        if len(metrics) > 1_000 or len(params) > 100 or len(tags) > 100:
            raise Refused(400, "INVALID_PARAMETER_VALUE", "too much in one batch")
        for each in (*metrics, *params):
            if not NAME.fullmatch(each["key"]):
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"Invalid name {each['key']!r}")
        for param in params:
            if run.params.setdefault(param["key"], param["value"]) != param["value"]:
                raise Refused(400, "INVALID_PARAMETER_VALUE", "Changing param values is not allowed")
        for metric in metrics:
            assert metric.keys() == {"key", "value", "timestamp", "step"}
            run.metrics.setdefault(metric["key"], []).append(metric)
        run.tags.update({tag["key"]: tag["value"] for tag in tags})


@contextmanager
def mlflow_server() -> Iterator[MlflowServer]:
    """One on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self._answer({name: values[0] for name, values in query.items()})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _answer(self, fields: Json) -> None:
            mlflow.authorizations.append(self.headers["authorization"])
            status = 200
            answer: Json = {}
            try:
                if mlflow.refusal is not None:
                    status, answer = mlflow.refusal
                else:
                    answer = mlflow.answer(urlsplit(self.path).path.removeprefix(PREFIX), fields)
            except Refused as refused:
                status, answer = refused.status, {"error_code": refused.code, "message": str(refused)}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mlflow = MlflowServer(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield mlflow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
