"""Who is connected, in what state, since when.

Owned by the link thread: only it calls the methods that change something. Each record is an immutable value,
so that any thread may take a `snapshot`; each change is published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.enrolment.enrolment import Enrolment
from app.enrolment.known import Standing
from app.event_bus import EventBus
from app.federation.link.mesh_reports import mesh_of, now_of, peers_of, story_of
from app.federation.link.traffic import Traffic
from app.records import (
    Client,
    ClientCounts,
    ClientGone,
    ClientState,
    Member,
    MembershipState,
    MeshNow,
    MeshPeer,
    MeshStory,
    Verdict,
)
from shared.natural_order import natural_key
from shared.proto.link_pb2 import Hello, MeshReport
from shared.proto.link_pb2 import MeshNow as NowFrame


class ClientRegistry:
    """The clients that this server has seen, by id; `known` are those from before it started, all lost."""

    def __init__(self, bus: EventBus, known: Iterable[Client] = ()) -> None:
        self._bus = bus
        self._clients = {client.id: client for client in known}
        self._listeners: list[Callable[[], None]] = []
        self._mesh_peers: dict[str, tuple[MeshPeer, ...]] = {}
        self._mesh_stories: dict[str, MeshStory] = {}
        self._mesh_now: dict[str, MeshNow] = {}
        self._traffic: dict[str, Traffic] = {}

    # read, from any thread

    def snapshot(self) -> list[Client]:
        """All clients, in the natural order of their ids."""
        return sorted(self._clients.copy().values(), key=lambda client: natural_key(client.id))

    def get(self, client_id: str) -> Client | None:
        """One client as it is now, or None."""
        return self._clients.get(client_id)

    def known(self, client_id: str) -> Client:
        """One client that has been connected. Raises KeyError for any other."""
        return self._clients[client_id]

    def counts(self) -> ClientCounts:
        """How many clients are connected, lost, and wait to be approved."""
        clients = self._clients.copy().values()
        away = [client.membership for client in clients if client.state is ClientState.LOST]
        return ClientCounts(
            connected=len(clients) - len(away),
            lost=away.count(MembershipState.ADMITTED),
            pending=away.count(MembershipState.PENDING),
        )

    def mesh_peers(self, client_id: str) -> Sequence[MeshPeer]:
        """The others in the mesh, as this client has told of them last."""
        return self._mesh_peers.get(client_id, ())

    def mesh_story(self, client_id: str) -> MeshStory:
        """What this client has told of its time in the mesh."""
        return self._mesh_stories.get(client_id, MeshStory())

    def mesh_now(self, client_id: str) -> MeshNow | None:
        """What this client has told last of what changes all the time; None: nothing yet."""
        return self._mesh_now.get(client_id)

    # change, in the link thread

    def traffic(self, client_id: str) -> Traffic:
        """What the link has carried for a client so far, over all its connections; whoever writes and reads
        its frames counts on."""
        return self._traffic.setdefault(client_id, Traffic())

    def on_membership(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the link thread whenever a client came or went."""
        self._listeners.append(listener)

    def off_membership(self, listener: Callable[[], None]) -> None:
        """Undo `on_membership`."""
        self._listeners.remove(listener)

    def connected(self, hello: Hello, key: str) -> Client:
        """A client with this key said hello: it is idle now, whatever it was before."""
        known = self._clients.get(hello.client_id)
        client = _client(
            hello,
            ClientState.IDLE,
            key=key,
            verdict=known.verdict if known else None,
            verdicts=known.verdicts if known else {},
            **self._carried(hello.client_id),
            **(_memory(known) if known and known.dataset == hello.dataset else {}),
        )
        self._put(client)
        if hello.HasField("mesh"):
            self._mesh_peers[client.id] = peers_of(hello.mesh)
            self._mesh_stories[client.id] = story_of(hello.mesh)
        self._tell_listeners()
        return client

    def meshes(self, client_id: str, report: MeshReport) -> None:
        """A client tells of its node in the mesh. Raises WireError for what cannot be."""
        mesh, peers, story = mesh_of(report), peers_of(report), story_of(report)
        self._mesh_peers[client_id], self._mesh_stories[client_id] = peers, story
        self.update(client_id, mesh=mesh)

    def meshes_now(self, client_id: str, report: NowFrame) -> None:
        """A client tells what changes all the time of its node; too frequent to publish. Raises WireError for
        what cannot be."""
        now = self._mesh_now[client_id] = now_of(report, time.time())
        latencies = {way.key: way.latency_s for way in now.ways}
        self._mesh_peers[client_id] = tuple(
            peer.model_copy(update={"latency_s": latencies.get(peer.key, peer.latency_s)})
            for peer in self._mesh_peers.get(client_id, ())
        )

    def stands(self, client_id: str, standing: Standing | None, hello: Hello | None = None) -> None:
        """How a name stands may have changed; None: nobody has it or asks for it any more.

        `hello`: of one that asks for it.
        """
        if standing is None:
            client = self._clients.get(client_id)
            if client is not None and (client.ephemeral or client.membership is MembershipState.PENDING):
                self.forget(client_id)
            return
        if client_id in self._clients:
            self.update(client_id, **_shown(standing))
        elif hello is not None:
            self._put(_client(hello, ClientState.LOST, **_shown(standing)))

    def forget(self, client_id: str) -> None:
        """A client is not on the list any more, if it was."""
        if self._clients.pop(client_id, None) is not None:
            self._mesh_peers.pop(client_id, None)
            self._mesh_stories.pop(client_id, None)
            self._mesh_now.pop(client_id, None)
            self._traffic.pop(client_id, None)
            self._bus.publish(ClientGone(id=client_id))

    def lost(self, client_id: str) -> None:
        """A client's link ended."""
        gone = {"state": ClientState.LOST, "round": None, "late_since": None, "progress": None}
        self.update(client_id, **gone, **self._carried(client_id))
        self._tell_listeners()

    def settled(self, client_id: str) -> None:
        """A client works on nothing. If it was late until now, a run may have waited for that."""
        was_late = self._clients[client_id].state is ClientState.LATE
        idle = {"state": ClientState.IDLE, "progress": None, "late_since": None}
        self.update(client_id, **idle, **self._carried(client_id))
        if was_late:
            self._tell_listeners()

    def judged(self, client_id: str, verdict: Verdict) -> None:
        """It was decided of a reply of a client's, which may have left and be forgotten by now."""
        client = self._clients.get(client_id)
        counts = {} if client is None else client.verdicts
        self.update(client_id, verdict=verdict, verdicts={**counts, verdict: counts.get(verdict, 0) + 1})

    def seen(self, client_id: str) -> None:
        """A sign of life; too frequent to publish."""
        client = self._clients[client_id]
        self._clients[client_id] = client.model_copy(update={"last_seen": time.time()})

    def update(self, client_id: str, **changes: Any) -> None:
        """Change some fields of a client, if it is known, and publish it, unless nothing changed."""
        client = self._clients.get(client_id)
        if client is None:
            return
        changed = client.changed(**changes)
        if changed != client:
            self._put(changed)

    def _carried(self, client_id: str) -> dict[str, int]:
        traffic = self._traffic.get(client_id)
        return {} if traffic is None else {"bytes_sent": traffic.sent, "bytes_received": traffic.received}

    def _put(self, client: Client) -> None:
        self._clients[client.id] = client
        self._bus.publish(client)

    def _tell_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def shown_clients(kept: Iterable[Client], enrolment: Enrolment) -> list[Client]:
    """The clients that were here before, as they stand; also those of which nothing else was kept."""
    clients = {member.client_id: _as_known(member) for member in enrolment.members()}
    clients |= {client.id: client for client in kept}
    standings = {client_id: enrolment.standing(client_id) for client_id in clients}
    return [
        client if (standing := standings[client.id]) is None else client.changed(**_shown(standing))
        for client in clients.values()
    ]


