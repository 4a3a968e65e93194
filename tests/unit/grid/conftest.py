"""A grid on a link that keeps what it is given."""

from __future__ import annotations

import pytest

from app.federation.grid.link_grid import LinkGrid
from shared.flower import (
    identify_server_task,
)
from tests.support.fake_link import RUN_ID, FakeLink, FakeOwner, Watching


@pytest.fixture(autouse=True)
def _server_task() -> None:
    identify_server_task(RUN_ID)


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def owner() -> FakeOwner:
    return FakeOwner()


@pytest.fixture
def grid(link: FakeLink, owner: FakeOwner, watching: Watching) -> LinkGrid:
    return LinkGrid(link, RUN_ID, owner, watching)
