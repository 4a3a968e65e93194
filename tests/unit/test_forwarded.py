"""Forwarded: who is believed that passes a request on, and what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from app.auth.replica_key import REPLICA
from app.role_flags import Deployment, PublicUrl, public_url
from app.settings import parse
from app.web.forwarded import Forwarded
from shared.errors import SettingsInvalid
from tests.support.documents import commands

KEY = "k" * 43
SAID = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.5",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "fl.example.org",
    "HTTP_X_FORWARDED_PREFIX": "/elsewhere",
}


def deployment(*flags: str) -> Deployment:
    return parse(list(flags)).deployment


def seen(deployment: Deployment, environ: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """The request as the application gets it."""
    found: dict[str, Any] = {}

    def application(environ: Any, start: Any) -> Iterable[bytes]:
        found.update(environ)
        return []

    asked = {
        "REMOTE_ADDR": "10.1.2.3",
        "HTTP_HOST": "localhost:5000",
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/runs",
        **environ,
    }
    Forwarded(application, deployment, key)(asked, lambda *_: None)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("flags", [(), ("--trusted-proxy", "10.9.0.0/16"), ("--trusted-proxy", "::1")])
def test_nobody_is_believed_but_the_proxy_that_is_named(flags: tuple[str, ...]) -> None:
    found = seen(deployment(*flags), SAID)

    assert found["REMOTE_ADDR"] == "10.1.2.3"
    assert found["HTTP_HOST"] == "localhost:5000"
    assert found["wsgi.url_scheme"] == "http"
    assert found["SCRIPT_NAME"] == ""
    assert REPLICA not in found


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_the_proxy_that_is_named_is_believed(peer: str) -> None:
    found = seen(deployment("--trusted-proxy", "10.1.0.0/16"), SAID | {"REMOTE_ADDR": peer})

    assert found["REMOTE_ADDR"] == "203.0.113.5"
    assert found["HTTP_HOST"] == "fl.example.org"
    assert found["wsgi.url_scheme"] == "https"
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/elsewhere", "/runs")


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("6.6.6.6, 203.0.113.5", "203.0.113.5"),  # what the caller wrote himself stands before it
        ("203.0.113.5, 10.1.9.9", "203.0.113.5"),  # through two of the named
        ("10.1.9.9", "10.1.2.3"),
        ("unknown", "10.1.2.3"),
        ("203.0.113.5, unknown", "10.1.2.3"),
        ("2001:db8::7", "2001:db8::7"),
        ("", "10.1.2.3"),
    ],
)
def test_of_a_chain_the_last_address_counts_that_is_no_named_proxys(chain: str, client: str) -> None:
    found = seen(deployment("--trusted-proxy", "10.1.0.0/16"), {"HTTP_X_FORWARDED_FOR": chain})

    assert found["REMOTE_ADDR"] == client


@pytest.mark.parametrize("said", ["javascript:", 'a"b', "/a/../b", "/a b", "//evil.example", '/"><script>'])
def test_a_prefix_that_is_no_plain_path_is_not_taken(said: str) -> None:
    found = seen(deployment("--trusted-proxy", "10.1.2.3"), {"HTTP_X_FORWARDED_PREFIX": said})

    assert found["SCRIPT_NAME"] == ""


@pytest.mark.parametrize(
    ("path", "script", "rest"),
    [
        ("/fedloom/runs", "/fedloom", "/runs"),
        ("/fedloom", "/fedloom", "/"),
        ("/fedloom/", "/fedloom", "/"),
        ("/fedloomy", "", "/fedloomy"),
        ("/runs", "", "/runs"),
    ],
)
def test_the_path_of_the_public_url_is_taken_away_wherever_it_is_left(
    path: str, script: str, rest: str
) -> None:
    below = deployment("--public-url", "https://example.org/fedloom/")
    found = seen(below, {"PATH_INFO": path})

    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == (script, rest)


def test_a_proxy_that_takes_the_path_away_itself_is_below_it_too() -> None:
    below = deployment("--public-url", "https://example.org/fedloom", "--trusted-proxy", "10.1.2.3")

    assert seen(below, {})["SCRIPT_NAME"] == "/fedloom"


def test_a_dashboard_is_believed_that_shows_the_key_and_no_other() -> None:
    shown = SAID | {"HTTP_X_FEDLOOM_REPLICA_KEY": KEY}

    assert seen(Deployment(), shown, KEY)["REMOTE_ADDR"] == "203.0.113.5"
    assert seen(Deployment(), shown, KEY)[REPLICA] is True
    for key in (None, "j" * 43):
        assert seen(Deployment(), shown, key)["REMOTE_ADDR"] == "10.1.2.3"
        assert REPLICA not in seen(Deployment(), shown, key)


def test_public_urls() -> None:
    assert public_url("https://Example.org:8443/a/b/") == PublicUrl("https://example.org:8443", "/a/b")
    assert str(public_url("http://example.org/")) == "http://example.org"
    for wrong in (
        "example.org",
        "ftp://example.org",
        "https://",
        "https://user@example.org",
        "https://example.org/?a=b",
        "https://example.org/#a",
        "https://example.org/a b",
        "https://example.org/../a",
        "https://example.org:port",
    ):
        with pytest.raises(SettingsInvalid):
            public_url(wrong)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--role", "dashboard"), "needs --federation"),
        (("--federation", "http://localhost:5000"), "is for --role dashboard only"),
        (("--replica-key", "key"), "is for --role federation and dashboard only"),
        (("--redis", "redis://localhost"), "is for --role federation and dashboard only"),
        (("--trusted-proxy", "nginx"), "neither an address nor a network"),
        (("--trusted-proxy", "10.0.0.1/8"), "has host bits set"),
        (("--role", "federation", "--redis", "http://:secret@localhost"), "is not redis://"),
        (("--public-url", "example.org"), "is not the address of a page"),
    ],
)
def test_flags_that_do_not_fit_are_refused_in_words(
    flags: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(list(flags))

    said = capsys.readouterr().err
    assert words in said
    assert "secret" not in said.rpartition("error:")[2]


@pytest.mark.parametrize(
    ("flags", "is_for_this_machine"),
    [
        ((), True),
        (("--host", "0.0.0.0"), False),
        (("--role", "federation"), False),
        (("--public-url", "https://example.org"), False),
        (("--trusted-proxy", "127.0.0.1"), False),
    ],
)
def test_whether_anybody_reaches_the_page_from_elsewhere(
    flags: tuple[str, ...], is_for_this_machine: bool
) -> None:
    """If so, it starts no programs."""
    assert parse(list(flags)).is_for_this_machine is is_for_this_machine


def test_where_redis_is_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its password, which no list of processes shows there."""
    monkeypatch.setenv("FEDLOOM_REDIS", "redis://:secret@redis:6379/0")

    assert deployment("--role", "federation").redis == "redis://:secret@redis:6379/0"
    assert deployment().redis is None


def test_the_flags_of_the_documentation_are_understood() -> None:
    """Real processes are started with others by tests/integration/test_dashboards.py."""
    started = [
        parse(command.split()[2:]).deployment
        for command in commands("docs/deployment.md")
        if command.startswith("python run_server.py ")
    ]

    assert [each.role for each in started] == ["federation", "dashboard"]
