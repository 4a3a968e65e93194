"""Secure aggregation from beginning to end: the sum is right, also with drop-outs, and all that is seen."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Mapping
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ReplyInvalid, RoundFailed
from shared.secagg.agreement import AgreementKey
from shared.secagg.masks import SEED_BYTES, Masked, _Stream
from shared.secagg.packing import SAMPLES, Packing
from shared.secagg.session import Revealed
from shared.secagg.settings import SecureAggregation
from tests.support.secagg import MODEL, Change, Federation, mean_of

STEPS = ("share", "open", "mask", "confirm", "reveal")
"""Before which a client may leave; who has not even sent keys is not in the session."""
BEFORE_ITS_UPDATE = STEPS[:3]


def changes_of(clients: int, size: int = 50) -> list[Change]:
    chance = np.random.default_rng(clients)
    return [chance.normal(0, 0.5, size) for _ in range(clients)]


def assert_is_mean(federation: Federation, mean: Change, survivors: set[int]) -> None:
    """The mean of the survivors' changes, as exactly as the packing has it."""
    learned = [federation.learned[node] for node in sorted(survivors)]
    packing = Packing(federation.session.settings, len(federation.session.cohort))
    tolerance = packing.tolerance(sum(each.samples for each in learned))
    assert np.abs(mean - mean_of(learned)).max() <= tolerance


@pytest.mark.parametrize("clients", [3, 4, 10])
def test_the_sum_of_all_is_the_weighted_mean(clients: int) -> None:
    samples = [100 * (node + 1) for node in range(clients)]
    federation = Federation(changes_of(clients), samples)
    summed = federation.run()
    assert_is_mean(federation, summed.mean, set(federation.session.cohort))
    assert summed.samples == sum(samples)
    assert summed.clipped == summed.capped == 0


def test_fifty_clients_lose_some_in_every_step() -> None:
    federation = Federation(changes_of(50), [1_000] * 50)
    leaving = {"share": {1, 2}, "mask": {3, 4, 5}, "confirm": {6, 7}, "reveal": {8, 9}}
    summed = federation.run(leaving)
    assert_is_mean(federation, summed.mean, set(range(6, 51)))  # who had sent an update is in the sum


def test_fifty_clients_with_few_neighbours_each_lose_some_in_every_step() -> None:
    federation = Federation(changes_of(50), [1_000] * 50, SecureAggregation(neighbours=20))
    summed = federation.run({"advertise": {50}, "mask": {3}, "confirm": {6}, "reveal": {8}})
    assert_is_mean(federation, summed.mean, set(range(1, 50)) - {3})


@pytest.mark.parametrize("step", STEPS)
def test_a_client_may_leave_before_any_step(step: str) -> None:
    federation = Federation(changes_of(5), [10, 20, 30, 40, 50])
    summed = federation.run({step: {2}})
    there = {1, 2, 3, 4, 5} - ({2} if step in BEFORE_ITS_UPDATE else set())
    assert_is_mean(federation, summed.mean, there)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whoever_leaves_and_when_the_rest_have_the_mean_of_those_who_sent_an_update(
    data: st.DataObject,
) -> None:
    clients = data.draw(st.integers(4, 8), label="clients")
    federation = Federation(changes_of(clients, 3), [1_000] * clients)
    most = clients - federation.session.settings.needed(clients)
    leavers = data.draw(st.lists(st.integers(1, clients), max_size=most, unique=True), label="leavers")
    leaving: dict[str, set[int]] = {}
    for node in leavers:
        leaving.setdefault(data.draw(st.sampled_from(STEPS)), set()).add(node)
    summed = federation.run(leaving)
    gone = set().union(*(leaving.get(step, set()) for step in BEFORE_ITS_UPDATE))
    assert_is_mean(federation, summed.mean, set(range(1, clients + 1)) - gone)


@pytest.mark.parametrize("step", ["mask", "confirm", "reveal"])
def test_with_too_few_to_the_end_nothing_is_learned(step: str) -> None:
    federation = Federation(changes_of(5), [1] * 5)
    with pytest.raises(Exception, match=r"needed|cannot be taken off|neighbours"):
        federation.run({step: {1, 2}})


