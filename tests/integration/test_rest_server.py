"""What a server answers of itself over HTTP: what can be asked, its page, and whom it lets ask."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support.api import Api, problem_of
from tests.support.module_servers import api_of_server, either_web_server
from tests.support.processes import ServerProcess

ROUTES = {
    "/healthz": {"get"},
    "/api/v1/status": {"get"},
    "/api/v1/audit": {"get"},
    "/api/v1/audit/checkpoint": {"get"},
    "/api/v1/audit/verification": {"get"},
    "/api/v1/audit/entries": {"get"},
    "/api/v1/runs": {"get", "post", "delete"},
    "/api/v1/runs/preview": {"post"},
    "/api/v1/runs/compare": {"get"},
    "/api/v1/runs/compare/export": {"get"},
    "/api/v1/runs/{run_id}": {"get", "patch", "delete"},
    "/api/v1/runs/{run_id}/rounds": {"get"},
    "/api/v1/runs/{run_id}/stop": {"post"},
    "/api/v1/runs/{run_id}/pause": {"post"},
    "/api/v1/runs/{run_id}/resume": {"post"},
    "/api/v1/runs/{run_id}/go-on": {"post"},
    "/api/v1/runs/{run_id}/checkpoints": {"get"},
    "/api/v1/runs/{run_id}/checkpoints/{round}": {"get"},
    "/api/v1/runs/{run_id}/export": {"get"},
    "/api/v1/runs/{run_id}/labels": {"get"},
    "/api/v1/runs/{run_id}/delivered": {"get"},
    "/api/v1/runs/{run_id}/logs": {"get"},
    "/api/v1/runs/{run_id}/verdicts": {"get"},
    "/api/v1/local-clients": {"get", "post", "delete"},
    "/api/v1/local-clients/{client_id}": {"delete"},
    "/api/v1/outlets": {"get"},
    "/api/v1/outlets/webhook/test": {"post"},
    "/api/v1/links": {"get"},
    "/api/v1/mesh": {"get"},
    "/api/v1/mesh/block": {"post"},
    "/api/v1/mesh/unblock": {"post"},
    "/api/v1/strategies": {"get"},
    "/api/v1/system": {"get"},
    "/api/v1/clients": {"get"},
    "/api/v1/clients/{client_id}": {"delete"},
    "/api/v1/clients/{client_id}/approve": {"post"},
    "/api/v1/clients/{client_id}/reject": {"post"},
    "/api/v1/clients/{client_id}/revoke": {"post"},
    "/api/v1/clients/{client_id}/readmit": {"post"},
    "/api/v1/invitations": {"get", "post"},
    "/api/v1/invitations/{invitation_id}/revoke": {"post"},
    "/api/v1/next-key": {"get", "post"},
    "/api/v1/events": {"get"},
    "/api/v1/logs": {"get"},
    "/api/v1/logs/counts": {"get"},
    "/api/v1/logs/place": {"get"},
    "/api/v1/logs/file": {"get"},
    "/api/v1/me": {"get"},
    "/api/v1/me/password": {"post"},
    "/api/v1/login": {"post"},
    "/api/v1/logout": {"post"},
    "/api/v1/setup": {"post"},
    "/api/v1/users": {"get", "post"},
    "/api/v1/users/{name}": {"patch", "delete"},
    "/api/v1/tokens": {"get", "post"},
    "/api/v1/tokens/{id}": {"delete"},
}

server = either_web_server()
api = api_of_server()


@pytest.fixture
def mode(server: ServerProcess) -> str:
    return "threading" if "--async-mode" in server.name else "eventlet"


class TestTheServerItself:
    def test_health_is_one_word(self, api: Api) -> None:
        assert api.http.get("/healthz").json()["status"] == "ok"

    def test_the_status_tells_how_to_join(self, api: Api, server: ServerProcess, mode: str) -> None:
        status = api.get("/status")

        assert status["version"] == "0.1.0"
        assert status["async_mode"] == mode
        assert status["link"] == {"host": "127.0.0.1", "port": server.link_port}
        assert status["uptime_s"] > 0
        join = re.fullmatch(
            r"python run_client\.py --client-id client-\d+ --dataset digits --server (\S+)",
            status["join_command"],
        )
        assert join is not None
        assert join[1] == server.link

    def test_openapi_describes_every_route(self, api: Api) -> None:
        document = api.http.get("/api/openapi.json").json()

        described = {
            path: {method for method in methods if method in {"get", "post", "put", "patch", "delete"}}
            for path, methods in document["paths"].items()
        }
        assert described == ROUTES
        assert document["openapi"].startswith("3.")
        assert set(document["components"]["securitySchemes"]) == {"session", "token"}
        assert {"RunSpec", "Run", "Round", "Client", "Problem"} <= set(document["components"]["schemas"])

    def test_there_is_a_page_to_read_it_that_loads_nothing_from_elsewhere(self, api: Api) -> None:
        page = api.http.get("/api/docs", follow_redirects=True)

        assert page.status_code == 200
        assert "text/html" in page.headers["Content-Type"]
        addresses = re.findall(r'(?:src|href|spec-url)="([^"]+)"', page.text)
        assert addresses
        assert not [address for address in addresses if "//" in address]
        for address in addresses:
            assert api.http.get(page.url.join(address)).status_code == 200

    def test_the_page_is_served_with_all_that_it_loads(self, api: Api) -> None:
        page = api.http.get("/")

        assert page.status_code == 200
        addresses = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert addresses
        for address in addresses:
            assert api.http.get(address).status_code == 200, address


class TestSecurity:
    @pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/runs", "/api/v1/nothing", "/api/docs"])
    def test_every_answer_has_the_protective_headers(self, api: Api, path: str) -> None:
        headers = api.http.get(path).headers

        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe-eval" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:80", "localhost.evil.example", "192.168.7.7"]
    )
    def test_a_foreign_name_for_this_machine_is_refused(self, api: Api, host: str) -> None:
        response = api.http.get("/api/v1/status", headers={"Host": host})

        assert "localhost" in problem_of(response, 403)["detail"]

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
    def test_this_machines_own_names_are_accepted(self, api: Api, server: ServerProcess, host: str) -> None:
        headers = {"Host": f"{host}:{server.port}"}

        assert api.http.get("/api/v1/status", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost.evil"]
    )
    def test_a_page_from_elsewhere_cannot_start_a_run(self, api: Api, origin: str) -> None:
        before = len(api.get("/runs")["runs"])

        response = api.http.post("/api/v1/runs", json={}, headers={"Origin": origin})

        problem_of(response, 403)
        assert len(api.get("/runs")["runs"]) == before

    def test_our_own_page_can_start_a_run(self, api: Api, server: ServerProcess) -> None:
        response = api.http.post("/api/v1/runs", json={}, headers={"Origin": server.url})

        assert response.status_code == 201

    @pytest.mark.parametrize(
        "path", ["/static/../app.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py"]
    )
    def test_files_beside_the_page_are_not_served(self, api: Api, path: str) -> None:
        assert api.http.get(path).status_code == 404


def test_a_large_answer_is_compressed_for_those_who_take_that(server: ServerProcess) -> None:
    url = f"{server.url}/api/openapi.json"
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
    packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 4
    assert packed.json() == plain.json()
