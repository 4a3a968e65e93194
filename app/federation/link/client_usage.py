"""What clients say that their machines are used for: their word, as far as it can be, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from app.federation.link.limits import Limits
from app.records import Usage
from app.usage.history import UsageHistory
from shared.errors import WireError
from shared.proto.link_pb2 import Usage as UsageFrame

_FIELDS = tuple(field.name for field in UsageFrame.DESCRIPTOR.fields if field.name != "gpus")


class ClientUsage:
    """Of all clients. In the link thread."""

    def __init__(self, limits: Limits, history: UsageHistory, clock: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._history = history
        self._clock = clock

    def told(self, client_id: str, frame: UsageFrame) -> None:
        """A client tells. What comes too often is dropped. Raises WireError for what cannot be."""
        if self._limits.of(client_id).usages.take():
            self._history.add(client_id, usage_of(frame, self._clock()))


def usage_of(frame: UsageFrame, at: float) -> Usage:
    """The record of a frame that came at that time. Raises WireError for values that no machine has."""
    told: dict[str, Any] = {name: getattr(frame, name) for name in _FIELDS}
    gpus = [
        {"busy": gpu.busy, "memory_used": gpu.memory_used, "memory_total": gpu.memory_total}
        for gpu in frame.gpus
    ]
    try:
        return Usage.model_validate({**told, "gpus": gpus, "time": at})
    except ValidationError as error:
        wrong = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
        raise WireError(f"It reports a use of its machine that cannot be: {wrong}.") from error
