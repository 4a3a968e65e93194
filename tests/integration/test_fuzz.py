"""Whatever is sent to the page's port, no answer is 500, and errors of the API are problems (RFC 9457)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

import pytest
import simple_websocket  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.text import printable
from tests.support.api import Api
from tests.support.processes import ServerProcess

a_few_examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
BIG = st.integers(-(10**40), 10**40) | st.just(10**400) | st.just(10**5000)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
ODD_VALUES = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "9" * 30,
        "9" * 5000,
        "1e999",
        "NaN",
        "%00",
        "%ff",
        "%ed%b3%a4",
        "..",
        "%2e%2e%2f",
        "x" * 4000,
    ]
)
FIELDS = st.sampled_from(
    ["num_rounds", "lr", "seed", "app", "run_config", "strategy_params", "dataset", "\udce4"]
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request: pytest.FixtureRequest, session_server: ServerProcess) -> Iterator[ServerProcess]:
    server = session_server if request.param == "eventlet" else request.getfixturevalue("threading_server")
    yield server
    with closing(Api(server.url)) as api:
        api.end_all_runs()
        told = [entry for entry in api.logs(source="server", limit=5000) if entry["traceback"]]
        assert {(entry["message"], entry["traceback"]) for entry in told} == set()


def ask(server: ServerProcess, request: bytes, method: str = "GET") -> Answer | None:
    """What is answered to these bytes; None: the connection was closed without a word."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        with suppress(OSError):  # it may have been answered and closed by now
            connection.shutdown(socket.SHUT_WR)
        response = HTTPResponse(connection, method=method)
        try:
            response.begin()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (HTTPException, ConnectionResetError):
            return None


