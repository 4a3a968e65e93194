"""How what goes to another server, such as a webhook's receiver, gets there: by the environment's proxies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.address import Address
from shared.errors import SettingsInvalid
from shared.proxy import is_direct

PORTS = {"http": 80, "https": 443}


def client_for(url: str, **options: Any) -> httpx.Client:
    """A client for requests to the host of an address. `options`: of httpx, but those of its transport.

    It goes by the proxy that `https_proxy`, `http_proxy` or `all_proxy` names, but directly to this machine
    and to what `no_proxy` has; of httpx alone the former could go by a proxy, and so could networks. Raises
    SettingsInvalid for a proxy that cannot be used.
    """
    parts = urlsplit(url)
    if is_direct(Address(parts.hostname or "", parts.port or PORTS[parts.scheme])):
        return httpx.Client(transport=httpx.HTTPTransport(), **options)
    try:
        return httpx.Client(**options)
    except (ValueError, ImportError):  # of SOCKS, for which something else would have to be installed
        raise SettingsInvalid(
            f"One of https_proxy, http_proxy and all_proxy names a proxy by which {parts.hostname} cannot be "
            "reached: name one such as http://PROXY:PORT, or add the host to no_proxy."
        ) from None
