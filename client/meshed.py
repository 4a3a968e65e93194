"""Meshed: a client's node in the mesh, as its link sees it."""

from __future__ import annotations

from typing import Protocol

from client.link_measure import LinkMeasure
from client.offline.history import History
from shared.proto.link_pb2 import Assignment, MeshNow, MeshReport


class Meshed(Protocol):
    """In the event loop."""

    history: History
    """Of the time without a connection."""

    def report(self) -> MeshReport:
        """The node as it is now, to be told to the server."""

    def now(self) -> MeshNow:
        """What changes all the time of it, to be told to the server."""

    def connected(self, measure: LinkMeasure) -> None:
        """There is a connection to the server. `measure`: what is found of it."""

    def disconnected(self) -> None:
        """It is gone."""

    def assigned(self, assignment: Assignment) -> None:
        """The client has a place in a run."""

    def run_over(self) -> None:
        """The run in which the client had a place is over, by the server's word."""

    def roster(self, signed: bytes) -> None:
        """The server says for whom it vouches. Raises WireError for what is no roster of its."""
