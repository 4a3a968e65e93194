"""The parts of secure aggregation for themselves: shares, masks, boxes, packing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from shared.errors import ReplyInvalid
from shared.secagg.agreement import AgreementKey, WrongBox
from shared.secagg.masks import PIECE, Masked
from shared.secagg.packing import TOTALS, Learned, Packing, SumInvalid
from shared.secagg.settings import SecureAggregation
from shared.secagg.shares import PRIME, combine, split
from tests.support.secagg import Change

secrets = st.binary(min_size=32, max_size=32)
bits = st.sampled_from([16, 32])


class TestShares:
    @given(secrets, st.integers(1, 12), st.data())
    def test_any_that_are_enough_give_the_secret(
        self, secret: bytes, needed: int, data: st.DataObject
    ) -> None:
        holders = data.draw(st.integers(needed, 15))
        shares = split(secret, range(1, holders + 1), needed)
        chosen = data.draw(st.permutations(sorted(shares)))[: data.draw(st.integers(needed, holders))]
        assert combine({holder: shares[holder] for holder in chosen}, needed) == secret

    @given(secrets, st.integers(2, 12))
    def test_fewer_give_none(self, secret: bytes, needed: int) -> None:
        shares = split(secret, range(1, needed), needed)
        with pytest.raises(ValueError, match="too few"):
            combine(shares, needed)

    @given(secrets, secrets, st.integers(2, 6))
    def test_fewer_fit_every_other_secret_as_well(self, secret: bytes, other: bytes, needed: int) -> None:
        """One more share can be found that makes them shares of whatever secret one likes."""
        shares = split(secret, range(1, needed), needed)
        points = {0: int.from_bytes(other)} | {
            holder: int.from_bytes(share) for holder, share in shares.items()
        }
        missing = _through(points, needed).to_bytes(33)
        assert combine({**shares, needed: missing}, needed) == other

    def test_the_field_is_one(self) -> None:
        """Miller and Rabin's test, with the first 40 primes."""
        odd, twos = PRIME - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        for base in (p for p in range(2, 174) if all(p % q for q in range(2, p))):
            value = pow(base, odd, PRIME)
            assert value == 1 or any(pow(value, 2**step, PRIME) == PRIME - 1 for step in range(twos))


