"""How this client trains under differential privacy: its secret, how much noise, and what that costs.

The secret stays in FedLoom's own folder and is never sent: whoever knew it could take the noise away again.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from client.ledger.entry import Expense, Share
from client.ledger.ledger import Ledger
from shared.canonical import canonical
from shared.dp_spec import DpSpec
from shared.errors import PrivacyImpossible
from shared.privacy.accounting import noise_for
from shared.privacy.randomness import SECRET_BYTES, ReleaseRandomness
from shared.run_spec import RunSpec
from shared.security.files import NotOwn, read_own, write_first
from shared.training import Method
from shared.training.private import LotSize, private

SECRET_FILE = "privacy.secret"


@dataclass(frozen=True)
class Privacy:
    """A run's, at this client. `run`: its id. `ledger`: that of the run's data set."""

    secret: bytes
    run: str
    ledger: Ledger


@dataclass(frozen=True)
class Training:
    """One training, as far as privacy is concerned. `data`: the digest of the samples, `share`: which they
    are of the data set."""

    spec: RunSpec
    server_round: int
    proximal_mu: float
    part: tuple[int, int]
    share: Share
    weights: Mapping[str, Tensor]
    samples: int
    data: bytes
    device: torch.device


def prepare(privacy: Privacy, dp: DpSpec, training: Training) -> tuple[Method, Expense]:
    """How to train, and what the update will cost. Raises PrivacyImpossible, and Declined if that is more
    than may be spent."""
    spec = training.spec
    size = LotSize(training.samples, spec.batch_size, spec.local_epochs)
    noise_multiplier = dp.noise_multiplier
    if noise_multiplier is None:
        assert dp.target_epsilon is not None
        noise_multiplier = _noise_for(
            dp.target_epsilon, dp.delta, size.sample_rate, size.steps * spec.num_rounds
        )
    model = _digest_of(training.weights)
    randomness = ReleaseRandomness(privacy.secret, *_facts(privacy.run, training, model, noise_multiplier))
    expense = Expense(
        id=randomness.id,
        run=privacy.run,
        round=training.server_round,
        model=model.hex(),
        share=training.share,
        noise_multiplier=noise_multiplier,
        sample_rate=size.sample_rate,
        steps=size.steps,
        delta=dp.delta,
    )
    privacy.ledger.require(expense)
    return private(noise_multiplier, dp.clipping_norm, randomness), expense


def secret_of(home: Path) -> bytes:
    """This client's secret, which is made at first use. Raises PrivacyImpossible."""
    path = home / SECRET_FILE
    try:
        if not path.exists():
            write_first(path, secrets.token_bytes(SECRET_BYTES))
        secret = read_own(path, SECRET_BYTES + 1)
    except OSError as error:
        raise PrivacyImpossible(
            f"The secret of this client's noise cannot be kept in {path}: {error.strerror or error}."
        ) from error
    except NotOwn as error:
        raise PrivacyImpossible(
            f"{path} {error}: it holds the secret of this client's noise. Delete it to have a new one."
        ) from error
    if len(secret) != SECRET_BYTES:
        raise PrivacyImpossible(f"{path} is damaged: it holds no secret of {SECRET_BYTES} bytes. Delete it.")
    return secret


def _facts(
    run: str, training: Training, model: bytes, noise_multiplier: float
) -> tuple[bytes | str | int, ...]:
    """All that an update depends on. Were one left out, two different updates could have the same noise, and
    their difference none.

    Beyond the CPU nothing repeats in every bit, whatever is the same: there each training is another.
    """
    return (
        run,
        training.server_round,
        model,
        canonical(training.spec.model_dump(mode="json")),
        training.proximal_mu.hex(),
        *training.part,
        training.data,
        noise_multiplier.hex(),
        str(training.device),
        torch.get_num_threads(),  # by which the sums are rounded
        b"" if training.device.type == "cpu" else secrets.token_bytes(SECRET_BYTES),
    )


def _digest_of(weights: Mapping[str, Tensor]) -> bytes:
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(canonical([name, str(tensor.dtype), list(tensor.shape)]))
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.digest()


@lru_cache(maxsize=8)
def _noise_for(target_epsilon: float, delta: float, sample_rate: float, steps: int) -> float:
    """Found once for each run: it takes a second."""
    try:
        return noise_for(target_epsilon, delta, sample_rate, steps)
    except ValueError as error:
        raise PrivacyImpossible(f"The run's dp-target-epsilon cannot be had here: {error}.") from error
