"""ClientFrames: what clients that are connected send, and whom each frame is for."""

from __future__ import annotations

from collections.abc import Mapping

from app.federation.link.client_logs import ClientLogs
from app.federation.link.client_reports import ClientReports
from app.federation.link.client_usage import ClientUsage
from app.federation.link.clients import ClientRegistry
from app.federation.link.frames import Context, read_frame
from app.federation.link.mesh_roster import MeshRoster
from app.federation.link.session import Session
from app.federation.link.witnessing import Witnessing
from shared.errors import WireError
from shared.pieces import Piece
from shared.proto.link_pb2 import ClientFrame


class ClientFrames:
    """Of all clients. In the link thread."""

    def __init__(
        self,
        registry: ClientRegistry,
        reports: ClientReports,
        logs: ClientLogs,
        usage: ClientUsage | None,
        mesh_roster: MeshRoster,
        witnessing: Mapping[Session, Witnessing],
    ) -> None:
        """`usage`: None if clients were not asked what their machines are used for."""
        self._registry = registry
        self._reports = reports
        self._logs = logs
        self._usage = usage
        self._mesh_roster = mesh_roster
        self._witnessing = witnessing

    async def read(self, session: Session, context: Context) -> None:
        """Take all that one sends, until it says goodbye or its session ends. Raises WireError."""
        while (frame := await read_frame(context)) is not None:
            if session.is_cut:
                continue
            if isinstance(frame, ClientFrame) and frame.WhichOneof("kind") == "goodbye":
                session.said_goodbye = True
                return
            await self._take(session, frame)
            if session.is_closed:
                return

    async def _take(self, session: Session, frame: ClientFrame | Piece) -> None:
        client_id = session.client_id
        self._registry.seen(client_id)
        kind = None if isinstance(frame, Piece) else frame.WhichOneof("kind")
        if session.awaits_seal and kind != "seal":
            await session.receive_seal(None)
        if isinstance(frame, Piece):
            await session.receive(frame)
            return
        match kind:
            case "reply":
                await session.receive(frame.reply)
            case "seal":
                await session.receive_seal(frame.seal)
            case "progress":
                self._reports.progressed(client_id, frame.progress)
            case "log":
                self._logs.add(client_id, frame.log)
            case "failure":
                self._reports.failed(client_id, frame.failure)
            case "held":
                self._reports.held(client_id, frame.held)
            case "released":
                self._reports.released(client_id, frame.released.message_id)
            case "label_counts":
                self._reports.counted(client_id, frame.label_counts)
            case "mesh":
                if self._reports.meshes(client_id, frame.mesh):
                    self._mesh_roster.reported(session, frame.mesh)
            case "mesh_now":
                self._reports.meshes_now(client_id, frame.mesh_now)
            case "usage" if self._usage is not None:
                self._usage.told(client_id, frame.usage)
            case "cosignature":
                self._witnessing[session].answered(frame.cosignature)
            case "heartbeat":
                session.beats(frame.heartbeat)
            case _:
                raise WireError(f"A frame of kind {kind!r} is not expected from a client that is connected.")
