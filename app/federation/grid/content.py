"""The serialised content of messages, which the clients of a round share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future

from shared.app_host.serialised import Serialised
from shared.chunks import following
from shared.hashing import hashed
from shared.proto.link_pb2 import ServerFrame

KEPT_BYTES = 8 << 20
"""Of a content whose frames are made once for all clients. Those of a larger one are made for each, while it
is sent: to copy a model costs little beside sending it, and so it does not lie in memory twice."""


class Content:
    """What messages to several clients have in common: the global model, above all."""

    def __init__(self, content: Serialised) -> None:
        self._content = content
        self._arrays_digest: Future[bytes] | None = None
        self.skeleton = content.skeleton
        self.array_bytes = content.array_bytes
        self.arrays = content.arrays
        is_small = len(self.skeleton) + sum(self.array_bytes) <= KEPT_BYTES
        self._kept: Sequence[bytes] | None = tuple(self._cut()) if is_small else None

    def frames(self) -> Iterable[bytes]:
        """The content as frames that follow the opening chunk of a message."""
        return self._cut() if self._kept is None else self._kept

    def arrays_digest(self, threads: Executor) -> Future[bytes]:
        """The hash of its arrays, which is computed once, by these threads. Called in the link thread."""
        if self._arrays_digest is None:
            self._arrays_digest = hashed(self._content.arrays, threads)
        return self._arrays_digest

    def _cut(self) -> Iterable[bytes]:
        return following(self._content.parts, ServerFrame.TASK_FIELD_NUMBER)
