"""The page over HTTPS, on both web servers, also with those who connect and do not speak TLS."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from shared.security.certificate import make_certificate
from shared.security.keys import KeyPair
from tests.support.people import OpenPage, browser, log_in, page_server, run_users
from tests.support.processes import Command, ServerProcess

SILENT = 40


server = page_server("--tls")


def connect(server: ServerProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 30)


def handshake_alone() -> bytes:
    """The first thing that a client of TLS says."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    talk = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return outgoing.read()


def is_open(server: ServerProcess) -> bool:
    """Whether a new connection is answered."""
    return httpx.get(f"{server.url}/healthz", verify=False, trust_env=False, timeout=30).status_code == 200


def test_who_started_the_server_opens_it_and_others_log_in(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url, verify=False, trust_env=False) as client:
        assert client.get("/api/v1/me").json()["by"] == "owner"
    with browser(server) as visitor:
        assert visitor.get("/api/v1/me").status_code == 401
        log_in(visitor, "root")
        (cookie,) = visitor.cookies.jar
        assert cookie.secure
        assert cookie.name.startswith("__Host-fedloom-")
        visitor.headers["Origin"] = server.url  # as a browser has it
        with OpenPage(visitor) as page:
            assert page.snapshots
            assert visitor.post("/api/v1/logout").status_code == 204
            page.wait_until_ended()


def test_its_fingerprint_is_said(server: ServerProcess) -> None:
    found = re.search(r"fingerprint, to compare: ([0-9A-F:]{95})", server.output)
    assert found is not None
    content = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
    assert hashlib.sha256(content).digest().hex(":").upper() == found[1]


def test_no_browser_is_told_to_insist_on_a_certificate_that_it_warns_of(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/", verify=False, trust_env=False)

    assert "Strict-Transport-Security" not in answer.headers


def test_those_who_connect_and_say_nothing_hold_up_nobody(server: ServerProcess) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(SILENT)]
        assert is_open(server)
        for connection in silent[: SILENT // 2]:
            connection.sendall(handshake_alone()[:50])
        assert is_open(server)
        for connection in silent:
            connection.settimeout(30)
            assert connection.recv(1) == b""  # the server gives it up
    assert is_open(server)


@pytest.mark.parametrize(
    "said",
    [b"\x16", b"\x16\x03\x01\xff\xff" + b"x" * 100, b"\0" * 1_000, b"SSH-2.0-x\r\n", b"\x80\x2e\x01\x03\x01"],
)
def test_what_is_no_tls_ends_its_connection_only(server: ServerProcess, said: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(said)
        with suppress(OSError):  # the server may have closed it already
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4_096):
                pass

    assert is_open(server)


def test_who_hangs_up_in_the_middle_of_the_handshake_ends_nothing_else(server: ServerProcess) -> None:
    for length in (0, 1, 100):
        with connect(server) as connection:
            connection.sendall(handshake_alone()[:length])

    assert is_open(server)


def test_plain_http_is_told_to_come_by_https(server: ServerProcess) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server.port}/api/v1/me", trust_env=False)

    assert answer.status_code == 400
    assert "https://" in answer.text


def test_older_tls_is_refused(server: ServerProcess) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match=r"TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with connect(server) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection)


def test_nothing_of_that_is_an_error_in_the_log(server: ServerProcess) -> None:
    assert "Traceback" not in server.output


def test_the_command_line_reaches_it(server: ServerProcess) -> None:
    listed = run_users(server.home, "list")

    assert (listed.returncode, listed.stdout.split()[2:]) == (0, ["root", "admin"])


def test_a_given_certificate_is_used(tmp_path: Path) -> None:
    key = KeyPair.load_or_make(tmp_path / "page.key")
    certificate = tmp_path / "page.crt"
    certificate.write_bytes(make_certificate(key, datetime.now(UTC)))
    flags = ("--tls-cert", str(certificate), "--tls-key", str(tmp_path / "page.key"))
    server = ServerProcess(*flags, "--host", "0.0.0.0", home=tmp_path)
    try:
        served = ssl.get_server_certificate(("127.0.0.1", server.port))
        assert served.split() == certificate.read_text().split()
        assert "of which browsers warn" not in server.output
        for host, insists in (("localhost", False), ("fedloom.example", True)):  # not for all of localhost
            answer = httpx.get(f"{server.url}/", verify=False, trust_env=False, headers={"Host": host})
            assert ("Strict-Transport-Security" in answer.headers) is insists
    finally:
        server.end()


def test_one_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "page.crt").write_text("no certificate")
    KeyPair.load_or_make(tmp_path / "page.key")
    flags = ("--tls-cert", "page.crt", "--tls-key", "page.key", "--port", "0", "--link-port", "0")
    command = Command("run_server.py", *flags, home=tmp_path)
    try:
        assert command.wait_for_exit(60) == 1
        assert "error: The page cannot be served over HTTPS with the certificate page.crt" in command.output
    finally:
        command.end()
