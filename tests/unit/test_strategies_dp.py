"""Central differential privacy: nobody adds more than the clipping norm; noise is as large as promised."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent
from dp_accounting.rdp import RdpAccountant
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.federation.strategies import RoundStrategy, build_strategy
from app.federation.strategies.base import Update
from app.federation.strategies.central_dp import AdaptiveClipping, AdaptiveDpSettings, NoiseSource
from app.records import Protected
from shared.dp_spec import DpSpec
from shared.errors import CheckpointInvalid, ReplyInvalid, SettingsInvalid
from shared.names import StrategyName
from shared.run_spec import RunSpec
from shared.secagg.settings import SecureAggregation
from tests.support.updates import (
    Model,
    a_model,
    a_record,
    a_reply,
    a_strategy,
    aggregate,
    as_model,
    assert_near,
    assert_same,
    models_near,
    replies_of,
)

SENT = a_model(0)
SECRET = b"a secret of this test"


def step(new: Model, old: Model) -> NDArray[np.float64]:
    """The whole update as one vector."""
    return np.concatenate([np.ravel(np.subtract(new[key], old[key], dtype=np.float64)) for key in old])


def with_norm(start: Model, norm: float, seed: int = 0) -> Model:
    """A model whose update has this L2 norm, in float64 so that it has it exactly."""
    random = np.random.default_rng(seed)
    direction = {key: random.standard_normal(values.shape) for key, values in start.items()}
    length = math.sqrt(sum(float((values**2).sum()) for values in direction.values()))
    return {key: start[key] + direction[key] * (norm / length) for key in start}


def exact(model: Model) -> Model:
    return {key: values.astype(np.float64) for key, values in model.items()}


each = pytest.mark.parametrize("name", ["dpfedavg-fixed", "dpfedavg-adaptive"])


def parameters(name: str, clipping_norm: float) -> dict[str, Any]:
    """The clipping norm of the first round, as either calls it."""
    return {"clipping_norm" if name == "dpfedavg-fixed" else "initial_clipping_norm": clipping_norm}


@each
@given(norm=st.floats(1e-3, 1e30), clipping=st.floats(1e-3, 1e3))
def test_no_update_moves_the_sum_by_more_than_the_clipping_norm(
    name: str, clipping: float, norm: float
) -> None:
    start = exact({key: np.zeros_like(values) for key, values in SENT.items()})
    strategy = a_strategy(name, noise_multiplier=0, **parameters(name, clipping))

    new = as_model(aggregate(strategy, start, [a_reply(2, with_norm(start, norm))]))

    moved = float(np.linalg.norm(step(new, start)))
    assert moved <= clipping * (1 + 1e-9)
    assert moved == pytest.approx(min(norm, clipping), rel=1e-9)


@each
def test_without_noise_it_is_the_plain_mean_of_the_clipped_updates(name: str) -> None:
    start = exact(SENT)
    models = [with_norm(start, norm, seed) for seed, norm in enumerate((0.5, 1.0, 4.0, 100.0))]
    strategy = a_strategy(name, noise_multiplier=0, **parameters(name, 2.0))

    new = aggregate(strategy, start, replies_of(models, [1, 10, 100, 10**9]))

    shares = (1, 1, 2 / 4, 2 / 100)
    wanted = {
        key: start[key] + sum(s * (m[key] - start[key]) for s, m in zip(shares, models, strict=True)) / 4
        for key in start
    }
    assert_near(new, wanted, 1e-12)


WIDE = {"a": np.zeros(200_000, np.float64), "b": np.zeros((100, 100), np.float64)}


@pytest.mark.parametrize(
    ("multiplier", "clipping", "clients"), [(1.0, 1.0, 4), (0.5, 3.0, 10), (2.0, 0.1, 1)]
)
def test_the_noise_on_the_mean_is_normal_with_z_times_c_over_n(
    multiplier: float, clipping: float, clients: int
) -> None:
    strategy = a_strategy("dpfedavg-fixed", SECRET, noise_multiplier=multiplier, clipping_norm=clipping)

    new = as_model(aggregate(strategy, WIDE, replies_of([WIDE] * clients)))

    noise = step(new, WIDE) / (multiplier * clipping / clients)
    count = noise.size  # each bound is five standard errors wide
    assert abs(noise.mean()) < 5 / math.sqrt(count)
    assert abs(noise.var() - 1) < 5 * math.sqrt(2 / count)
    assert abs((noise**3).mean()) < 5 * math.sqrt(15 / count)
    assert abs((noise**4).mean() - 3) < 5 * math.sqrt(96 / count)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 5 / math.sqrt(count)


def test_adaptive_clipping_pays_for_the_count_with_more_noise_on_the_updates() -> None:
    strategy = a_strategy(
        "dpfedavg-adaptive", SECRET, noise_multiplier=1.0, clipped_count_stddev=1.0, initial_clipping_norm=1.0
    )

    new = as_model(aggregate(strategy, WIDE, replies_of([WIDE] * 4)))

    noise = step(new, WIDE) * 4
    assert noise.std() == pytest.approx(1 / math.sqrt(1 - 1 / 4), rel=0.01)


@given(
    multiplier=st.floats(0.01, 100),
    updates=st.integers(1, 1000),
    excess=st.none() | st.floats(1.01, 100),
)
def test_both_releases_together_are_as_private_as_one_with_z(
    multiplier: float, updates: int, excess: float | None
) -> None:
    """Gaussian mechanisms compose by 1/z² = Σ 1/z_i²; the count's sensitivity is 1/2 (Andrew et al.)."""
    given_count = None if excess is None else excess * multiplier / 2
    settings = AdaptiveDpSettings(noise_multiplier=multiplier, clipped_count_stddev=given_count)
    count = max(updates / 20, multiplier) if given_count is None else given_count

    on_updates = AdaptiveClipping(settings, NoiseSource(SECRET)).multiplier(updates)

    assert 1 / on_updates**2 + 1 / (2 * count) ** 2 == pytest.approx(1 / multiplier**2, rel=1e-6)


