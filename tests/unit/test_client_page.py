"""A client's own page: for whoever has its key, on its own machine, and for no other site's page."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.offline.rounds import GoneRound
from client.offline.status import (
    ClientStatus,
    InvitationStanding,
    JoinStanding,
    PairedHere,
    RunStanding,
    ServerStanding,
)
from client.page import server as page_server
from client.page.answers import MAX_BODY_BYTES, MAX_PICTURE_BYTES, Answer, Answers, NoSuchAction
from client.page.files import PageNotBuilt, page_files
from client.page.server import MAX_CONNECTIONS, PageNotServed, serving_page
from mesh.files.states import FileCondition, FileState, FolderView, RefusedCount
from mesh.learning.base import Base
from mesh.refusals import Refusal
from mesh.status import LinkStatus, MeshStatus, PeerStatus
from mesh.trust.store import NotTrusted
from shared import qr
from tests.support.in_loop import in_loop
from tests.support.mesh import a_key

KEY = "k" * 43
PORT = 4001
HERE = {"host": f"localhost:{PORT}"}
COOKIE = {"cookie": f"fedloom-client-{PORT}={KEY}"}
SECRET = {"secret": "told"}
LIMIT_S = 20.0


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as the front end's build leaves it, beside which there is what must not be served."""
    app = tmp_path / "app"
    for name, text in {
        "templates/client.html": "<html>client</html>",
        "templates/index.html": "<html>server</html>",
        "static/assets/client-abc.js": "script",
        "static/favicon.svg": "<svg/>",
    }.items():
        path = app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (app / "page-key").write_text("the server's")
    return app


@pytest.fixture
def answers(built: Path) -> Answers:
    return Answers(KEY, PORT, page_files(built), lambda: SECRET, act)


