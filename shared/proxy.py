"""Proxy: the way out of a network that lets nothing out but by an HTTP proxy, which `https_proxy` names.

It is asked to CONNECT to the server (RFC 9110, 9.3.6), and passes on what both say then without looking into
it: TLS is between client and server. Which addresses are reached without it, `no_proxy` says.
"""

from __future__ import annotations

import base64
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from shared.address import Address, bracketed, is_loopback, parse_address, reach_words
from shared.errors import FedLoomError, SettingsInvalid

VARIABLE = "https_proxy"
EXCEPTIONS = "no_proxy"
DEFAULT_PORT = 80
"""Of a proxy whose address has none."""

MAX_HEAD_BYTES = 1 << 16
"""Of a proxy's answer, until what it passes on begins."""

MAX_REASON = 100
"""Characters of what a proxy says that are shown."""

BASIC = "basic"
"""The one way of RFC 7617 to show who asks."""

_END_OF_HEAD = b"\r\n\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.\d (\d{3})(?: ([^\r\n]*))?\r\n")


class ProxyFailed(FedLoomError):
    """The proxy cannot be reached, or makes no connection. `what` happened, and what is `todo`."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what = what
        self.todo = todo


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy. `credentials`: name and password as RFC 7617 has them, in base64; empty: none."""

    address: Address
    credentials: str = field(default="", repr=False)

    def connect(self, target: Address, timeout_s: float) -> socket.socket:
        """A connection through the proxy to `target`; who is there, has still to be looked at.

        Blocks for `timeout_s` at most until the proxy is reached, and as long until it has answered. Raises
        ProxyFailed.
        """
        try:
            connection = socket.create_connection(self.address, timeout_s)
        except OSError as error:
            raise ProxyFailed(
                f"The proxy at {self.address} cannot be reached: {reach_words(error, self.address)}.",
                f"Look whether {VARIABLE} names the right one, and whether it runs.",
            ) from error
        try:
            self._ask(connection, target, timeout_s)
            connection.settimeout(timeout_s)
        except BaseException:
            connection.close()
            raise
        return connection

    def _ask(self, connection: socket.socket, target: Address, timeout_s: float) -> None:
        name = str(as_asked(target))
        lines = [f"CONNECT {name} HTTP/1.1", f"Host: {name}"]
        if self.credentials:
            lines.append(f"Proxy-Authorization: Basic {self.credentials}")
        try:
            connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
            head = _read_head(connection, time.monotonic() + timeout_s)
        except TimeoutError as error:
            raise ProxyFailed(
                f"The proxy at {self.address} has not said within {timeout_s:.0f} s whether it reaches "
                f"{target}.",
                "It may wait for a server that does not answer: look whether that runs, and whether firewalls"
                " let the proxy there.",
            ) from error
        except OSError as error:
            raise self._no_proxy("breaks the connection off") from error
        self._require_success(head, target)

    def _require_success(self, head: bytes, target: Address) -> None:
        found = _STATUS_LINE.match(head) if head.endswith(_END_OF_HEAD) else None
        if found is None:
            raise self._no_proxy(
                "does not answer as one" if head else "closes the connection without an answer"
            )
        status = int(found[1])
        if status // 100 != 2:
            reason = _shown((found[2] or b"").decode("latin-1"))
            raise self._refusal(status, f"{status} {reason}".strip(), head, target)

    def _no_proxy(self, what: str) -> ProxyFailed:
        return ProxyFailed(
            f"What is at {self.address} {what} when it is asked to connect, so it is no HTTP proxy.",
            f"{VARIABLE} has to name one that is spoken to without TLS.",
        )

    def _refusal(self, status: int, answer: str, head: bytes, target: Address) -> ProxyFailed:
        here = f"The proxy at {self.address}"
        match status:
            case HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                return self._unknown(answer, head)
            case HTTPStatus.FORBIDDEN:
                return ProxyFailed(
                    f"{here} does not let connections to {target} pass ({answer}).",
                    f"Many let port 443 pass alone. Ask whoever runs it to allow CONNECT to {target}; or, "
                    f"where there is a way without it, add {target.host} to {EXCEPTIONS}.",
                )
            case HTTPStatus.BAD_GATEWAY | HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.GATEWAY_TIMEOUT:
                return ProxyFailed(
                    f"{here} does not reach {target} ({answer}).",
                    "Look whether the server runs, and whether its address is right.",
                )
        return ProxyFailed(
            f"{here} does not connect to {target}: it answers {answer}.",
            f"Ask whoever runs it to allow CONNECT to {target}.",
        )

    def _unknown(self, answer: str, head: bytes) -> ProxyFailed:
        offered = list(_offered(head))
        if offered and BASIC not in map(str.lower, offered):
            return ProxyFailed(
                f"The proxy at {self.address} wants to know who asks ({answer}), by {' or '.join(offered)}; "
                "FedLoom can show name and password alone (Basic).",
                "Ask whoever runs it to allow that, or to let this machine pass.",
            )
        if self.credentials:
            return ProxyFailed(
                f"The proxy at {self.address} does not take the name and password in {VARIABLE} ({answer}).",
                "Write characters that mean something in an address as %XX: @ is %40, : is %3A.",
            )
        return ProxyFailed(
            f"The proxy at {self.address} wants a name and a password ({answer}).",
            f"Put them into {VARIABLE}: http://NAME:PASSWORD@{self.address}",
        )


