"""Partitions fit together, are the same everywhere, and are as skewed as asked."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.data.partition import MIN_SAMPLES, Indices, partition_indices, split_holdout
from shared.errors import PartitionImpossible

labels_strategy = st.lists(st.integers(0, 9), min_size=1, max_size=300).map(
    lambda xs: np.array(xs, dtype=np.int64)
)
alphas = st.none() | st.floats(1e-6, 1e6)
seeds = st.integers(0, 2**63 - 1)

ROOT = Path(__file__).resolve().parents[2]
TEN_CLASSES = np.arange(6_000, dtype=np.int64) % 10


def all_parts(labels: Indices, num_partitions: int, alpha: float | None, seed: int) -> list[Indices]:
    return [
        partition_indices(labels, num_partitions, k, alpha=alpha, seed=seed) for k in range(num_partitions)
    ]


def class_shares(parts: list[Indices], labels: Indices) -> npt.NDArray[np.float64]:
    """Share of each class in each part, shape (parts, 10)."""
    counts = np.array([np.bincount(labels[part], minlength=10) for part in parts])
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


@given(labels_strategy, st.integers(1, 20), alphas, seeds)
def test_every_sample_is_in_exactly_one_part(
    labels: Indices, num_partitions: int, alpha: float | None, seed: int
) -> None:
    num_partitions = min(num_partitions, len(labels))
    parts = all_parts(labels, num_partitions, alpha, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for part in parts:
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


@given(labels_strategy, st.integers(1, 20), alphas, seeds)
def test_no_part_is_smaller_than_the_minimum(
    labels: Indices, num_partitions: int, alpha: float | None, seed: int
) -> None:
    num_partitions = min(num_partitions, len(labels))
    smallest = min(len(part) for part in all_parts(labels, num_partitions, alpha, seed))
    assert smallest >= min(MIN_SAMPLES, len(labels) // num_partitions) >= 1


@given(st.integers(1, 300), st.integers(1, 20), seeds)
def test_iid_parts_are_of_equal_size(size: int, num_partitions: int, seed: int) -> None:
    num_partitions = min(num_partitions, size)
    sizes = [len(part) for part in all_parts(np.zeros(size, dtype=np.int64), num_partitions, None, seed)]
    assert max(sizes) - min(sizes) <= 1


def test_another_process_computes_the_same_part() -> None:
    script = (
        "import numpy as np; from shared.data.partition import partition_indices as p;"
        "print(p(np.arange(6000) % 10, 4, 2, alpha=0.5, seed=7).tolist())"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == str(partition_indices(TEN_CLASSES, 4, 2, alpha=0.5, seed=7).tolist())


def test_parts_stay_what_they_were_in_earlier_versions() -> None:
    """Clients of different versions must agree, so a change here breaks a running federation."""
    assert [len(part) for part in all_parts(TEN_CLASSES, 4, 0.5, seed=7)] == [2179, 1920, 1306, 595]
    assert partition_indices(TEN_CLASSES, 4, 2, alpha=None, seed=7)[:5].tolist() == [1, 4, 9, 12, 13]


def test_seed_number_of_parts_and_alpha_each_change_the_partition() -> None:
    base = partition_indices(TEN_CLASSES, 4, 0, alpha=0.5, seed=1).tolist()
    assert partition_indices(TEN_CLASSES, 4, 0, alpha=0.5, seed=2).tolist() != base
    assert partition_indices(TEN_CLASSES, 5, 0, alpha=0.5, seed=1).tolist() != base
    assert partition_indices(TEN_CLASSES, 4, 0, alpha=0.6, seed=1).tolist() != base
    assert partition_indices(TEN_CLASSES, 4, 0, alpha=None, seed=1).tolist() != base


def test_a_small_alpha_leaves_few_classes_and_a_large_one_approaches_iid() -> None:
    def mean_largest_share(alpha: float) -> float:
        return float(class_shares(all_parts(TEN_CLASSES, 5, alpha, seed=3), TEN_CLASSES).max(axis=1).mean())

    assert mean_largest_share(0.01) > mean_largest_share(0.5) > mean_largest_share(1000.0)
    assert mean_largest_share(1000.0) < 0.13


def test_shares_follow_the_dirichlet_distribution() -> None:
    """For Dir(alpha) over K parts a share has mean 1/K and variance (1/K)(1 - 1/K)/(K alpha + 1)."""
    num_partitions, alpha = 4, 0.5
    shares = np.array(
        [
            [np.count_nonzero(TEN_CLASSES[part] == label) / 600 for label in range(10)]
            for seed in range(60)
            for part in [partition_indices(TEN_CLASSES, num_partitions, 1, alpha=alpha, seed=seed)]
        ]
    )
    assert shares.mean() == pytest.approx(0.25, abs=0.04)
    assert shares.var() == pytest.approx(0.25 * 0.75 / (num_partitions * alpha + 1), rel=0.2)


def test_as_many_parts_as_samples_get_one_each() -> None:
    assert [len(part) for part in all_parts(np.arange(10, dtype=np.int64), 10, 0.1, seed=0)] == [1] * 10


@pytest.mark.parametrize(
    ("num_partitions", "partition", "alpha", "words"),
    [
        (7, 0, None, "6 samples cannot be divided into 7 parts"),
        (0, 0, None, "at least 1 part"),
        (3, 3, None, "no part 3 of 3"),
        (3, -1, None, "no part -1 of 3"),
        (3, 0, 0.0, "alpha must be a positive number"),
        (3, 0, float("nan"), "alpha must be a positive number"),
        (3, 0, float("inf"), "alpha must be a positive number"),
    ],
)
def test_an_impossible_partition_is_refused_in_words(
    num_partitions: int, partition: int, alpha: float | None, words: str
) -> None:
    with pytest.raises(PartitionImpossible, match=words):
        partition_indices(np.zeros(6, dtype=np.int64), num_partitions, partition, alpha=alpha, seed=0)


@given(st.sets(st.integers(0, 10_000), min_size=2, max_size=200), st.floats(0.001, 0.999), seeds)
def test_a_holdout_keeps_both_sides_and_loses_nothing(members: set[int], fraction: float, seed: int) -> None:
    indices = np.array(sorted(members), dtype=np.int64)
    train, held_out = split_holdout(indices, fraction, seed)
    assert len(train) >= 1
    assert len(held_out) >= 1
    assert sorted(np.concatenate([train, held_out]).tolist()) == indices.tolist()
    again = split_holdout(indices, fraction, seed)
    assert (again[0].tolist(), again[1].tolist()) == (train.tolist(), held_out.tolist())


def test_a_holdout_has_about_the_size_asked_for_and_depends_on_the_seed() -> None:
    indices = np.arange(1_000, dtype=np.int64)
    train, held_out = split_holdout(indices, 0.1, seed=1)
    assert (len(train), len(held_out)) == (900, 100)
    assert held_out.tolist() != split_holdout(indices, 0.1, seed=2)[1].tolist()


def test_a_single_sample_is_trained_on() -> None:
    train, held_out = split_holdout(np.array([5], dtype=np.int64), 0.1, seed=0)
    assert (train.tolist(), held_out.tolist()) == ([5], [])


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_holdout_fraction_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        split_holdout(np.arange(5, dtype=np.int64), fraction, seed=0)
