"""A client whose app cannot be loaded again says so, and does not try that without end."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from client.attempts import RETRY_S, TRIES, Attempts
from client.hosted_app import HostedApp
from shared.app_process import AppProcess
from shared.errors import AppInvalid
from tests.support.apps import APPS


def test_after_three_failed_starts_there_is_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    monkeypatch.setattr("client.attempts.time.monotonic", lambda: now)
    starts = Attempts()
    tried = 0

    def attempt() -> None:
        nonlocal tried
        with starts.attempt():
            tried += 1
            raise AppInvalid("no GPU")

    for _ in range(10):
        with pytest.raises(AppInvalid, match="no GPU"):
            attempt()
    assert tried == TRIES
    assert caplog.text.count("third time in a row") == 1

    now += RETRY_S
    with pytest.raises(AppInvalid, match="no GPU"):
        attempt()
    assert tried == TRIES + 1


def test_a_start_that_goes_well_is_the_end_of_the_pauses() -> None:
    starts = Attempts()
    for _ in range(TRIES - 1):
        with pytest.raises(AppInvalid), starts.attempt():
            raise AppInvalid("no GPU")

    with starts.attempt():
        pass

    assert starts.failed == 0


def test_a_process_that_cannot_be_replaced_is_tried_once_until_a_message_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = 0

    def start() -> AppProcess:
        nonlocal tries
        tries += 1
        raise AppInvalid("its files are gone")

    hosted = HostedApp(start)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            hosted.make_ready()

    assert tries == 1
    assert "the app cannot be loaded again: its files are gone" in caplog.text


def test_a_client_of_another_app_does_without_pytorch() -> None:
    code = "import client.main, client.hosted_app, sys; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=APPS.parents[1])
