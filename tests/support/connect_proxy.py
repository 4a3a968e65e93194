"""An HTTP proxy as hospitals have one: it connects if it is asked as it likes, or says why not."""

from __future__ import annotations

import base64
import socket
from urllib.parse import quote

from shared.address import Address
from shared.proxy import Proxy
from tests.support.between import Between

END_OF_HEAD = b"\r\n\r\n"


class ConnectProxy(Between):
    """Whatever name it is asked for leads to `target`, so that a client which reaches that has come by it.

    `login`: NAME:PASSWORD that it wants; empty: none. `refusal`: what it answers, as "403 Forbidden", with
    further lines of a head if there are any; empty: it connects. Both may be changed at any time.
    """

    def __init__(
        self, target: Address, port: int = 0, host: str = "127.0.0.1", login: str = "", refusal: str = ""
    ) -> None:
        super().__init__(target, port, host)
        self.login = login
        self.refusal = refusal
        self.asked: list[str] = []
        """To where it was to connect, each time."""

    @property
    def url(self) -> str:
        """With name and password, if it wants them."""
        name, _, password = self.login.partition(":")
        shown = f"{quote(name, safe='')}:{quote(password, safe='')}@" if self.login else ""
        return f"http://{shown}{self.address}"

    @property
    def environment(self) -> dict[str, str]:
        """In which all goes by it that may."""
        return {"https_proxy": self.url, "no_proxy": ""}

    @property
    def proxy(self) -> Proxy:
        """As a client knows it."""
        return Proxy(self.address, base64.b64encode(self.login.encode()).decode())

    def serve(self, connection: socket.socket, number: int) -> None:
        """Answer one request to connect, and if that is allowed, do so."""
        head = bytearray()
        while not head.endswith(END_OF_HEAD):
            if not (more := connection.recv(1)):
                return
            head += more
        method, name, _ = head.decode().split(" ", 2)
        self.asked.append(name)
        if refusal := self._refusal(method, head.decode()):
            self._refuse(connection, refusal)
            return
        try:
            upstream = self._keep(socket.create_connection(self._target))
        except ConnectionRefusedError:
            self._refuse(connection, "502 Bad Gateway")
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy" + END_OF_HEAD)
        self._join(connection, upstream)

    def _refusal(self, method: str, head: str) -> str:
        shown = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if method != "CONNECT":
            return "405 Method Not Allowed"
        if self.login and f"\r\nProxy-Authorization: {shown}\r\n" not in head:
            return '407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="the way out"'
        return self.refusal

    def _refuse(self, connection: socket.socket, refusal: str) -> None:
        connection.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0".encode() + END_OF_HEAD)
        connection.shutdown(socket.SHUT_RDWR)
