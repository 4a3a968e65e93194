"""What a run promises to those whose data it learns from."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from app.records.base import Record


class Protected(StrEnum):
    """Whose presence differential privacy hides, and from whom."""

    CLIENT = "client"
    """all of one client's data together, from everybody who sees the model"""
    SAMPLE = "sample"
    """one sample of a client, from everybody outside of that"""


class PrivacySpent(Record):
    """Differential privacy as it has been spent so far, in (epsilon, delta)."""

    protects: Protected = Field(description="whose presence is hidden")
    from_server: bool = Field(
        default=False,
        description="whether it is hidden from the server as well: the noise is added at the clients",
    )
    epsilon: float | None = Field(
        description="spent so far, at `delta`; of samples the largest of a client, since those of different "
        "clients are never added up; null: there is no noise, and no limit"
    )
    delta: float
    releases: int | None = Field(
        default=None,
        description="of clients: models that were made and paid for, those of repeated rounds as well",
    )
