"""Accounts: enters into the audit log of what each global model of a built-in run was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flwr.app import ArrayRecord, Message

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.audit.updates import UpdateFiles, digest_of
from app.records import Run
from app.store.values import model_digest
from shared.mesh_contribution import MESH_UPDATE, ContributionMetrics
from shared.payload import Payload

_OF_A_CONTRIBUTION = {"contribution", "generation", "base_round", "mesh_rounds", "steps"}


@dataclass(frozen=True)
class Origin:
    """Whose update it is, and its digest: see `digest_of`."""

    client_id: str
    digest: str


class Accounts:
    """Of one run. Used in the run thread."""

    def __init__(self, run: Run, audit: AuditLog, files: UpdateFiles) -> None:
        self._run = run
        self._audit = audit
        self._files = files if run.spec.keep_updates else None
        self._opened: tuple[Message, str] | None = None
        self._origins: dict[int, Origin] = {}
        self._folded: list[dict[str, str | int | None]] = []
        self._known: tuple[ArrayRecord, str] | None = None
        """The newest global model, and its digest."""

    def opened(self, reply: Message, payload: Payload) -> None:
        """A reply was made of these bytes. Raises StoreUnavailable if it cannot be kept."""
        kind = reply.metadata.message_type
        if kind not in ("train", MESH_UPDATE) or reply.has_error():
            return
        digest = digest_of(payload)
        self._opened = (reply, digest)
        if self._files is not None and kind == "train":
            self._files.keep(self._run.id, digest, payload)

    def came_from(self, client_id: str, reply: Message) -> None:
        """The reply that was opened last is this client's."""
        if self._opened is not None and self._opened[0] is reply:
            self._origins[reply.metadata.src_node_id] = Origin(client_id, self._opened[1])
        self._opened = None

    def begin(self) -> None:
        """A round begins, or begins again: nothing is folded yet."""
        self._folded.clear()

    def folded(self, node_id: int, samples: int | None) -> None:
        """A node's update is in the model that comes next, after those of before; None: it was masked."""
        origin = self._origins[node_id]
        self._folded.append({"client": origin.client_id, "digest": origin.digest, "samples": samples})

    def aggregated(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """The round's updates have made `arrays` of what was `sent`.

        Raises StoreUnavailable if that was to be kept, and cannot be.
        """
        before = self.digest(sent)
        if server_round == 1 and self._files is not None:
            self._files.keep_model(self._run.id, before, sent)
        self._audit.record(
            Kind.AGGREGATED,
            run=self._run.id,
            round=server_round,
            strategy=self._run.spec.strategy,
            before=before,
            after=self.digest(arrays),
            updates=list(self._folded),
            kept=self._files is not None,
        )

    def merged(
        self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord, told: Sequence[ContributionMetrics]
    ) -> None:
        """What was learned in the mesh has made `arrays` of what the server had. `told`: how it came about,
        in the order in which it was folded."""
        self._audit.record(
            Kind.MERGED,
            run=self._run.id,
            round=server_round,
            strategy=self._run.spec.strategy,
            before=self.digest(sent),
            after=self.digest(arrays),
            updates=[
                {**folded, **metrics.model_dump(include=_OF_A_CONTRIBUTION)}
                for folded, metrics in zip(self._folded, told, strict=True)
            ],
        )

    def digest(self, arrays: ArrayRecord) -> str:
        """Of a global model; that of the newest is known."""
        if self._known is None or self._known[0] is not arrays:
            self._known = (arrays, model_digest(arrays))
        return self._known[1]
