"""Membership inference: was this picture among those that a model was trained on?

The attacker has the model and a picture with its label, and says yes where the loss is at most the mean loss
of the members (Yeom et al. 2018, arXiv:1709.01604). That works where a model has learnt its samples by heart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from bench.attacks.victim import NOWHERE, Pixels, Victim, Weights
from shared.data.datasets import TensorSet, load_test
from shared.models import build_model
from shared.run_spec import RunSpec


@dataclass(frozen=True)
class Exposure:
    """How well members are told from others.

    `advantage`: share of the members that are taken for such, less that of the others: 0 is guessing, 1
    certainty. `ranking`: the probability that a member has a smaller loss than another picture (area under
    the ROC curve); 0.5 is guessing. `accuracy`: of the model on the test set.
    """

    advantage: float
    ranking: float
    accuracy: float


def exposure(victim: Victim, weights: Weights) -> Exposure:
    """Of a victim's pictures by a model, beside those of the test set, which nobody has trained on."""
    test = load_test(victim.spec.dataset, NOWHERE)
    members, _ = _losses(victim.spec, weights, victim.data())
    others, accuracy = _losses(victim.spec, weights, test)
    threshold = members.mean()
    smaller = (members[:, None] < others).mean() + (members[:, None] == others).mean() / 2
    return Exposure(
        advantage=float((members <= threshold).mean() - (others <= threshold).mean()),
        ranking=float(smaller),
        accuracy=accuracy,
    )


def largest_advantage(epsilon: float, delta: float) -> float:
    """Beyond which no attacker gets, whatever they do and know (Humphries et al. 2023, arXiv:2010.12112)."""
    return float(1 - 2 * (1 - delta) / (1 + np.exp(epsilon)))


def _losses(spec: RunSpec, weights: Weights, data: TensorSet) -> tuple[Pixels, float]:
    """Of each sample, and the accuracy over all."""
    model = build_model(spec.model, spec.dataset, seed=0)
    model.load_state_dict(weights)
    with torch.inference_mode():
        logits = model.eval()(data.inputs)
        losses = functional.cross_entropy(logits, data.labels, reduction="none")
    accuracy = (logits.argmax(1) == data.labels).double().mean()
    return losses.double().numpy(), float(accuracy)
