"""Strangers at a dashboard: what they send comes no further than it may, and disturbs nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from app.auth.replica_key import FILE
from app.event_log.messages import PREFIX
from app.replica.federation import Federation
from shared.security.server_identity import KEYS
from tests.support.dashboards import Dashboard, Deployment
from tests.support.people import PASSWORD, log_in

OUT_OF_PATHS = [
    b"/api/../internal/v1/snapshot",
    b"/api/%2e%2e/internal/v1/snapshot",
    b"/api/.%2E/internal/v1/recent",
    b"/api/%252e%252e/internal/v1/snapshot",
    b"/api/%25252e%25252e/internal/v1/snapshot",
    b"/api/..%2finternal/v1/snapshot",
    b"/api/..%252finternal/v1/snapshot",
    b"/api/v1/../../internal/v1/snapshot",
    b"/api/./../internal/v1/snapshot",
    b"/api/x/..;/../internal/v1/snapshot",
    b"/api/..\\internal/v1/snapshot",
    b"/internal/v1/snapshot",
    b"//internal/v1/snapshot",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    site = Deployment(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.end()


@pytest.fixture(params=[0, 1], ids=["eventlet", "threading"])
def dashboard(site: Deployment, request: pytest.FixtureRequest) -> Dashboard:
    number: int = request.param
    return site.dashboards[number]


def sent(
    to: Dashboard, method: bytes, target: bytes, *headers: bytes, body: bytes = b""
) -> tuple[int, bytes]:
    """Status and body of the answer to a request of just these bytes."""
    head = [b"%b %b HTTP/1.1" % (method, target), b"Host: localhost", b"Connection: close", *headers]
    if body:
        head.append(b"Content-Length: %d" % len(body))
    with socket.create_connection(("127.0.0.1", to.port), timeout=20) as connection:
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    status, _, rest = answer.partition(b"\r\n")
    return int(status.split()[1]), rest.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("target", OUT_OF_PATHS)
def test_no_path_leads_a_stranger_to_what_is_for_dashboards(dashboard: Dashboard, target: bytes) -> None:
    status, body = sent(dashboard, b"GET", target)

    assert status in (308, 404), body
    assert b'"instance"' not in body
    assert b'"events"' not in body


@pytest.mark.parametrize("target", [b"/api/../internal/v1/pulse", b"/api/%2e%2e/internal/v1/pulse"])
def test_nobody_has_a_dashboard_take_the_pulse(dashboard: Dashboard, target: bytes) -> None:
    status, body = sent(
        dashboard, b"POST", target, b"Content-Type: application/json", body=b'{"credentials": []}'
    )

    assert (status, b"identities" in body) == (404, False)


def test_what_is_passed_on_is_no_question_of_the_dashboards_own(site: Deployment) -> None:
    federation = Federation(site.federation.url, (site.home / KEYS / FILE).read_text().strip())
    try:
        passed_on = federation.request("GET", f"{PREFIX}/snapshot", timeout_s=10.0)
        answer = federation.send(passed_on)
        answer.close()
        assert answer.status_code == 403
        assert '"instance"' in federation.snapshot()
    finally:
        federation.close()


def test_a_path_stays_one_path(site: Deployment, dashboard: Dashboard) -> None:
    token = f"Authorization: {site.headers['Authorization']}".encode()

    assert sent(dashboard, b"GET", b"/api/v1/status", token)[0] == 200
    for ending in (b"%3Fsince=1", b"%23part", b"%0A", b"%C3%A9", b"%FF", b"\xe9"):
        assert sent(dashboard, b"GET", b"/api/v1/status" + ending, token)[0] == 404, ending


def test_odd_bytes_are_passed_on_as_they_came_or_refused(site: Deployment, dashboard: Dashboard) -> None:
    token = f"Authorization: {site.headers['Authorization']}".encode()

    for target in (b"/api/v1/status", b"/socket.io/?EIO=4&transport=polling"):
        assert sent(dashboard, b"GET", target, b"Cookie: a=\xe9")[0] == 401
        assert sent(dashboard, b"GET", target, b"Cookie: a=\xe9", token)[0] == 200
    assert sent(dashboard, b"GET", b"/api/v1/status?a=%0A&b=\xff&c=[d]", token)[0] == 200
    assert sent(dashboard, b"GET", b"/api/v1/status", b"X-Odd: a\r\n b", token)[0] in (200, 400)
    assert "Traceback" not in dashboard.output


def test_the_cookie_of_one_is_never_sent_for_another(site: Deployment, dashboard: Dashboard) -> None:
    name = f"ann-{site.dashboards.index(dashboard)}"
    with site.api() as api:
        user = {"name": name, "role": "admin", "password": PASSWORD}
        assert api.http.post("/api/v1/users", json=user).status_code == 201
    with httpx.Client(base_url=dashboard.url) as ann, httpx.Client(base_url=dashboard.url) as nobody:
        log_in(ann, name)
        assert ann.get("/api/v1/me").json()["name"] == name
        assert nobody.get("/api/v1/me").status_code == 401
        assert nobody.get("/api/v1/users").status_code == 401
