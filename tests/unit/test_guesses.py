"""Wrong tokens are counted by address, for some minutes, in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.enrolment.guesses import MOST, MOST_ADDRESSES, UNKNOWN, WINDOW_S, Guesses, network_of


def test_after_so_many_wrong_ones_no_more_are_looked_at_until_the_first_is_long_ago() -> None:
    guesses = Guesses()
    for number in range(MOST):
        assert not guesses.are_too_many("192.0.2.1", float(number))
        guesses.add("192.0.2.1", float(number))

    assert guesses.are_too_many("192.0.2.1", float(MOST))
    assert not guesses.are_too_many("192.0.2.2", float(MOST))
    assert not guesses.are_too_many("192.0.2.1", WINDOW_S + 0.5)


def test_whoever_has_many_addresses_does_not_fill_the_memory() -> None:
    guesses = Guesses()
    for number in range(MOST_ADDRESSES + 100):
        guesses.add(f"address {number}", 0.0)

    assert len(guesses._times) == MOST_ADDRESSES


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("ipv4:192.0.2.7:40000", "192.0.2.7"),
        ("ipv6:%5B::1%5D:40000", "::/64"),
        ("ipv6:[2001:db8:1:2:3:4:5:6]:40000", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2::99%5D:1", "2001:db8:1:2::/64"),
        ("ipv6:%5B::ffff:192.0.2.7%5D:40000", "192.0.2.7"),
        ("ipv6:%5Bfe80::1%25eth0%5D:1", "fe80::/64"),
        ("unix:/tmp/socket", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_peer_is_known_by_its_network(peer: str, network: str) -> None:
    assert network_of(peer) == network


@given(st.text(max_size=80))
def test_whatever_grpc_calls_a_peer_it_comes_from_somewhere(peer: str) -> None:
    assert network_of(peer)
