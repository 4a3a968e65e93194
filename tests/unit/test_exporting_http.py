"""What a server sends to others goes by the environment's proxies, and never by one to this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.exporting.http import client_for
from shared.doctor.machine import PROXY_VARIABLES
from shared.errors import SettingsInvalid
from tests.support.connect_proxy import ConnectProxy
from tests.support.mirror import WEB_NAME, Mirror, web_tls

NOBODY = "http://127.0.0.1:9"
FILE = {"file": b"content"}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def near() -> Iterator[Mirror]:
    with Mirror() as near:
        near.files = FILE
        yield near


def fetched(url: str) -> bytes:
    with client_for(url) as client:
        return client.get(url).content


@pytest.mark.parametrize("variable", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_this_machine_is_reached_without(
    variable: str, near: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, NOBODY)

    assert fetched(f"{near.url}file") == FILE["file"]


def test_what_only_a_proxy_reaches_is_reached_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, authority = web_tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with Mirror(tls) as far, ConnectProxy(far.address, login="site:p@ss:word") as proxy:
        far.files = FILE
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)

        assert fetched(f"https://{WEB_NAME}/file") == FILE["file"]

    assert proxy.asked == [f"{WEB_NAME}:443"]


def test_networks_may_be_excepted(near: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    url = f"http://0.0.0.0:{near.address.port}/file"  # leads to this machine, and is no loopback address
    with pytest.raises(httpx.ConnectError):
        fetched(url)

    monkeypatch.setenv("no_proxy", "10.0.0.0/8, 0.0.0.0/8")

    assert fetched(url) == FILE["file"]


@pytest.mark.parametrize("url", ["socks5://site:secret@127.0.0.1:9", "gopher://site:secret@127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_an_error_in_words(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", url)

    with pytest.raises(SettingsInvalid, match=r"hooks\.example cannot be reached") as raised:
        client_for("https://hooks.example/")

    assert "secret" not in str(raised.value)