def noise_of(secret: bytes, releases: int = 0, nodes: tuple[int, ...] = (2, 3, 4)) -> NDArray[np.float64]:
    """Of the model that is made after so many others; the round is always 1."""
    strategy = a_strategy("dpfedavg-fixed", secret)
    strategy.releases = releases
    replies = [a_reply(node, SENT) for node in nodes]
    return step(as_model(aggregate(strategy, SENT, replies)), SENT)


def test_a_round_whose_model_was_not_paid_for_draws_the_same_noise_again() -> None:
    np.testing.assert_array_equal(noise_of(SECRET), noise_of(SECRET))
    np.testing.assert_array_equal(noise_of(SECRET), noise_of(SECRET, nodes=(4, 2, 3)))


def test_a_round_that_is_repeated_after_its_model_was_seen_draws_other_noise() -> None:
    """The difference of two models of the same round would show what a client has changed."""
    draws = [
        noise_of(SECRET),
        noise_of(b"another secret"),
        noise_of(SECRET, releases=1),
        noise_of(SECRET, nodes=(2, 3, 5)),
    ]

    for first, draw in enumerate(draws):
        for other in draws[first + 1 :]:
            assert abs(np.corrcoef(draw, other)[0, 1]) < 0.5


def test_without_a_secret_nobody_can_guess_the_noise() -> None:
    assert not np.array_equal(noise_of(b""), noise_of(b""))


def test_noise_of_updates_and_of_their_count_are_apart() -> None:
    source = NoiseSource(SECRET)

    one, other = (source.keystream(purpose, 1, [2]).normal(100).numpy() for purpose in ("update", "count"))

    assert abs(np.corrcoef(one, other)[0, 1]) < 0.5


# what it costs


@each
def test_each_model_costs_and_a_round_that_is_tried_in_vain_does_not(name: str) -> None:
    strategy = a_strategy(name, SECRET, noise_multiplier=2.0)
    spent = [strategy.privacy()]
    for server_round in (1, 2):
        aggregate(strategy, SENT, replies_of(models_near(SENT, 5)), server_round)
        spent.append(strategy.privacy())
    in_vain = strategy.begin(3, a_record(SENT))
    in_vain.add(Update.from_reply(a_reply(2, SENT)))

    assert strategy.privacy() == spent[-1]
    privacy = [each for each in spent if each is not None]
    assert [each.releases for each in privacy] == [0, 1, 2]
    epsilons = [each.epsilon or 0.0 for each in privacy]
    assert epsilons[0] == 0 < epsilons[1] < epsilons[2]
    assert {(each.protects, each.delta) for each in privacy} == {(Protected.CLIENT, 1e-5)}


@each
def test_without_noise_nothing_is_promised(name: str) -> None:
    strategy = a_strategy(name, noise_multiplier=0)
    aggregate(strategy, SENT, replies_of(models_near(SENT, 5)))

    privacy = strategy.privacy()

    assert privacy is not None
    assert privacy.epsilon is None


