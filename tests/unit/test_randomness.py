"""Noise from a keystream: normal, uniform, and nobody's but the secret's."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from shared.privacy.randomness import ReleaseRandomness

SECRET = bytes(range(32))


def test_values_are_normal() -> None:
    values = ReleaseRandomness(SECRET, "run").keystream("noise").normal(100_000)

    assert values.dtype == torch.float64
    assert stats.kstest(values.numpy(), "norm").pvalue > 1e-4


def test_values_are_uniform() -> None:
    values = ReleaseRandomness(SECRET, "run").keystream("lots").uniform(100_000)

    assert 0 <= values.min().item() <= values.max().item() < 1
    assert stats.kstest(values.numpy(), "uniform").pvalue > 1e-4


def test_a_keystream_goes_on_and_begins_anew_with_a_new_one() -> None:
    randomness = ReleaseRandomness(SECRET, "run", 1)
    stream = randomness.keystream("noise")

    first, second = stream.normal(1_000), stream.normal(1_000)

    assert not torch.equal(first, second)
    assert torch.equal(first, randomness.keystream("noise").normal(1_000))
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 0.15


def test_each_use_each_fact_and_each_secret_has_its_own() -> None:
    streams = [
        ReleaseRandomness(SECRET, "run", 1).keystream("noise"),
        ReleaseRandomness(SECRET, "run", 1).keystream("lots"),
        ReleaseRandomness(SECRET, "run", 2).keystream("noise"),
        ReleaseRandomness(SECRET, "run1").keystream("noise"),
        ReleaseRandomness(bytes(32), "run", 1).keystream("noise"),
    ]

    assert len({tuple(stream.uniform(4).tolist()) for stream in streams}) == 5


def test_nothing_is_asked_for_and_nothing_comes() -> None:
    stream = ReleaseRandomness(SECRET).keystream("noise")

    assert len(stream.normal(0)) == len(stream.uniform(0)) == 0


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="a secret of 31 bytes is too short"):
        ReleaseRandomness(bytes(31))