def request(method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A request as it goes over the line; `target` is sent as it is."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    length = {"Content-Length": str(len(body))} if body else {}
    lines += [f"{name}: {value}" for name, value in (length | (headers or {})).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def post(body: bytes, content_type: str = "application/json", **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("POST", "/api/v1/runs", body, {"Content-Type": content_type, **named})


def require_good(answer: Answer | None, *, api: bool = True) -> Answer:
    """It is no 500, and if it is an error it says what is wrong."""
    assert answer is not None
    assert answer.status != 500, answer.body
    if answer.status >= 400 and api:
        assert answer.headers["content-type"] == "application/problem+json", answer
        problem = json.loads(answer.body)
        assert problem["status"] == answer.status
        assert problem["title"] == HTTPStatus(answer.status).phrase
        assert problem["detail"]
    return answer


def routes(server: ServerProcess) -> list[tuple[str, str]]:
    with closing(Api(server.url)) as api:
        paths: dict[str, Any] = api.http.get("/api/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


@a_few_examples
@given(data=st.data())
def test_no_route_fails_whatever_its_path_and_query(server: ServerProcess, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(routes(server)))
    value = ODD_VALUES | ANY_TEXT.map(lambda text: quote(text, errors="surrogatepass")) | BIG.map(hex)
    for parameter in ("{run_id}", "{round}"):
        path = path.replace(parameter, data.draw(value).replace(" ", "+") or "x")
    query = data.draw(
        st.lists(
            st.tuples(st.sampled_from(["since", "limit", "level", "source", "format", "%ff", "x"]), value),
            max_size=3,
        )
    )
    target = path + ("?" + "&".join(f"{name}={text}" for name, text in query) if query else "")
    verb = data.draw(st.sampled_from([method, method, "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"]))

    answer = ask(server, request(verb, target), verb)

    if verb == "HEAD":
        assert answer is not None
        assert answer.status != 500
    else:
        require_good(answer, api=path.startswith("/api/"))


@a_few_examples
@given(body=st.dictionaries(FIELDS | ANY_TEXT, ANY_JSON | BIG, max_size=4) | ANY_JSON)
def test_no_json_body_fails(server: ServerProcess, body: Any) -> None:
    answer = require_good(ask(server, post(as_json(body))))

    assert answer.status in {201, 400, 422}


def as_json(value: Any) -> bytes:
    """With integers that Python would not print."""
    if isinstance(value, dict):
        return b"{" + b",".join(as_json(key) + b":" + as_json(item) for key, item in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(as_json, value)) + b"]"
    if isinstance(value, int) and abs(value) > 10**4000:
        return b"1" + b"0" * 5000
    return json.dumps(value).encode()


@a_few_examples
@given(body=st.binary(max_size=200))
def test_no_bytes_as_a_body_fail(server: ServerProcess, body: bytes) -> None:
    require_good(ask(server, post(body)))


@a_few_examples
@given(
    start=st.sampled_from(
        [b"", b"GET ", b"GET / HTTP/1.1\r\n", b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\n"]
    ),
    noise=st.binary(max_size=200),
)
def test_no_bytes_at_all_fail(server: ServerProcess, start: bytes, noise: bytes) -> None:
    answer = ask(server, start + noise + b"\r\n\r\n")

    assert answer is None or answer.status != 500


CASES: dict[str, tuple[bytes, int]] = {
    "nested 965 deep": (post(b'{"run_config":' + b"[" * 965 + b"]" * 965 + b"}"), 400),
    "nested 100,000 deep": (post(b"[" * 100_000 + b"]" * 100_000), 400),
    "nested 150 deep": (post(b'{"run_config":' + b'{"a":' * 150 + b"1" + b"}" * 151), 422),
    "an integer of 5,000 digits": (post(b'{"seed":' + b"9" * 5000 + b"}"), 400),
    "an integer of 4,000 digits": (post(b'{"seed":' + b"9" * 4000 + b"}"), 422),
    "the same in strategy_params": (post(b'{"strategy_params":{"x":' + b"9" * 4000 + b"}}"), 422),
    "1e999": (post(b'{"lr":1e999}'), 422),
    "NaN": (post(b'{"lr":NaN}'), 400),
    "half a surrogate pair": (post(b'{"strategy":"\\udce4"}'), 400),
    "the same as a key": (post(b'{"strategy_params":{"\\udce4":1}}'), 400),
    "a key twice": (post(b'{"lr":0.1,"lr":-1}'), 422),
    "not UTF-8": (post(b'{"app":"B\xe4r"}'), 400),
    "UTF-16": (post('{"lr":0.1}'.encode("utf-16")), 400),
    "another charset": (post(b'{"app":"B\xe4r"}', "application/json; charset=latin-1"), 400),
    "gzip": (post(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"), 415),
    "an empty body": (post(b"", Content_Length="0"), 400),
    "a list": (post(b"[]"), 422),
    "a word": (post(b'"{}"'), 422),
    "a run that is not there, with NUL": (request("GET", "/api/v1/runs/%00"), 404),
    "no UTF-8 in the path": (request("GET", "/api/v1/runs/%ff%fe"), 404),
    "a round of 5,000 digits": (request("GET", f"/api/v1/runs/x/checkpoints/{'9' * 5000}"), 404),
    "a round in other digits": (request("GET", "/api/v1/runs/x/checkpoints/%D9%A3"), 404),
    "a name of 5,000 letters": (request("GET", f"/api/v1/runs/{'x' * 5000}/export"), 404),
    "a number of 5,000 digits in the query": (request("GET", f"/api/v1/events?since={'9' * 5000}"), 422),
    "a long address": (request("GET", f"/api/v1/runs?x={'x' * 10_000}"), 414),
    "a very long address": (request("GET", f"/api/v1/runs?x={'x' * 100_000}"), 414),
    "a long header": (request("GET", "/api/v1/runs", headers={"X-A": "a" * 10_000}), 431),
    "a very long header": (request("GET", "/api/v1/runs", headers={"X-A": "a" * 100_000}), 431),
    "many headers": (request("GET", "/api/v1/runs", headers={f"X-{n}": "a" for n in range(150)}), 431),
    "large headers": (request("GET", "/api/v1/runs", headers={f"X-{n}": "a" * 8000 for n in range(10)}), 431),
    "a host that is none": (request("GET", "/api/v1/runs", headers={"Host": "[::1"}), 403),
    "a host with other letters": (request("GET", "/api/v1/runs", headers={"Host": "localh\xf6st"}), 403),
    "a host with a port that is none": (request("GET", "/api/v1/runs", headers={"Host": "localhost:x"}), 403),
    "a length that is none": (post(b"{}", Content_Length="two"), 400),
    "a negative length": (post(b"{}", Content_Length="-2"), 400),
    "a length with a sign": (post(b"{}", Content_Length="+2"), 400),
    "a length of 5,000 digits": (post(b"{}", Content_Length="9" * 5000), 400),
    "a length that is too long": (post(b"{}", Content_Length="20"), 400),
    "a length beyond the limit": (post(b"{}", Content_Length=str(1 << 30)), 413),
    "a length and chunks": (post(b"0\r\n\r\n", Transfer_Encoding="chunked"), 400),
    "another transfer encoding": (post(b"", Transfer_Encoding="gzip, chunked"), 501),
    "chunks that are none": (post(b"", Transfer_Encoding="chunked") + b"zz\r\n{}\r\n0\r\n\r\n", 400),
    "a negative chunk": (post(b"", Transfer_Encoding="chunked") + b"-2\r\n{}\r\n0\r\n\r\n", 400),
    "chunks that stop": (post(b"", Transfer_Encoding="chunked") + b"20\r\n{}", 400),
    "chunks beyond the limit": (
        post(b"", Transfer_Encoding="chunked")
        + (b"100000\r\n" + b" " * (1 << 20) + b"\r\n") * 2
        + b"0\r\n\r\n",
        413,
    ),
    "chunks of another type": (
        post(b"", "text/plain", Transfer_Encoding="chunked") + b"2\r\n{}\r\n0\r\n\r\n",
        415,
    ),
    "a target that is none": (request("GET", "http://[/api/v1/runs"), 400),
    "another scheme": (request("GET", "ftp://localhost/api/v1/runs"), 400),
    "no target": (b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "another version": (b"GET /api/v1/runs HTTP/9.9\r\nHost: localhost\r\n\r\n", 505),
    "a method that is none": (request("BREW", "/api/v1/runs"), 405),
    "a header that is none": (b"GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 200),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_a_problem_on_both_web_servers(server: ServerProcess, case: str) -> None:
    sent, status = CASES[case]

    answer = require_good(ask(server, sent))

    assert answer.status == status, answer.body


def say(server: ServerProcess, packets: list[str]) -> None:
    """Open a session of Socket.IO and send packets of Engine.IO, as long as they are taken."""
    page = simple_websocket.Client.connect(
        f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
    )
    with suppress(simple_websocket.ConnectionClosed, OSError):  # its own thread may have closed the socket
        for packet in packets:
            page.send(printable(packet))
        page.close()


SPOKEN = st.sampled_from(
    [
        *("", "2", "3", "6", "x", "bA", "bAAAA", "\x1e", "4" + "9" * 200, "41", "43", "430[]", "44"),
        *("40", "40{", "40[]", '40{"since":1e999}', '40{"a":"\\udce4"}', "40" + "[" * 3000, "40/other,"),
        *("42", "42[]", '42["log"]', '42["x",{}]', '42["connect"]', '42["disconnect"]', '42-1["x"]'),
        *('42/other,["x"]', "451-[", '451-["x",{"_placeholder":true,"num":0}]'),
    ]
)


@a_few_examples
@given(packets=st.lists(SPOKEN | ANY_TEXT.map("4{}".format) | ANY_TEXT, max_size=4))
def test_nothing_that_is_said_over_socket_io_fails(server: ServerProcess, packets: list[str]) -> None:
    say(server, packets)

    with closing(Api(server.url)) as api:
        assert api.get("/status")["version"]


class TestTheSameOnBoth:
    def test_a_body_in_chunks_is_read(self, server: ServerProcess) -> None:
        chunks = post(b"", Transfer_Encoding="chunked") + b'8\r\n{"seed":\r\n3\r\n 7}\r\n0\r\n\r\n'

        answer = require_good(ask(server, chunks))

        assert answer.status == 201
        assert json.loads(answer.body)["spec"]["seed"] == 7

    def test_a_whole_url_as_the_target_is_its_path(self, server: ServerProcess) -> None:
        answer = require_good(
            ask(server, request("GET", f"http://localhost:{server.port}/api/v1/logs?limit=1"))
        )

        assert len(json.loads(answer.body)["logs"]) == 1

    def test_whoever_waits_for_100_continue_gets_it(self, server: ServerProcess) -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(post(b"", Expect="100-continue", Content_Length="2"))
            assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{}")
            response = HTTPResponse(connection, method="POST")
            response.begin()
            assert response.status == 201

    @pytest.mark.parametrize("path", ["/api/v1/status", "/", "/healthz", "/api/openapi.json"])
    def test_head_is_get_without_the_body(self, server: ServerProcess, path: str) -> None:
        head, got = ask(server, request("HEAD", path), "HEAD"), ask(server, request("GET", path))

        assert head is not None
        assert got is not None
        assert (head.status, head.body) == (got.status, b"")
        assert head.headers["content-type"] == got.headers["content-type"]

    def test_a_request_that_comes_in_pieces_is_read(self, server: ServerProcess) -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in post(b'{"seed": 8}'):
                connection.sendall(bytes([byte]))
            response = HTTPResponse(connection, method="POST")
            response.begin()
            assert response.status == 201
