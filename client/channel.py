"""The connection to a server that has proved to have the right key, as gRPC takes it."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from shared.proxy import as_asked
from shared.security.certificate import SERVER_NAME, PinnedServer
from shared.wire import CHANNEL_OPTIONS

ChannelArguments = tuple[str, grpc.ChannelCredentials, list[tuple[str, str | int]]]


def channel_arguments(server: PinnedServer) -> ChannelArguments:
    """For `secure_channel`, which takes a server by exactly this certificate, and no other."""
    return (
        server.target,
        grpc.ssl_channel_credentials(root_certificates=server.certificate),
        [*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", SERVER_NAME), *_by_proxy(server)],
    )


def _by_proxy(server: PinnedServer) -> Iterator[tuple[str, str]]:
    """What gRPC says to the target, if that is a proxy. Its own rule would set these two, from what it reads
    of variables."""
    if server.proxy is None:
        return
    yield "grpc.http_connect_server", str(as_asked(server.address))
    if server.proxy.credentials:
        yield "grpc.http_connect_headers", f"Proxy-Authorization:Basic {server.proxy.credentials}"