@each
def test_it_does_not_go_with_noise_at_the_clients(name: str) -> None:
    spec = RunSpec(strategy=StrategyName(name), dp=DpSpec(noise_multiplier=1.0))

    with pytest.raises(SettingsInvalid, match="Choose one") as refused:
        build_strategy(spec)

    assert refused.value.field == "strategy"


def test_strategies_without_noise_have_no_privacy_to_tell_of() -> None:
    assert a_strategy("fedavg").privacy() is None


def spent_by(noise_multiplier: float, releases: int, delta: float) -> float:
    strategy = a_strategy("dpfedavg-fixed", noise_multiplier=noise_multiplier, delta=delta)
    strategy.releases = releases
    privacy = strategy.privacy()
    assert privacy is not None
    assert privacy.epsilon is not None
    return privacy.epsilon


@settings(max_examples=25)
@given(
    noise_multiplier=st.floats(0.3, 30),
    releases=st.integers(1, 1_000),
    delta=st.sampled_from([1e-8, 1e-5, 1e-3]),
)
def test_epsilon_is_that_of_googles_accountant(noise_multiplier: float, releases: int, delta: float) -> None:
    accountant = RdpAccountant()
    accountant.compose(GaussianDpEvent(noise_multiplier), releases)

    theirs = accountant.get_epsilon(delta)

    assert spent_by(noise_multiplier, releases, delta) == pytest.approx(theirs, rel=0.01)


@given(noise_multiplier=st.floats(0.5, 30), releases=st.integers(1, 100))
def test_epsilon_is_never_less_than_the_exact_one_of_gaussian_mechanisms(
    noise_multiplier: float, releases: int
) -> None:
    """Balle & Wang 2018, arXiv:1805.06530: δ(ε) in closed form, here at the ε that we tell."""
    epsilon, single = spent_by(noise_multiplier, releases, 1e-5), noise_multiplier / math.sqrt(releases)
    normal = NormalDist()

    told = math.log(normal.cdf(1 / (2 * single) - epsilon * single))
    less = epsilon + math.log(normal.cdf(-1 / (2 * single) - epsilon * single) or 5e-324)

    assert math.exp(told) - math.exp(less) <= 1e-5


@each
def test_a_client_that_answers_twice_is_refused(name: str) -> None:
    fold = a_strategy(name).begin(1, a_record(SENT))
    fold.add(Update.from_reply(a_reply(2, SENT)))

    with pytest.raises(ReplyInvalid, match="answered twice"):
        fold.add(Update.from_reply(a_reply(2, SENT)))

    assert fold.updates == 1


def test_an_update_without_a_finite_norm_is_refused() -> None:
    start = exact(SENT)
    endless = {key: np.full_like(values, 1e200) for key, values in start.items()}

    with pytest.raises(ReplyInvalid, match="too large to be clipped"):
        a_strategy("dpfedavg-fixed").begin(1, a_record(start)).add(Update.from_reply(a_reply(2, endless)))


def test_counters_stay_as_they_were_sent() -> None:
    start = {**SENT, "n": np.array(5, np.int64)}
    counted = [
        {**model, "n": np.array(50 + node, np.int64)} for node, model in enumerate(models_near(SENT, 3))
    ]

    assert as_model(aggregate(a_strategy("dpfedavg-fixed"), start, replies_of(counted)))["n"] == 5


# the adaptive clipping norm


def clipping_norm(strategy: RoundStrategy) -> float:
    state = strategy.state()
    assert set(state) == {"clipping_norm"}
    assert state["clipping_norm"].shape == ()
    return float(state["clipping_norm"])


@pytest.mark.parametrize(("initial", "quantile"), [(0.01, 0.5), (50.0, 0.5), (1.0, 0.8), (1.0, 0.2)])
def test_the_clipping_norm_finds_the_quantile_of_the_norms(initial: float, quantile: float) -> None:
    """From below and from above; Flower's goes to 0 in each case."""
    start = exact(SENT)
    norms = [1.0 + 0.1 * node for node in range(20)]
    replies = replies_of([with_norm(start, norm, seed) for seed, norm in enumerate(norms)])
    strategy = a_strategy(
        "dpfedavg-adaptive",
        noise_multiplier=0,
        initial_clipping_norm=initial,
        target_unclipped_quantile=quantile,
    )

    for server_round in range(1, 81):
        aggregate(strategy, start, replies, server_round)

    assert clipping_norm(strategy) == pytest.approx(np.quantile(norms, quantile), rel=0.1)


