"""Flower's classes as a ServerApp's process has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.app_host.hooks import Hooks
from shared.flower import identify_server_task
from tests.support.hooks import Reporting


@pytest.fixture(scope="session")
def hooks() -> Hooks:
    """Flower's classes in this process stay wrapped; without a report that changes nothing."""
    hooks = Hooks()
    hooks.install()
    return hooks


@pytest.fixture
def report(hooks: Hooks) -> Iterator[Reporting]:
    identify_server_task(1)
    hooks.report = report = Reporting()
    yield report
    hooks.report = None
