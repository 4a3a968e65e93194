"""What clients report on the link, as the values that the server publishes."""

from __future__ import annotations

import math

from app.federation.link.admission import MAX_NAME
from app.records import LOG_LEVELS, ClientProgress, LogLevel, LogRecord
from shared.proto.link_pb2 import Failure, LogLine, Progress
from shared.wire import MAX_LOG_TEXT

MAX_REASON = 1_000
"""Characters in which a client says why it takes no part."""


def client_progress(progress: Progress) -> ClientProgress:
    """How far a client is; numbers that are none are left out."""
    return ClientProgress(
        done=progress.done,
        total=progress.total,
        examples_per_s=progress.examples_per_s if math.isfinite(progress.examples_per_s) else 0.0,
        loss=progress.loss if progress.HasField("loss") and math.isfinite(progress.loss) else None,
    )


def declined_by(failure: Failure) -> str:
    """Why a client takes no part, in a line that names the rule of its site's policy."""
    rule, reason = (
        "".join(character for character in text if character.isprintable())[:MAX_REASON]
        for text in (failure.rule[:MAX_NAME], failure.reason)
    )
    return f"declined by its site: {reason if reason.startswith(rule) else f'{rule}: {reason}'}"


def log_record(client_id: str, line: LogLine, run_id: str | None) -> LogRecord:
    """A line of a client's log, cut to a size that can be shown. `run_id`: the run that it has a part in."""
    level: LogLevel = next((level for level in LOG_LEVELS if level == line.level), "info")
    return LogRecord(
        level=level,
        source=client_id,
        logger=line.logger[:MAX_NAME],
        message=line.message[:MAX_LOG_TEXT],
        run_id=run_id,
        traceback=line.traceback[:MAX_LOG_TEXT] or None,
    )
