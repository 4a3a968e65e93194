"""How the link listens: one gRPC method, over TLS, with limits for whoever connects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from app.descriptors import raise_descriptor_limit
from app.federation.link.arrivals import HELLO_TIMEOUT_S, most_connections
from app.federation.link.credentials import credentials_of
from app.federation.link.frames import Context, serialise
from app.federation.link.traffic import Traffic
from shared.address import Address
from shared.errors import FedLoomError
from shared.pieces import read_client_frame
from shared.security.server_identity import ServerIdentity
from shared.wire import CHANNEL_OPTIONS, LINK_PROCEDURE, LINK_SERVICE


def new_server(connect: Callable[[Any, Context], Awaitable[None]], traffic: Traffic) -> grpc.aio.Server:
    """A server that is neither bound nor started yet. In the link thread.

    `connect`: the method, of which each call is one client's connection; `traffic` counts its bytes.
    """
    server: grpc.aio.Server = grpc.aio.server(options=[*CHANNEL_OPTIONS, *_limits()])
    handler = grpc.stream_stream_rpc_method_handler(
        connect,
        request_deserializer=traffic.counting_received(read_client_frame),
        response_serializer=traffic.counting_sent(serialise),
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(LINK_SERVICE, {LINK_PROCEDURE: handler}),)
    )
    return server


def bind(server: grpc.aio.Server, address: Address, identity: ServerIdentity) -> int:
    """Have a server listen there; returns the port, which 0 leaves open. Raises FedLoomError when it is
    taken."""
    try:
        return server.add_secure_port(str(address), credentials_of(identity))
    except RuntimeError as error:
        raise FedLoomError(
            f"The link for clients cannot listen on {address}: is another server running there? "
            "Choose another port with --link-port, or an address of this machine with --host."
        ) from error


def _limits() -> list[tuple[str, int]]:
    """gRPC's own, for whoever connects and says nothing, or too much. Its times count where the system does
    not tell an ArrivalWatch who is connected; elsewhere that is faster."""
    milliseconds = round(2 * HELLO_TIMEOUT_S * 1000)
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_allowed_incoming_connections", most_connections(raise_descriptor_limit())),
        ("grpc.server_handshake_timeout_ms", milliseconds),
        ("grpc.max_connection_idle_ms", milliseconds),  # without a call
        ("grpc.max_concurrent_streams", 1),
    ]
