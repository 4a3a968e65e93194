"""A real nginx with the configuration of the containers, as a user without rights, on ports of its own."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from shared.security.certificate import make_certificate
from shared.security.keys import KeyPair
from tests.support.api import Json
from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.tools import give_up, require
from tests.support.waiting import wait_until

FILES = ROOT / "containers" / "nginx"
STREAM = ("/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/share/nginx/modules/ngx_stream_module.so")


@cache
def _key_and_certificate() -> tuple[bytes, bytes]:
    """Of the page by HTTPS, in PEM; to make a key takes up to 300 ms."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.key"
        key = KeyPair.load_or_make(file)
        return file.read_bytes(), make_certificate(key, datetime.now(UTC))


class Nginx:
    """One that `start.sh` starts. `settings`: those that are told there, without FEDLOOM_ before them."""

    def __init__(self, folder: Path, *, https: bool = False, **settings: Any) -> None:
        """`folder`: which the other user may enter. `https`: with a certificate of its own."""
        self.folder = folder
        self.port, self.https_port, self.link_port = free_port(), free_port(), free_port()
        self._https = https
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        shutil.copytree(FILES, folder / "files")
        self.settings: Json = {
            "HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "HTTPS_LISTEN": f"127.0.0.1:{self.https_port}",
            "LINK_LISTEN": f"127.0.0.1:{self.link_port}",
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "RESOLVER": "",
            "UPSTREAM_SERVERS": "127.0.0.1:9",
            "FEDERATION_HOST": "127.0.0.1",
            "WORKERS": 2,
            "ACCESS_LOG": folder / "access.log",
            "NGINX_DIR": folder / "written",
        } | settings
        if https:
            self.settings |= {"TLS_CERT": folder / "page.crt", "TLS_KEY": folder / "page.key"}
            self._make_certificate()
        self._give_away(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def https_url(self) -> str:
        return f"https://localhost:{self.https_port}"

    @property
    def link(self) -> str:
        """Where clients reach the federation."""
        return f"127.0.0.1:{self.link_port}"

    def start(self) -> None:
        """Returns once it answers."""
        self._process = self._script("start")
        wait_until(self._answers, f"nginx answers; it said {self.said}")

    def check(self) -> tuple[int, str]:
        """Whether it takes the settings: the exit code, and what it says."""
        return self._script("check").wait(60), self.said

    def reload(self, **settings: Any) -> None:
        """Have it take over other settings. Returns when it was told to."""
        self.settings |= settings
        assert self._script("reload").wait(60) == 0, self.said

    def end(self) -> None:
        """SIGTERM."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    @property
    def said(self) -> str:
        """Its log of errors, and what the script has said."""
        file = self.folder / "said"
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def access_log(self) -> str:
        return (self.folder / "access.log").read_text()

    @property
    def requests(self) -> list[Json]:
        """All requests that have been answered."""
        return [json.loads(line) for line in self.access_log.splitlines()]

    @contextmanager
    def client(self, address: str = "127.0.0.1", **options: Any) -> Iterator[httpx.Client]:
        """Somebody who asks it, from an address of this machine."""
        base = self.https_url if self._https else self.url
        options |= {"timeout": 30, "trust_env": False}
        transport = httpx.HTTPTransport(local_address=address, verify=False)
        with httpx.Client(base_url=base, transport=transport, **options) as client:
            yield client

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"nginx has ended: {self.said}"
        port = self.https_port if self._https else self.port
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")  # by HTTPS it says that this is none
            return (
                connection.recv(5) == b"HTTP/"
            )  # while it only looks at its settings, it listens and is mute
        return False

    def _script(self, verb: str) -> subprocess.Popen[bytes]:
        environment = {f"FEDLOOM_{name}": str(value) for name, value in self.settings.items()}
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(
                ["sh", str(self.folder / "files" / "start.sh"), verb],
                cwd=self.folder,
                env={"PATH": f"{os.environ['PATH']}:/usr/sbin"} | environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                **self._rights(),
            )

    def _rights(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _make_certificate(self) -> None:
        key, certificate = _key_and_certificate()
        (self.folder / "page.key").write_bytes(key)
        (self.folder / "page.crt").write_bytes(certificate)

    def _give_away(self, folder: Path) -> None:
        if self._account is not None:
            for each in (folder, *folder.rglob("*")):
                os.chown(each, self._account.pw_uid, self._account.pw_gid)


@contextmanager
def an_nginx(*, https: bool = False, **settings: Any) -> Iterator[Nginx]:
    """One that was not started yet. Skips the test where there is no nginx, or none with `stream`."""
    require("nginx", why="the configuration of the containers is tested with the real one")
    built_in = "--with-stream " in subprocess.run(["nginx", "-V"], capture_output=True, text=True).stderr
    if not built_in and not any(Path(file).exists() for file in STREAM):
        give_up("needs nginx's stream module (Debian: libnginx-mod-stream)")
    # Not below pytest's folders, which another user may not enter.
    with tempfile.TemporaryDirectory(prefix="fedloom-nginx-") as folder:
        nginx = Nginx(Path(folder), https=https, **settings)
        try:
            yield nginx
        finally:
            nginx.end()


@contextmanager
def running_nginx(*, https: bool = False, **settings: Any) -> Iterator[Nginx]:
    """One that runs."""
    with an_nginx(https=https, **settings) as nginx:
        nginx.start()
        yield nginx