def act(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Does one thing, and not for everybody; and what has a text."""
    if name == "join":
        return dict(fields)
    if name != "block":
        raise NoSuchAction(name)
    if fields.get("key") == "own":
        raise NotTrusted("A node cannot block itself.")
    return {"done": fields}


def told(answer: Answer) -> bool:
    return b"told" in answer.body


def test_the_key_in_the_address_becomes_a_cookie_and_is_forgotten(answers: Answers) -> None:
    entered = answers.get(f"/?token={KEY}", HERE)

    assert (entered.status, entered.headers["Location"]) == (HTTPStatus.SEE_OTHER, "/")
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    status = answers.get("/api/status", {**HERE, "cookie": f"other=1; {cookie.partition(';')[0]}"})
    assert (status.status, json.loads(status.body)) == (HTTPStatus.OK, SECRET)
    assert status.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "cookie", ["", "fedloom-client-4001=", "fedloom-client-4001=wrong", f"fedloom={KEY}", "\x00;="]
)
def test_nobody_without_the_key_is_told_anything(answers: Answers, cookie: str) -> None:
    answer = answers.get("/api/status", {**HERE, "cookie": cookie})

    assert answer.status is HTTPStatus.UNAUTHORIZED
    assert not told(answer)
    assert answers.get("/?token=wrong", HERE).status is HTTPStatus.FORBIDDEN
    assert "Set-Cookie" not in answers.get(f"/?token={KEY[:-1]}", HERE).headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"host": f"evil.example:{PORT}"},
        {"host": "localhost"},
        {"host": "localhost:9"},
        {**HERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {**HERE, "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_another_sites_page_is_refused_also_with_the_cookie(
    answers: Answers, headers: dict[str, str]
) -> None:
    answer = answers.get("/api/status", {**headers, **COOKIE})

    assert answer.status is HTTPStatus.FORBIDDEN
    assert not told(answer)
    assert told(answers.get("/api/status", {**HERE, **COOKIE, "sec-fetch-site": "same-origin"}))


@pytest.mark.parametrize(
    "target",
    [
        "/static/../page-key",
        "/static/%2e%2e/page-key",
        "/static//favicon.svg",
        "/static/assets",
        "/index.html",
        "//x",
        "/static/\x00",
    ],
)
def test_only_the_pages_own_files_are_served(answers: Answers, target: str) -> None:
    assert answers.get("/", HERE).body == b"<html>client</html>"
    assert answers.get("/static/favicon.svg", HERE).headers["Content-Type"] == "image/svg+xml"
    script = answers.get("/static/assets/client-abc.js", HERE)
    assert (script.headers["Content-Type"], script.body) == ("text/javascript; charset=utf-8", b"script")

    assert answers.get(target, HERE).status is HTTPStatus.NOT_FOUND


@given(st.text(), st.dictionaries(st.sampled_from(["host", "cookie", "sec-fetch-site"]), st.text()))
def test_whatever_is_asked_nothing_is_told_without_the_key(target: str, headers: dict[str, str]) -> None:
    answers = Answers(KEY, PORT, {"/": Path(__file__)}, lambda: SECRET, act)

    for each in (headers, {**headers, **HERE}):
        for asked in (target, f"/api/status{target}"):
            answer = answers.get(asked, each)
            assert b'"told"' not in answer.body or answer.body == Path(__file__).read_bytes()
            assert KEY not in str(answer.headers)


def test_a_page_that_was_not_built_is_said(tmp_path: Path) -> None:
    with pytest.raises(PageNotBuilt, match="npm run build"):
        page_files(tmp_path)


# over a socket


@asynccontextmanager
async def served(built: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(page_server, "page_files", lambda: page_files(built))
    with serving_page(0, lambda: {"loop": asyncio.get_running_loop().time()}, act) as address:
        yield address


def ask(
    address: str, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    url = urlsplit(address)
    with closing(http.client.HTTPConnection("127.0.0.1", url.port, timeout=LIMIT_S)) as connection:
        connection.request(method, path, headers={"Host": url.netloc, **(headers or {})})
        response = connection.getresponse()
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )


@in_loop
async def test_it_is_served_on_loopback_with_its_address_printed(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(built, monkeypatch) as address:
        assert address in capsys.readouterr().out
        path = f"/?{urlsplit(address).query}"
        status, headers, _ = await asyncio.to_thread(ask, address, path)
        assert (status, headers["server"]) == (303, "FedLoom")
        cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
        status, headers, body = await asyncio.to_thread(ask, address, "/api/status", "GET", cookie)
        assert status == 200
        assert json.loads(body)["loop"] > 0
        assert "default-src 'none'" in headers["content-security-policy"]
        assert (await asyncio.to_thread(ask, address, "/api/block", "POST", cookie))[0] == 403
        assert (await asyncio.to_thread(ask, address, "/api/status", "DELETE", cookie))[0] == 501

    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(ask, address, "/")


@in_loop
async def test_a_browser_that_says_nothing_does_not_hold_up_the_others(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(built, monkeypatch) as address:
        port = urlsplit(address).port
        assert port is not None
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(MAX_CONNECTIONS - 1)]
        try:
            assert (await asyncio.to_thread(ask, address, "/"))[0] == 200
            silent += [socket.create_connection(("127.0.0.1", port), LIMIT_S) for _ in range(3)]
            assert await asyncio.to_thread(silent[-1].recv, 1) == b"", "no more than that are kept"
        finally:
            for each in silent:
                each.close()


@in_loop
async def test_a_port_that_is_taken_is_said(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(built, monkeypatch) as address:
        port = urlsplit(address).port
        assert port is not None
        with (
            pytest.raises(PageNotServed, match="Choose another with --page PORT"),
            serving_page(port, dict, act),
        ):
            pass


# what it tells

SAMPLE = Path(__file__).parents[2] / "app/frontend/src/field/status.sample.json"
"""With what the page's own tests are told."""


def shape(value: Any) -> Any:
    """Names and kinds, without values: a number is a number, and what may be missing is anything."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


POSTED = {**HERE, **COOKIE, "origin": f"http://localhost:{PORT}", "content-type": "application/json"}


def test_whoever_has_the_key_has_the_client_do_something(answers: Answers) -> None:
    done = answers.post("/api/block", POSTED, b'{"key": "K"}')

    assert (done.status, json.loads(done.body)) == (HTTPStatus.OK, {"done": {"key": "K"}})
    refused = answers.post("/api/block", POSTED, b'{"key": "own"}')
    assert (refused.status, refused.body) == (HTTPStatus.CONFLICT, b"A node cannot block itself.\n")
    assert answers.post("/api/other", POSTED, b"{}").status is HTTPStatus.NOT_FOUND
    assert answers.post("/", POSTED, b"{}").status is HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": ""}, HTTPStatus.UNAUTHORIZED),
        ({"origin": "http://localhost:5000"}, HTTPStatus.FORBIDDEN),  # another server on this machine
        ({"origin": "null"}, HTTPStatus.FORBIDDEN),
        ({"origin": ""}, HTTPStatus.FORBIDDEN),
        ({"host": "evil.example", "origin": "http://evil.example"}, HTTPStatus.FORBIDDEN),
        ({"sec-fetch-site": "same-site"}, HTTPStatus.FORBIDDEN),
        ({"content-type": "text/plain"}, HTTPStatus.BAD_REQUEST),
    ],
)
def test_nobody_else_does(answers: Answers, headers: dict[str, str], status: HTTPStatus) -> None:
    assert answers.post("/api/block", {**POSTED, **headers}, b'{"key": "K"}').status is status


PICTURED = {**POSTED, "content-type": "image/png"}


def test_an_invitation_may_come_as_a_picture(answers: Answers, tmp_path: Path) -> None:
    qr.save_png("fedmesh://there", tmp_path / "code.png")

    done = answers.post("/api/join", PICTURED, (tmp_path / "code.png").read_bytes())

    assert json.loads(done.body) == {"text": "fedmesh://there"}
    refused = answers.post("/api/join", PICTURED, b"GIF89a")
    assert refused.body == b"The file is no picture that can be read: use PNG or JPEG.\n"
    assert answers.post("/api/join", PICTURED, None).status is HTTPStatus.BAD_REQUEST
    assert answers.post("/api/block", PICTURED, b"x").status is HTTPStatus.BAD_REQUEST


def test_a_large_body_is_read_of_nobody_but_who_may_send_a_picture(answers: Answers) -> None:
    assert answers.most_bytes("/api/join", PICTURED) == MAX_PICTURE_BYTES
    for target, headers in (
        ("/api/join", POSTED),
        ("/api/block", PICTURED),
        ("/api/join", {**PICTURED, "cookie": ""}),
        ("/api/join", {**PICTURED, "origin": "http://localhost:5000"}),
        ("/api/join", {**PICTURED, "host": "evil.example", "origin": "http://evil.example"}),
    ):
        assert answers.most_bytes(target, headers) == MAX_BODY_BYTES


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{", b"\xff", b"[" * 4000])
def test_what_is_no_wish_is_refused_in_words(answers: Answers, body: bytes | None) -> None:
    refused = answers.post("/api/block", POSTED, body)

    assert refused.status is HTTPStatus.BAD_REQUEST
    assert b"JSON" in refused.body


def test_the_pages_own_tests_are_told_what_a_client_tells() -> None:
    keys = [a_key(number) for number in (1, 2)]
    peer = PeerStatus(str(keys[1]), "client-2", "roster", "online", 1, 0.1, 0.5, ["10.0.0.3:1"], 1, 1, {}, {})
    mesh = MeshStatus(
        key=str(keys[0]),
        name="client-1",
        epoch=1,
        listening=["10.0.0.2:1"],
        peers=[peer],
        links=[LinkStatus(str(keys[0]), str(keys[1]), 0.1)],
        one_sided=[LinkStatus(str(keys[1]), str(keys[0]), 0.1)],
        dropped={"replay": 2},
        refused={},
        refused_models={},
        duplicates=0,
        sent_bytes=1,
        received_bytes=1,
    )
    status = ClientStatus(
        client="client-1",
        time=200.0,
        server=ServerStanding("10.0.0.1:9092", connected=False, since=159.0),
        learning=True,
        run=RunStanding("7f3a9c01", 10, 3),
        mesh=mesh,
        rounds=[GoneRound(Base("7f3a9c01", 1, 3, bytes(32)), 6, 190.0, 0.2, 0.9, 0.02, (keys[1],))],
        blocked={a_key(9): "mallory"},
        refused=[Refusal(str(keys[1]), "replay", 2)],
        rates={keys[1]: (1200.5, 0.0)},
        folders=[
            FolderView(
                id="reports",
                path="/srv/reports",
                receive_only=False,
                in_sync=2,
                files=3,
                conflicts=("a.conflict.txt",),
                not_in_sync=(FileState("b.txt", FileCondition.COMING, 1, 4),),
                refused=(RefusedCount("no message about a folder", 2, "mallory"),),
                bytes=5000,
                peers=2,
                alike=1,
            )
        ],
        vouched=True,
        invitation=InvitationStanding(800.0, PairedHere("gateway", "ABCD-EFGH")),
        joining=JoinStanding(PairedHere("harbour", "EFGH-ABCD"), None),
    )

    told = json.loads(json.dumps(status.to_json(), allow_nan=False))

    assert shape(told) == shape(json.loads(SAMPLE.read_text()))
