"""Servers that are killed while they write, and two that want the same store."""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import StoreUnavailable
from tests.support.store_worker import RUN, round_of
from tests.support.stores import kill_after, worker


class TestKilled:
    def test_nothing_that_was_called_written_is_lost(self, tmp_path: Path) -> None:
        url = default_url(tmp_path)
        chance = random.Random(3)
        written = 0
        for _ in range(5):
            with worker("events", url) as process:
                written = max(written, kill_after(process, chance.randrange(20, 1500)))
            with closing(sqlite3.connect(tmp_path / "fedloom.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            with Store.open(url) as store:
                self.check(store, written)
        assert written > 100

    @staticmethod
    def check(store: Store, written: int) -> None:
        """All events up to `written` are there, and of those after it whatever is there is whole."""
        lines = store.logs(1_000_000)
        rounds = {round_.round: round_ for round_ in store.rounds(RUN)}
        history = store.events(1_000_000)

        assert all(int(entry.message) == entry.seq for entry in lines)
        assert all(round_ == round_of(4 * number) for number, round_ in rounds.items())
        run_updates = {event.seq for event in history if event.type == "run_update"}
        told = {entry.seq for entry in lines} | {4 * number for number in rounds} | run_updates
        assert set(range(1, written + 1)) <= told
        completed = {event.data["round"] for event in history if event.type == "metrics_update"}
        assert completed == rounds.keys()

    def test_the_newest_checkpoint_is_always_sound(self, tmp_path: Path) -> None:
        chance = random.Random(4)
        for _ in range(5):
            with worker("checkpoints", str(tmp_path)) as process:
                saved = kill_after(process, chance.randrange(2, 40))
            models = sorted((tmp_path / RUN).glob("round-?????.safetensors"))
            checkpoints = CheckpointStore(tmp_path)
            newest = checkpoints.newest(RUN)

            assert newest is not None
            assert newest.round >= saved
            assert checkpoints.path(RUN, newest.round) == models[-1], "none is passed over"
            assert set(newest.arrays["weight"].numpy()) == {newest.round}
            assert set(newest.state["moment"]) == {2 * newest.round}
            left = {re.sub(r"-[0-9a-f]{8}\.state", "", path.name) for path in (tmp_path / RUN).iterdir()}
            assert left == {path.name for path in models}


class TestTwoServers:
    def test_the_second_is_told_of_the_first_and_takes_over_when_that_was_killed(
        self, tmp_path: Path
    ) -> None:
        url = default_url(tmp_path)
        with worker("hold", url) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with pytest.raises(
                StoreUnavailable, match=rf"Another FedLoom server \(process {process.pid}\) uses"
            ):
                Store.open(url)

        Store.open(url).close()
