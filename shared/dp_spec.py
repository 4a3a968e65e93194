"""DpSpec: how much privacy a run's clients are to have, and by how much noise. A part of RunSpec."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.run_fields import FieldUse, publish_forms

DELTA = 1e-5
"""As in Abadi et al. 2016 (arXiv:1607.00133) and Opacus' examples. It should be well below one divided by the
number of a client's samples, which 1e-5 is for up to some ten thousand."""


class DpSpec(BaseModel):
    """DP-SGD at the clients: each sample's gradient is clipped, and noise added to their sum.

    Of `noise_multiplier` and `target_epsilon` exactly one is given.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=publish_forms
    )

    noise_multiplier: Annotated[
        float | None,
        FieldUse("Noise multiplier", "privacy", step=0.1, null="from the target", suggested=1.0),
    ] = Field(
        default=None,
        strict=True,
        ge=0.01,
        le=10_000,
        description="standard deviation of the noise in each step, divided by the clipping norm",
    )
    target_epsilon: Annotated[
        float | None,
        FieldUse(
            "Target ε", "privacy", step=0.5, hint="after all rounds, in place of the noise", null="none"
        ),
    ] = Field(
        default=None,
        strict=True,
        ge=0.01,
        le=1_000,
        description="epsilon of each client after all rounds; each adds as much noise as that takes",
    )
    clipping_norm: Annotated[
        float, FieldUse("Clipping norm", "privacy", step=0.1, hint="largest norm of one sample's gradient")
    ] = Field(
        default=1.0,
        strict=True,
        ge=1e-6,
        le=1e6,
        description="to this norm each sample's gradient is clipped",
    )
    delta: Annotated[float, FieldUse("δ", "privacy", step=1e-6, hint="well below 1 / a client's samples")] = (
        Field(
            default=DELTA,
            strict=True,
            ge=1e-12,
            le=0.1,
            description="probability with which epsilon may not hold; well below 1 / a client's samples",
        )
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.noise_multiplier is None) == (self.target_epsilon is None):
            raise ValueError("it needs noise_multiplier or target_epsilon, exactly one of the two")
        return self
