"""The page's side of Socket.IO, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import engineio
import socketio

from tests.support.waiting import wait_until

Json = dict[str, Any]


class _InOrderEngine(engineio.Client):
    """Handles one packet after the other; the library would start a thread for each and lose their order."""

    def _trigger_event(self, event: str, *args: object, **kwargs: object) -> object:
        base: Any = super()
        return base._trigger_event(event, *args, **{**kwargs, "run_async": False})


class _InOrderClient(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrderEngine


def _new_client() -> Any:
    """Untyped, as the library is."""
    make: Any = _InOrderClient
    return make(reconnection=False)


class Page:
    """Connects like the page does, and keeps all that it is sent in order. A context manager.

    `events` are whole, `batches` as they came.
    """

    def __init__(
        self,
        url: str,
        *,
        instance: str | None = None,
        since: object = None,
        path: str = "socket.io",
        headers: Mapping[str, str] = MappingProxyType({}),
        known: dict[tuple[str, ...], Json] | None = None,
    ) -> None:
        """`path`: where the socket is. `known`: of the page that was open before."""
        self.is_open = True
        self.snapshots: list[Json] = []
        self.batches: list[Json] = []
        self.events: list[Json] = []
        self.usages: list[Json] = []
        self.links: dict[str, Json] = {}
        """Clients' links as the page knows them."""
        self._socket: Any = _new_client()
        self.known: dict[tuple[str, ...], Json] = {} if known is None else known
        self._socket.on("snapshot", self._start_over)
        self._socket.on("batch", self._follow)
        self._socket.on("disconnect", self._end)
        self._socket.connect(
            url,
            auth={"instance": instance, "since": since},
            transports=["websocket"],
            socketio_path=path,
            headers=dict(headers),
        )

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.disconnect()

    def _end(self, *_: object) -> None:
        self.is_open = False

    def _start_over(self, snapshot: Json) -> None:
        self.known.clear()
        self.known.update({("client", client["id"]): client for client in snapshot["clients"]})
        for run, newest in snapshot["newest_rounds"].items():
            self.known["round", run, str(newest["round"])] = newest
        self.snapshots.append(snapshot)

    def _follow(self, batch: Json) -> None:
        self.batches.append(batch)
        self.events.extend(map(self._whole, batch["events"]))
        if batch["usage"] is not None:
            self.usages.append(batch["usage"])
        if (update := batch["links"]) is not None:
            before = {} if update["whole"] else self.links
            changed = {name: {**before.get(name, {}), **fields} for name, fields in update["links"].items()}
            self.links = {
                name: link for name, link in {**before, **changed}.items() if name not in update["gone"]
            }

    def _whole(self, event: Json) -> Json:
        """An event as the server has it: a change is put into what it changes, if that is known here."""
        data = event["data"]
        match event["type"]:
            case "client_update":
                self.known["client", data["id"]] = data
            case "client_change" if ("client", data["id"]) in self.known:
                client = {**self.known["client", data["id"]], **data["fields"]}
                self.known["client", data["id"]] = client
                return {**event, "type": "client_update", "data": client}
            case "metrics_update":
                self.known["round", data["run_id"], str(data["round"]["round"])] = data["round"]
            case "metrics_change" if (key := ("round", data["run_id"], str(data["round"]))) in self.known:
                before = self.known[key]
                parts = {**before["per_client"], **data["per_client"]}
                round_ = {**before, **data["fields"], "per_client": parts}
                self.known[key] = round_
                return {
                    **event,
                    "type": "metrics_update",
                    "data": {"run_id": data["run_id"], "round": round_},
                }
        return event

    def snapshot(self) -> Json:
        """The first snapshot."""
        wait_until(lambda: self.snapshots, "a snapshot comes")
        return self.snapshots[0]

    def wait_for_seq(self, seq: int) -> None:
        """Wait until it has been sent all events up to this number, which must not be replaced by a newer."""
        self.wait_for(lambda event: bool(event["seq"] >= seq), f"event {seq} comes")

    def wait_for(self, matches: Callable[[Json], bool], what: str, timeout_s: float = 30.0) -> Json:
        """The first event that matches."""

        def look() -> Json | None:
            return next((event for event in self.events.copy() if matches(event)), None)

        return wait_until(look, what, timeout_s)
