"""The processes of a server's run on Flower's simulation engine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import grpc
import psutil

from tests.support.processes import ServerProcess

PROCESS = "app.federation.engines.simulation.process"


def engine_of(server: ServerProcess) -> psutil.Process | None:
    """The process of the simulation, without what it has started."""
    found = [each for each in server.family() if PROCESS in said(each) and "warden" not in said(each)]
    return found[0] if found else None


def rays(server: ServerProcess) -> list[psutil.Process]:
    """Ray's processes of this server."""
    return [each for each in server.family() if "ray" in " ".join(said(each)).lower()]


def said(process: psutil.Process) -> list[str]:
    """Its command line; nothing, if it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def listening(processes: Iterable[psutil.Process]) -> dict[int, str]:
    """The addresses that they listen on, by port."""
    found: dict[int, str] = {}
    for each in processes:
        try:
            connections = each.net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            continue
        found |= {to.laddr.port: to.laddr.ip for to in connections if to.status == psutil.CONN_LISTEN}
    return found


def is_on_loopback(address: str) -> bool:
    """Whether nobody reaches it from elsewhere."""
    ip = ipaddress.ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def answer_without_token(port: int) -> grpc.StatusCode:
    """What somebody is told who has no token of Ray's, and asks for what its control service does."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = channel.unary_unary("/ray.rpc.NodeInfoGcsService/CheckAlive")
        answer = ask.future(b"", timeout=10)
        answer.exception()  # which waits for it
        code: grpc.StatusCode = answer.code()
        return code
