"""How a run aggregates securely: declared once, in its RunSpec."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.run_fields import FieldUse, publish_forms

LEAST_CLIENTS = 3
"""Of two, each knows the other's update when it knows the sum."""
LEAST_NEIGHBOURS = 8

LOWEST_THRESHOLD = 2 / 3
"""A threshold must be above it: then the server cannot have two lists of survivors confirmed, unless a third
of a client's neighbours help it (Bonawitz et al. 2017, section 6.2)."""


def _bits(value: int) -> int:
    if value not in (16, 32):
        raise ValueError("a number travels in 16 or 32 bits")
    return value


def _threshold(value: float) -> float:
    if not value > LOWEST_THRESHOLD:
        raise ValueError("a threshold at or below two thirds would let the server open single updates")
    return value


class SecureAggregation(BaseModel):
    """The settings of secure aggregation. Every field has a default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=publish_forms
    )

    threshold: Annotated[
        float,
        AfterValidator(_threshold),
        FieldUse("Threshold", "privacy", step=0.05, hint="share of neighbours that must stay, above 2/3"),
    ] = Field(
        default=0.7,
        strict=True,
        le=1,
        description="share of a client's neighbours that must stay to the end of a round, above 2/3",
    )
    neighbours: Annotated[
        int, FieldUse("Neighbours", "privacy", hint="clients with which each masks its update")
    ] = Field(
        default=100,
        strict=True,
        ge=LEAST_NEIGHBOURS,
        le=1_000,
        description="clients with which each masks its update; all, where there are not more",
    )
    bits: Annotated[
        int, AfterValidator(_bits), FieldUse("Bits", "privacy", step=16, hint="of each number: 16 or 32")
    ] = Field(default=32, strict=True, description="of each number of an update as it travels: 16 or 32")
    range: Annotated[
        float, FieldUse("Range", "privacy", step=0.5, hint="a weight's change beyond it is clipped")
    ] = Field(
        default=4.0,
        strict=True,
        gt=0,
        le=1e6,
        description="a change of a weight beyond it is clipped; a wide range is coarser",
    )
    max_samples: Annotated[
        int, FieldUse("Max. samples", "privacy", step=1_000, hint="by which a client counts at most")
    ] = Field(
        default=100_000,
        strict=True,
        ge=1,
        le=10_000_000,
        description="a client with more samples counts as one with so many; a high limit is coarser",
    )

    def neighbours_in(self, clients: int) -> int:
        """How many clients each chooses, of so many in all."""
        return min(self.neighbours, clients - 1)

    def needed(self, clients: int) -> int:
        """How many of the holders of a client's shares open its mask: of itself and those it has chosen."""
        return self._enough_of(self.neighbours_in(clients) + 1)

    def least_in_sum(self, cohort: int) -> int:
        """How many of the clients asked must be in a sum whose noise they share."""
        return max(self._enough_of(cohort), LEAST_CLIENTS)

    def _enough_of(self, clients: int) -> int:
        return max(math.ceil(round(self.threshold * clients, 9)), clients * 2 // 3 + 1)
