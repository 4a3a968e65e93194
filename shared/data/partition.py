"""Who holds which samples of a data set that several clients simulate to share.

Every client computes its own part from the labels alone, and all parts fit together: they do not overlap
and nothing is left out. Only `numpy.random.RandomState` is used, whose stream NumPy keeps fixed for good
(NEP 19), so that clients with different NumPy versions still agree.
"""

import math

import numpy as np
import numpy.typing as npt

from shared.errors import PartitionImpossible
from shared.seeds import derive_seed

Indices = npt.NDArray[np.int64]

MIN_SAMPLES = 10
"""A part gets at least this many samples where the data set has enough of them."""

SMALLEST_ALPHA = 1e-300
"""Below it the arithmetic overflows; a draw has all its weight in one part long before."""


def partition_indices(
    labels: npt.NDArray[np.int64], num_partitions: int, partition: int, *, alpha: float | None, seed: int
) -> Indices:
    """The sorted indices, int64, of the samples in part `partition`, from 0, as `partition_owners` has it.

    Raises PartitionImpossible also if there is no such part.
    """
    owner = partition_owners(labels, num_partitions, alpha=alpha, seed=seed)
    return part_of(owner, num_partitions, partition)


def part_of(owner: Indices, num_partitions: int, partition: int) -> Indices:
    """The same, where the part of every sample is known."""
    if not 0 <= partition < num_partitions:
        raise PartitionImpossible(
            f"There is no part {partition} of {num_partitions}: parts are numbered 0 to {num_partitions - 1}."
        )
    return np.flatnonzero(owner == partition).astype(np.int64)


def partition_owners(
    labels: npt.NDArray[np.int64], num_partitions: int, *, alpha: float | None, seed: int
) -> Indices:
    """The part of every sample, int64 (N,), from 0 to below `num_partitions`.

    With `alpha` None the samples are dealt out evenly at random (IID). Otherwise each class is divided
    between the parts in proportions drawn from a symmetric Dirichlet distribution: a small alpha leaves a
    part with few classes and makes sizes uneven, a large one approaches IID. The measure of skew is that of
    Hsu et al. 2019 (arXiv:1909.06335), drawn class by class as in Yurochkin et al. 2019 (arXiv:1905.12022).
    A part that gets fewer than `MIN_SAMPLES` is filled up from the largest one.

    Args:
        labels: class of every sample, shape (N,).
        num_partitions: number of parts.
        alpha: concentration of the Dirichlet distribution, or None.
        seed: the run's seed.

    Raises:
        PartitionImpossible: there are fewer samples than parts, or no such alpha exists.
    """
    if num_partitions < 1:
        raise PartitionImpossible(f"A data set is divided into at least 1 part, not {num_partitions}.")
    if num_partitions > len(labels):
        raise PartitionImpossible(
            f"{len(labels)} samples cannot be divided into {num_partitions} parts, as each needs at least "
            "one. Use fewer partitions or a larger data set."
        )
    if alpha is not None and not (math.isfinite(alpha) and alpha > 0):
        raise PartitionImpossible(
            f"The Dirichlet alpha must be a positive number, not {alpha}. Leave it out for an IID partition."
        )
    skew = "iid" if alpha is None else repr(float(alpha))
    random = _random_state(derive_seed("partition", seed, num_partitions, skew))
    if alpha is None:
        return _dealt_owners(len(labels), num_partitions, random)
    owner = _dirichlet_owners(labels, num_partitions, alpha, random)
    _fill_small_parts(owner, num_partitions, random)
    return owner


def split_holdout(indices: Indices, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Divide a client's part into sorted (train, held out) for its own evaluation.

    About `fraction` of the samples are held out: at least one and never all where there are two or more,
    none where there is only one.

    Raises:
        ValueError: `fraction` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"the held-out fraction must lie between 0 and 1, not {fraction}")
    size = len(indices)
    held_out = min(max(round(size * fraction), 1), size - 1) if size > 1 else 0
    shuffled = _random_state(derive_seed("holdout", seed)).permutation(np.asarray(indices, dtype=np.int64))
    return np.sort(shuffled[held_out:]), np.sort(shuffled[:held_out])


def _random_state(seed: int) -> np.random.RandomState:
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))


def _dealt_owners(samples: int, num_partitions: int, random: np.random.RandomState) -> Indices:
    """The part of every sample, shape (N,)."""
    owner = np.empty(samples, dtype=np.int64)
    for part, dealt in enumerate(np.array_split(random.permutation(samples), num_partitions)):
        owner[dealt] = part
    return owner


def _dirichlet_owners(
    labels: npt.NDArray[np.int64], num_partitions: int, alpha: float, random: np.random.RandomState
) -> Indices:
    """The part of every sample, shape (N,)."""
    owner = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        shares = _dirichlet(num_partitions, alpha, random)
        ends = np.rint(np.cumsum(shares) * len(members)).astype(np.int64)
        ends[-1] = len(members)
        owner[members] = np.repeat(np.arange(num_partitions), np.diff(ends, prepend=0))
    return owner


def _dirichlet(size: int, alpha: float, random: np.random.RandomState) -> npt.NDArray[np.float64]:
    """One draw from the symmetric Dirichlet distribution, shape (size,), also for a tiny alpha.

    A Gamma(alpha) variate is Gamma(alpha + 1) * U ** (1 / alpha) (Marsaglia & Tsang 2000); kept as a
    logarithm it does not underflow to zero, where NumPy's own `dirichlet` ends in 0 / 0.
    """
    alpha = max(alpha, SMALLEST_ALPHA)
    log_gamma = np.log(random.standard_gamma(alpha + 1, size)) + np.log1p(-random.random_sample(size)) / alpha
    weights = np.exp(log_gamma - log_gamma.max())
    return np.asarray(weights / weights.sum())


def _fill_small_parts(owner: Indices, num_partitions: int, random: np.random.RandomState) -> None:
    """Move samples in place from the largest part to each part below the minimum, which stays above it."""
    minimum = min(MIN_SAMPLES, len(owner) // num_partitions)
    sizes = np.bincount(owner, minlength=num_partitions)
    for small in np.flatnonzero(sizes < minimum):
        while sizes[small] < minimum:
            largest = int(sizes.argmax())
            count = min(minimum - sizes[small], sizes[largest] - minimum)
            moved = random.permutation(np.flatnonzero(owner == largest))[:count]
            owner[moved] = small
            sizes[small] += count
            sizes[largest] -= count
