"""What central differential privacy with a fixed clipping norm promises, as server and clients read it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def delta_field() -> Any:
    """The declaration of a parameter δ."""
    return Field(
        default=1e-5, gt=0, lt=1, description="δ for which ε is told: choose it well below 1 / clients"
    )


class CentralPrivacy(BaseModel):
    """Each client's update has an L2 norm of at most C, and the sum of all has noise of z · C."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    noise_multiplier: float = Field(
        default=1.0,
        ge=0,
        le=1_000,
        description="z: noise on the sum of the updates, in clipping norms; 0 only clips, nothing is private",
    )
    clipping_norm: float = Field(
        default=1.0, gt=0, le=1e6, description="C: L2 norm to which a client's update is scaled down"
    )
    delta: float = delta_field()
