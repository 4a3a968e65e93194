"""The link's certificate is renewed while the server runs, and clients that knew the key find it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.federation.link.credentials import Renewal
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from shared.address import Address
from shared.security.certificate import is_due, make_certificate, reach
from shared.security.server_identity import ServerIdentity
from tests.support.a_link import a_link
from tests.support.raw_link import RawClient

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def identity(tmp_path: Path) -> ServerIdentity:
    return ServerIdentity.load_or_make(tmp_path)


@pytest.fixture(params=["of a clock that was years behind", "that ended meanwhile"])
def outdated(request: pytest.FixtureRequest, identity: ServerIdentity) -> ServerIdentity:
    """With a certificate that no client would take now."""
    behind = 20_000 * DAY if "years behind" in request.param else 3_700 * DAY
    return replace(identity, certificate=make_certificate(identity.key, NOW - behind))


@pytest.fixture
def link(outdated: ServerIdentity, tmp_path: Path) -> Iterator[LinkServer]:
    link, _ = a_link(outdated, Spool(tmp_path / "spool"))
    outdated.invite(tmp_path, "127.0.0.1", link.start("127.0.0.1", 0))
    yield link
    link.stop(0.0)


def test_one_that_will_do_is_kept(identity: ServerIdentity) -> None:
    renewal = Renewal(identity)

    assert renewal.renewed(NOW) is None
    assert renewal.renewed(NOW + 3_000 * DAY) is None


def test_one_that_is_due_is_renewed_once(identity: ServerIdentity) -> None:
    renewal = Renewal(identity)
    later = NOW + 3_400 * DAY

    renewed = renewal.renewed(later)

    assert renewed is not None
    assert not is_due(renewed, identity.key, later)
    assert renewal.renewed(later) is None


def test_whoever_connects_gets_one_that_holds_by_the_same_key(
    link: LinkServer, outdated: ServerIdentity, tmp_path: Path
) -> None:
    pin = outdated.key.public.id
    first = reach(Address("127.0.0.1", link.port), [pin], 5.0)

    assert first.certificate != outdated.certificate
    assert reach(Address("127.0.0.1", link.port), [pin], 5.0) == first
    with RawClient(tmp_path) as client:
        assert client.hello("a").WhichOneof("kind") == "welcome"