def _as_known(member: Member) -> Client:
    return Client(
        id=member.client_id,
        state=ClientState.LOST,
        key=member.key,
        dataset="",
        models=(),
        host="",
        device="",
        connected_at=member.since,
        last_seen=member.since,
    )


def _shown(standing: Standing) -> dict[str, Any]:
    return {
        "key": standing.key,
        "membership": standing.membership,
        "waiting_keys": standing.waiting_keys,
        "ephemeral": standing.ephemeral,
    }


def _client(hello: Hello, state: ClientState, **fields: Any) -> Client:
    """Somebody who says this now."""
    now = time.time()
    return Client(
        id=hello.client_id,
        state=state,
        app=hello.app.name if hello.HasField("app") else None,
        dataset=hello.dataset,
        models=tuple(hello.models),
        host=hello.host,
        device=hello.device,
        connected_at=now,
        last_seen=now,
        mesh=mesh_of(hello.mesh) if hello.HasField("mesh") else None,
        withholds_usage=hello.withholds_usage,
        **fields,
    )


def _memory(client: Client) -> dict[str, Any]:
    """What stays true of a client that comes back."""
    return client.model_dump(
        include={
            "run",
            "samples",
            "label_counts",
            "partition",
            "num_partitions",
            "train_loss",
            "loss",
            "accuracy",
        }
    )
