"""Noise that clients share: each adds its part inside the masked sum, so that no sum is ever without it.

Central differential privacy without a server that is trusted (distributed differential privacy): the
distributed discrete Gaussian mechanism of Kairouz, Liu & Steinke 2021 (arXiv:2102.06387).

- **Clipping.** A client scales its change down to an L2 norm of at most C and counts as one, whatever samples
  it has. Rounded to steps its norm may be larger: it is rounded at random until it is at most B steps, which
  at least every third attempt is (their proposition 4.10 with β = e^(−1/2)).
- **Noise.** Each client adds a discrete Gaussian of variance (z · B)²/t, t being the least number of clients
  that a sum may have. t follows from the cohort, which all have signed, and no client helps to open a smaller
  sum. So each sum that can be opened has noise of z times what one client adds, or more.
- **Cost.** That of a Gaussian mechanism with z. Their theorem adds to it what the sum of discrete Gaussians
  differs from one, τ · √d, with τ = 10 Σ exp(−2π²σ² k/(k + 1)): for a client's σ of at least LEAST_STDDEV
  steps, 10,000 clients and 10¹⁰ weights that is below 10⁻⁵⁸, which no float64 beside 1/z can show.
- **Room.** What all clients can add together, and TAIL standard deviations of all their noise, stay below the
  modulus.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import ValidationError

from shared.errors import SettingsInvalid
from shared.names import StrategyName
from shared.privacy.central import CentralPrivacy
from shared.run_spec import RunSpec, words_of
from shared.secagg.settings import SecureAggregation

LEAST_STDDEV = 4.0
"""Steps of noise that each client adds at least."""

TAIL = 8.0
"""Standard deviations of noise for which there is room: beyond it is one number in 10¹⁵."""

MOST_INFLATION = 1.1
"""How much larger a change may be by rounding, and with it the noise: beyond it, steps are too coarse."""


def shared_noise_of(spec: RunSpec) -> CentralPrivacy | None:
    """What a run's clients have to add noise for; None: for nothing. Raises SettingsInvalid."""
    if spec.secure_aggregation is None or spec.strategy is not StrategyName.DPFEDAVG_FIXED:
        return None
    try:
        privacy = CentralPrivacy.model_validate(spec.strategy_params)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SettingsInvalid(
            "It is not known what noise the clients share: the strategy's "
            f"{'.'.join(map(str, first['loc']))} cannot be used: {words_of(first)}.",
            "strategy_params",
        ) from error
    if not privacy.noise_multiplier:
        raise SettingsInvalid(
            "With secure aggregation the clients add the noise, and a noise_multiplier of 0 asks for none. "
            "Give one above 0, or choose FedAvg.",
            "strategy_params.noise_multiplier",
        )
    return privacy


@dataclass(frozen=True)
class NoisePlan:
    """How so many clients share the noise on an update of `size` numbers. Each end comes to the same."""

    privacy: CentralPrivacy
    settings: SecureAggregation
    clients: int
    size: int

    @property
    def least_in_sum(self) -> int:
        """t: the clients whose noise together is enough."""
        return self.settings.least_in_sum(self.clients)

    @property
    def limit(self) -> float:
        """How much a single weight changes at most."""
        return min(self.settings.range, self.privacy.clipping_norm)

    @property
    def scale(self) -> float:
        """Steps in a change of 1: as many as there is room for."""
        room = (1 << (self.settings.bits - 1)) - 1 - self.clients  # of each a step by rounding
        noise = MOST_INFLATION * self.privacy.noise_multiplier * self.privacy.clipping_norm
        of_all = math.sqrt(self.clients / self.least_in_sum)
        return room / (self.clients * self.limit + TAIL * noise * of_all)

    @property
    def norm(self) -> float:
        """B: the L2 norm, in steps, that no client's change exceeds."""
        clipped = self.scale * self.privacy.clipping_norm
        return math.sqrt(clipped**2 + self.size / 4 + clipped + math.sqrt(self.size) / 2)

    @property
    def stddev(self) -> float:
        """Of the noise of one client, in steps."""
        return self.privacy.noise_multiplier * self.norm / math.sqrt(self.least_in_sum)

    def require_possible(self) -> None:
        """Raise SettingsInvalid where the numbers of the sum are too small for this."""
        inflation = self.norm / (self.scale * self.privacy.clipping_norm)
        if inflation <= MOST_INFLATION and self.stddev >= LEAST_STDDEV:
            return
        settings, privacy = self.settings, self.privacy
        remedy = "Take 32 bits" if settings.bits < 32 else "Take fewer clients"
        raise SettingsInvalid(
            f"The sum of {self.clients} clients has no room for the noise that they share: with "
            f"{settings.bits} bits, a range of {settings.range:g}, {self.size:,} weights, noise_multiplier = "
            f"{privacy.noise_multiplier:g} and clipping_norm = {privacy.clipping_norm:g}, that norm is "
            f"{self.scale * privacy.clipping_norm:,.1f} steps of rounding and each client's noise "
            f"{self.stddev:,.1f}. {remedy}, or a smaller range (below clipping_norm), or another "
            "noise_multiplier.",
            "secure_aggregation.bits",
        )