class TestMasks:
    @given(secrets, bits, st.integers(0, 40), st.data())
    def test_taken_off_again_nothing_is_left(
        self, seed: bytes, width: int, size: int, data: st.DataObject
    ) -> None:
        numbers = data.draw(
            st.binary(min_size=8 * TOTALS + size * width // 8, max_size=8 * TOTALS + size * width // 8)
        )
        masked = Masked.zero(TOTALS, size, width)
        masked.add(Masked.from_bytes(numbers, TOTALS, size, width))
        masked.add_mask(seed, sign=1)
        masked.add_mask(seed, sign=-1)
        assert masked.to_bytes() == numbers

    def test_no_stretch_of_a_mask_comes_again(self) -> None:
        masked = Masked.zero(TOTALS, PIECE, 32)
        masked.add_mask(bytes(32), sign=1)
        words = masked.values.view(np.uint64)
        assert len(np.unique(words)) == words.size

    def test_a_mask_is_as_the_standard_has_it(self) -> None:
        """The keystream of AES-256 in counter mode: NIST SP 800-38A has its key, and a counter from zero
        gives AES of zero first (FIPS 197's code, computed by OpenSSL)."""
        masked = Masked.zero(0, 4, 32)
        masked.add_mask(bytes(32), sign=1)
        assert masked.to_bytes().hex() == "dc95c078a2408989ad48a21492842087"

    @pytest.mark.parametrize("length", [0, 4, 16, 31, 33])
    def test_a_shorter_or_longer_seed_is_not_taken(self, length: int) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            Masked.zero(TOTALS, 1, 32).add_mask(bytes(length), sign=1)


class TestBoxes:
    def test_two_clients_have_the_same_mask_and_no_other_pair_has(self) -> None:
        one, two, three = (AgreementKey.make() for _ in range(3))
        seed = one.mask_seed(b"s", two.public)
        assert seed == two.mask_seed(b"s", one.public)
        assert seed not in (one.mask_seed(b"s", three.public), one.mask_seed(b"t", two.public))

    def test_only_the_receiver_opens_a_box_and_only_as_it_was_addressed(self) -> None:
        sender, receiver, other = (AgreementKey.make() for _ in range(3))
        box = sender.close(b"s", 1, 2, receiver.public, b"shares")
        assert receiver.open(b"s", 1, 2, sender.public, box) == b"shares"
        changed = box[:-1] + bytes([box[-1] ^ 1])
        for key, session, sent_by, to, what in (
            (other, b"s", 1, 2, box),
            (receiver, b"t", 1, 2, box),
            (receiver, b"s", 2, 1, box),
            (receiver, b"s", 1, 2, changed),
            (receiver, b"s", 1, 2, b""),
        ):
            with pytest.raises(WrongBox):
                key.open(session, sent_by, to, sender.public, what)

    def test_a_key_of_low_order_is_not_taken(self) -> None:
        with pytest.raises(ValueError, match="shared key"):
            AgreementKey.make().mask_seed(b"s", bytes(32))


changes = arrays.arrays(np.float64, 7, elements=st.floats(-6, 6))


class TestPacking:
    @settings(deadline=None)
    @given(st.lists(st.tuples(changes, st.integers(1, 2_000)), min_size=1, max_size=8), bits)
    def test_the_sum_says_the_mean(self, clients: list[tuple[Change, int]], width: int) -> None:
        packing = Packing(SecureAggregation(bits=width, range=4.0, max_samples=1_000), len(clients))
        total = Masked.zero(TOTALS, 7, width)
        for change, samples in clients:
            total.add(packing.pack(Learned(change, samples, loss=1.5)))
        summed = packing.unpack(total, len(clients))
        counted = [min(samples, 1_000) for _, samples in clients]
        exact = sum(
            np.clip(change, -4, 4) * count for (change, _), count in zip(clients, counted, strict=True)
        ) / sum(counted)
        assert np.abs(summed.mean - exact).max() <= packing.tolerance(sum(counted))
        assert summed.samples == sum(counted)
        assert summed.capped == sum(samples > 1_000 for _, samples in clients)
        assert summed.clipped == pytest.approx(np.mean([np.abs(change) > 4 for change, _ in clients]))
        assert summed.loss == pytest.approx(1.5, abs=1e-4)

    def test_rounding_is_right_on_average(self) -> None:
        packing = Packing(SecureAggregation(bits=16, range=1.0, max_samples=1), 10)
        change = np.full(200_000, 0.3 / packing.steps)  # a third of a step
        packed = packing.pack(Learned(change, 1))
        assert set(np.unique(packed.values)) == {0, 1}
        assert packed.values.mean() == pytest.approx(0.3, abs=0.01)

    def test_the_largest_updates_of_all_do_not_wrap_around(self) -> None:
        for width in (16, 32):
            packing = Packing(SecureAggregation(bits=width, range=1.0, max_samples=5), 50)
            total = Masked.zero(TOTALS, 2, width)
            for _ in range(50):
                total.add(packing.pack(Learned(np.array([9.0, -9.0]), 5)))
            assert packing.unpack(total, 50).mean == pytest.approx([1, -1], abs=1e-3)

    def test_who_keeps_its_loss_is_left_out_of_the_mean(self) -> None:
        packing = Packing(SecureAggregation(), 2)
        total = Masked.zero(TOTALS, 1, 32)
        total.add(packing.pack(Learned(np.zeros(1), 10, loss=2.0)))
        total.add(packing.pack(Learned(np.zeros(1), 90)))
        assert packing.unpack(total, 2).loss == pytest.approx(2.0)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_what_is_no_number_is_not_packed(self, value: float) -> None:
        with pytest.raises(ReplyInvalid, match="not numbers"):
            Packing(SecureAggregation(), 3).pack(Learned(np.array([value]), 1))

    def test_a_sum_that_cannot_be_is_not_believed(self) -> None:
        with pytest.raises(SumInvalid):
            Packing(SecureAggregation(), 3).unpack(Masked.zero(TOTALS, 1, 32), 3)

    def test_an_update_takes_no_more_bytes_than_float32(self) -> None:
        packed = Packing(SecureAggregation(), 10).pack(Learned(np.zeros(100_000, np.float32), 1))
        assert len(packed.to_bytes()) <= 1.001 * 4 * 100_000


class TestSettings:
    @pytest.mark.parametrize("threshold", [0.5, 2 / 3, 0.0, 1.1])
    def test_a_threshold_at_or_below_two_thirds_is_refused(self, threshold: float) -> None:
        with pytest.raises(ValidationError):
            SecureAggregation(threshold=threshold)

    @given(st.floats(0.67, 1), st.integers(3, 200), st.integers(8, 150))
    def test_more_than_two_thirds_of_the_holders_are_needed(
        self, threshold: float, clients: int, neighbours: int
    ) -> None:
        chosen = SecureAggregation(threshold=threshold, neighbours=neighbours)
        holders = chosen.neighbours_in(clients) + 1
        assert 2 * holders / 3 < chosen.needed(clients) <= holders


def _through(points: dict[int, int], at: int) -> int:
    """The value at a place of the polynomial through these points."""
    total = 0
    for place, value in points.items():
        above, below = 1, 1
        for other in points.keys() - {place}:
            above, below = above * (at - other) % PRIME, below * (place - other) % PRIME
        total = (total + value * above * pow(below, -1, PRIME)) % PRIME
    return total
