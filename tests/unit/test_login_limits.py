"""Nobody guesses passwords, and nobody locks another one out."""

from __future__ import annotations

import pytest

from app.auth.limits import PER_ADDRESS, PER_NAME, REMEMBERED, SPELL_S, LoginLimits, site_of
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000.0)


@pytest.fixture
def limits(clock: Clock) -> LoginLimits:
    return LoginLimits(clock)


def test_an_address_has_to_wait_after_so_many_failures(limits: LoginLimits, clock: Clock) -> None:
    assert [limits.attempt(f"name-{n}", "10.0.0.1") for n in range(PER_ADDRESS)] == [0.0] * PER_ADDRESS
    assert limits.attempt("name", "10.0.0.1") == SPELL_S

    clock.now += SPELL_S
    assert limits.attempt("name", "10.0.0.1") == 0.0


def test_another_address_does_not(limits: LoginLimits) -> None:
    for _ in range(PER_ADDRESS):
        limits.attempt("alice", "10.0.0.1")

    assert limits.attempt("alice", "10.0.0.2") == 0.0


def test_a_name_that_is_tried_from_everywhere_is_closed_but_to_where_it_logs_in_from(
    limits: LoginLimits,
) -> None:
    limits.attempt("alice", "10.9.9.9")
    limits.succeeded("alice", "10.9.9.9")
    for number in range(PER_NAME):
        limits.attempt("alice", f"10.0.1.{number}")

    assert limits.attempt("alice", "10.0.2.1") > 0
    assert limits.attempt("alice", "10.9.9.9") == 0.0
    assert limits.attempt("bob", "10.0.2.1") == 0.0


def test_the_right_password_makes_up_for_wrong_ones(limits: LoginLimits) -> None:
    for _ in range(3):
        for _ in range(PER_ADDRESS - 1):
            assert limits.attempt("alice", "10.0.0.1") == 0.0
        limits.succeeded("alice", "10.0.0.1")


def test_many_at_once_are_no_more_than_one_after_the_other(limits: LoginLimits) -> None:
    """None of them has an answer yet."""
    allowed = [limits.attempt("alice", "10.0.0.1") == 0.0 for _ in range(100)]

    assert sum(allowed) == PER_ADDRESS


def test_memory_is_bounded(limits: LoginLimits) -> None:
    for number in range(2 * REMEMBERED):
        limits.attempt(f"name-{number}", f"name-{number}")

    assert len(limits._failures) == REMEMBERED


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_a_site_of_ipv6_counts_as_one_address(address: str, site: str) -> None:
    assert site_of(address) == site
