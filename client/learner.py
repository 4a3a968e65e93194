"""Learner: a model and this client's part of a data set. It trains and evaluates, and knows no server.

It speaks plain values: weights in, weights and numbers out, so that the built-in ClientApp (`client_app.py`)
and whatever else brings weights can drive it. All randomness derives from (seed, round, part), so that
Flower's simulation engine, where a client has no name, computes the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from client.ledger.entry import Expense, Share
from client.privacy import Privacy, Training, prepare
from shared.data.datasets import Labels, RawSamples, TensorSet, dataset_info, load_train_labels, read_train
from shared.data.partition import Indices, part_of, partition_owners, split_holdout
from shared.errors import DatasetUnavailable, PrivacyImpossible
from shared.models import build_model
from shared.run_spec import RunSpec
from shared.seeds import derive_seed
from shared.spent import Spent
from shared.training import (
    PLAIN,
    EvalResult,
    OnBatch,
    TrainConfig,
    TrainResult,
    evaluate,
    resolve_device,
    train,
)

HELD_OUT = 0.1
"""Share of a client's samples that it does not train on but evaluates the global model with."""

Weights = Mapping[str, Tensor]
"""A model's weights by name, as PyTorch's state dict has them."""

ReadTrain = Callable[[str, Path], RawSamples]
"""Reads the training samples of the data set of this name, from this folder."""

OnLabels = Callable[[tuple[int, ...]], None]
"""Called with how many of the samples to train on there are of each label, by label."""


@dataclass(frozen=True)
class Site:
    """Where a learner works. `dataset`: the only one that it has; None: whatever a run asks for.

    `max_samples`: it trains on so many at most; 0: on all. `device`: a PyTorch device, or "auto".
    `parts_in_turn`: it works for many clients, so that the data set is kept as it was read, for the next.
    """

    data_dir: Path
    dataset: str | None = None
    max_samples: int = 0
    device: str = "auto"
    parts_in_turn: bool = False


@dataclass(frozen=True)
class Place:
    """A learner's place in a run: the run's settings, and which part of how many it has, from 0."""

    spec: RunSpec
    part: int
    parts: int


@dataclass(frozen=True)
class Update:
    """What came of a training. The weights are the model's own: copy what is to outlast the next call.

    `spent`: under differential privacy, what has been with it.
    """

    weights: Weights
    result: TrainResult
    spent: Spent | None = None


@dataclass(frozen=True)
class LocalData:
    """What one client has: the samples it trains on and those it evaluates on.

    `label_counts` says how many of the former there are of each label, by label; `share`, which part of the
    data set all are.
    """

    train: TensorSet
    held_out: TensorSet
    label_counts: tuple[int, ...]
    share: Share

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the samples to train on, by which one notices that they are others."""
        digest = hashlib.sha256(self.train.inputs.contiguous().numpy().data)
        digest.update(self.train.labels.numpy().data)
        return digest.digest()


@dataclass(frozen=True)
class DataOrigin:
    """All that a client's data depends on."""

    dataset: str
    data_dir: Path
    part: int
    parts: int
    alpha: float | None
    seed: int
    max_samples: int


