"""What was learned over the mesh enters the global model by one rule, whoever has gone on meanwhile."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mesh.learning.base import Base
from mesh.learning.merge import Contribution, NotMerged, Progress, discount, merge, objection

BASE = Base("run", 1, 3, b"model of round 3")
OLD = Base("run", 1, 1, b"model of round 1")

finite = st.floats(-100, 100, width=32)
masses = st.floats(1, 1e4)
steps = st.floats(1, 1e3)


def model(*values: float) -> dict[str, NDArray[np.float32]]:
    return {"w": np.array(values, np.float32)}


def contribution(value: float, mass: float = 10, steps: float = 5, base: Base = BASE) -> Contribution:
    return Contribution(base, model(value), mass, steps, mesh_rounds=2)


def idle(base: Base) -> Progress | None:
    """The history of a server that was away: it has made nothing since round 3."""
    return Progress() if base == BASE else None


def test_where_the_server_was_away_the_branches_meet_by_samples_and_steps() -> None:
    merged = merge(model(0), [contribution(1, mass=30, steps=2), contribution(4, mass=10, steps=6)], idle)
    assert merged.own_share == 0
    assert merged.shares == (0.5, 0.5)
    assert merged.model["w"] == pytest.approx([2.5])


def test_the_rule_is_the_weighted_mean_of_deltas_to_the_base() -> None:
    base, models, weights = 7.0, (9.0, 5.0, 8.0), (6.0, 3.0, 1.0)
    merged = merge(
        model(base), [contribution(x, mass=a, steps=1) for x, a in zip(models, weights, strict=True)], idle
    )
    delta = sum(a * (x - base) for x, a in zip(models, weights, strict=True)) / sum(weights)
    assert merged.model["w"] == pytest.approx([base + delta])


def test_after_a_split_brain_the_servers_own_half_is_one_branch_and_the_other_half_is_stale() -> None:
    """Three rounds with 40 samples at 5 steps each, while 40 samples took 20 steps over the mesh."""
    own = Progress(rounds=3, samples=40, steps=15)
    merged = merge(model(1), [contribution(2, mass=40, steps=20)], lambda base: own)
    mesh = 40 * 20 * discount(3)
    assert discount(3) == 0.5
    assert merged.own_share == pytest.approx(600 / (600 + mesh))
    assert merged.model["w"] == pytest.approx([(600 * 1 + mesh * 2) / (600 + mesh)])


def test_two_islands_without_a_server_count_as_much_as_they_have_done() -> None:
    island_a = [contribution(1, mass=20, steps=30), contribution(1, mass=20, steps=30)]
    island_b = [contribution(5, mass=40, steps=10)]
    merged = merge(model(0), island_a + island_b, idle)
    assert merged.model["w"] == pytest.approx([(1200 * 1 + 400 * 5) / 1600])


def test_who_missed_a_merge_is_merged_later_with_little_weight() -> None:
    history = {BASE: Progress(rounds=5, samples=80, steps=60)}
    late = merge(model(1), [contribution(9, mass=20, steps=10)], history.get)
    assert late.shares[0] == pytest.approx(200 / math.sqrt(6) / (4800 + 200 / math.sqrt(6)))
    assert late.model["w"][0] < 1.2


def test_contributions_of_two_bases_are_one_buffer() -> None:
    history = {OLD: Progress(2, 50, 10), BASE: Progress()}
    both = [contribution(2, base=OLD), contribution(4, base=BASE)]
    merged = merge(model(3), both, history.get)
    old, new, own = 50 / math.sqrt(3), 50.0, 500.0
    assert merged.model["w"] == pytest.approx([(own * 3 + old * 2 + new * 4) / (own + old + new)])


@pytest.mark.parametrize(
    "base",
    [
        Base("run", 2, 3, b"another server's model of round 3"),
        Base("run", 2, 4, b"a later round"),
        Base("another", 1, 3, b"model of round 3"),
    ],
)
def test_progress_on_a_model_that_the_history_does_not_have_is_left_out(base: Base) -> None:
    assert objection(contribution(1, base=base), idle, 1_000) is NotMerged.UNKNOWN_BASE
    with pytest.raises(ValueError, match="not known"):
        merge(model(0), [contribution(1, base=base)], idle)


@pytest.mark.parametrize("mass", [0.0, -1.0, 101.0, math.inf, math.nan])
def test_nobody_stands_for_more_samples_than_there_are(mass: float) -> None:
    assert objection(contribution(1, mass=mass), idle, 100) is NotMerged.MASS
    assert objection(contribution(1, mass=100), idle, 100) is None


@pytest.mark.parametrize("count", [0.0, -1.0, math.inf, math.nan])
def test_progress_without_training_is_none(count: float) -> None:
    assert objection(contribution(1, steps=count), idle, 100) is NotMerged.STEPS


def test_without_contributions_the_model_stays() -> None:
    merged = merge(model(1, 2), [], idle)
    assert merged.model["w"].tolist() == [1, 2]
    assert merged.own_share == 1


@given(
    st.lists(st.tuples(finite, masses, steps, st.sampled_from([OLD, BASE])), min_size=1, max_size=8),
    finite,
    st.randoms(use_true_random=False),
)
def test_the_order_does_not_matter_and_nothing_leaves_the_span_of_the_branches(
    branches: list[tuple[float, float, float, Base]], current: float, random: object
) -> None:
    history = {OLD: Progress(3, 40, 30), BASE: Progress(1, 40, 10)}
    contributions = [contribution(*branch) for branch in branches]
    merged = merge(model(current), contributions, history.get)
    again = merge(model(current), random.sample(contributions, len(contributions)), history.get)  # type: ignore[attr-defined]
    assert merged.model["w"] == pytest.approx(again.model["w"], abs=1e-4)
    assert merged.own_share + sum(merged.shares) == pytest.approx(1)
    values = [current, *(value for value, *_ in branches)]
    assert min(values) - 1e-4 <= merged.model["w"][0] <= max(values) + 1e-4
