"""A round's sample of clients: decided by seed, round and purpose alone, and never empty by accident."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.federation.strategies.sampling import sample_nodes

nodes = st.lists(st.integers(2, 2**63 - 1), unique=True, min_size=1, max_size=50)
fractions = st.floats(0.001, 1.0)


def sample(
    node_ids: list[int], fraction: float, seed: int = 0, server_round: int = 1, purpose: str = "train"
) -> list[int]:
    return sample_nodes(node_ids, fraction, seed=seed, purpose=purpose, server_round=server_round)


@given(nodes, fractions, st.integers(0, 2**53))
def test_the_same_clients_give_the_same_sample_in_any_order(
    node_ids: list[int], fraction: float, seed: int
) -> None:
    assert sample(node_ids, fraction, seed) == sample(node_ids[::-1], fraction, seed)


@given(nodes, fractions)
def test_a_sample_is_a_share_of_the_clients_without_repetition(node_ids: list[int], fraction: float) -> None:
    chosen = sample(node_ids, fraction)

    assert len(chosen) == max(1, round(fraction * len(node_ids)))
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(node_ids)


def test_half_of_four_clients_are_two() -> None:
    assert len(sample([2, 3, 4, 5], 0.5)) == 2


def test_a_tiny_fraction_still_takes_one_client() -> None:
    assert len(sample([2, 3, 4], 0.001)) == 1


def test_a_fraction_of_zero_takes_none() -> None:
    assert sample([2, 3, 4], 0.0) == []


def test_without_clients_there_is_no_sample() -> None:
    assert sample([], 1.0) == []


@pytest.mark.parametrize("vary", ["seed", "round", "purpose"])
def test_rounds_purposes_and_seeds_draw_independently(vary: str) -> None:
    node_ids = list(range(2, 102))
    draws = {
        "seed": [sample(node_ids, 0.1, seed=n) for n in range(5)],
        "round": [sample(node_ids, 0.1, server_round=n) for n in range(5)],
        "purpose": [sample(node_ids, 0.1, purpose=purpose) for purpose in ("train", "evaluate")],
    }[vary]

    assert all(one != other for one, other in pairwise(draws))