def test_one_step_is_the_geometric_one_of_the_paper() -> None:
    start = exact(SENT)
    models = [with_norm(start, norm, seed) for seed, norm in enumerate((0.1, 0.9, 1.0, 5.0))]
    strategy = a_strategy(
        "dpfedavg-adaptive", noise_multiplier=0, initial_clipping_norm=1.01, clip_norm_lr=0.3
    )

    aggregate(strategy, start, replies_of(models))

    assert clipping_norm(strategy) == pytest.approx(1.01 * math.exp(-0.3 * (3 / 4 - 1 / 2)))


def test_the_count_is_noised() -> None:
    def after_one_round(secret: bytes) -> float:
        strategy = a_strategy("dpfedavg-adaptive", secret, noise_multiplier=0.5, clipped_count_stddev=2.0)
        aggregate(strategy, SENT, replies_of(models_near(SENT, 10)))
        return clipping_norm(strategy)

    norms = np.array([after_one_round(bytes([byte])) for byte in range(60)])
    shares = 1 / 2 - np.log(norms / 0.1) / 0.2

    assert after_one_round(b"\x00") == norms[0]
    # all ten updates are clipped: shares are N(0, 2 / 10), those below 0 set right
    assert (shares >= -1e-9).all()
    assert 10 < np.count_nonzero(shares > 1e-9) < 50
    assert shares[shares > 1e-9].mean() == pytest.approx(0.2 * math.sqrt(2 / math.pi), rel=0.4)


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({}, "holds nothing of the strategy"),
        ({"m/a": np.ones(2)}, "another strategy"),
        ({"clipping_norm": np.array(np.nan)}, "no finite numbers"),
        ({"clipping_norm": np.array(-1.0)}, "no number above 0"),
        ({"clipping_norm": np.array([1.0, 2.0])}, "no number above 0"),
    ],
)
def test_a_damaged_checkpoint_is_refused(state: dict[str, NDArray[np.float64]], complaint: str) -> None:
    with pytest.raises(CheckpointInvalid, match=complaint):
        a_strategy("dpfedavg-adaptive").load_state(state)


def test_a_resumed_run_clips_where_it_was() -> None:
    before, after = (a_strategy("dpfedavg-adaptive", SECRET) for _ in range(2))
    replies = replies_of(models_near(SENT, 5))
    aggregate(before, SENT, replies)

    after.load_state(before.state())
    after.releases = before.releases

    assert_same(aggregate(before, SENT, replies, 2), aggregate(after, SENT, replies, 2))
    assert clipping_norm(before) == clipping_norm(after) != 0.1


# where the clients share the noise


def of_clients(**params: Any) -> RoundStrategy:
    """The same strategy, with secure aggregation."""
    return build_strategy(
        RunSpec(
            strategy=StrategyName.DPFEDAVG_FIXED,
            strategy_params=params,
            secure_aggregation=SecureAggregation(),
            min_clients=3,
        )
    )


def test_the_noisy_sum_of_the_clients_is_the_model_as_it_is() -> None:
    strategy = of_clients(noise_multiplier=1.0)
    noisy = a_model(1)

    assert_same(aggregate(strategy, SENT, [a_reply(2, noisy)]), a_record(noisy))


def test_each_model_of_a_noisy_sum_costs_as_much_as_that_of_a_server_that_is_trusted() -> None:
    strategy, trusted = of_clients(noise_multiplier=2.0), a_strategy("dpfedavg-fixed", noise_multiplier=2.0)
    for made in (1, 2, 3):
        aggregate(strategy, SENT, [a_reply(2, SENT)], made)
        aggregate(trusted, SENT, replies_of(models_near(SENT, 5)), made)
        ours, theirs = strategy.privacy(), trusted.privacy()
        assert ours is not None
        assert theirs is not None
        assert ours == theirs.changed(from_server=True)
        assert ours.releases == made


def test_a_round_has_one_sum() -> None:
    fold = of_clients().begin(1, a_record(SENT))
    fold.add(Update.from_reply(a_reply(2, SENT)))

    with pytest.raises(ReplyInvalid, match="has its sum already"):
        fold.add(Update.from_reply(a_reply(2, SENT)))


def test_a_sum_without_room_for_its_noise_is_refused_when_the_run_is_submitted() -> None:
    spec = RunSpec.model_validate(
        {
            "strategy": "dpfedavg-fixed",
            "dataset": "mnist",
            "secure_aggregation": {"bits": 16},
            "min_clients": 100,
        }
    )
    with pytest.raises(SettingsInvalid, match="no room for the noise") as refused:
        build_strategy(spec)

    assert "421,642 weights" in str(refused.value)
    assert build_strategy(spec.with_changes(min_clients=10))
