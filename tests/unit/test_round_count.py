"""Rounds of a day are counted by messages, over restarts, whatever the server calls them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.site.round_count import MAX_TYPES, CountUnusable, RoundCount

TODAY = date(2026, 11, 26)


class Clock:
    today = TODAY


def count_in(path: Path, clock: Clock | None = None) -> RoundCount:
    clock = clock or Clock()
    return RoundCount(path, lambda: clock.today)


def test_a_round_is_one_message_of_each_kind(tmp_path: Path) -> None:
    rounds = count_in(tmp_path / "a.json")

    for kind in ("train", "evaluate", "train"):
        rounds.add("run", kind)

    assert rounds.after("run", "evaluate") == 2
    assert rounds.after("run", "query") == 2
    assert rounds.after("run", "train") == 3


def test_rounds_of_several_runs_add_up(tmp_path: Path) -> None:
    rounds = count_in(tmp_path / "a.json")
    for run in ("one", "two", "two"):
        rounds.add(run, "train")

    assert rounds.after("three", "train") == 4
    assert rounds.after("two", "evaluate") == 3


def test_another_process_goes_on_counting(tmp_path: Path) -> None:
    path = tmp_path / "rounds" / "a.json"
    count_in(path).add("run", "train")

    assert count_in(path).after("run", "train") == 2
    assert path.stat().st_mode & 0o077 == 0


def test_the_next_day_begins_at_nothing(tmp_path: Path) -> None:
    clock = Clock()
    rounds = count_in(tmp_path / "a.json", clock)
    rounds.add("run", "train")

    clock.today = TODAY + timedelta(days=1)

    assert rounds.after("run", "train") == 1


def test_a_clock_that_is_set_back_brings_no_new_day(tmp_path: Path) -> None:
    clock = Clock()
    rounds = count_in(tmp_path / "a.json", clock)
    rounds.add("run", "train")

    clock.today = TODAY - timedelta(days=300)

    assert rounds.after("run", "train") == 2
    assert count_in(tmp_path / "a.json", clock).after("run", "train") == 2


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"nonsense", b'{"day": "2026-11-26", "runs": {"a": {"t": -5}}}']
)
def test_a_count_that_cannot_be_read_is_not_taken_for_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(CountUnusable, match="or delete it if you accept"):
        count_in(path).after("run", "train")


def test_a_count_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CountUnusable, match="cannot be"):
        count_in(tmp_path / "file" / "a.json").add("run", "train")


@given(kinds=st.lists(st.sampled_from(["train", "evaluate", "query"]) | st.integers().map(str), max_size=100))
def test_no_names_of_messages_make_more_rounds_than_their_number_allows(
    kinds: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that invents a kind for each message is counted all the same, and the file stays small."""
    path = tmp_path_factory.mktemp("count") / "a.json"
    rounds = count_in(path)
    for kind in kinds:
        rounds.add("run", kind)

    counted = rounds.after("another", "train") - 1
    assert len(kinds) / (MAX_TYPES + 1) <= counted <= len(kinds)
