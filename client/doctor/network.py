"""The way to the server, step by step, as far as it goes: name, port or proxy, TLS, key, protocol, clock."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import grpc

from client.address_probe import Found, look_at
from client.channel import channel_arguments
from client.membership import WayIn
from shared.address import Address, reach_words
from shared.doctor.machine import proxies_in
from shared.finding import Finding, ok, problem, warning
from shared.proto.link_pb2 import Challenge, ServerFrame
from shared.proxy import EXCEPTIONS, VARIABLE, Proxy, ProxyFailed, is_direct
from shared.security.certificate import ClockWrong, NoTls, PinnedServer, WrongServer, find_pinned
from shared.version import __version__
from shared.wire import LINK_METHOD, PROTOCOL_VERSION

TIMEOUT_S = 5.0
"""For each step."""

HARMLESS = timedelta(days=1)
"""What two clocks may differ by."""
WORTH_A_WORD = timedelta(minutes=1)


def of(way: WayIn) -> Iterator[Finding]:
    """What is found on the way; ends at the first problem."""
    address, invitation = way.address, way.invitation()
    connecting = list(_directly(address) if way.proxy is None else _by(way.proxy, address))
    yield from connecting
    if any(found.is_problem for found in connecting):
        return
    if invitation is None:
        yield _who_is_there(way)
        return
    try:
        server = find_pinned(address, way.pins(invitation), TIMEOUT_S, way.proxy)
    except WrongServer as error:
        yield ok("tls", "somebody answers with TLS")
        yield problem("server", str(error))
        return
    except ClockWrong as error:
        yield ok("tls", "the server proves to have the right key")
        yield problem("clock", str(error))
        return
    except (NoTls, OSError, ProxyFailed):
        yield _who_is_there(way)
        return
    is_new = server.key.id != invitation.key
    why = "which it has announced to this client" if is_new else "as it has to"
    yield ok("tls", f"the server proves to have the key {server.key.id.short}…, {why}")
    yield from _greeting(server)


def _directly(address: Address) -> Iterator[Finding]:
    found = name(address)
    yield found
    if found.is_problem:
        return
    reached = port(address)
    yield reached
    yield no_proxy(os.environ, address, is_reached=not reached.is_problem)


def _by(proxy: Proxy, address: Address) -> Iterator[Finding]:
    """Whether the proxy makes the connection; it also finds out what the server's name stands for."""
    try:
        proxy.connect(address, TIMEOUT_S).close()
    except ProxyFailed as error:
        yield problem("proxy", error.what, error.todo)
        return
    yield ok("proxy", f"the one at {proxy.address}, which {VARIABLE} names, connects to {address}")


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


def no_proxy(environment: Mapping[str, str], address: Address, *, is_reached: bool) -> Finding:
    """What the variables for proxies mean for a server to which none leads."""
    given = proxies_in(environment)
    if given is None:
        return ok("proxy", "none is set")
    if is_direct(address):
        return ok(
            "proxy", f"{given} set; {address.host} is reached without, as this machine or by {EXCEPTIONS}"
        )
    words = f"{given} set; the link goes by {VARIABLE} alone, so by none"
    if is_reached:
        return ok("proxy", f"{words}, and needs none here")
    return warning(
        "proxy", f"{words}.", f"If this network lets nothing out but by a proxy, name it in {VARIABLE}."
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


def _who_is_there(way: WayIn) -> Finding:
    """What answers at an address where no server could be recognised."""
    found: Found = asyncio.run(look_at(way.address, way.proxy))
    if found.is_tls:
        return ok("tls", "somebody answers with TLS; which server it is shows an invitation alone")
    todo = "" if "--server" in found.words else "Compare the address with the invitation."
    return problem("tls", f"No FedLoom link answers at {way.address}: {found.words}.", todo)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
