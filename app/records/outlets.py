"""Where the server tells others by itself of what happens, and how that goes."""

from __future__ import annotations

from pydantic import Field

from app.records.base import Record


class WebhookStatus(Record):
    receiver: str = Field(description="scheme, host and port of its address")
    waiting: int = Field(description="notices that have not arrived yet")
    delivered: int = Field(description="notices that have arrived since the server's start")
    delivered_at: float | None = Field(description="when the newest of them did")
    lost: int = Field(description="notices that were given up since the server's start")
    problem: str | None = Field(description="why the newest try has failed; null: it has not")


class TrackerStatus(Record):
    kind: str = Field(description="`tensorboard` or `mlflow`")
    where: str = Field(description="its folder or address")
    behind: int = Field(description="runs of which it lacks something now")
    problem: str | None = Field(description="why it could not be written; null: it could")


class OutletsStatus(Record):
    """What the server was started with of these."""

    webhook: WebhookStatus | None
    trackers: tuple[TrackerStatus, ...]
