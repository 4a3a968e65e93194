"""The serialised content of messages, which the clients of a round share."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from concurrent.futures import Executor, Future

from shared.app_host.serialised import Serialised
from shared.chunks import following
from shared.hashing import hashed
from shared.proto.link_pb2 import ServerFrame


class _Frames(list[bytes]):
    """A list that can be referred to weakly."""


class Content:
    """What messages to several clients have in common: the global model, above all.

    Its frames exist until `let_go` and while somebody is sending them, and are made again for a client that
    comes back later: a model that was sent need not lie in memory twice until the last client has answered.
    """

    def __init__(self, content: Serialised) -> None:
        self._content = content
        self._arrays_digest: Future[bytes] | None = None
        self.skeleton = content.skeleton
        self.array_bytes = content.array_bytes
        self._kept: _Frames | None = _cut(content)
        self._frames = weakref.ref(self._kept)

    def frames(self) -> Sequence[bytes]:
        """The content as frames that follow the opening chunk of a message."""
        frames = self._frames()
        if frames is None:
            frames = _cut(self._content)
            self._frames = weakref.ref(frames)
        return frames

    def arrays_digest(self, threads: Executor) -> Future[bytes]:
        """The hash of its arrays, which is computed once, by these threads. Called in the link thread."""
        if self._arrays_digest is None:
            self._arrays_digest = hashed(self._content.arrays, threads)
        return self._arrays_digest

    def let_go(self) -> None:
        """Everybody who is there has begun to send it."""
        self._kept = None


def _cut(content: Serialised) -> _Frames:
    return _Frames(following(content.parts, ServerFrame.TASK_FIELD_NUMBER))
