"""HOST:PORT, with names, IPv4 and IPv6."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.address import Address, bracketed, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:5050", "localhost", 5050),
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("[::1]:5050", "::1", 5050),
        ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)
    assert str(Address(host, port)) == text


@pytest.mark.parametrize(
    "text",
    ["", "localhost", ":5050", "localhost:", "localhost:0", "localhost:65536", "localhost:x", "localhost:١",
     "::1:5050", "::1", "[::1]", "[localhost]:5050", "http://localhost:5050", "local host:5050", "[::1:5050"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|port"):
        parse_address(text)


def test_an_ipv6_address_without_brackets_is_told_apart() -> None:
    with pytest.raises(ValueError, match=r"in brackets, for example \[::1\]:5050"):
        parse_address("::1:5050")


def test_only_ipv6_stands_in_brackets() -> None:
    assert [bracketed(host) for host in ("::", "0.0.0.0", "example.org")] == [
        "[::]",
        "0.0.0.0",
        "example.org",
    ]


@given(host=st.ip_addresses(), port=st.integers(1, 65535))
def test_every_ip_address_survives_the_way_to_text_and_back(
    host: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    assert parse_address(str(Address(str(host), port))) == Address(str(host), port)
