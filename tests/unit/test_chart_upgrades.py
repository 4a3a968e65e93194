"""The secret of server and dashboards: made at the first installation, kept at all that follow."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from app.auth.replica_key import load_replica_key
from tests.support.chart import Installation, installed, rendered

NAME = "prod-fedloom-replica-key"
SECRETS = "/api/v1/namespaces/fl/secrets"
DISCOVERED = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "secrets",
                "singularName": "secret",
                "namespaced": True,
                "kind": "Secret",
                "verbs": ["get"],
            }
        ],
    },
}
NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


@contextmanager
def cluster(*secrets: dict[str, object]) -> Iterator[str]:
    """The kubeconfig of an API server that has these secrets, and nothing else."""
    answers = dict(DISCOVERED)
    for secret in secrets:
        metadata = secret["metadata"]
        assert isinstance(metadata, dict)
        answers[f"{SECRETS}/{metadata['name']}"] = secret

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            content = json.dumps(answer or NOT_FOUND).encode()
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            """Nobody wants to know."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
                ],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "nobody"}}],
                "users": [{"name": "nobody", "user": {}}],
                "current-context": "here",
            }
        )
    finally:
        server.shutdown()
        server.server_close()


def key_of(chart: Installation) -> str:
    return base64.b64decode(chart.one("Secret", NAME)["data"]["replica-key"]).decode()


def test_an_upgrade_keeps_the_secret() -> None:
    with cluster() as empty:
        first = rendered("", empty)
    with cluster(first.one("Secret", NAME)) as installed_once:
        second = rendered("dashboards: {enabled: true}", installed_once, is_upgrade=True)

    assert key_of(second) == key_of(first)


def test_each_installation_has_another_that_server_and_dashboards_take(tmp_path: Path) -> None:
    one, other = key_of(rendered("")), key_of(rendered(""))
    path = tmp_path / "replica-key"
    path.write_text(one)

    assert one != other
    assert load_replica_key(path, tmp_path) == one


def test_where_there_is_one_already_none_is_made() -> None:
    chart = installed("secrets")

    assert chart.all("Secret") == []
    for component in ("server", "dashboard"):
        volumes = dict(chart.pods())[component]["spec"]["volumes"]
        assert {"secretName": "our-replica-key", "defaultMode": 0o440} in [
            each.get("secret") for each in volumes
        ]
