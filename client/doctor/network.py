"""The way to the server, step by step, as far as it goes: name, port, TLS, key, protocol, clock."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import grpc

from client.address_probe import Found, look_at, reach_words
from client.channel import channel_arguments
from client.doctor.finding import Finding, ok, problem, warning
from client.membership import WayIn
from shared.address import Address
from shared.proto.link_pb2 import Challenge, ServerFrame
from shared.security.certificate import ClockWrong, NoTls, PinnedServer, WrongServer, find_pinned
from shared.version import __version__
from shared.wire import LINK_METHOD, PROTOCOL_VERSION

TIMEOUT_S = 5.0
"""For each step."""

HARMLESS = timedelta(days=1)
"""What two clocks may differ by."""
WORTH_A_WORD = timedelta(minutes=1)

PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "all_proxy")


def of(way: WayIn) -> Iterator[Finding]:
    """What is found on the way; ends at the first problem."""
    address, invitation = way.address, way.invitation()
    found = name(address)
    yield found
    if found.is_problem:
        return
    reached = port(address)
    yield reached
    yield proxy(os.environ, is_reached=not reached.is_problem)
    if reached.is_problem:
        return
    if invitation is None:
        yield _who_is_there(address)
        return
    try:
        server = find_pinned(address, way.pins(invitation), TIMEOUT_S)
    except WrongServer as error:
        yield ok("tls", "somebody answers with TLS")
        yield problem("server", str(error))
        return
    except ClockWrong as error:
        yield ok("tls", "the server proves to have the right key")
        yield problem("clock", str(error))
        return
    except (NoTls, OSError):
        yield _who_is_there(address)
        return
    is_new = server.key.id != invitation.key
    why = "which it has announced to this client" if is_new else "as it has to"
    yield ok("tls", f"the server proves to have the key {server.key.id.short}…, {why}")
    yield from _greeting(server)


def name(address: Address) -> Finding:
    """Whether the server's name can be resolved."""
    try:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    except OSError as error:
        return problem(
            "name",
            f"{_sentence(reach_words(error, address))}.",
            "Compare it with the invitation; ask whoever runs this network's name server; or have the server "
            "invite by its address.",
        )
    numbers = ", ".join(dict.fromkeys(str(each[4][0]) for each in found))
    return ok("name", f"{address.host} is {numbers}" if numbers != address.host else f"{numbers}, a number")


def port(address: Address) -> Finding:
    """Whether a connection to the server's port comes about."""
    try:
        socket.create_connection(address, TIMEOUT_S).close()
    except ConnectionRefusedError:
        todo = (
            "Is the server running, and is this its --link-port? One that was started without --host listens "
            "for its own machine only."
        )
        return problem("port", f"Nothing listens at {address}: the connection was refused.", todo)
    except TimeoutError:
        todo = (
            f"Ask whoever runs the firewall of this network, or the server's, to let TCP to {address} pass. "
            "The server needs no way back."
        )
        return problem(
            "port", f"{address} does not answer within {TIMEOUT_S:.0f} s, as behind a firewall.", todo
        )
    except OSError as error:
        words = f"{address} cannot be reached: {_sentence(reach_words(error, address))}."
        return problem("port", words, "Is this machine in a network, and is the address right?")
    return ok("port", f"{address} takes connections")


def proxy(environment: Mapping[str, str], *, is_reached: bool) -> Finding:
    """What the variables for proxies mean here. The link uses none (`shared.wire.CHANNEL_OPTIONS`)."""
    given = [each for lower in PROXY_VARIABLES for each in (lower, lower.upper()) if environment.get(each)]
    if not given:
        return ok("proxy", "none is set")
    words = f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} set; the link uses no proxy"
    if is_reached:
        return ok("proxy", f"{words} and needs none here. Downloads of data sets use it")
    return warning(
        "proxy",
        f"{words}.",
        "If this network lets nothing out but through it, ask for a direct way to the server's port. "
        "no_proxy is not needed.",
    )


def clock(server: float, own: float) -> Finding:
    """Whether this machine's clock and the server's agree."""
    apart = timedelta(seconds=round(abs(server - own)))
    words = f"it differs from the server's by {apart}"
    if apart > HARMLESS:
        return warning("clock", f"{words}.", "Set the one that is wrong: times in logs will not fit.")
    return ok("clock", f"{words}, which harms nothing" if apart > WORTH_A_WORD else "as the server's")


def protocol(challenge: Challenge) -> Finding:
    """Whether server and client speak the same version of the link."""
    if challenge.protocol == PROTOCOL_VERSION:
        return ok("protocol", f"version {PROTOCOL_VERSION}, as here")
    return problem(
        "protocol",
        f"The server speaks version {challenge.protocol} of the link, this FedLoom ({__version__}) version "
        f"{PROTOCOL_VERSION}.",
        "Install the same FedLoom on both.",
    )


def _greeting(server: PinnedServer) -> Iterator[Finding]:
    try:
        challenge = _challenge(server)
    except (grpc.RpcError, ValueError) as error:
        words = getattr(error, "details", lambda: None)() or str(error)
        yield problem(
            "protocol",
            f"The server does not begin as one of this version does: {words}.",
            "Install the same FedLoom on both.",
        )
        return
    yield protocol(challenge)
    if challenge.time:
        yield clock(challenge.time, time.time())


def _challenge(server: PinnedServer) -> Challenge:
    """What the server sends first. Raises grpc.RpcError, and ValueError for something else."""
    with grpc.secure_channel(*channel_arguments(server)) as channel:
        method = channel.stream_stream(
            LINK_METHOD, request_serializer=None, response_deserializer=ServerFrame.FromString
        )
        call = method(iter(()), timeout=TIMEOUT_S)
        try:
            first = next(call, None)
        finally:
            call.cancel()
    if not isinstance(first, ServerFrame) or first.WhichOneof("kind") != "challenge":
        raise ValueError("it sent something else than a challenge")
    return first.challenge


def _who_is_there(address: Address) -> Finding:
    """What answers at an address where no server could be recognised."""
    found: Found = asyncio.run(look_at(address))
    if found.is_tls:
        return ok("tls", "somebody answers with TLS; which server it is shows an invitation alone")
    todo = "" if "--server" in found.words else "Compare the address with the invitation."
    return problem("tls", f"No FedLoom link answers at {address}: {found.words}.", todo)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