def test_a_round_of_whom_too_few_are_left_fails_in_words() -> None:
    federation = Federation(changes_of(5), [1] * 5)
    federation.advertise()
    federation.share()
    with pytest.raises(RoundFailed, match="3 of 5 clients have sent an update, and 4 must at least"):
        federation.server.require({1, 2, 3}, "sent an update")


class Watched(Federation):
    """Notes all that the server is sent as an update, and all that it holds after each one."""

    def __init__(self) -> None:
        values = (0.5, -0.25, 0.125, 1.0)
        super().__init__([np.full(4, value, np.float32) for value in values], [1_000] * 4)
        self.server_has = b""

    def mask(self) -> None:
        for node, client in self.clients.items():
            sent = client.mask(MODEL, self.learned[node]).to_bytes()
            self.server.take_masked(node, sent)
            self.server_has += sent + pickle.dumps(self.server)

    def all_steps(self) -> None:
        for step in (self.advertise, self.share, self.open, self.mask, self.confirm):
            step()
            self.server_has += pickle.dumps(self.server)
        assert self.server.survivors == {1, 2, 3, 4}

    def of_updates(self) -> list[bytes]:
        """Numbers of the updates, two at a time: as they are packed, and of either width; and the samples."""
        packing = Packing(self.session.settings, len(self.clients))
        pieces = []
        for learned in self.learned.values():
            packed = packing.pack(learned)
            rounded = packed.values[:1] + np.array([-1, 0, 1]).astype(packed.values.dtype)  # by chance
            pieces += [np.array(pair).tobytes() for pair in product(rounded, repeat=2)]
            pieces += [learned.change[:2].astype(kind).tobytes() for kind in (np.float32, np.float64)]
            pieces.append(packed.totals[SAMPLES].tobytes())
        return pieces

    def shown(self) -> list[bytes]:
        """Those of them that the server has had."""
        return [piece for piece in self.of_updates() if piece in self.server_has]


def test_no_byte_that_the_server_holds_is_of_an_update() -> None:
    federation = Watched()

    federation.all_steps()

    assert federation.shown() == []
    assert all(key.secret not in federation.server_has for key in _secret_keys(federation))
    assert all(client._seed not in federation.server_has for client in federation.clients.values())


