"""The victim: a client that trains on few digits with FedLoom's own code, as it would for a server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from client.learner import DataOrigin, Learner, Place, Site, read_part
from client.ledger.ledger import Ledger
from client.privacy import Privacy
from shared.data.datasets import TensorSet
from shared.models import build_model
from shared.privacy.randomness import SECRET_BYTES
from shared.run_spec import RunSpec

Pixels = NDArray[np.float64]
Weights = dict[str, Tensor]

NOWHERE = Path()
"""Digits are in no folder."""


@dataclass(frozen=True)
class Trained:
    """The model that a client sends back, and what it has spent of its privacy; None: it has none."""

    weights: Weights
    epsilon: float | None


@dataclass(frozen=True)
class Victim:
    """One of `parts` clients, which has `samples` pictures and trains on them once as `spec` says."""

    spec: RunSpec
    part: int
    parts: int
    samples: int

    def data(self) -> TensorSet:
        """What it trains on."""
        spec = self.spec
        return read_part(
            DataOrigin(spec.dataset, NOWHERE, self.part, self.parts, spec.alpha, spec.seed, self.samples)
        ).train

    def initial(self) -> Weights:
        """The model that the server sends it."""
        return dict(build_model(self.spec.model, self.spec.dataset, seed=0).state_dict())

    def trained(self) -> Trained:
        """What it makes of that in one round. Of a private run, each call has noise of its own."""
        with TemporaryDirectory() as home:
            ledger = Ledger(Path(home), self.spec.dataset)
            update = Learner(Site(NOWHERE, max_samples=self.samples)).train(
                Place(self.spec, self.part, self.parts),
                self.initial(),
                server_round=1,
                privacy=Privacy(secrets.token_bytes(SECRET_BYTES), "attacked", ledger),
            )
        return Trained(dict(update.weights), None if update.spent is None else update.spent.epsilon)
