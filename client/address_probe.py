"""What is at an address where no link was found, in words for the person who has to find the mistake."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected

from client.in_thread import in_thread
from shared.address import Address, reach_words
from shared.proxy import Proxy, ProxyFailed, connect
from shared.security.certificate import speaks_tls

TIMEOUT_S = 1.0
"""For the connection, and for each piece of the answer."""

LIMIT_S = 5.0
"""For all of it: a client that looks does not try again meanwhile."""

MAX_STATUS_BYTES = 1 << 20
HTTP2_SETTINGS = "\x00\x00"
"""How a server that speaks HTTP/2 begins, whatever it is asked: a frame's length, and its kind."""

TLS_ALERT = "\x15\x03"


@dataclass(frozen=True)
class Found:
    """What is there. `is_other`: somebody else listens, so that the address is wrong, or will be; `is_tls`:
    it speaks TLS, as a FedLoom server does."""

    words: str
    is_other: bool = False
    is_tls: bool = False


_TLS = Found("it did not answer in time", is_tls=True)
_CLOSES = Found("something listens there and closes the connection")


async def look_at(address: Address, proxy: Proxy | None = None) -> Found:
    """Find out, in the time that there is; by the proxy, if there is one."""
    try:
        async with asyncio.timeout(LIMIT_S):
            return await in_thread(lambda: _look_at(address, proxy), "address probe")
    except TimeoutError:
        return Found("it did not answer in time")


def _look_at(address: Address, proxy: Proxy | None) -> Found:
    """Ask for FedLoom's status as a browser would."""
    with closing(HTTPConnection(address.host, address.port)) as connection:
        try:
            connection.sock = connect(address, TIMEOUT_S, proxy)
            connection.request("GET", "/api/v1/status", headers={"Accept": "application/json"})
            return _web_server(address, connection.getresponse())
        except RemoteDisconnected:  # as gRPC does with who does not begin with TLS
            return _TLS if speaks_tls(address, TIMEOUT_S, proxy) else _CLOSES
        except BadStatusLine as error:
            return _other(str(error))
        except (HTTPException, ValueError):
            return Found("something else than FedLoom listens there", is_other=True)
        except ProxyFailed as error:
            return Found(str(error))
        except OSError as error:
            return Found(reach_words(error, address))


def _web_server(address: Address, response: HTTPResponse) -> Found:
    link_port = _link_port(response)
    if link_port is None:
        return Found("a web server answers there; clients connect to FedLoom's --link-port", is_other=True)
    return Found(
        f"FedLoom's page is there; clients connect to port {link_port}: "
        f"--server {Address(address.host, link_port)}",
        is_other=True,
    )


def _link_port(response: HTTPResponse) -> int | None:
    """The port for clients, as FedLoom's status has it; None if this is not FedLoom's status."""
    try:
        port = json.loads(response.read(MAX_STATUS_BYTES))["link"]["port"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return port if isinstance(port, int) and 0 < port < 65536 else None


def _other(begins_with: str) -> Found:
    """A server that speaks no HTTP/1."""
    if begins_with.startswith(HTTP2_SETTINGS):
        return Found("a server without TLS answers there, as those of an older FedLoom do", is_other=True)
    if begins_with.startswith(TLS_ALERT):
        return _TLS
    return Found("something else than FedLoom listens there", is_other=True)