def test_without_masks_it_would_see_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above looks for is there to be found."""
    monkeypatch.setattr(Masked, "add_mask", lambda self, seed, *, sign: None)
    federation = Watched()

    federation.all_steps()

    assert len(federation.shown()) > 4


def test_the_seed_of_every_mask_has_256_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[bytes] = []
    monkeypatch.setattr("shared.secagg.masks._Stream.__init__", _noting(seeds))
    federation = Federation(changes_of(20, 1), [1] * 20)
    federation.advertise()
    federation.share()
    federation.open()
    federation.mask()
    assert len(seeds) == 20 + 20 * 19
    assert {len(seed) for seed in seeds} == {SEED_BYTES}
    different = set(seeds)
    assert len(different) == 20 + 20 * 19 // 2  # each pair has one
    set_somewhere = np.bitwise_or.reduce([np.frombuffer(seed, np.uint8) for seed in different])
    clear_somewhere = np.bitwise_and.reduce([np.frombuffer(seed, np.uint8) for seed in different])
    assert (set_somewhere == 255).all()  # no bit is always 0, as it would be of a shorter seed
    assert (clear_somewhere == 0).all()


def test_two_attempts_at_a_round_have_nothing_in_common() -> None:
    one, other = (Federation(changes_of(3), [1] * 3) for _ in range(2))
    for federation in (one, other):
        federation.advertise()
    assert not {keys.mask_key for keys in one.server.keys.values()} & {
        keys.mask_key for keys in other.server.keys.values()
    }


class TestTheServerLeavesOut:
    """What a client sends that cannot be taken."""

    def test_keys_of_another_client(self) -> None:
        federation = Federation(changes_of(3), [1] * 3)
        keys = federation.clients[1].advertise()
        with pytest.raises(ReplyInvalid, match="not those of this client"):
            federation.server.take_keys(2, keys)

    def test_an_update_of_another_size(self) -> None:
        federation = Federation(changes_of(3), [1] * 3)
        federation.advertise()
        federation.share()
        federation.open()
        with pytest.raises(ReplyInvalid, match="does not fit the model"):
            federation.server.take_masked(1, b"12")

    def test_a_second_update_of_a_client(self) -> None:
        federation = Federation(changes_of(3), [1] * 3)
        federation.advertise()
        federation.share()
        federation.open()
        federation.mask()
        with pytest.raises(ReplyInvalid, match="owes none"):
            federation.server.take_masked(1, bytes(5 * 8 + 50 * 4))

    def test_shares_that_nobody_has_asked_for(self) -> None:
        federation = Federation(changes_of(3), [1] * 3)
        federation.advertise()
        federation.share()
        federation.open()
        federation.mask()
        with pytest.raises(ReplyInvalid, match="nobody has asked for"):
            federation.server.take_revealed(1, Revealed({}, {2: bytes(35)}))

    def test_a_seed_that_is_not_the_one_of_which_the_hash_was_signed(self) -> None:
        federation = Federation(changes_of(3), [1] * 3)
        for step in (
            federation.advertise,
            federation.share,
            federation.open,
            federation.mask,
            federation.confirm,
        ):
            step()
        reveal(federation, {2})
        with pytest.raises(RoundFailed, match="cannot be taken off: the shares that came do not fit each"):
            federation.server.finish()


def reveal(federation: Federation, liars: Collection[int]) -> None:
    """All give their shares; those of liars are changed."""
    server = federation.server
    for node, client in federation.clients.items():
        revealed = client.reveal(server.survivors, server.dead, server.confirmations)
        if node in liars:
            revealed = Revealed(_changed(revealed.seeds), _changed(revealed.keys))
        server.take_revealed(node, revealed)


class TestWrongShares:
    """Of more shares than are needed, those of one client may be wrong: it is found, and left out."""

    @pytest.mark.parametrize("liar", [1, 4, 10])
    @pytest.mark.parametrize("dead", [set[int](), {3}])
    def test_of_one_client_are_left_out_and_it_is_named(self, liar: int, dead: set[int]) -> None:
        federation = revealing(10, dead)
        reveal(federation, {liar})
        summed = federation.server.finish()
        assert_is_mean(federation, summed.mean, set(range(1, 11)) - dead)
        assert set(federation.server.misfits) == {liar}

    def test_that_nobody_needs_are_not_noticed(self) -> None:
        federation = revealing(10)
        reveal(federation, ())
        federation.server.finish()
        assert not federation.server.misfits

    def test_that_one_client_has_dealt_are_found_as_well_and_both_are_named(self) -> None:
        """Whether the dealer or the holder has changed a share, nobody can tell."""
        federation = revealing(10)
        reveal(federation, ())
        shares = federation.server._seeds[2]
        place = min(shares.keys() - {1})
        shares[place] = bytes(len(shares[place]))
        federation.server.finish()
        assert federation.server.misfits == {list(federation.server._boxes[2])[place - 2]: 2}

    def test_of_more_clients_than_can_be_left_out_fail_the_round(self) -> None:
        federation = revealing(10)
        reveal(federation, {1, 2, 3, 4})
        with pytest.raises(RoundFailed, match="do not fit each other"):
            federation.server.finish()


def revealing(clients: int, dead: Collection[int] = ()) -> Federation:
    """Before the shares are given."""
    federation = Federation(changes_of(clients), [1_000] * clients)
    for step in (federation.advertise, federation.share, federation.open):
        step()
    federation.leave(dead)
    federation.mask()
    federation.confirm()
    return federation


def _changed(shares: Mapping[int, bytes]) -> dict[int, bytes]:
    return {owner: share[:-1] + bytes([share[-1] ^ 1]) for owner, share in shares.items()}


def _secret_keys(federation: Federation) -> list[AgreementKey]:
    return [key for client in federation.clients.values() for key in (client._box_key, client._mask_key)]


def _noting(seeds: list[bytes]) -> Callable[[_Stream, bytes], None]:
    original = _Stream.__init__

    def init(self: _Stream, seed: bytes) -> None:
        seeds.append(seed)
        original(self, seed)

    return init
