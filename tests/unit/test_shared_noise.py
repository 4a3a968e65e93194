"""Noise that clients share in a masked sum: it is all there, it has room, and nothing else is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.errors import ReplyInvalid, RoundFailed, SettingsInvalid
from shared.privacy.central import CentralPrivacy
from shared.privacy.randomness import Keystream
from shared.run_spec import RunSpec
from shared.secagg.client import ClientSession
from shared.secagg.masks import Masked
from shared.secagg.noise import LEAST_STDDEV, MOST_INFLATION, NoisePlan, shared_noise_of
from shared.secagg.noisy_packing import NoisyPacking, packing_of
from shared.secagg.packing import LOSS, SAMPLES, TOTALS, Learned, Packing, SumInvalid
from shared.secagg.refusal import Refused, Rule
from shared.secagg.settings import SecureAggregation
from tests.support.secagg import MODEL, Change, Federation, member, session_of

NOISE = CentralPrivacy(noise_multiplier=1.5, clipping_norm=0.5)
WIDE = 40_000
"""Numbers in an update, of which each bound below is five standard errors wide."""


def plan(clients: int = 5, size: int = 50, noise: CentralPrivacy = NOISE, **chosen: float) -> NoisePlan:
    return NoisePlan(noise, SecureAggregation.model_validate(chosen), clients, size)


@st.composite
def plans(draw: st.DrawFn) -> NoisePlan:
    """Any that a run can have."""
    chosen = NoisePlan(
        CentralPrivacy(
            noise_multiplier=draw(st.floats(0.01, 1_000)), clipping_norm=draw(st.floats(1e-3, 1e3))
        ),
        SecureAggregation(
            threshold=draw(st.floats(0.67, 1)),
            bits=draw(st.sampled_from([16, 32])),
            range=draw(st.floats(1e-3, 1e3)),
        ),
        draw(st.integers(3, 2_000)),
        draw(st.integers(1, 2_000_000)),
    )
    try:
        chosen.require_possible()
    except SettingsInvalid:
        assume(False)
    return chosen


class TestThePlan:
    @given(plans())
    def test_the_least_sum_has_noise_of_z_times_what_a_client_adds(self, plan: NoisePlan) -> None:
        together = math.sqrt(plan.least_in_sum) * plan.stddev
        assert together == pytest.approx(plan.privacy.noise_multiplier * plan.norm, rel=1e-12)
        assert plan.norm >= plan.scale * plan.privacy.clipping_norm
        assert 2 * plan.clients / 3 < plan.least_in_sum <= plan.clients
        assert plan.stddev >= LEAST_STDDEV

    @given(plans())
    def test_no_sum_leaves_the_modulus_within_eight_standard_deviations_of_noise(
        self, plan: NoisePlan
    ) -> None:
        largest = plan.clients * (plan.limit * plan.scale + 1)
        noise = 8 * plan.stddev * math.sqrt(plan.clients)
        assert largest + noise <= 2 ** (plan.settings.bits - 1) - 1

    @given(plans())
    def test_what_a_sum_differs_from_a_gaussian_by_is_less_than_a_float64_shows(
        self, plan: NoisePlan
    ) -> None:
        """Kairouz, Liu & Steinke 2021, theorem 1."""
        halves = sum(math.exp(-2 * math.pi**2 * plan.stddev**2 * k / (k + 1)) for k in range(1, plan.clients))
        tau = 10 * halves
        exact = 1 / plan.privacy.noise_multiplier
        assert exact + tau * math.sqrt(plan.size) == exact

    @pytest.mark.parametrize(("order", "shift"), [(1.5, 1), (2, 9), (8, 1), (8, 9), (32, 2)])
    @pytest.mark.parametrize("clients", [2, 3, 7])
    def test_the_sum_of_the_least_noise_costs_what_a_gaussian_does(
        self, clients: int, order: float, shift: int
    ) -> None:
        """The Rényi divergence of what a shift makes of it, by adding up all of its probabilities."""
        numbers = np.arange(-150, 151)
        one = np.exp(-(numbers**2) / (2 * LEAST_STDDEV**2))
        one /= one.sum()
        together = one
        for _ in range(clients - 1):
            together = np.convolve(together, one)
        middle = slice(together.size // 2 - 140, together.size // 2 + 141)
        here, there = (np.log(np.roll(together, by)[middle]) for by in (shift, 0))
        divergence = np.log(np.exp(order * here + (1 - order) * there).sum()) / (order - 1)
        assert divergence == pytest.approx(order * shift**2 / (2 * clients * LEAST_STDDEV**2), rel=1e-9)

    @pytest.mark.parametrize(
        ("clients", "size", "bits", "words"),
        [
            (200, 400_000, 16, "Take 32 bits"),
            (20_000, 10**10, 32, "Take fewer clients"),
        ],
    )
    def test_without_room_it_is_refused_in_words(
        self, clients: int, size: int, bits: int, words: str
    ) -> None:
        with pytest.raises(SettingsInvalid, match=words) as refused:
            plan(clients, size, bits=bits).require_possible()
        assert refused.value.field == "secure_aggregation.bits"
        for number in (f"{clients} clients", f"{bits} bits", f"{size:,} weights", "= 1.5", "= 0.5"):
            assert number in str(refused.value)

    def test_too_little_noise_to_be_whole_numbers_is_refused(self) -> None:
        faint = CentralPrivacy(noise_multiplier=1e-9)
        with pytest.raises(SettingsInvalid, match="no room for the noise"):
            plan(noise=faint).require_possible()

    def test_a_smaller_range_makes_room(self) -> None:
        with pytest.raises(SettingsInvalid):
            plan(60, 400_000, bits=16).require_possible()
        plan(60, 400_000, bits=16, range=0.05).require_possible()


def rounded(packing: NoisyPacking, change: Change, key: int = 1) -> Change:
    return packing.rounded(change, Keystream(bytes([key]) * 32)) / packing.plan.scale


def _of_norm(direction: Change, norm: float) -> Change:
    return direction * (norm / float(np.linalg.norm(direction)))


def _drawn(seed: int, size: int, norm: float) -> Change:
    return _of_norm(np.random.default_rng(seed).standard_normal(size), norm)


changes = st.builds(_drawn, st.integers(0, 2**32), st.integers(1, 300), st.floats(0, 1e6))


class TestAChange:
    @settings(deadline=None)
    @given(changes, plans())
    def test_never_moves_the_sum_by_more_than_its_limit(self, change: Change, any_plan: NoisePlan) -> None:
        packing = NoisyPacking(replace(any_plan, size=change.size))
        assume(packing.plan.stddev >= LEAST_STDDEV)
        steps = packing.rounded(change, Keystream(bytes(32)))
        assert math.sqrt(sum(int(each) ** 2 for each in steps)) <= packing.plan.norm
        assert np.abs(steps).max() <= packing.plan.limit * packing.plan.scale + 1

    @pytest.mark.parametrize("noise_multiplier", [0.05, 0.1])
    def test_of_billions_of_steps_is_rounded_as_well(self, noise_multiplier: float) -> None:
        """Once, no rounding of it was within the norm, and the client tried for ever."""
        privacy = CentralPrivacy(noise_multiplier=noise_multiplier, clipping_norm=1.0)
        any_plan = NoisePlan(privacy, SecureAggregation(range=0.01), 3, 100_000)
        any_plan.require_possible()
        steps = NoisyPacking(any_plan).rounded(np.ones(100_000), Keystream(bytes(32)))
        assert math.sqrt(sum(int(each) ** 2 for each in steps)) <= any_plan.norm

    def test_within_the_norm_is_as_it_was_but_for_a_step(self) -> None:
        change = _of_norm(np.arange(1.0, 51), 0.49)
        packing = NoisyPacking(plan())
        assert np.abs(rounded(packing, change) - change).max() <= 1 / packing.plan.scale

    def test_beyond_the_norm_is_scaled_down_as_a_whole(self) -> None:
        change = _of_norm(np.arange(1.0, 51), 8.0)
        packing = NoisyPacking(plan())
        assert np.abs(rounded(packing, change) - change / 16).max() <= 1 / packing.plan.scale

    def test_one_weight_beyond_the_range_is_clipped(self) -> None:
        change = np.array([0.4, 0.01, -0.2])
        packing = NoisyPacking(plan(size=3, range=0.1))
        assert rounded(packing, change) == pytest.approx([0.1, 0.01, -0.1], abs=1 / packing.plan.scale)

    def test_is_right_on_average_also_where_steps_are_coarse(self) -> None:
        packing = NoisyPacking(plan(30, WIDE, bits=16))
        change = np.full(WIDE, 0.3 / packing.plan.scale)
        assert abs(rounded(packing, change).mean() * packing.plan.scale - 0.3) < 5 * math.sqrt(0.21 / WIDE)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_that_is_no_number_is_not_packed(self, value: float) -> None:
        with pytest.raises(ReplyInvalid, match="not numbers"):
            NoisyPacking(plan(size=1)).pack(Learned(np.array([value]), 1))

    def test_has_other_noise_each_time(self) -> None:
        packing = NoisyPacking(plan(size=1_000))
        one, other = (packing.pack(Learned(np.zeros(1_000), 1)).values.view(np.int32) for _ in range(2))
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.2

    def test_counts_as_one_and_tells_nothing_else(self) -> None:
        packed = NoisyPacking(plan()).pack(Learned(np.full(50, 9.0), 10_000_000, loss=0.3))
        assert packed.totals.tolist() == [int(place == SAMPLES) for place in range(TOTALS)]

    @pytest.mark.parametrize(("place", "value"), [(SAMPLES, 2), (SAMPLES, 4), (LOSS, 1)])
    def test_a_sum_that_cannot_be_is_not_believed(self, place: int, value: int) -> None:
        total = Masked.zero(TOTALS, 50, 32)
        total.totals[SAMPLES] = 3
        total.totals[place] = value
        with pytest.raises(SumInvalid):
            NoisyPacking(plan()).unpack(total, 3)


def noise_of(federation: Federation, mean: Change, survivors: int) -> Change:
    """What is on a sum of nothing, in the noise that was promised: standard deviations of z · C."""
    scale = plan_of(federation).scale
    sum_in_steps = mean * survivors * scale
    promised = NOISE.noise_multiplier * NOISE.clipping_norm * scale
    noise: Change = sum_in_steps / promised
    return noise


def plan_of(federation: Federation) -> NoisePlan:
    session = federation.session
    assert session.noise is not None
    return NoisePlan(session.noise, session.settings, len(session.cohort), federation.server.size)


def nothing_learned(clients: int, chosen: SecureAggregation | None = None) -> Federation:
    return Federation([np.zeros(WIDE) for _ in range(clients)], [1] * clients, chosen, NOISE)


class TestSessions:
    @pytest.mark.parametrize("clients", [3, 5, 10])
    def test_the_noise_of_a_sum_is_normal_and_as_large_as_it_must_be(self, clients: int) -> None:
        federation = nothing_learned(clients)

        noise = noise_of(federation, federation.run().mean, clients)

        spare = clients / plan_of(federation).least_in_sum  # more clients than are needed add more
        inflated = plan_of(federation).norm / (plan_of(federation).scale * NOISE.clipping_norm)
        expected = spare * inflated**2
        assert abs(noise.var() / expected - 1) < 5 * math.sqrt(2 / WIDE)
        assert abs(noise.mean()) < 5 * math.sqrt(expected / WIDE)
        assert abs((noise**4).mean() / expected**2 - 3) < 5 * math.sqrt(96 / WIDE)

    @pytest.mark.parametrize("step", ["share", "open", "mask", "confirm", "reveal"])
    @pytest.mark.parametrize("bits", [16, 32])
    def test_whoever_leaves_and_when_the_sum_has_all_of_the_noise(self, step: str, bits: int) -> None:
        federation = nothing_learned(10, SecureAggregation(bits=bits))
        gone = {2, 5, 9}

        summed = federation.run({step: gone})

        assert summed.clients == (10 if step in ("confirm", "reveal") else 7)
        assert noise_of(federation, summed.mean, summed.clients).var() > 1 - 5 * math.sqrt(2 / WIDE)

    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def test_the_mean_is_that_of_the_clipped_changes_within_the_noise(self, data: st.DataObject) -> None:
        clients = data.draw(st.integers(3, 8))
        bits = data.draw(st.sampled_from([16, 32]))
        norms = data.draw(st.lists(st.floats(0, 10), min_size=clients, max_size=clients))
        chance = np.random.default_rng(clients)
        learned = [_of_norm(chance.standard_normal(60), norm) for norm in norms]
        federation = Federation(learned, [7] * clients, SecureAggregation(bits=bits), NOISE)

        summed = federation.run()

        clipped = [change * min(1.0, 0.5 / (norm or 1)) for change, norm in zip(learned, norms, strict=True)]
        plan = plan_of(federation)
        tolerance = (clients + 8 * plan.stddev * math.sqrt(clients)) / (clients * plan.scale)
        assert np.abs(summed.mean - np.mean(clipped, axis=0)).max() <= tolerance

    @pytest.mark.parametrize("accomplices", [1, 3, 6])
    def test_accomplices_take_their_own_part_of_the_noise_away_and_no_more(
        self, accomplices: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As docs/privacy.md counts it: of ten three have left, and some of the others help the server."""
        added: list[Change] = []
        pack = NoisyPacking.pack

        def noted(self: NoisyPacking, learned: Learned) -> Masked:
            packed = pack(self, learned)
            added.append(packed.values.view(np.int32).astype(np.float64))
            return packed

        monkeypatch.setattr(NoisyPacking, "pack", noted)
        federation = nothing_learned(10)
        summed = federation.run({"mask": {1, 2, 3}})
        plan = plan_of(federation)

        left = summed.mean * summed.clients * plan.scale - np.sum(added[:accomplices], axis=0)

        remaining = (plan.privacy.noise_multiplier * plan.norm) ** 2 * (1 - accomplices / plan.least_in_sum)
        assert summed.clients == plan.least_in_sum == len(added) == 7
        assert abs(left.var() / remaining - 1) < 5 * math.sqrt(2 / WIDE)

    def test_nothing_but_the_mean_and_how_many_is_told(self) -> None:
        summed = nothing_learned(3).run()
        assert (summed.clients, summed.samples, summed.capped, summed.clipped, summed.loss) == (
            3,
            None,
            None,
            None,
            None,
        )

    def test_too_few_are_a_round_that_failed_before_anything_is_opened(self) -> None:
        federation = nothing_learned(10)
        federation.leave({9, 10})
        federation.advertise()
        with pytest.raises(RoundFailed, match="7 must at least, so that their noise is enough"):
            federation.server.require(range(6), "sent an update")

    def test_without_noise_nothing_has_changed(self) -> None:
        assert isinstance(packing_of(session_of(3), 50), Packing)
        assert session_of(3).digest == session_of(3, noise=None).digest


