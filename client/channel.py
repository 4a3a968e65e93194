"""The connection to a server that has proved to have the right key, as gRPC takes it."""

from __future__ import annotations

import grpc

from shared.security.certificate import SERVER_NAME, PinnedServer
from shared.wire import CHANNEL_OPTIONS

ChannelArguments = tuple[str, grpc.ChannelCredentials, list[tuple[str, str | int]]]


def channel_arguments(server: PinnedServer) -> ChannelArguments:
    """For `secure_channel`, which takes a server by exactly this certificate, and no other."""
    return (
        server.target,
        grpc.ssl_channel_credentials(root_certificates=server.certificate),
        [*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", SERVER_NAME)],
    )