def connect(address: Address, timeout_s: float, proxy: Proxy | None) -> socket.socket:
    """A connection to an address, by the proxy if there is one. Raises OSError, and ProxyFailed."""
    if proxy is not None:
        return proxy.connect(address, timeout_s)
    return socket.create_connection(address, timeout_s)


def proxy_for(address: Address) -> Proxy | None:
    """By which proxy the environment has an address reached; None: directly. Raises SettingsInvalid."""
    url = getproxies_environment().get("https")
    return None if url is None or is_direct(address) else parse_proxy(url)


def is_direct(address: Address) -> bool:
    """Whether an address is reached without a proxy whatever proxies there are: it is this machine's own, or
    `no_proxy` has it, by name, domain, address or network."""
    listed = getproxies_environment().get("no", "")
    return (
        is_loopback(address.host)
        or _is_within(address.host, listed)
        or bool(proxy_bypass_environment(str(address), {"no": listed}))
    )


def parse_proxy(url: str) -> Proxy:
    """The proxy with an address such as `http://name:password@proxy.example:3128`. Raises SettingsInvalid,
    which does not tell what is in it."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        address = parse_address(f"{bracketed(parts.hostname or '')}:{parts.port or DEFAULT_PORT}")
    except ValueError:
        raise _unusable("is no address of an HTTP proxy") from None
    if parts.scheme != "http":
        raise _unusable(f"names a proxy by {parts.scheme}://")
    return Proxy(address, _credentials(parts))


def as_asked(target: Address) -> Address:
    """An address as it stands in a request: a name in ASCII (RFC 5890)."""
    return target if target.host.isascii() else Address(target.host.encode("idna").decode(), target.port)


def _unusable(what: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"{VARIABLE} {what}. A client goes to its server by one such as http://PROXY:PORT or "
        "http://NAME:PASSWORD@PROXY:PORT, in which other characters of name and password are written as %XX. "
        f"Where there is a way without a proxy, add the server's host to {EXCEPTIONS}."
    )


def _credentials(parts: SplitResult) -> str:
    if not parts.username:
        return ""
    shown = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return base64.b64encode(shown.encode()).decode()


def _is_within(host: str, listed: str) -> bool:
    """Whether a number is one of those in a list, or in one of its networks."""
    try:
        number = ip_address(host)
    except ValueError:
        return False
    return any(number in network for network in _networks(listed))


def _networks(listed: str) -> Iterator[IPv4Network | IPv6Network]:
    for each in listed.split(","):
        try:
            yield ip_network(each.strip().strip("[]"), strict=False)
        except ValueError:  # a name
            continue


def _read_head(connection: socket.socket, until: float) -> bytes:
    """Until its end, and not a byte more: what follows is the server's. Raises OSError."""
    head = b""
    while not head.endswith(_END_OF_HEAD) and len(head) < MAX_HEAD_BYTES:
        if (left_s := until - time.monotonic()) <= 0:
            raise TimeoutError
        connection.settimeout(left_s)
        if not (byte := connection.recv(1)):
            break
        head += byte
    return head


def _offered(head: bytes) -> Iterator[str]:
    """By which ways a proxy lets one show who asks, as it calls them."""
    _, _, fields = head.partition(b"\r\n")
    for each in BytesHeaderParser().parsebytes(fields).get_all("Proxy-Authenticate", []):
        if words := _shown(str(each)).split():
            yield words[0]


def _shown(text: str) -> str:
    """What a stranger says, as it may stand on a terminal."""
    return "".join(character for character in text if character.isprintable())[:MAX_REASON].strip()