def refused(rule: Rule, attempt: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        attempt()
    assert caught.value.rule is rule
    return str(caught.value)


class TestALyingServer:
    @pytest.mark.parametrize(
        "told",
        [
            None,
            NOISE.model_copy(update={"noise_multiplier": 0.1}),
            NOISE.model_copy(update={"noise_multiplier": 0.0}),
            NOISE.model_copy(update={"clipping_norm": 50.0}),
        ],
    )
    def test_that_tells_one_client_of_other_noise_is_refused_by_all(
        self, told: CentralPrivacy | None
    ) -> None:
        federation = Federation([np.zeros(3)] * 4, [1] * 4, noise=NOISE)
        misled = ClientSession(session_of(4, noise=told), member(2), MODEL)
        keys = [
            misled.advertise() if node == 2 else client.advertise()
            for node, client in federation.clients.items()
        ]
        for client in (federation.clients[1], misled):
            refused(Rule.KEYS, partial(client.share, keys))

    def test_that_tells_one_client_of_another_threshold_is_refused_by_all(self) -> None:
        federation = Federation([np.zeros(3)] * 4, [1] * 4, noise=NOISE)
        lower = session_of(4, SecureAggregation(threshold=0.67), noise=NOISE)
        misled = ClientSession(lower, member(2), MODEL)
        keys = [
            misled.advertise() if node == 2 else client.advertise()
            for node, client in federation.clients.items()
        ]
        for client in (federation.clients[1], misled):
            refused(Rule.KEYS, partial(client.share, keys))

    def test_that_makes_the_sum_smaller_than_its_noise_allows_is_refused(self) -> None:
        """Of ten that were asked five are said to have sent keys, so that four could open the sum."""
        federation = Federation([np.zeros(3)] * 10, [1] * 10, noise=NOISE)
        federation.leave(range(6, 11))
        for step in (federation.advertise, federation.share, federation.open, federation.mask):
            step()
        words = refused(Rule.NOISE, lambda: federation.clients[1].confirm({1, 2, 3, 4, 5}))
        assert words.startswith("5 clients are in the sum, and 7 of the 10 asked must be")

    def test_without_noise_as_few_may_be_opened(self) -> None:
        federation = Federation([np.zeros(3)] * 10, [1] * 10)
        federation.leave(range(6, 11))
        for step in (federation.advertise, federation.share, federation.open, federation.mask):
            step()
        assert federation.clients[1].confirm({1, 2, 3, 4, 5})


def spec(**changes: object) -> RunSpec:
    return RunSpec.model_validate(
        {"strategy": "dpfedavg-fixed", "secure_aggregation": {}, "min_clients": 3, **changes}
    )


class TestWhatARunAsksFor:
    def test_is_the_strategy_with_its_parameters_or_their_defaults(self) -> None:
        assert shared_noise_of(spec()) == CentralPrivacy()
        given_params: Mapping[str, float] = {"noise_multiplier": 2.0, "clipping_norm": 0.3, "delta": 1e-6}
        assert shared_noise_of(spec(strategy_params=given_params)) == CentralPrivacy(**given_params)

    def test_is_nothing_with_another_strategy_or_without_a_mask(self) -> None:
        assert shared_noise_of(spec(strategy="fedavg")) is None
        assert shared_noise_of(spec(secure_aggregation=None)) is None

    @pytest.mark.parametrize(
        ("params", "words"),
        [
            ({"noise_multiplier": 0}, "asks for none"),
            ({"noise_multiplier": -1}, "noise_multiplier cannot be used"),
            ({"clipping_norm": "small"}, "clipping_norm cannot be used"),
            ({"sigma": 1}, "sigma cannot be used"),
        ],
    )
    def test_cannot_be_nonsense(self, params: Mapping[str, object], words: str) -> None:
        with pytest.raises(SettingsInvalid, match=words) as caught:
            shared_noise_of(spec(strategy_params=params))
        assert caught.value.field.startswith("strategy_params")

    @given(size=st.integers(1, 10**6), clients=st.integers(3, 60))
    def test_with_32_bits_costs_hardly_more_noise_than_a_server_that_is_trusted(
        self, size: int, clients: int
    ) -> None:
        chosen = plan(clients, size)
        assert 1 <= chosen.norm / (chosen.scale * NOISE.clipping_norm) < 1 + 1e-6 < MOST_INFLATION