class Learner:
    """Does one thing at a time. Keeps its data and the shell of its model between calls and runs.

    All methods raise DatasetUnavailable, PartitionImpossible or DeviceUnavailable where they cannot work.
    Two call `on_labels` once the data is there, and `on_batch` after each batch, which may raise
    `shared.errors.Cancelled` to end the work.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._read: ReadTrain = lru_cache(maxsize=1)(read_train) if site.parts_in_turn else read_train
        self._origin: DataOrigin | None = None
        self._data: LocalData | None = None
        self._kind: tuple[str, str] | None = None
        self._model: nn.Module | None = None

    def samples(self, place: Place) -> int:
        """How many it trains on at this place; they are loaded if need be."""
        return len(self._local_data(place, None).train)

    def train(
        self,
        place: Place,
        weights: Weights,
        *,
        server_round: int,
        proximal_mu: float = 0.0,
        privacy: Privacy | None = None,
        on_batch: OnBatch | None = None,
        on_labels: OnLabels | None = None,
    ) -> Update:
        """Train from these weights on the samples of this place.

        `server_round` varies the order of the batches; `proximal_mu` is FedProx's mu. A run with differential
        privacy needs `privacy`, in whose ledger it stands when this returns. Raises TrainingDiverged,
        PrivacyImpossible, and what that ledger raises.
        """
        spec = place.spec
        data = self._local_data(place, on_labels)
        device = resolve_device(self._site.device)
        method = PLAIN
        expense: Expense | None = None
        if spec.dp is not None:
            if privacy is None:
                raise PrivacyImpossible(
                    "The run needs differential privacy, for which nothing is prepared here."
                )
            training = Training(
                spec=spec,
                server_round=server_round,
                proximal_mu=proximal_mu,
                part=(place.part, place.parts),
                share=data.share,
                weights=weights,
                samples=len(data.train),
                data=data.digest,
                device=device,
            )
            method, expense = prepare(privacy, spec.dp, training)
        model = self._model_with(spec, weights)
        result = train(
            model,
            data.train,
            TrainConfig(spec.local_epochs, spec.batch_size, spec.lr, proximal_mu=proximal_mu),
            device=device,
            seed=derive_seed(spec.seed, "train", server_round, place.part),
            on_batch=on_batch,
            method=method,
        )
        spent = None if privacy is None or expense is None else privacy.ledger.enter(expense)
        return Update(model.state_dict(), result, spent)

    def evaluate(
        self,
        place: Place,
        weights: Weights,
        *,
        on_batch: OnBatch | None = None,
        on_labels: OnLabels | None = None,
    ) -> EvalResult:
        """Evaluate these weights on the held-out samples of this place."""
        return evaluate(
            self._model_with(place.spec, weights),
            self._local_data(place, on_labels).held_out,
            device=resolve_device(self._site.device),
            on_batch=on_batch,
        )

    def _model_with(self, spec: RunSpec, weights: Weights) -> nn.Module:
        kind = (spec.model, spec.dataset)
        if self._model is None or self._kind != kind:
            self._model, self._kind = build_model(spec.model, spec.dataset, seed=0), kind
        self._model.load_state_dict(weights)
        return self._model

    def _local_data(self, place: Place, on_labels: OnLabels | None) -> LocalData:
        spec, site = place.spec, self._site
        if site.dataset not in (None, spec.dataset):
            raise DatasetUnavailable(
                f"This client trains on {site.dataset} only, and was asked to train on {spec.dataset}."
            )
        origin = DataOrigin(
            spec.dataset, site.data_dir, place.part, place.parts, spec.alpha, spec.seed, site.max_samples
        )
        if self._data is None or self._origin != origin:
            self._data, self._origin = read_part(origin, self._read), origin
        if on_labels is not None:
            on_labels(self._data.label_counts)
        return self._data


def read_part(origin: DataOrigin, read: ReadTrain = read_train) -> LocalData:
    """Read one client's part of a data set. `read`: what gives the whole of it."""
    division = _divided(origin.dataset, origin.data_dir, origin.parts, origin.alpha, origin.seed)
    labels = division.labels
    indices = part_of(division.owner, origin.parts, origin.part)
    rows, held_out = split_holdout(indices, HELD_OUT, derive_seed(origin.seed, "held-out", origin.part))
    if not len(held_out):  # a part of one sample: all there is to evaluate on
        held_out = rows
    if origin.max_samples:
        rows = rows[: origin.max_samples]
        held_out = held_out[: math.ceil(origin.max_samples * HELD_OUT / (1 - HELD_OUT))]
    samples = read(origin.dataset, origin.data_dir)
    counts = np.bincount(labels[rows], minlength=dataset_info(origin.dataset).num_classes)
    return LocalData(
        train=samples.tensors(rows),
        held_out=samples.tensors(held_out),
        label_counts=tuple(counts.tolist()),
        share=Share(division=division.name, part=origin.part),
    )


@dataclass(frozen=True)
class Division:
    """A data set in parts: the label of each sample, and whose part it is in. `name`: the settings of that,
    and a hash of what has come of them, as what is computed otherwise, in another version, is another one."""

    labels: Labels
    owner: Indices
    name: str


@lru_cache(maxsize=1)
def _divided(dataset: str, data_dir: Path, parts: int, alpha: float | None, seed: int) -> Division:
    """Kept for the next part: a process of Flower's simulation works for many clients in turn."""
    labels = load_train_labels(dataset, data_dir)
    owner = partition_owners(labels, parts, alpha=alpha, seed=seed)
    skew = "IID" if alpha is None else f"alpha {alpha!r}"
    digest = hashlib.sha256(owner.astype("<i8").tobytes()).hexdigest()[:16]
    return Division(labels, owner, f"{parts} parts, {skew}, seed {seed} ({digest})")
