"""start.sh of the nginx in the containers: which settings it takes, and what it says to others."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from itertools import cycle, product

import pytest

from app.flower_control.api import MAX_CALL
from app.replica.forwarding import ANSWER_S
from app.web.guard import HSTS_S, MAX_BODY_BYTES
from app.web.http_rules import MAX_LINE
from tests.support.api import Json
from tests.support.documents import commands
from tests.support.nginx import FILES, an_nginx
from tests.support.processes import ROOT
from tests.support.tools import give_up

NAMED: Json = {"UPSTREAM_SERVERS": "", "FEDERATION_HOST": "federation.test", "RESOLVER": "127.0.0.1:53 [::1]"}
LISTED: Json = {"UPSTREAM_SERVERS": "127.0.0.1:5001 [::1]:5002", "RESOLVER": ""}
PLACEHOLDER = re.compile(r"\$\{FEDLOOM_\w+\}")


def test_every_combination_of_settings_is_taken() -> None:
    where = cycle(("http://localhost", "https://FL.example.org:8443/", "http://[::1]:8080/study/fedloom"))
    for https, dashboards, link in product((False, True), (NAMED, LISTED), ("", "0.0.0.0:5050")):
        url = next(where)
        settings: Json = {**dashboards, "LINK_LISTEN": link, "PUBLIC_URL": url}
        if https and not link:
            settings["HTTP_LISTEN"] = ""
        with an_nginx(https=https, **settings) as nginx:
            assert nginx.check() == (0, ""), settings
            written = nginx.folder / "written" / "conf.new"
            servers = {file.name for file in (written / "servers").iterdir()}
            everything = "".join(file.read_text() for file in written.rglob("*.conf"))
        assert PLACEHOLDER.findall(everything) == []
        wanted = {"https.conf"} if https else {"http.conf"}
        if https and link:
            wanted.add("http_to_https.conf")
        assert servers == wanted | ({"link.conf"} if link else set())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTP_LISTEN", "80; include /etc/passwd", r"it has to be \[ADDRESS:\]PORT, or nothing"),
        ("PUBLIC_URL", "fl.example.org", "it has to be http://HOST"),
        ("PUBLIC_URL", "http://fl.example.org/a/../b", "has . or .. in its path"),
        ("PUBLIC_URL", "http://fl.example.org\n# }", "has a line break in it"),
        ("UPSTREAM_SERVERS", "127.0.0.1", "it has to be HOST:PORT"),
        ("REQUESTS_PER_S", "0", "it has to be a number from 1 on"),
        ("SERVER_NAMES", "fl.example.org; }", "it has to be names"),
        ("TLS_CERT", "/nowhere.pem", "FEDLOOM_TLS_CERT and FEDLOOM_TLS_KEY belong together"),
        ("HTTP_LISTEN", "", "nobody could open the page"),
        ("LINK_LISTEN", "127.0.0.1:99999", "nginx does not take these settings"),
        ("NGINX_DIR", "/proc/nothing", "cannot be written to"),
    ],
)
def test_what_is_wrong_is_said_in_words(name: str, value: str, words: str) -> None:
    setting: Json = {name: value}
    with an_nginx(**setting) as nginx:
        code, said = nginx.check()
    assert code == 2
    assert re.search(rf"error: .*{words}", said), said


NGINX_OF = """\
#!/bin/sh
[ "$1" != -v ] || echo "nginx version: nginx/$VERSION" >&2
"""


@pytest.mark.parametrize(
    ("version", "at_the_address", "by_itself"),
    [("1.22.1", 2, 0), ("1.25.0", 2, 0), ("1.25.1", 0, 2), ("1.28.0", 0, 2), ("2.0.0", 0, 2)],
)
def test_http_2_is_asked_for_as_that_version_of_nginx_has_it(
    version: str, at_the_address: int, by_itself: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 1.25.1 on it warns of the other way, which is the only one before."""
    with an_nginx(https=True) as nginx:
        (nginx.folder / "bin").mkdir()
        (nginx.folder / "bin" / "nginx").write_text(NGINX_OF.replace("$VERSION", version))
        (nginx.folder / "bin" / "nginx").chmod(0o755)
        monkeypatch.setenv("PATH", f"{nginx.folder / 'bin'}:{os.environ['PATH']}")

        assert nginx.check() == (0, "")
        written = (nginx.folder / "written" / "conf.new" / "servers" / "https.conf").read_text()

    assert (
        len(re.findall(r"^ *listen \S+ ssl http2( default_server)?;$", written, re.MULTILINE))
        == at_the_address
    )
    assert len(re.findall(r"^ *http2 on;$", written, re.MULTILINE)) == by_itself


def test_it_does_not_run_as_root() -> None:
    if os.geteuid() != 0:
        give_up("needs root, to be refused")
    done = subprocess.run(["sh", FILES / "start.sh", "check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "start this as another user" in done.stderr


def test_a_folder_of_another_user_is_not_written_to() -> None:
    """As in /tmp, where anybody could have made it before."""
    if os.geteuid() != 0:
        give_up("needs root, to be another user")
    with an_nginx() as nginx:
        folder = nginx.folder / "written"
        folder.mkdir(0o777)
        folder.chmod(0o777)
        os.chown(folder, 12_345, 12_345)
        code, said = nginx.check()
    assert (code, said.count("belongs to another user")) == (2, 1)


def test_a_reload_with_wrong_settings_leaves_what_there_was() -> None:
    with an_nginx() as nginx:
        nginx.start()
        nginx.settings["LINK_LISTEN"] = "127.0.0.1:99999"
        with pytest.raises(AssertionError, match="nginx does not take these settings"):
            nginx.reload()
        with nginx.client() as client:
            assert client.get("/").status_code == 503


def test_all_settings_are_explained_and_no_others() -> None:
    script = (FILES / "start.sh").read_text()
    head = script.partition("set -eu")[0]
    explained = set(re.findall(r"^# +(FEDLOOM_\w+)", head, re.MULTILINE)) | {"FEDLOOM_TLS_KEY"}
    assert set(re.findall(r'"\$\{(FEDLOOM_\w+)=', script)) == explained


def test_the_command_of_the_documentation_is_taken() -> None:
    (command,) = [line for line in commands("docs/deployment.md") if "containers/nginx" in line]
    *told, script = shlex.split(command)
    settings: Json = dict(each.removeprefix("FEDLOOM_").split("=", 1) for each in told)
    assert ROOT / script == FILES / "start.sh"
    for name in ("TLS_CERT", "TLS_KEY"):
        assert settings.pop(name).startswith("/etc/fedloom/page.")
    with an_nginx(https=True, **settings) as nginx:
        assert nginx.check() == (0, "")


def test_limits_are_those_of_the_server() -> None:
    def said(file: str, name: str) -> list[int]:
        return [int(found) for found in re.findall(rf"{name} (\d+)", (FILES / file).read_text())]

    assert said("snippets/limits.conf", "client_max_body_size") == [MAX_BODY_BYTES]
    assert said("snippets/limits.conf", "large_client_header_buffers 4") == [MAX_LINE // 1024]
    assert said("snippets/locations.conf", "client_max_body_size") == [MAX_CALL]
    assert said("snippets/dashboards.conf", "proxy_read_timeout")[0] > ANSWER_S
    assert f"FEDLOOM_HSTS_S={HSTS_S}" in (FILES / "start.sh").read_text()
